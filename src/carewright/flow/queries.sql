-- name: encounter_by_id
SELECT id, patient_id, status, appointment_id, site_id, starts_at, ends_at, detail, version, updated_at
FROM flow.encounter WHERE organization_id = $1 AND id = $2

-- name: encounters_for_change
-- The caller holds the rows until the end of its transaction: what it read is what it changes. In order, so that two wait in one line.
SELECT id, patient_id, status, appointment_id, site_id, starts_at, ends_at, detail, version, updated_at
FROM flow.encounter WHERE organization_id = $1 AND id = ANY($2::uuid[])
ORDER BY id FOR UPDATE

-- name: search_encounters
-- What nobody asked for is NULL, and falls away when the statement is planned for its values.
SELECT e.id, e.patient_id, e.status, e.appointment_id, e.site_id, e.starts_at, e.ends_at, e.detail, e.version, e.updated_at
FROM flow.encounter e
WHERE e.organization_id = $1 AND e.id > $2
  AND ($3::uuid[] IS NULL OR e.id = ANY($3)) AND ($4::uuid[] IS NULL OR e.patient_id = ANY($4))
  AND ($5::uuid[] IS NULL OR e.appointment_id = ANY($5)) AND ($6::uuid[] IS NULL OR e.site_id = ANY($6))
  AND ($7::text[] IS NULL OR e.status = ANY($7))
  AND ($8::uuid[] IS NULL OR e.id IN (
      SELECT t.encounter_id FROM flow.taking_part t WHERE t.organization_id = $1 AND t.actor_id = ANY($8)))
  AND ($9::bytea[] IS NULL OR e.id IN (SELECT i.encounter_id FROM flow.identifier i WHERE i.organization_id = $1 AND i.mark = ANY($9)))
  AND ($10::timestamptz IS NULL OR (e.starts_at IS NOT NULL AND coalesce(e.ends_at, 'infinity') >= $10))
  AND ($11::timestamptz IS NULL OR e.starts_at < $11)
ORDER BY e.id LIMIT $12

-- name: put_encounters
-- A new encounter begins at version 1, one that says something else gets the next version, and one that says the same is left alone and
-- not returned. In order of ids, so that two batches cannot wait for each other in a circle. Whoever names a record that was merged means its
-- survivor.
INSERT INTO flow.encounter AS stored
    (organization_id, id, patient_id, status, appointment_id, site_id, starts_at, ends_at, detail, content, version, recorded_at, updated_at)
SELECT $1, e.id, kernel.survivor_of($1, e.patient_id), e.status, e.appointment_id, e.site_id, e.starts_at, e.ends_at, e.detail, e.content, 1,
    $11, $11
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::timestamptz[], $9::bytea[], $10::bytea[])
    AS e(id, patient_id, status, appointment_id, site_id, starts_at, ends_at, detail, content)
ORDER BY e.id
ON CONFLICT (organization_id, id) DO UPDATE SET
    status = EXCLUDED.status, appointment_id = EXCLUDED.appointment_id, site_id = EXCLUDED.site_id, starts_at = EXCLUDED.starts_at,
    ends_at = EXCLUDED.ends_at, detail = EXCLUDED.detail, content = EXCLUDED.content, version = stored.version + 1,
    updated_at = EXCLUDED.updated_at
WHERE stored.content <> EXCLUDED.content
RETURNING id, version

-- name: drop_links
WITH named AS (DELETE FROM flow.identifier WHERE organization_id = $1 AND encounter_id = ANY($2::uuid[]))
DELETE FROM flow.taking_part WHERE organization_id = $1 AND encounter_id = ANY($2::uuid[])

-- name: insert_taking_part
INSERT INTO flow.taking_part (organization_id, actor_id, encounter_id)
SELECT $1, t.* FROM unnest($2::uuid[], $3::uuid[]) AS t(actor_id, encounter_id) ON CONFLICT DO NOTHING

-- name: claim_identifiers
-- Fewer rows back than asked for means that another encounter carries the identifier. In order, for the same reason as put_encounters.
INSERT INTO flow.identifier (organization_id, mark, encounter_id)
SELECT $1, i.* FROM unnest($2::bytea[], $3::uuid[]) AS i(mark, encounter_id)
ORDER BY i.mark
ON CONFLICT DO NOTHING
RETURNING encounter_id

-- name: erase_encounters
-- Ids, status and times stay: an encounter of nobody is a number in a statistic.
WITH named AS (
    DELETE FROM flow.identifier WHERE organization_id = $1
        AND encounter_id IN (SELECT id FROM flow.encounter WHERE organization_id = $1 AND patient_id = $2))
UPDATE flow.encounter SET detail = NULL WHERE organization_id = $1 AND patient_id = $2 AND detail IS NOT NULL
RETURNING id

-- name: take_over
-- What was kept of a record that was merged ($2) is its survivor's.
UPDATE flow.encounter SET patient_id = kernel.survivor_of($1, $2), version = version + 1, updated_at = $3
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: dispose_encounters
-- What ended long enough ago, oldest first. What came in as history is kept as long as what began on the day it came.
DELETE FROM flow.encounter WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM flow.encounter
    WHERE organization_id = $1 AND status IN ('finished', 'cancelled', 'entered-in-error', 'unknown')
      AND greatest(coalesce(ends_at, updated_at), recorded_at) < $2 AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: encounters_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, detail FROM flow.encounter
WHERE organization_id = $1 AND id > $2 AND substring(detail FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_encounters
UPDATE flow.encounter e SET detail = r.detail FROM unnest($2::uuid[], $3::bytea[]) AS r(id, detail)
WHERE e.organization_id = $1 AND e.id = r.id
