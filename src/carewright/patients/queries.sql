-- name: patient_by_id
SELECT id, person, reach, gender, language, active, version FROM patients.patient WHERE organization_id = $1 AND id = $2

-- name: patients_by_id
SELECT id, person, reach, gender, language, active, version FROM patients.patient WHERE organization_id = $1 AND id = ANY($2::uuid[])
ORDER BY id

-- name: patients_after
SELECT id, person, reach, gender, language, active, version FROM patients.patient WHERE organization_id = $1 AND id > $2
ORDER BY id
LIMIT $3

-- name: patient_for_change
-- The caller holds the row until the end of its transaction: what it read is what it changes.
SELECT id, person, reach, gender, language, active, version FROM patients.patient WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: patients_for_merge
-- In order of ids, so that two merges cannot wait for each other in a circle.
SELECT id, person, reach, gender, language, active, version FROM patients.patient WHERE organization_id = $1 AND id = ANY($2::uuid[])
ORDER BY id
FOR UPDATE

-- name: insert_merge
INSERT INTO patients.merge (organization_id, id, into_id, kept, reason, merged_by, merged_at) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: merge_of
SELECT into_id, kept, reason, merged_by, merged_at FROM patients.merge WHERE organization_id = $1 AND id = $2

-- name: clear_merges
-- Of whoever was erased stays that records were merged, and nothing of what they said.
UPDATE patients.merge SET kept = NULL, reason = NULL WHERE organization_id = $1 AND id = ANY(kernel.records_of($1, $2))

-- name: merges_to_reseal
-- As patients_to_reseal.
SELECT id, kept, reason FROM patients.merge
WHERE organization_id = $1 AND id > $2 AND (substring(kept FOR 3) <> $3 OR substring(reason FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_merges
UPDATE patients.merge m SET kept = r.kept, reason = r.reason
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, kept, reason)
WHERE m.organization_id = $1 AND m.id = r.id

-- name: traits_of_patients
SELECT id, person, gender, language FROM patients.patient WHERE organization_id = $1 AND id = ANY($2::uuid[])

-- name: patient_if_named
SELECT id, person, reach, gender, language, active, version FROM patients.patient
WHERE organization_id = $1 AND id = $2 AND family_index = ANY($3::int[])

-- name: candidates_by_name
-- Ranges of numbers in which all names that begin as asked lie, and others: whoever asked opens them and looks.
SELECT id, person, reach, gender, language, active, version FROM patients.patient
WHERE organization_id = $1 AND family_index BETWEEN $2 AND $3 AND given_index BETWEEN $4 AND $5 AND active
LIMIT $6

-- name: candidates_by_sound
-- A given name may sound as asked, or begin so. Two questions instead of OR, so that the index answers both.
(SELECT id, person, reach, gender, language, active, version FROM patients.patient
    WHERE organization_id = $1 AND family_sound = $2 AND given_sound = $3 AND active LIMIT $6)
UNION
(SELECT id, person, reach, gender, language, active, version FROM patients.patient
    WHERE organization_id = $1 AND family_sound = $2 AND given_index BETWEEN $4 AND $5 AND active LIMIT $6)

-- name: candidates_by_birth
SELECT id, person, reach, gender, language, active, version FROM patients.patient
WHERE organization_id = $1 AND birth_index = $2 AND active
LIMIT $3

-- name: patients_by_identifier
SELECT i.mark, i.patient_id
FROM patients.identifier i JOIN unnest($2::bytea[]) AS asked(mark) ON i.mark = asked.mark
WHERE i.organization_id = $1

-- name: put_patients
-- A new patient begins at version 1, one whose record says something else gets the next version, and one that says the same is left
-- alone and not returned: `content` tells, for what is sealed twice is never the same. In order of ids, so that two batches cannot wait
-- for each other in a circle.
INSERT INTO patients.patient AS stored
    (organization_id, id, person, reach, content, family_index, given_index, family_sound, given_sound, birth_index, gender, language,
     active, version)
SELECT $1, p.*, 1
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[], $11::text[],
            $12::text[], $13::boolean[])
    AS p(id, person, reach, content, family_index, given_index, family_sound, given_sound, birth_index, gender, language, active)
WHERE NOT EXISTS (SELECT FROM patients.erasure e WHERE e.organization_id = $1 AND e.id = p.id)
  AND kernel.survivor_of($1, p.id) = p.id
