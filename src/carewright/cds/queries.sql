-- name: insert_service
-- Nothing back where there is one of this name, or there are $10 already.
INSERT INTO cds.service (organization_id, id, name, address, site_ids, prefetch, key, public_key, added_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
WHERE (SELECT count(*) FROM cds.service WHERE organization_id = $1) < $10
ON CONFLICT (organization_id, name) DO NOTHING
RETURNING id

-- name: services
SELECT id, name, address, site_ids, prefetch, public_key, added_at FROM cds.service WHERE organization_id = $1 ORDER BY id

-- name: services_to_ask
-- Those at a site, with our keys there.
SELECT id, name, address, site_ids, prefetch, public_key, added_at, key FROM cds.service
WHERE organization_id = $1 AND (cardinality(site_ids) = 0 OR $2 = ANY(site_ids)) ORDER BY id

-- name: service_by_id
SELECT id, name, address, site_ids, prefetch, public_key, added_at, key FROM cds.service WHERE organization_id = $1 AND id = $2

-- name: published_key
-- Asked by whoever holds a token of ours: across tenants.
SELECT public_key FROM cds.service WHERE id = $1

-- name: delete_service
DELETE FROM cds.service WHERE organization_id = $1 AND name = $2
RETURNING id

-- name: services_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, key FROM cds.service
WHERE organization_id = $1 AND id > $2 AND substring(key FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_services
UPDATE cds.service s SET key = r.key FROM unnest($2::uuid[], $3::bytea[]) AS r(id, key)
WHERE s.organization_id = $1 AND s.id = r.id
