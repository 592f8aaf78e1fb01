-- name: lock_directory
-- One change at a time within a tenant: what a change was checked against still holds when it commits, and the order in which changes
-- commit is the order in which the log shows them. Waiting for this lock takes no transaction id, so it must be the first statement.
SELECT pg_advisory_xact_lock(hashtextextended('directory ' || $1::uuid::text, 0))

-- name: is_empty
SELECT NOT EXISTS (SELECT FROM directory.location WHERE organization_id = $1)
   AND NOT EXISTS (SELECT FROM directory.organization WHERE organization_id = $1)
   AND NOT EXISTS (SELECT FROM directory.practitioner WHERE organization_id = $1)
   AND NOT EXISTS (SELECT FROM directory.device WHERE organization_id = $1)
   AND NOT EXISTS (SELECT FROM directory.healthcare_service WHERE organization_id = $1) AS empty

-- name: targets
-- What ids stand for: enough to check a reference to them, and that nothing changes what it is.
SELECT id, 'Organization' AS resource_type, '' AS kind, NULL::uuid AS home_id
FROM directory.organization WHERE organization_id = $1 AND id = ANY($2::uuid[])
UNION ALL
SELECT id, 'Location', kind, site_id FROM directory.location WHERE organization_id = $1 AND id = ANY($2)
UNION ALL
SELECT id, 'Practitioner', kind, NULL FROM directory.practitioner WHERE organization_id = $1 AND id = ANY($2)
UNION ALL
SELECT id, 'PractitionerRole', '', practitioner_id FROM directory.practitioner_role WHERE organization_id = $1 AND id = ANY($2)
UNION ALL
SELECT id, 'Device', '', NULL FROM directory.device WHERE organization_id = $1 AND id = ANY($2)
UNION ALL
SELECT id, 'HealthcareService', '', NULL FROM directory.healthcare_service WHERE organization_id = $1 AND id = ANY($2)
UNION ALL
SELECT id, 'VisitType', '', healthcare_service_id FROM directory.visit_type WHERE organization_id = $1 AND id = ANY($2)

-- name: parts_above
-- The stored chain above each given organization or location. UNION, not UNION ALL: it ends even on a circle.
WITH RECURSIVE above(id, part_of_id) AS (
    SELECT asked.id, asked.id FROM unnest($2::uuid[]) AS asked(id)
    UNION
    SELECT whole.id, whole.part_of_id
    FROM above CROSS JOIN LATERAL (
        SELECT o.id, o.part_of_id FROM directory.organization o WHERE o.organization_id = $1 AND o.id = above.part_of_id
        UNION ALL
        SELECT l.id, l.part_of_id FROM directory.location l WHERE l.organization_id = $1 AND l.id = above.part_of_id
    ) AS whole
)
SELECT id, part_of_id FROM above WHERE part_of_id <> id

-- name: put_organizations
-- Every `put_` statement alike: a new entry begins at version 1, one that says something else gets the next version, and one that says
-- the same is left alone and not returned.
INSERT INTO directory.organization AS stored (organization_id, id, search_key, value)
SELECT $1, given.* FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS given
ON CONFLICT (organization_id, id) DO UPDATE
SET search_key = EXCLUDED.search_key, value = EXCLUDED.value || jsonb_build_object('version', stored.version + 1)
WHERE stored.value - 'version' <> EXCLUDED.value - 'version'
RETURNING id, version

-- name: put_locations
INSERT INTO directory.location AS stored (organization_id, id, search_key, value)
SELECT $1, given.* FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS given
ON CONFLICT (organization_id, id) DO UPDATE
SET search_key = EXCLUDED.search_key, value = EXCLUDED.value || jsonb_build_object('version', stored.version + 1)
WHERE stored.value - 'version' <> EXCLUDED.value - 'version'
RETURNING id, version

-- name: put_practitioners
INSERT INTO directory.practitioner AS stored (organization_id, id, search_key, value)
SELECT $1, given.* FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS given
ON CONFLICT (organization_id, id) DO UPDATE
SET search_key = EXCLUDED.search_key, value = EXCLUDED.value || jsonb_build_object('version', stored.version + 1)
WHERE stored.value - 'version' <> EXCLUDED.value - 'version'
RETURNING id, version

-- name: put_practitioner_roles
INSERT INTO directory.practitioner_role AS stored (organization_id, id, search_key, value)
SELECT $1, given.* FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS given
ON CONFLICT (organization_id, id) DO UPDATE
SET search_key = EXCLUDED.search_key, value = EXCLUDED.value || jsonb_build_object('version', stored.version + 1)
WHERE stored.value - 'version' <> EXCLUDED.value - 'version'
RETURNING id, version

