-- name: insert_incident
INSERT INTO oversight.incident (organization_id, id, opened_at, opened_by, reason) VALUES ($1, $2, $3, $4, $5)

-- name: insert_triggered
-- $8 is when it would be told again: what goes on for a while is one incident, not one every few seconds.
INSERT INTO oversight.incident (organization_id, id, opened_at, opened_by, reason, kind, about)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE NOT EXISTS (SELECT FROM oversight.incident i WHERE i.organization_id = $1 AND i.kind = $6 AND i.about = $7 AND i.opened_at > $8)
RETURNING id

-- name: set_steps
UPDATE oversight.incident SET steps = $3 WHERE organization_id = $1 AND id = $2

-- name: incidents
-- Ids are made in the order of time.
SELECT id, kind, about, opened_at, opened_by, reason, steps, closed_at, closed_by, finding FROM oversight.incident
WHERE organization_id = $1 AND ($2 OR closed_at IS NULL)
ORDER BY id DESC
LIMIT $3

-- name: close_incident
UPDATE oversight.incident SET closed_at = $3, closed_by = $4, finding = $5 WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL
RETURNING id, kind, about, opened_at, opened_by, reason, steps, closed_at, closed_by, finding

-- name: incidents_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that one that is being closed waits for a moment; readers do not.
SELECT id, reason, finding FROM oversight.incident
WHERE organization_id = $1 AND id > $2 AND (substring(reason FOR 3) <> $3 OR substring(finding FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_incidents
UPDATE oversight.incident i SET reason = r.reason, finding = r.finding
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, reason, finding)
WHERE i.organization_id = $1 AND i.id = r.id
