-- name: patient_by_id
SELECT id, family, given, birth_on, gender, language, telecom, identifiers, active, version
FROM patients.patient WHERE organization_id = $1 AND id = $2

-- name: find_patients
-- A range instead of LIKE: the index serves it under a generic plan too. $3 is the first text behind all that begin with $2.
SELECT id, family, given, birth_on, gender, language, telecom, identifiers, active, version
FROM patients.patient
WHERE organization_id = $1 AND name_key >= $2 AND name_key < $3 AND active AND ($4::date IS NULL OR birth_on = $4)
ORDER BY name_key, id
LIMIT $5

-- name: patients_by_birth
-- $3 bounds what is looked through: of a million patients some thirty were born on one day.
SELECT id, telecom FROM patients.patient WHERE organization_id = $1 AND birth_on = $2 AND active ORDER BY id LIMIT $3

-- name: patients_by_identifier
SELECT i.system, i.value, i.patient_id
FROM patients.identifier i JOIN unnest($2::text[], $3::text[]) AS asked(system, value) USING (system, value)
WHERE i.organization_id = $1

-- name: put_patients
-- A new patient begins at version 1, one whose record says something else gets the next version, and one that says the same is left
-- alone and not returned. In order of ids, so that two batches cannot wait for each other in a circle.
INSERT INTO patients.patient AS stored
    (organization_id, id, name_key, family, given, birth_on, gender, language, telecom, identifiers, active, version)
SELECT $1, p.id, p.name_key, p.family, p.given, p.birth_on, p.gender, p.language, p.telecom, p.identifiers, p.active, 1
FROM jsonb_to_recordset($2::jsonb) AS p(
    id uuid, name_key text, family text, given text[], birth_on date, gender text, language text, telecom jsonb, identifiers jsonb,
    active boolean
)
ORDER BY p.id
ON CONFLICT (organization_id, id) DO UPDATE SET
    name_key = EXCLUDED.name_key, family = EXCLUDED.family, given = EXCLUDED.given, birth_on = EXCLUDED.birth_on,
    gender = EXCLUDED.gender, language = EXCLUDED.language, telecom = EXCLUDED.telecom, identifiers = EXCLUDED.identifiers,
    active = EXCLUDED.active, version = stored.version + 1
WHERE (stored.family, stored.given, stored.birth_on, stored.gender, stored.language, stored.telecom, stored.identifiers, stored.active)
    IS DISTINCT FROM (EXCLUDED.family, EXCLUDED.given, EXCLUDED.birth_on, EXCLUDED.gender, EXCLUDED.language, EXCLUDED.telecom,
                      EXCLUDED.identifiers, EXCLUDED.active)
RETURNING id, version

-- name: drop_identifiers
DELETE FROM patients.identifier WHERE organization_id = $1 AND patient_id = ANY($2::uuid[])

-- name: claim_identifiers
-- Fewer rows back than asked for means that another patient carries the identifier. In order, for the same reason as put_patients.
INSERT INTO patients.identifier (organization_id, system, value, patient_id)
SELECT $1, given.* FROM unnest($2::text[], $3::text[], $4::uuid[]) AS given(system, value, patient_id)
ORDER BY given.system, given.value
ON CONFLICT DO NOTHING
RETURNING system, value, patient_id

-- name: is_empty
SELECT NOT EXISTS (SELECT FROM patients.patient WHERE organization_id = $1) AS empty