-- name: put_devices
INSERT INTO directory.device AS stored (organization_id, id, search_key, value)
SELECT $1, given.* FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS given
ON CONFLICT (organization_id, id) DO UPDATE
SET search_key = EXCLUDED.search_key, value = EXCLUDED.value || jsonb_build_object('version', stored.version + 1)
WHERE stored.value - 'version' <> EXCLUDED.value - 'version'
RETURNING id, version

-- name: put_healthcare_services
INSERT INTO directory.healthcare_service AS stored (organization_id, id, search_key, value)
SELECT $1, given.* FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS given
ON CONFLICT (organization_id, id) DO UPDATE
SET search_key = EXCLUDED.search_key, value = EXCLUDED.value || jsonb_build_object('version', stored.version + 1)
WHERE stored.value - 'version' <> EXCLUDED.value - 'version'
RETURNING id, version

-- name: put_visit_types
INSERT INTO directory.visit_type AS stored (organization_id, id, search_key, value)
SELECT $1, given.* FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS given
ON CONFLICT (organization_id, id) DO UPDATE
SET search_key = EXCLUDED.search_key, value = EXCLUDED.value || jsonb_build_object('version', stored.version + 1)
WHERE stored.value - 'version' <> EXCLUDED.value - 'version'
RETURNING id, version

-- name: touch_practitioners
-- A change of roles is news of the practitioner: readers tell old news from new by the practitioner's version.
UPDATE directory.practitioner SET value = value || jsonb_build_object('version', version + 1)
WHERE organization_id = $1 AND id = ANY($2::uuid[])

-- name: touch_visit_types
-- A change of the service is news of its visit types, in the same way. $3 are those that have their news already.
UPDATE directory.visit_type SET value = value || jsonb_build_object('version', version + 1)
WHERE organization_id = $1 AND healthcare_service_id = ANY($2::uuid[]) AND NOT id = ANY($3::uuid[])
RETURNING id

-- name: drop_identifiers
DELETE FROM directory.identifier WHERE organization_id = $1 AND id = ANY($2::uuid[])

-- name: claim_identifiers
-- Fewer rows back than asked for means that another entry carries the identifier.
INSERT INTO directory.identifier (organization_id, resource_type, system, value, id)
SELECT $1, given.* FROM unnest($2::text[], $3::text[], $4::text[], $5::uuid[]) AS given
ON CONFLICT DO NOTHING
RETURNING id, system, value

-- name: entries_after
-- One type is asked for, and the parts of the others end at that comparison before they read a row. Each part walks its key, so a page
-- costs its rows, however many there are.
SELECT id, value FROM directory.organization WHERE $2::text = 'Organization' AND organization_id = $1 AND id > $3
UNION ALL
SELECT id, value FROM directory.location WHERE $2 = 'Location' AND organization_id = $1 AND id > $3
UNION ALL
SELECT id, value FROM directory.practitioner WHERE $2 = 'Practitioner' AND organization_id = $1 AND id > $3
UNION ALL
SELECT id, value FROM directory.practitioner_role WHERE $2 = 'PractitionerRole' AND organization_id = $1 AND id > $3
UNION ALL
SELECT id, value FROM directory.device WHERE $2 = 'Device' AND organization_id = $1 AND id > $3
UNION ALL
SELECT id, value FROM directory.healthcare_service WHERE $2 = 'HealthcareService' AND organization_id = $1 AND id > $3
UNION ALL
SELECT id, value FROM directory.visit_type WHERE $2 = 'VisitType' AND organization_id = $1 AND id > $3
ORDER BY id LIMIT $4

-- name: entries_by_id
-- As entries_after. A statement of its own, because one that serves both is planned for neither.
SELECT id, value FROM directory.organization WHERE $2::text = 'Organization' AND organization_id = $1 AND id > $3 AND id = ANY($5::uuid[])
UNION ALL
SELECT id, value FROM directory.location WHERE $2 = 'Location' AND organization_id = $1 AND id > $3 AND id = ANY($5)
UNION ALL
SELECT id, value FROM directory.practitioner WHERE $2 = 'Practitioner' AND organization_id = $1 AND id > $3 AND id = ANY($5)
UNION ALL
SELECT id, value FROM directory.practitioner_role WHERE $2 = 'PractitionerRole' AND organization_id = $1 AND id > $3 AND id = ANY($5)
UNION ALL
SELECT id, value FROM directory.device WHERE $2 = 'Device' AND organization_id = $1 AND id > $3 AND id = ANY($5)
UNION ALL
SELECT id, value FROM directory.healthcare_service WHERE $2 = 'HealthcareService' AND organization_id = $1 AND id > $3 AND id = ANY($5)
UNION ALL
SELECT id, value FROM directory.visit_type WHERE $2 = 'VisitType' AND organization_id = $1 AND id > $3 AND id = ANY($5)
ORDER BY id LIMIT $4

