-- name: request_by_id
SELECT id, patient_id, status, intent, priority, authored_at, occurs_from, occurs_until, detail, version, updated_at
FROM orders.request WHERE organization_id = $1 AND id = $2

-- name: search_requests
-- What nobody asked for is NULL, and falls away when the statement is planned for its values.
SELECT r.id, r.patient_id, r.status, r.intent, r.priority, r.authored_at, r.occurs_from, r.occurs_until, r.detail, r.version, r.updated_at
FROM orders.request r
WHERE r.organization_id = $1 AND r.id > $2
  AND ($3::uuid[] IS NULL OR r.id = ANY($3)) AND ($4::uuid[] IS NULL OR r.patient_id = ANY($4))
  AND ($5::uuid[] IS NULL OR r.party_ids && $5) AND ($6::text[] IS NULL OR r.status = ANY($6))
  AND ($7::bytea[] IS NULL OR r.id IN (SELECT i.request_id FROM orders.identifier i WHERE i.organization_id = $1 AND i.mark = ANY($7)))
  AND ($8::bytea[] IS NULL OR r.id IN (
      SELECT i.request_id FROM orders.identifier i WHERE i.organization_id = $1 AND i.number_hash = ANY($8)))
  AND ($9::timestamptz IS NULL OR r.authored_at >= $9) AND ($10::timestamptz IS NULL OR r.authored_at < $10)
ORDER BY r.id LIMIT $11

-- name: put_request
-- The caller holds its patient's row, so that no other change comes between reading and writing.
INSERT INTO orders.request
    (organization_id, id, patient_id, status, intent, priority, authored_at, occurs_from, occurs_until, party_ids, detail, version, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (organization_id, id) DO UPDATE SET
    status = EXCLUDED.status, priority = EXCLUDED.priority, authored_at = EXCLUDED.authored_at, occurs_from = EXCLUDED.occurs_from,
    occurs_until = EXCLUDED.occurs_until, party_ids = EXCLUDED.party_ids, detail = EXCLUDED.detail, version = EXCLUDED.version,
    updated_at = EXCLUDED.updated_at

-- name: drop_identifiers
DELETE FROM orders.identifier WHERE organization_id = $1 AND request_id = $2

-- name: claim_identifiers
-- Fewer rows back than asked for means that another order carries the identifier. In order, so that two cannot wait in a circle.
INSERT INTO orders.identifier (organization_id, mark, number_hash, request_id)
SELECT $1, i.mark, i.number_hash, $2 FROM unnest($3::bytea[], $4::bytea[]) AS i(mark, number_hash)
ORDER BY i.mark
ON CONFLICT DO NOTHING
RETURNING mark

-- name: lock_patient
-- The update changes nothing and takes the lock: an erasure that comes meanwhile waits until what it must find is there.
INSERT INTO orders.patient AS known (organization_id, id) VALUES ($1, $2)
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = known.erased_at
RETURNING erased_at

-- name: note_erased
INSERT INTO orders.patient AS known (organization_id, id, erased_at) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = coalesce(known.erased_at, EXCLUDED.erased_at)

-- name: erase_requests
DELETE FROM orders.request WHERE organization_id = $1 AND patient_id = $2 RETURNING id

-- name: take_over
-- What was kept of a record that was merged ($2) is its survivor's.
UPDATE orders.request SET patient_id = kernel.survivor_of($1, $2), version = version + 1, updated_at = $3
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: dispose_requests
-- What nobody changed, and nobody wants done, for long enough; oldest first.
DELETE FROM orders.request WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM orders.request
    WHERE organization_id = $1 AND greatest(updated_at, occurs_until, occurs_from) < $2 AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: requests_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, detail FROM orders.request
WHERE organization_id = $1 AND id > $2 AND substring(detail FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_requests
UPDATE orders.request e SET detail = r.detail FROM unnest($2::uuid[], $3::bytea[]) AS r(id, detail)
WHERE e.organization_id = $1 AND e.id = r.id
