-- name: insert_export
-- Nothing back where somebody has $9 that live already.
INSERT INTO fhir.export (organization_id, id, subject, kinds, since, request, asked_at, until, elements, filters, group_id)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $10, $11, $12
WHERE (SELECT count(*) FROM fhir.export WHERE organization_id = $1 AND subject = $3 AND until > $7) < $9
RETURNING id

-- name: export_by_id
-- Whoever asked for it alone has it, while it lives.
SELECT id, kinds, since, elements, filters, group_id, request, asked_at, until FROM fhir.export
WHERE organization_id = $1 AND id = $2 AND subject = $3 AND until > $4

-- name: delete_export
DELETE FROM fhir.export WHERE organization_id = $1 AND id = $2 AND subject = $3 AND until > $4
RETURNING id

-- name: forget_exports
DELETE FROM fhir.export WHERE ctid = ANY(ARRAY(SELECT ctid FROM fhir.export WHERE until < $1 LIMIT $2))