-- name: ids_by_identifier
SELECT i.system, i.value, i.id
FROM directory.identifier i JOIN unnest($3::text[], $4::text[]) AS asked(system, value) USING (system, value)
WHERE i.organization_id = $1 AND i.resource_type = $2

-- name: staff_by_id
-- Lists are put together as json, not jsonb: PostgreSQL joins the parts' text and does not build a tree first (measured: four times faster).
SELECT p.value AS practitioner, (
    SELECT coalesce(json_agg(r.value ORDER BY r.id), '[]') FROM directory.practitioner_role r
    WHERE r.organization_id = $1 AND r.practitioner_id = p.id
) AS roles
FROM directory.practitioner p
WHERE p.organization_id = $1 AND p.id = ANY($2::uuid[])
ORDER BY p.id

-- name: visit_types_with_service
SELECT v.value AS visit_type, s.value AS service
FROM directory.visit_type v JOIN directory.healthcare_service s USING (organization_id)
WHERE v.organization_id = $1 AND v.id = ANY($2::uuid[]) AND s.id = v.healthcare_service_id
ORDER BY v.id

-- name: service_by_id
SELECT s.value AS service, (
    SELECT coalesce(json_agg(v.value ORDER BY v.search_key, v.id), '[]') FROM directory.visit_type v
    WHERE v.organization_id = $1 AND v.healthcare_service_id = s.id AND v.active
) AS visit_types
FROM directory.healthcare_service s
WHERE s.organization_id = $1 AND s.id = $2

-- name: find_services
-- $2 is the folded text or empty, $3 a site id as text or null: no sites named means every site.
-- The page is put together here, so that counting and reading see one moment.
WITH matching AS (
    SELECT s.id, s.search_key, s.value FROM directory.healthcare_service s
    WHERE s.organization_id = $1 AND s.active
      AND ($3::text IS NULL OR s.value->'site_ids' = '[]' OR s.value->'site_ids' ? $3)
      AND (position($2::text IN s.search_key) > 0 OR EXISTS (
          SELECT FROM directory.visit_type v
          WHERE v.organization_id = $1 AND v.healthcare_service_id = s.id AND v.active AND position($2 IN v.search_key) > 0
      ))
), page AS (
    SELECT m.search_key, m.id, json_build_object('service', m.value, 'visit_types', (
        SELECT coalesce(json_agg(v.value ORDER BY v.search_key, v.id), '[]') FROM directory.visit_type v
        WHERE v.organization_id = $1 AND v.healthcare_service_id = m.id AND v.active
          AND ($3 IS NULL OR v.value->'rules'->'site_ids' = '[]' OR v.value->'rules'->'site_ids' ? $3)
    )) AS item
    FROM matching m ORDER BY m.search_key, m.id LIMIT $4 OFFSET $5
)
SELECT (SELECT count(*) FROM matching) AS total, coalesce(json_agg(item ORDER BY search_key, id), '[]') AS items FROM page

-- name: find_sites
SELECT l.value FROM directory.location l
WHERE l.organization_id = $1 AND l.kind = 'site' AND l.active
ORDER BY l.search_key, l.id
LIMIT $2

-- name: find_staff
-- Site and specialty must meet in one role. $3 is a specialty as typed (code or system|code) or empty, $4 the same folded (part of its
-- name), $6 a language tag: "en" finds "en-GB" (RFC 4647, basic filtering).
WITH matching AS (
    SELECT p.id, p.search_key, p.value FROM directory.practitioner p
    WHERE p.organization_id = $1 AND p.active AND ($2::text IS NULL OR p.kind = $2)
      AND ($6::text IS NULL OR EXISTS (
          SELECT FROM jsonb_array_elements_text(p.value->'languages') AS spoken(tag) WHERE starts_with(lower(tag) || '-', lower($6) || '-')
      ))
      AND (($3::text = '' AND $5::text IS NULL) OR EXISTS (
          SELECT FROM directory.practitioner_role r
          WHERE r.organization_id = $1 AND r.practitioner_id = p.id AND r.active
            AND ($5 IS NULL OR r.value->'site_ids' ? $5)
            AND (position($4::text IN r.search_key) > 0 OR EXISTS (
                SELECT FROM jsonb_array_elements(r.value->'specialties') AS specialty(coding)
                WHERE $3 IN (coding->>'code', (coding->>'system') || '|' || (coding->>'code'))
            ))
      ))
), page AS (
    SELECT m.search_key, m.id, json_build_object('practitioner', m.value, 'roles', (
        SELECT coalesce(json_agg(r.value ORDER BY r.id), '[]') FROM directory.practitioner_role r
        WHERE r.organization_id = $1 AND r.practitioner_id = m.id
    )) AS item
    FROM matching m ORDER BY m.search_key, m.id LIMIT $7 OFFSET $8
)
SELECT (SELECT count(*) FROM matching) AS total, coalesce(json_agg(item ORDER BY search_key, id), '[]') AS items FROM page