ORDER BY p.id
ON CONFLICT (organization_id, id) DO UPDATE SET
    person = EXCLUDED.person, reach = EXCLUDED.reach, content = EXCLUDED.content, family_index = EXCLUDED.family_index,
    given_index = EXCLUDED.given_index, family_sound = EXCLUDED.family_sound, given_sound = EXCLUDED.given_sound,
    birth_index = EXCLUDED.birth_index, gender = EXCLUDED.gender, language = EXCLUDED.language, active = EXCLUDED.active,
    version = stored.version + 1
WHERE (stored.content, stored.gender, stored.language, stored.active)
    IS DISTINCT FROM (EXCLUDED.content, EXCLUDED.gender, EXCLUDED.language, EXCLUDED.active)
RETURNING id, version

-- name: lock_record
-- In a statement of its own: what follows must see what whoever had the lock before has committed.
SELECT id FROM patients.patient WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: lock_records_of
SELECT id FROM patients.patient WHERE organization_id = $1 AND id = ANY(kernel.records_of($1, $2))
ORDER BY id
FOR UPDATE

-- name: erase_patient
-- The row decides: of two erasures, and of an erasure and a change, one comes second. A hold that was committed is never missed. With a
-- record go those that were merged into it; one that was merged goes with its survivor alone.
DELETE FROM patients.patient
WHERE organization_id = $1 AND id = ANY(kernel.records_of($1, $2)) AND kernel.survivor_of($1, $2) = $2 AND NOT kernel.is_held($1, $2)
RETURNING id, version

-- name: insert_erasure
INSERT INTO patients.erasure (organization_id, id, reason, erased_by, erased_at) VALUES ($1, $2, $3, $4, $5)

