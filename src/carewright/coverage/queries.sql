-- name: coverage_by_id
SELECT id, patient_id, status, content, starts_on, ends_on, pays_as, version, updated_at
FROM coverage.coverage WHERE organization_id = $1 AND id = $2

-- name: coverages_of_patient
SELECT id, patient_id, status, content, starts_on, ends_on, pays_as, version, updated_at
FROM coverage.coverage WHERE organization_id = $1 AND patient_id = $2 AND id > $3
ORDER BY id LIMIT $4

-- name: coverages_by_id
SELECT id, patient_id, status, content, starts_on, ends_on, pays_as, version, updated_at
FROM coverage.coverage WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND id > $3
ORDER BY id LIMIT $4

-- name: insert_coverage
-- No row comes back where the patient has it already.
INSERT INTO coverage.coverage (organization_id, id, patient_id, status, content, mark, starts_on, ends_on, pays_as, version, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING
RETURNING id

-- name: has_twin
-- Whether another coverage has this mark. The caller holds the patient's row, so that no other comes to be meanwhile.
SELECT EXISTS (
    SELECT FROM coverage.coverage WHERE organization_id = $1 AND mark = $2 AND id <> $3 AND status <> 'entered-in-error'
) AS has_twin

-- name: update_coverage
UPDATE coverage.coverage
SET status = $3, content = $4, mark = $5, starts_on = $6, ends_on = $7, pays_as = $8, version = $9, updated_at = $10
WHERE organization_id = $1 AND id = $2

-- name: lock_patient
-- The update changes nothing and takes the lock: an erasure that comes meanwhile waits until what it must find is there.
INSERT INTO coverage.patient AS known (organization_id, id) VALUES ($1, $2)
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = known.erased_at
RETURNING erased_at

-- name: note_erased
INSERT INTO coverage.patient AS known (organization_id, id, erased_at) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = coalesce(known.erased_at, EXCLUDED.erased_at)

-- name: erase_coverages
DELETE FROM coverage.coverage WHERE organization_id = $1 AND patient_id = $2 RETURNING id

-- name: dispose_coverages
-- What ended long enough ago, oldest first.
DELETE FROM coverage.coverage WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM coverage.coverage
    WHERE organization_id = $1 AND ends_on < $2 AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: coverages_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, content FROM coverage.coverage
WHERE organization_id = $1 AND id > $2 AND substring(content FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_coverages
UPDATE coverage.coverage c SET content = r.content
FROM unnest($2::uuid[], $3::bytea[]) AS r(id, content)
WHERE c.organization_id = $1 AND c.id = r.id
