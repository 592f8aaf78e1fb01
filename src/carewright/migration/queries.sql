-- name: appointment_by_mark
SELECT appointment_id FROM migration.link WHERE organization_id = $1 AND mark = $2

-- name: put_link
-- A run that is repeated finds the same appointment by its idempotency key, and links it again. One that was called off and stands there
-- again is another of ours.
INSERT INTO migration.link (organization_id, mark, appointment_id, patient_id, linked_at, source_hash) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, mark) DO UPDATE
SET appointment_id = EXCLUDED.appointment_id, patient_id = EXCLUDED.patient_id, linked_at = EXCLUDED.linked_at,
    source_hash = EXCLUDED.source_hash

-- name: linked_among
-- Of these appointments, those that are known by an id of the system ($3), or of any where none is named.
SELECT DISTINCT appointment_id FROM migration.link
WHERE organization_id = $1 AND appointment_id = ANY($2::uuid[]) AND ($3::bytea IS NULL OR source_hash = $3)

-- name: erase_links
DELETE FROM migration.link WHERE organization_id = $1 AND patient_id = $2 RETURNING appointment_id

-- name: insert_report
INSERT INTO migration.report
    (organization_id, id, service_id, site_id, source, made_at, theirs, ours, same, theirs_only, ours_only, differing, unread, differences)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: latest_reports
-- The newest of each service at each site.
SELECT DISTINCT ON (service_id, site_id) id, service_id, site_id, source, made_at, theirs, ours, same, theirs_only, ours_only, differing,
    unread, differences
FROM migration.report WHERE organization_id = $1
ORDER BY service_id, site_id, made_at DESC, id DESC

-- name: forget_reports
-- All but the newest $4 of a service at a site.
DELETE FROM migration.report WHERE organization_id = $1 AND id IN (
    SELECT id FROM migration.report WHERE organization_id = $1 AND service_id = $2 AND site_id = $3
    ORDER BY made_at DESC, id DESC OFFSET $4)