-- name: erasures_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, reason FROM patients.erasure WHERE organization_id = $1 AND id > $2 AND substring(reason FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_erasures
UPDATE patients.erasure e SET reason = r.reason FROM unnest($2::uuid[], $3::bytea[]) AS r(id, reason)
WHERE e.organization_id = $1 AND e.id = r.id

-- name: drop_identifiers
DELETE FROM patients.identifier WHERE organization_id = $1 AND patient_id = ANY($2::uuid[]) RETURNING mark, patient_id

-- name: claim_identifiers
-- Fewer rows back than asked for means that another patient carries the identifier. In order, for the same reason as put_patients.
INSERT INTO patients.identifier (organization_id, mark, patient_id)
SELECT $1, given.* FROM unnest($2::bytea[], $3::uuid[]) AS given(mark, patient_id)
ORDER BY given.mark
ON CONFLICT DO NOTHING
RETURNING patient_id

-- name: is_empty
SELECT NOT EXISTS (SELECT FROM patients.patient WHERE organization_id = $1) AS empty

-- name: patients_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same record waits for a moment; readers do not.
SELECT id, person, reach FROM patients.patient
WHERE organization_id = $1 AND id > $2 AND (substring(person FOR 3) <> $3 OR substring(reach FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_patients
UPDATE patients.patient p SET person = r.person, reach = r.reach
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, person, reach)
WHERE p.organization_id = $1 AND p.id = r.id

-- name: search_groups
-- What nobody asked for is NULL, and falls away when the statement is planned for its values.
SELECT g.id, g.active, g.detail, g.version, g.updated_at, ARRAY(
    SELECT m.patient_id FROM patients.group_member m WHERE m.organization_id = $1 AND m.group_id = g.id ORDER BY m.patient_id
) AS member_ids
FROM patients.patient_group g
WHERE g.organization_id = $1 AND ($2::uuid[] IS NULL OR g.id = ANY($2))
  AND ($3::bytea[] IS NULL OR g.id IN (
      SELECT i.group_id FROM patients.group_identifier i WHERE i.organization_id = $1 AND i.mark = ANY($3)))
  AND ($4::uuid[] IS NULL OR g.id IN (
      SELECT m.group_id FROM patients.group_member m WHERE m.organization_id = $1 AND m.patient_id = ANY($4)))
ORDER BY g.id

-- name: count_members
-- As search_groups: how many members it would show.
SELECT count(*) AS members
FROM patients.group_member s JOIN patients.patient_group g ON g.organization_id = s.organization_id AND g.id = s.group_id
WHERE g.organization_id = $1 AND ($2::uuid[] IS NULL OR g.id = ANY($2))
  AND ($3::bytea[] IS NULL OR g.id IN (
      SELECT i.group_id FROM patients.group_identifier i WHERE i.organization_id = $1 AND i.mark = ANY($3)))
  AND ($4::uuid[] IS NULL OR g.id IN (
      SELECT m.group_id FROM patients.group_member m WHERE m.organization_id = $1 AND m.patient_id = ANY($4)))

-- name: lock_group
-- In a statement of its own, as lock_record. Whoever changes members holds their patients first, then the group: nobody waits in a circle.
SELECT id FROM patients.patient_group WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: lock_members
-- Those of the patients that there are. An erasure or a merge that comes meanwhile waits until what it must find is there. In order of
-- ids, as patients_for_merge.
SELECT id FROM patients.patient WHERE organization_id = $1 AND id = ANY($2::uuid[])
ORDER BY id
FOR KEY SHARE

-- name: insert_group
-- Nothing back where the organization has $6 groups already; two at once may make one more.
INSERT INTO patients.patient_group (organization_id, id, active, detail, version, updated_at)
SELECT $1, $2, $3, $4, 1, $5
WHERE (SELECT count(*) FROM patients.patient_group WHERE organization_id = $1) < $6
RETURNING id

-- name: change_group
UPDATE patients.patient_group SET active = $3, detail = $4, version = $5, updated_at = $6 WHERE organization_id = $1 AND id = $2

-- name: delete_group
DELETE FROM patients.patient_group WHERE organization_id = $1 AND id = $2

-- name: drop_group_identifiers
DELETE FROM patients.group_identifier WHERE organization_id = $1 AND group_id = $2

-- name: claim_group_identifiers
-- Fewer rows back than asked for means that another group carries the identifier. In order, for the same reason as put_patients.
INSERT INTO patients.group_identifier (organization_id, mark, group_id)
SELECT $1, given.mark, $2 FROM unnest($3::bytea[]) AS given(mark)
ORDER BY given.mark
ON CONFLICT DO NOTHING
RETURNING mark

-- name: set_members
-- Those and nobody else.
WITH gone AS (
    DELETE FROM patients.group_member WHERE organization_id = $1 AND group_id = $2 AND patient_id <> ALL($3::uuid[])
)
INSERT INTO patients.group_member (organization_id, group_id, patient_id)
SELECT $1, $2, given.id FROM unnest($3::uuid[]) AS given(id)
ON CONFLICT DO NOTHING

-- name: lock_groups_of
-- The groups of these patients, whose rows the caller holds.
SELECT g.id FROM patients.patient_group g
WHERE g.organization_id = $1
  AND g.id IN (SELECT m.group_id FROM patients.group_member m WHERE m.organization_id = $1 AND m.patient_id = ANY($2::uuid[]))
ORDER BY g.id
FOR UPDATE

-- name: leave_groups
DELETE FROM patients.group_member WHERE organization_id = $1 AND patient_id = ANY($2::uuid[]) RETURNING group_id, patient_id

-- name: join_groups
INSERT INTO patients.group_member (organization_id, group_id, patient_id)
SELECT $1, given.id, $3 FROM unnest($2::uuid[]) AS given(id)
ON CONFLICT DO NOTHING

-- name: touch_groups
UPDATE patients.patient_group SET version = version + 1, updated_at = $3 WHERE organization_id = $1 AND id = ANY($2::uuid[])

-- name: dispose_groups
-- Lists that nobody changed for long enough, oldest first. One with a member whom a hold covers stays.
DELETE FROM patients.patient_group WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT g.id FROM patients.patient_group g
    WHERE g.organization_id = $1 AND g.updated_at < $2 AND NOT EXISTS (
        SELECT FROM patients.group_member m
        WHERE m.organization_id = $1 AND m.group_id = g.id AND kernel.is_held(m.organization_id, m.patient_id))
    ORDER BY g.updated_at LIMIT $3
))
RETURNING id

-- name: groups_to_reseal
-- As patients_to_reseal.
SELECT id, detail FROM patients.patient_group
WHERE organization_id = $1 AND id > $2 AND substring(detail FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_groups
UPDATE patients.patient_group g SET detail = r.detail FROM unnest($2::uuid[], $3::bytea[]) AS r(id, detail)
WHERE g.organization_id = $1 AND g.id = r.id
