-- name: observation_by_id
SELECT id, patient_id, encounter_id, status, effective_from, effective_until, issued_at, detail, version, updated_at
FROM vitals.observation WHERE organization_id = $1 AND id = $2

-- name: observations_for_change
-- The caller holds the rows until the end of its transaction. In order, so that two wait in one line.
SELECT id, patient_id, encounter_id, status, effective_from, effective_until, issued_at, detail, version, updated_at
FROM vitals.observation WHERE organization_id = $1 AND id = ANY($2::uuid[])
ORDER BY id FOR UPDATE

-- name: search_observations
-- What nobody asked for is NULL, and falls away when the statement is planned for its values.
SELECT o.id, o.patient_id, o.encounter_id, o.status, o.effective_from, o.effective_until, o.issued_at, o.detail, o.version, o.updated_at
FROM vitals.observation o
WHERE o.organization_id = $1 AND o.id > $2
  AND ($3::uuid[] IS NULL OR o.id = ANY($3)) AND ($4::uuid[] IS NULL OR o.patient_id = ANY($4))
  AND ($5::uuid[] IS NULL OR o.encounter_id = ANY($5)) AND ($6::text[] IS NULL OR o.status = ANY($6))
  AND ($7::bytea[] IS NULL OR o.id IN (SELECT i.observation_id FROM vitals.identifier i WHERE i.organization_id = $1 AND i.mark = ANY($7)))
  AND ($8::timestamptz IS NULL OR (o.effective_from IS NOT NULL AND coalesce(o.effective_until, 'infinity') >= $8))
  AND ($9::timestamptz IS NULL OR o.effective_from < $9)
ORDER BY o.id LIMIT $10

-- name: put_observations
-- A new observation begins at version 1, one that says something else gets the next version, and one that says the same is left alone and
-- not returned. In order of ids, so that two batches cannot wait for each other in a circle.
INSERT INTO vitals.observation AS stored
    (organization_id, id, patient_id, encounter_id, status, effective_from, effective_until, issued_at, detail, content_hash, version,
     recorded_at, updated_at)
SELECT $1, e.*, 1, $11, $11
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::bytea[], $10::bytea[])
    AS e(id, patient_id, encounter_id, status, effective_from, effective_until, issued_at, detail, content_hash)
ORDER BY e.id
ON CONFLICT (organization_id, id) DO UPDATE SET
    encounter_id = EXCLUDED.encounter_id, status = EXCLUDED.status, effective_from = EXCLUDED.effective_from,
    effective_until = EXCLUDED.effective_until, issued_at = EXCLUDED.issued_at, detail = EXCLUDED.detail,
    content_hash = EXCLUDED.content_hash, version = stored.version + 1, updated_at = EXCLUDED.updated_at
WHERE stored.content_hash <> EXCLUDED.content_hash
RETURNING id, version

-- name: drop_identifiers
DELETE FROM vitals.identifier WHERE organization_id = $1 AND observation_id = ANY($2::uuid[])

-- name: claim_identifiers
-- Fewer rows back than asked for means that another observation carries the identifier. In order, for the same reason as put_observations.
INSERT INTO vitals.identifier (organization_id, mark, observation_id)
SELECT $1, i.* FROM unnest($2::bytea[], $3::uuid[]) AS i(mark, observation_id)
ORDER BY i.mark
ON CONFLICT DO NOTHING
RETURNING observation_id

-- name: lock_patients
-- The update changes nothing and takes the lock: an erasure that comes meanwhile waits until what it must find is there.
INSERT INTO vitals.patient AS known (organization_id, id) SELECT $1, p.id FROM unnest($2::uuid[]) AS p(id) ORDER BY p.id
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = known.erased_at
RETURNING id, erased_at

-- name: note_erased
INSERT INTO vitals.patient AS known (organization_id, id, erased_at) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = coalesce(known.erased_at, EXCLUDED.erased_at)

-- name: erase_observations
DELETE FROM vitals.observation WHERE organization_id = $1 AND patient_id = $2 RETURNING id

-- name: take_over
-- What was kept of a record that was merged ($2) is its survivor's.
UPDATE vitals.observation SET patient_id = kernel.survivor_of($1, $2), version = version + 1, updated_at = $3
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: dispose_observations
-- Oldest first. What came in as history is kept as long as what was observed on the day it came.
DELETE FROM vitals.observation WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM vitals.observation
    WHERE organization_id = $1 AND greatest(coalesce(effective_until, effective_from), recorded_at) < $2
      AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: observations_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, detail FROM vitals.observation
WHERE organization_id = $1 AND id > $2 AND substring(detail FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_observations
UPDATE vitals.observation o SET detail = r.detail FROM unnest($2::uuid[], $3::bytea[]) AS r(id, detail)
WHERE o.organization_id = $1 AND o.id = r.id
