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

-- name: take_over_coverages
-- What was kept of a record that was merged ($2) is its survivor's. Who has the same coverage twice by that keeps both: the mark stays that
-- of the old record until somebody changes one.
UPDATE coverage.coverage SET patient_id = kernel.survivor_of($1, $2), version = version + 1, updated_at = $3
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: take_over_eligibilities
UPDATE coverage.eligibility SET patient_id = kernel.survivor_of($1, $2) WHERE organization_id = $1 AND patient_id = $2

-- name: take_over_authorisations
UPDATE coverage.authorisation SET patient_id = kernel.survivor_of($1, $2) WHERE organization_id = $1 AND patient_id = $2

-- name: take_over_visits
UPDATE coverage.visit SET patient_id = kernel.survivor_of($1, $2) WHERE organization_id = $1 AND patient_id = $2

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

-- name: eligibility_by_id
SELECT id, patient_id, coverage_id, coverage_version, service_type, serviced_on, outcome, trace, content, asked_at, answered_at
FROM coverage.eligibility WHERE organization_id = $1 AND id = $2

-- name: eligibilities_by_id
SELECT id, patient_id, coverage_id, coverage_version, service_type, serviced_on, outcome, trace, content, asked_at, answered_at
FROM coverage.eligibility WHERE organization_id = $1 AND id = ANY($2::uuid[])

-- name: eligibilities_of_patient
SELECT id, patient_id, coverage_id, coverage_version, service_type, serviced_on, outcome, trace, content, asked_at, answered_at
FROM coverage.eligibility WHERE organization_id = $1 AND patient_id = $2 AND id > $3
ORDER BY id LIMIT $4

-- name: latest_eligibilities_of_patient
SELECT id, patient_id, coverage_id, coverage_version, service_type, serviced_on, outcome, trace, content, asked_at, answered_at
FROM coverage.eligibility WHERE organization_id = $1 AND patient_id = $2
ORDER BY id DESC LIMIT $3

-- name: eligibility_since
-- The last question about the same that was answered, or will be: what went wrong is asked again.
SELECT id, patient_id, coverage_id, coverage_version, service_type, serviced_on, outcome, trace, content, asked_at, answered_at
FROM coverage.eligibility
WHERE organization_id = $1 AND coverage_id = $2 AND coverage_version = $3 AND service_type = $4 AND serviced_on = $5 AND asked_at >= $6
  AND outcome <> 'error'
ORDER BY id DESC LIMIT 1

-- name: whose_trace
-- Asked by the system, before it is known whose question an answer is to.
SELECT organization_id, id FROM coverage.eligibility WHERE trace = ANY($1::text[]) AND outcome = 'queued'

-- name: waiting_too_long
SELECT organization_id, id FROM coverage.eligibility WHERE outcome = 'queued' AND asked_at < $1 ORDER BY asked_at LIMIT $2

