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

-- name: place
SELECT number FROM oversight.place

-- name: move_place
UPDATE oversight.place SET number = $1 WHERE number < $1

-- name: note_unusual
-- One row for each kind, reader and patient until somebody closes it; then another, for what came afterwards.
INSERT INTO oversight.unusual AS u (id, organization_id, kind, agent, role, patient_id, first_at, last_at, count)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
WHERE NOT EXISTS (
    SELECT FROM oversight.unusual c
    WHERE c.organization_id = $2 AND c.kind = $3 AND c.agent = $4 AND c.patient_id IS NOT DISTINCT FROM $6::uuid
      AND c.closed_at IS NOT NULL AND c.last_at >= $7)
ON CONFLICT (organization_id, kind, agent, patient_id) WHERE closed_at IS NULL
DO UPDATE SET last_at = greatest(u.last_at, EXCLUDED.last_at),
    count = CASE WHEN u.kind = 'bulk_reading' THEN greatest(u.count, EXCLUDED.count) ELSE u.count + EXCLUDED.count END
RETURNING id

-- name: unusual
SELECT id, kind, agent, role, patient_id, first_at, last_at, count, closed_at, closed_by, outcome, finding FROM oversight.unusual
WHERE organization_id = $1 AND ($2 OR closed_at IS NULL) AND ($3::uuid IS NULL OR patient_id = $3) AND ($4::text IS NULL OR agent = $4)
ORDER BY id DESC
LIMIT $5

-- name: unusual_for_change
SELECT id, kind, agent, role, patient_id, first_at, last_at, count, closed_at, closed_by, outcome, finding FROM oversight.unusual
WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL
FOR UPDATE

-- name: close_unusual
UPDATE oversight.unusual SET closed_at = $3, closed_by = $4, outcome = $5, finding = $6
WHERE organization_id = $1 AND id = $2

-- name: unusual_to_reseal
SELECT id, finding FROM oversight.unusual
WHERE organization_id = $1 AND id > $2 AND substring(finding FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_unusual
UPDATE oversight.unusual u SET finding = r.finding FROM unnest($2::uuid[], $3::bytea[]) AS r(id, finding)
WHERE u.organization_id = $1 AND u.id = r.id
