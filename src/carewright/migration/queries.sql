-- name: appointment_by_mark
SELECT appointment_id FROM migration.link WHERE organization_id = $1 AND mark = $2

-- name: insert_link
-- A run that is repeated finds the same appointment by its idempotency key, and links it again.
INSERT INTO migration.link (organization_id, mark, appointment_id, patient_id, linked_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING

-- name: erase_links
DELETE FROM migration.link WHERE organization_id = $1 AND patient_id = $2 RETURNING appointment_id