-- name: insert_eligibility
INSERT INTO coverage.eligibility
    (organization_id, id, patient_id, coverage_id, coverage_version, service_type, serviced_on, outcome, trace, content, asked_at, answered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: answer_eligibility
-- No row comes back where it was answered before.
UPDATE coverage.eligibility SET outcome = $3, content = $4, answered_at = $5
WHERE organization_id = $1 AND id = $2 AND outcome = 'queued'
RETURNING id

-- name: put_visit
-- A row comes back where something about the visit is new: then its payer is to be asked. Told again, nothing is.
INSERT INTO coverage.visit AS known (organization_id, id, patient_id, site_id, visit_type_id, urgency, starts_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organization_id, id) DO UPDATE
SET site_id = EXCLUDED.site_id, visit_type_id = EXCLUDED.visit_type_id, urgency = EXCLUDED.urgency, starts_at = EXCLUDED.starts_at,
    is_asked = false, has_ended = false
WHERE (known.site_id, known.visit_type_id, known.urgency, known.starts_at, known.has_ended)
    IS DISTINCT FROM (EXCLUDED.site_id, EXCLUDED.visit_type_id, EXCLUDED.urgency, EXCLUDED.starts_at, false)
RETURNING id

-- name: end_visit
UPDATE coverage.visit SET has_ended = true WHERE organization_id = $1 AND id = $2

-- name: visit_by_id
SELECT id, patient_id, site_id, visit_type_id, urgency, starts_at, eligibility_id, authorisation_id, is_asked, has_ended
FROM coverage.visit WHERE organization_id = $1 AND id = $2

-- name: visits_of_site
-- Of a time, by start; $5 is the last one of an earlier page.
SELECT id, patient_id, site_id, visit_type_id, urgency, starts_at, eligibility_id, authorisation_id, is_asked, has_ended
FROM coverage.visit
WHERE organization_id = $1 AND site_id = $2 AND starts_at >= $3 AND starts_at < $4 AND NOT has_ended
  AND ($5::uuid IS NULL OR (starts_at, id) > (SELECT a.starts_at, a.id FROM coverage.visit a WHERE a.organization_id = $1 AND a.id = $5))
ORDER BY starts_at, id LIMIT $6

-- name: visits_ahead
SELECT id FROM coverage.visit
WHERE organization_id = $1 AND patient_id = $2 AND starts_at >= $3 AND NOT has_ended
ORDER BY starts_at, id LIMIT $4

-- name: ask_about_visit
-- Not where it moved, or became another kind of visit, while it was asked: then it is asked about anew.
UPDATE coverage.visit SET eligibility_id = $3, is_asked = true
WHERE organization_id = $1 AND id = $2 AND starts_at = $4 AND visit_type_id IS NOT DISTINCT FROM $5

-- name: authorise_visit
-- Which word of a payer is about a visit from now on, as long as it is of the kind that was asked about.
UPDATE coverage.visit SET authorisation_id = $3 WHERE organization_id = $1 AND id = $2 AND visit_type_id IS NOT DISTINCT FROM $4

-- name: service_types_of
SELECT visit_type_id, code, needs FROM coverage.service_type WHERE organization_id = $1 AND visit_type_id = ANY($2::uuid[])

-- name: service_types
-- Every one that is set: a hospital has some hundreds of kinds of visits.
SELECT visit_type_id, code, needs FROM coverage.service_type WHERE organization_id = $1 ORDER BY visit_type_id

-- name: put_service_type
INSERT INTO coverage.service_type (organization_id, visit_type_id, code, needs) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, visit_type_id) DO UPDATE SET code = EXCLUDED.code, needs = EXCLUDED.needs

-- name: policy_of
SELECT site_id, rule, time_zone, authorisation FROM coverage.policy WHERE organization_id = $1 AND site_id = $2

-- name: policies_that_stop
-- Of sites where something is not booked that the payer said no to.
SELECT site_id, rule, time_zone, authorisation FROM coverage.policy
WHERE organization_id = $1 AND 'require' IN (rule, authorisation)
ORDER BY site_id LIMIT $2

-- name: put_policy
INSERT INTO coverage.policy (organization_id, site_id, rule, time_zone, authorisation) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, site_id) DO UPDATE
SET rule = EXCLUDED.rule, time_zone = EXCLUDED.time_zone, authorisation = EXCLUDED.authorisation

-- name: eligibilities_asked_since
-- What was asked about one patient since then and answered, oldest first.
SELECT id, patient_id, coverage_id, coverage_version, service_type, serviced_on, outcome, trace, content, asked_at, answered_at
FROM coverage.eligibility
WHERE organization_id = $1 AND patient_id = $2 AND asked_at >= $3 AND outcome = 'complete'
ORDER BY id LIMIT $4

-- name: patients_spoken_of
-- Of whom payers said something since then, or of whom scheduling was told something. $4 is the last one of an earlier page.
SELECT p.id FROM coverage.patient p
WHERE p.organization_id = $1 AND p.erased_at IS NULL AND p.id > $4 AND (
    p.has_stops
    OR EXISTS (SELECT FROM coverage.eligibility e WHERE e.organization_id = $1 AND e.patient_id = p.id AND e.asked_at >= $2)
    OR EXISTS (SELECT FROM coverage.authorisation a WHERE a.organization_id = $1 AND a.patient_id = p.id AND a.asked_at >= $3))
ORDER BY p.id LIMIT $5

-- name: note_stops
-- A row comes back where scheduling is to be told: something stops, or did.
UPDATE coverage.patient SET has_stops = $3 WHERE organization_id = $1 AND id = $2 AND (has_stops OR $3) RETURNING id

-- name: insert_authorisation
INSERT INTO coverage.authorisation
    (organization_id, id, patient_id, appointment_id, coverage_id, visit_type_id, serviced_on, state, by_desk, content, asked_at, answered_at,
    trace, inquire_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: settle_authorisation
-- What became of a request that was pended, or when to ask about it again. No row comes back where somebody else was faster.
UPDATE coverage.authorisation SET state = $3, content = $4, answered_at = $5, inquire_at = $6, inquiries = inquiries + 1
WHERE organization_id = $1 AND id = $2 AND state = 'pended'
RETURNING id

-- name: whose_request
-- As whose_trace, of requests. One trace may be pended twice, where two asked the same at once: the newest is the visit's.
SELECT DISTINCT ON (trace) organization_id, id FROM coverage.authorisation WHERE trace = ANY($1::text[]) AND state = 'pended'
ORDER BY trace, id DESC

-- name: to_inquire
-- Asked by the system, of every organization: what was pended and is to be asked about again, longest waiting first.
SELECT organization_id, id, inquiries FROM coverage.authorisation WHERE inquire_at <= $1 ORDER BY inquire_at LIMIT $2

-- name: postpone_inquiry
-- Whoever moves it on asks: no two do at once, and one that breaks is not asked again at once.
UPDATE coverage.authorisation SET inquire_at = $3
WHERE organization_id = $1 AND id = $2 AND inquire_at <= $4
RETURNING id

-- name: authorisations_by_id
SELECT id, patient_id, appointment_id, coverage_id, visit_type_id, serviced_on, state, by_desk, content, asked_at, answered_at
FROM coverage.authorisation WHERE organization_id = $1 AND id = ANY($2::uuid[])

-- name: authorisations_of_patient
SELECT id, patient_id, appointment_id, coverage_id, visit_type_id, serviced_on, state, by_desk, content, asked_at, answered_at
FROM coverage.authorisation WHERE organization_id = $1 AND patient_id = $2 AND id > $3
ORDER BY id LIMIT $4

-- name: authorisations_asked_since
-- What payers said about visits of one patient since then, oldest first.
SELECT id, patient_id, appointment_id, coverage_id, visit_type_id, serviced_on, state, by_desk, content, asked_at, answered_at
FROM coverage.authorisation WHERE organization_id = $1 AND patient_id = $2 AND asked_at >= $3
ORDER BY id LIMIT $4

-- name: erase_authorisations
DELETE FROM coverage.authorisation WHERE organization_id = $1 AND patient_id = $2

-- name: dispose_authorisations
DELETE FROM coverage.authorisation WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM coverage.authorisation
    WHERE organization_id = $1 AND asked_at < $2 AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: authorisations_to_reseal
SELECT id, content FROM coverage.authorisation
WHERE organization_id = $1 AND id > $2 AND substring(content FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_authorisations
UPDATE coverage.authorisation a SET content = r.content
FROM unnest($2::uuid[], $3::bytea[]) AS r(id, content)
WHERE a.organization_id = $1 AND a.id = r.id

-- name: erase_eligibilities
DELETE FROM coverage.eligibility WHERE organization_id = $1 AND patient_id = $2

-- name: erase_visits
DELETE FROM coverage.visit WHERE organization_id = $1 AND patient_id = $2

-- name: dispose_eligibilities
DELETE FROM coverage.eligibility WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM coverage.eligibility
    WHERE organization_id = $1 AND asked_at < $2 AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: dispose_visits
DELETE FROM coverage.visit WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM coverage.visit
    WHERE organization_id = $1 AND starts_at < $2 AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: eligibilities_to_reseal
SELECT id, content FROM coverage.eligibility
WHERE organization_id = $1 AND id > $2 AND substring(content FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_eligibilities
UPDATE coverage.eligibility e SET content = r.content
FROM unnest($2::uuid[], $3::bytea[]) AS r(id, content)
WHERE e.organization_id = $1 AND e.id = r.id
