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
-- What ended long enough ago, oldest first, with its turns. What came in as history is kept as long as what began on the day it came.
WITH gone AS (
    DELETE FROM flow.encounter WHERE organization_id = $1 AND id = ANY(ARRAY(
        SELECT id FROM flow.encounter
        WHERE organization_id = $1 AND status IN ('finished', 'cancelled', 'entered-in-error', 'unknown')
          AND greatest(coalesce(ends_at, updated_at), recorded_at) < $2 AND NOT kernel.is_held(organization_id, patient_id)
        ORDER BY id LIMIT $3
    ))
    RETURNING id, patient_id
), turns AS (
    DELETE FROM flow.queue_entry WHERE organization_id = $1 AND encounter_id IN (SELECT id FROM gone)
)
SELECT id, patient_id FROM gone

-- name: encounters_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, detail FROM flow.encounter
WHERE organization_id = $1 AND id > $2 AND substring(detail FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_encounters
UPDATE flow.encounter e SET detail = r.detail FROM unnest($2::uuid[], $3::bytea[]) AS r(id, detail)
WHERE e.organization_id = $1 AND e.id = r.id

-- name: put_queue
-- A site and a service have one queue, whoever comes first to say so. Nothing back: somebody changed it since ($8), or it is as it was.
INSERT INTO flow.queue AS stored (organization_id, id, site_id, service_id, name, letter, policy, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
ON CONFLICT (organization_id, site_id, service_id) DO UPDATE SET
    name = EXCLUDED.name, letter = EXCLUDED.letter, policy = EXCLUDED.policy, version = stored.version + 1
WHERE ($8::int IS NULL OR stored.version = $8)
  AND (stored.name, stored.letter, stored.policy) IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.letter, EXCLUDED.policy)
RETURNING id, site_id, service_id, name, letter, policy, version

-- name: queue_of
SELECT id, site_id, service_id, name, letter, policy, version FROM flow.queue
WHERE organization_id = $1 AND site_id = $2 AND service_id = $3

-- name: queue_by_id
SELECT id, site_id, service_id, name, letter, policy, version FROM flow.queue WHERE organization_id = $1 AND id = $2

-- name: queues_at
-- With how full each is. A hospital has some hundreds; what waits is counted from the index of those who wait.
SELECT q.id, q.site_id, q.service_id, q.name, q.letter, q.policy, q.version, coalesce(w.waiting, '{0,0,0,0,0}') AS waiting, w.since,
    (SELECT count(*) FROM flow.queue_entry e WHERE e.organization_id = $1 AND e.queue_id = q.id AND e.status IN ('called', 'in-service'))
        AS in_service,
    (SELECT count(*) FROM flow.walk_in k WHERE k.organization_id = $1 AND k.queue_id = q.id AND k.ended_at IS NULL) AS walk_ins
FROM flow.queue q
LEFT JOIN LATERAL (
    SELECT ARRAY[count(*) FILTER (WHERE e.level = 1), count(*) FILTER (WHERE e.level = 2), count(*) FILTER (WHERE e.level = 3),
        count(*) FILTER (WHERE e.level = 4), count(*) FILTER (WHERE e.level = 5)] AS waiting, min(e.arrived_at) AS since
    FROM flow.queue_entry e WHERE e.organization_id = $1 AND e.queue_id = q.id AND e.status = 'waiting'
) w ON true
WHERE q.organization_id = $1 AND ($2::uuid[] IS NULL OR q.site_id = ANY($2)) AND ($3::uuid IS NULL OR q.id = $3)
ORDER BY q.name, q.id

-- name: find_tickets
SELECT e.ticket, e.status, q.id AS queue_id, q.name AS queue_name, q.site_id
FROM flow.queue_entry e JOIN flow.queue q ON q.organization_id = $1 AND q.id = e.queue_id
WHERE e.organization_id = $1 AND e.ended_at IS NULL AND e.ticket = $2 AND ($3::uuid[] IS NULL OR q.site_id = ANY($3))
UNION ALL
SELECT k.ticket, k.status, q.id, q.name, q.site_id
FROM flow.walk_in k JOIN flow.queue q ON q.organization_id = $1 AND q.id = k.queue_id
WHERE k.organization_id = $1 AND k.ended_at IS NULL AND k.ticket = $2 AND ($3::uuid[] IS NULL OR q.site_id = ANY($3))
ORDER BY queue_name, queue_id
LIMIT $4

-- name: draw_ticket
-- The row is locked until the caller's transaction ends: two who draw at once have two numbers.
INSERT INTO flow.ticket_roll AS roll (organization_id, queue_id, day, last_number) VALUES (
    $1, $2,
    ($4::timestamptz AT TIME ZONE coalesce((SELECT time_zone FROM flow.site WHERE organization_id = $1 AND id = $3), 'UTC'))::date, 1)
ON CONFLICT (organization_id, queue_id, day) DO UPDATE SET last_number = roll.last_number + 1
RETURNING day, last_number

-- name: insert_entry
-- Nothing back: the patient has a turn in this queue already.
INSERT INTO flow.queue_entry (
    organization_id, id, queue_id, site_id, service_id, encounter_id, patient_id, appointment_id, practitioner_id, location_id, day, ticket,
    status, level, ranked_from, expected_at, arrived_at, triaged_at, called_at, started_at, ended_at, skipped, version, updated_at,
    travel_minutes, come_at, due_at, more_times, in_room)
VALUES (
    $1, $2, $3, $4, $5, $6, kernel.survivor_of($1, $7), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27, $28, $29)
ON CONFLICT DO NOTHING
RETURNING id

-- name: open_entries_of_patient
SELECT * FROM flow.queue_entry WHERE organization_id = $1 AND patient_id = $2 AND ended_at IS NULL ORDER BY id

-- name: entry_in_the_way
-- Besides the turn $5. Who comes without an appointment has any turn in the way; who comes for one, that of the appointment, or their
-- announcement: of two appointments in a row each has its turn.
SELECT id FROM flow.queue_entry
WHERE organization_id = $1 AND queue_id = $2 AND id IS DISTINCT FROM $5::uuid AND (
    (patient_id = kernel.survivor_of($1, $3) AND ended_at IS NULL
        AND ($4::uuid IS NULL OR (appointment_id IS NULL AND status = 'expected')))
    OR (appointment_id = $4 AND status <> 'cancelled'))
LIMIT 1

-- name: entry_by_id
SELECT * FROM flow.queue_entry WHERE organization_id = $1 AND id = $2

-- name: entry_for_change
-- Locked until the transaction ends: of two desks that take the same patient, the second sees what the first did.
SELECT * FROM flow.queue_entry WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: entries_of_encounters
SELECT * FROM flow.queue_entry WHERE organization_id = $1 AND encounter_id = ANY($2) ORDER BY id

-- name: entry_of_appointment
SELECT id FROM flow.queue_entry WHERE organization_id = $1 AND appointment_id = $2 AND status <> 'cancelled' LIMIT 1

-- name: open_entries_of_appointment
SELECT id FROM flow.queue_entry WHERE organization_id = $1 AND appointment_id = $2 AND ended_at IS NULL ORDER BY id

-- name: update_entry
-- With the step that made it so.
WITH step AS (
    INSERT INTO flow.queue_step (organization_id, entry_id, version, action, at, by, before) VALUES ($1, $2, $15, $17, $16, $18, $19)
)
UPDATE flow.queue_entry SET
    practitioner_id = $3, location_id = $4, status = $5, level = $6, ranked_from = $7, expected_at = $8, arrived_at = $9, triaged_at = $10,
    called_at = $11, started_at = $12, ended_at = $13, skipped = $14, version = $15, updated_at = $16, offered_at = $20,
    travel_minutes = $21, come_at = $22, due_at = $23, more_times = $24, unreached_at = $25,
    in_room = $26
WHERE organization_id = $1 AND id = $2

-- name: heads_for_caller
-- The first $4 of each level and line: those who want nobody in particular, and those who want the one who calls. Within a level order never
-- changes, so the first are enough; they are some, since others may be calling them. `model/order.py` puts them in order.
-- $5: who calls is one of those who are kept for emergencies, unless fewer are busy.
-- $6: time is kept for a booked patient, so that of walk-ins emergencies are called and those whose turn counts since then or before.
-- Who is being seen for another turn of theirs here is not called meanwhile, nor is who waits elsewhere, until they are back by what they said.
-- OFFSET 0 has that looked up for each of the few, where PostgreSQL would rather read everybody who is being seen.
SELECT head.id, head.level, head.ranked_from
FROM generate_series(1, 5) AS l(level) CROSS JOIN unnest($3::uuid[]) AS line(practitioner_id)
CROSS JOIN LATERAL (
    SELECT w.id, w.level, w.ranked_from FROM flow.queue_entry w
    WHERE w.organization_id = $1 AND w.queue_id = $2 AND w.status = 'waiting' AND w.practitioner_id = line.practitioner_id
      AND w.level = l.level AND ($6::timestamptz IS NULL OR l.level = 1 OR w.appointment_id IS NOT NULL OR w.ranked_from <= $6)
      AND (w.travel_minutes IS NULL OR w.due_at <= $7)
      AND NOT EXISTS (
          SELECT FROM flow.queue_entry s WHERE s.organization_id = $1 AND s.patient_id = w.patient_id AND s.queue_id = $2
              AND s.status IN ('called', 'in-service') OFFSET 0)
    ORDER BY w.ranked_from, w.id LIMIT $4
) head
WHERE l.level = 1 OR $5::bigint IS NULL OR $5 > (
    SELECT count(*) FROM flow.queue_entry b
    WHERE b.organization_id = $1 AND b.queue_id = $2 AND b.status IN ('called', 'in-service'))

-- name: lock_first_waiting
-- Of these, in this order, the first who still waits and whom nobody else is calling at this moment.
SELECT e.* FROM unnest($2::uuid[]) WITH ORDINALITY AS ranked(id, place)
JOIN flow.queue_entry e ON e.organization_id = $1 AND e.id = ranked.id
WHERE e.status = 'waiting'
ORDER BY ranked.place LIMIT 1
FOR UPDATE OF e SKIP LOCKED

-- name: count_before
-- How many of one line wait before a turn ($4: since when it counts, $5: its id), by the levels and instants of `model/order.py`.
SELECT count(*) AS ahead FROM unnest($6::int[], $7::timestamptz[], $8::timestamptz[]) AS other(level, since, ties_until)
JOIN flow.queue_entry w ON w.organization_id = $1 AND w.queue_id = $2 AND w.status = 'waiting' AND w.practitioner_id = $3
    AND w.level = other.level AND (
        w.ranked_from < other.since OR (w.ranked_from <= other.ties_until AND (w.ranked_from, w.id) < ($4::timestamptz, $5::uuid)))

-- name: heads_of_levels
-- The first $3 of each level, whomever they want.
SELECT head.id, head.level, head.ranked_from
FROM generate_series(1, 5) AS l(level)
CROSS JOIN LATERAL (
    SELECT w.id, w.level, w.ranked_from FROM flow.queue_entry w
    WHERE w.organization_id = $1 AND w.queue_id = $2 AND w.status = 'waiting' AND w.level = l.level
    ORDER BY w.ranked_from, w.id LIMIT $3
) head

-- name: entries_by_place
-- Of these, in this order, those who still wait.
SELECT e.* FROM unnest($2::uuid[]) WITH ORDINALITY AS ranked(id, place)
JOIN flow.queue_entry e ON e.organization_id = $1 AND e.id = ranked.id
WHERE e.status = 'waiting'
ORDER BY ranked.place

-- name: entries_active
SELECT * FROM flow.queue_entry
WHERE organization_id = $1 AND queue_id = $2 AND status IN ('expected', 'called', 'in-service', 'on-hold', 'skipped')
ORDER BY coalesce(called_at, expected_at, arrived_at), id LIMIT $3

-- name: practitioners_busy
SELECT DISTINCT practitioner_id FROM flow.queue_entry
WHERE organization_id = $1 AND status IN ('called', 'in-service') AND practitioner_id = ANY($2::uuid[])

-- name: insert_first_step
INSERT INTO flow.queue_step (organization_id, entry_id, version, action, at, by) VALUES ($1, $2, $3, $4, $5, $6)

-- name: last_step
SELECT version, action, at, before FROM flow.queue_step WHERE organization_id = $1 AND entry_id = $2 ORDER BY version DESC LIMIT 1

-- name: put_site
INSERT INTO flow.site (organization_id, id, name, time_zone) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, id) DO UPDATE SET name = EXCLUDED.name, time_zone = EXCLUDED.time_zone

-- name: put_visit_type
INSERT INTO flow.visit_type (organization_id, id, service_id, service_name, minutes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, id) DO UPDATE SET
    service_id = EXCLUDED.service_id, service_name = EXCLUDED.service_name, minutes = EXCLUDED.minutes

-- name: visit_type
SELECT service_id, service_name, minutes FROM flow.visit_type WHERE organization_id = $1 AND id = $2

-- name: close_second_turns
-- Of two records that are one person, both may wait in one queue: the turn that counts for longer stays.
UPDATE flow.queue_entry e SET status = 'cancelled', ended_at = $3, version = version + 1, updated_at = $3
WHERE e.organization_id = $1 AND e.ended_at IS NULL AND e.patient_id IN ($2, kernel.survivor_of($1, $2)) AND EXISTS (
    SELECT FROM flow.queue_entry o WHERE o.organization_id = $1 AND o.queue_id = e.queue_id AND o.ended_at IS NULL
        AND (e.appointment_id IS NULL OR o.appointment_id = e.appointment_id)
        AND o.patient_id IN ($2, kernel.survivor_of($1, $2)) AND (o.ranked_from, o.id) < (e.ranked_from, e.id))
RETURNING id

-- name: take_over_entries
-- What was kept of a record that was merged ($2) is its survivor's.
UPDATE flow.queue_entry SET patient_id = kernel.survivor_of($1, $2), version = version + 1, updated_at = $3
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: served_last
-- How many minutes those were served who were seen last.
SELECT extract(epoch FROM ended_at - started_at)::float8 / 60 AS minutes FROM flow.queue_entry
WHERE organization_id = $1 AND queue_id = $2 AND status = 'completed' AND started_at IS NOT NULL
ORDER BY ended_at DESC LIMIT $3

-- name: came_by_hour
-- How many without an appointment came in each hour from this moment of the day on ($3), in the last $4 days, by level.
SELECT level, floor(mod(mod(extract(epoch FROM arrived_at - $3)::numeric, 86400) + 86400, 86400) / 3600)::int AS hour, count(*) AS people
FROM flow.queue_entry
WHERE organization_id = $1 AND queue_id = $2 AND appointment_id IS NULL AND arrived_at >= $3::timestamptz - make_interval(days => $4)
  AND arrived_at < $3
GROUP BY 1, 2

-- name: being_served
SELECT practitioner_id, extract(epoch FROM $3 - coalesce(started_at, called_at))::float8 / 60 AS elapsed FROM flow.queue_entry
WHERE organization_id = $1 AND queue_id = $2 AND status IN ('called', 'in-service')

-- name: minutes_of_service
SELECT avg(minutes)::float8 AS minutes FROM flow.visit_type WHERE organization_id = $1 AND service_id = $2

-- name: put_coming
INSERT INTO flow.coming AS known
    (organization_id, appointment_id, site_id, visit_type_id, practitioner_ids, level, status, starts_at, ends_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (organization_id, appointment_id) DO UPDATE SET
    site_id = EXCLUDED.site_id, visit_type_id = EXCLUDED.visit_type_id, practitioner_ids = EXCLUDED.practitioner_ids,
    level = EXCLUDED.level, status = EXCLUDED.status, starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at,
    version = EXCLUDED.version
WHERE known.version < EXCLUDED.version

-- name: coming
SELECT c.appointment_id, c.practitioner_ids, c.level, c.status, c.starts_at, c.ends_at FROM flow.coming c
JOIN flow.visit_type v ON v.organization_id = c.organization_id AND v.id = c.visit_type_id
WHERE c.organization_id = $1 AND c.site_id = $2 AND v.service_id = $3 AND c.starts_at >= $4 AND c.starts_at < $5
  AND c.status IN ('booked', 'arrived', 'checked-in')
ORDER BY c.starts_at, c.appointment_id

-- name: due_next
-- What a practitioner ($2) is booked for and did not see yet: of those who wait when they came, of the others what begins from $5 on.
SELECT c.starts_at, e.arrived_at FROM flow.coming c
LEFT JOIN flow.queue_entry e ON e.organization_id = $1 AND e.appointment_id = c.appointment_id AND e.status <> 'cancelled'
WHERE c.organization_id = $1 AND $2 = ANY(c.practitioner_ids) AND c.starts_at >= $3 AND c.starts_at < $4
  AND c.status IN ('booked', 'arrived', 'checked-in') AND CASE WHEN e.status IS NULL THEN c.starts_at >= $5 ELSE e.status = 'waiting' END

-- name: forget_coming
DELETE FROM flow.coming WHERE (organization_id, appointment_id) IN (
    SELECT organization_id, appointment_id FROM flow.coming WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)
RETURNING appointment_id

-- name: note_told
-- What each was told first; what they are told later changes nothing.
INSERT INTO flow.wait_told (organization_id, entry_id, queue_id, told_at, low, median, high)
SELECT $1, t.entry_id, $2, $3, t.low, t.median, t.high
FROM unnest($4::uuid[], $5::real[], $6::real[], $7::real[]) AS t(entry_id, low, median, high)
ON CONFLICT DO NOTHING

-- name: outcomes
-- What was told, and how long it was from then on, with the level; the newest last.
SELECT level, low, median, high, actual FROM (
    SELECT e.level, t.low, t.median, t.high, t.told_at, extract(epoch FROM coalesce(e.called_at, e.started_at) - t.told_at)::float8 / 60 AS actual
    FROM flow.wait_told t JOIN flow.queue_entry e ON e.organization_id = $1 AND e.id = t.entry_id
    WHERE t.organization_id = $1 AND t.queue_id = $2 AND coalesce(e.called_at, e.started_at) > t.told_at
    ORDER BY t.told_at DESC LIMIT $3
) newest ORDER BY told_at

-- name: put_place
-- How it stands is not the directory's to say.
INSERT INTO flow.place (organization_id, id, site_id, kind, name, part_of_id, room_type, active)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (organization_id, id) DO UPDATE SET
    site_id = EXCLUDED.site_id, kind = EXCLUDED.kind, name = EXCLUDED.name, part_of_id = EXCLUDED.part_of_id,
    room_type = EXCLUDED.room_type, active = EXCLUDED.active

-- name: put_device
INSERT INTO flow.device (organization_id, id, location_id, device_type) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, id) DO UPDATE SET location_id = EXCLUDED.location_id, device_type = EXCLUDED.device_type

-- name: places_at
-- What is no longer active is shown as long as somebody is in it.
SELECT p.id, p.site_id, p.kind, p.name, p.part_of_id, p.room_type, p.active, p.status, p.precautions, p.encounter_id, e.patient_id,
    p.since, p.last_used_at, p.reason, p.version,
    ARRAY(SELECT d.device_type FROM flow.device d WHERE d.organization_id = $1 AND d.location_id = p.id ORDER BY 1) AS devices
FROM flow.place p LEFT JOIN flow.encounter e ON e.organization_id = $1 AND e.id = p.encounter_id
WHERE p.organization_id = $1 AND p.site_id = $2 AND ($3::text IS NULL OR p.kind = $3) AND ($4::text IS NULL OR p.status = $4)
  AND p.id > $5 AND (p.active OR p.status = 'occupied') AND ($7::uuid[] IS NULL OR p.id = ANY($7))
  AND ($8::text IS NULL OR p.room_type = $8)
ORDER BY p.id LIMIT $6

-- name: count_places
-- As in places_at.
SELECT kind, room_type, status, count(*) AS count FROM flow.place
WHERE organization_id = $1 AND site_id = $2 AND (active OR status = 'occupied')
GROUP BY kind, room_type, status ORDER BY kind, room_type NULLS FIRST, status

-- name: free_places
SELECT p.id, p.site_id, p.kind, p.name, p.part_of_id, p.room_type, p.active, p.status, p.precautions, p.encounter_id, e.patient_id,
    p.since, p.last_used_at, p.reason, p.version,
    ARRAY(SELECT d.device_type FROM flow.device d WHERE d.organization_id = $1 AND d.location_id = p.id ORDER BY 1) AS devices
FROM flow.place p LEFT JOIN flow.encounter e ON e.organization_id = $1 AND e.id = p.encounter_id
WHERE p.organization_id = $1 AND p.site_id = $2 AND p.kind = $3 AND p.status = 'free' AND p.active

-- name: part_of
SELECT part_of_id FROM flow.place WHERE organization_id = $1 AND id = $2

-- name: lock_if_free
-- Whoever else is taking it has it: nobody waits for that.
SELECT p.id, p.site_id, p.kind, p.name, p.part_of_id, p.room_type, p.active, p.status, p.precautions, p.encounter_id, e.patient_id,
    p.since, p.last_used_at, p.reason, p.version,
    ARRAY(SELECT d.device_type FROM flow.device d WHERE d.organization_id = $1 AND d.location_id = p.id ORDER BY 1) AS devices
FROM flow.place p LEFT JOIN flow.encounter e ON e.organization_id = $1 AND e.id = p.encounter_id
WHERE p.organization_id = $1 AND p.id = $2 AND p.status = 'free' AND p.active
FOR UPDATE OF p SKIP LOCKED

-- name: place_by_id
SELECT p.id, p.site_id, p.kind, p.name, p.part_of_id, p.room_type, p.active, p.status, p.precautions, p.encounter_id, e.patient_id,
    p.since, p.last_used_at, p.reason, p.version,
    ARRAY(SELECT d.device_type FROM flow.device d WHERE d.organization_id = $1 AND d.location_id = p.id ORDER BY 1) AS devices
FROM flow.place p LEFT JOIN flow.encounter e ON e.organization_id = $1 AND e.id = p.encounter_id
WHERE p.organization_id = $1 AND p.id = $2

-- name: place_for_change
SELECT p.id, p.site_id, p.kind, p.name, p.part_of_id, p.room_type, p.active, p.status, p.precautions, p.encounter_id, e.patient_id,
    p.since, p.last_used_at, p.reason, p.version,
    ARRAY(SELECT d.device_type FROM flow.device d WHERE d.organization_id = $1 AND d.location_id = p.id ORDER BY 1) AS devices
FROM flow.place p LEFT JOIN flow.encounter e ON e.organization_id = $1 AND e.id = p.encounter_id
WHERE p.organization_id = $1 AND p.id = $2
FOR UPDATE OF p

-- name: places_of
SELECT p.id, p.site_id, p.kind, p.name, p.part_of_id, p.room_type, p.active, p.status, p.precautions, p.encounter_id, e.patient_id,
    p.since, p.last_used_at, p.reason, p.version,
    ARRAY(SELECT d.device_type FROM flow.device d WHERE d.organization_id = $1 AND d.location_id = p.id ORDER BY 1) AS devices
FROM flow.place p LEFT JOIN flow.encounter e ON e.organization_id = $1 AND e.id = p.encounter_id
WHERE p.organization_id = $1 AND p.encounter_id = ANY($2::uuid[])
ORDER BY p.id FOR UPDATE OF p

-- name: bed_of
SELECT id FROM flow.place WHERE organization_id = $1 AND encounter_id = $2 AND kind = 'bed'

-- name: update_place
UPDATE flow.place SET status = $3, encounter_id = $4, since = $5, last_used_at = $6, reason = $7, precautions = $8, version = $9
WHERE organization_id = $1 AND id = $2

-- name: drop_times
DELETE FROM flow.coming_time WHERE organization_id = $1 AND appointment_id = $2

-- name: put_expected
-- Whoever moved ($4) was told of another time, and begins anew.
INSERT INTO flow.expected AS known (organization_id, appointment_id, patient_id)
SELECT $1, c.appointment_id, kernel.survivor_of($1, $3) FROM flow.coming c WHERE c.organization_id = $1 AND c.appointment_id = $2
ON CONFLICT (organization_id, appointment_id) DO UPDATE SET
    patient_id = EXCLUDED.patient_id,
    late_minutes = CASE WHEN $4 THEN 0 ELSE known.late_minutes END,
    told_minutes = CASE WHEN $4 THEN 0 ELSE known.told_minutes END,
    by_emergency = known.by_emergency AND NOT $4,
    version = known.version + CASE WHEN $4 AND known.late_minutes > 0 THEN 1 ELSE 0 END

-- name: insert_times
INSERT INTO flow.coming_time (organization_id, calendar_id, appointment_id, starts_at, ends_at)
SELECT $1, t.calendar_id, c.appointment_id, t.starts_at, t.ends_at
FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS t(calendar_id, starts_at, ends_at)
JOIN flow.coming c ON c.organization_id = $1 AND c.appointment_id = $2
ON CONFLICT DO NOTHING

-- name: sites_in_turn
-- The zones and thresholds of an organization's sites, locked: whoever works a delay out does so one after another.
SELECT id, time_zone, tell_minutes FROM flow.site WHERE organization_id = $1 ORDER BY id FOR NO KEY UPDATE

-- name: site_of
SELECT time_zone, tell_minutes FROM flow.site WHERE organization_id = $1 AND id = $2

-- name: limits_of
SELECT full_percent, long_minutes FROM flow.site WHERE organization_id = $1 AND id = $2

-- name: set_limits
UPDATE flow.site SET full_percent = $3, long_minutes = $4 WHERE organization_id = $1 AND id = $2 RETURNING id

-- name: set_telling
UPDATE flow.site SET tell_minutes = $3 WHERE organization_id = $1 AND id = $2 RETURNING tell_minutes

-- name: visits_of_calendars
-- The appointments of the time from $3 to $4 that take any of these calendars, each with all the time it takes and what became of it. Who
-- waits for a result, or was sent on, is with nobody meanwhile.
SELECT c.appointment_id, c.site_id, c.status, c.starts_at, c.practitioner_ids, x.patient_id, x.late_minutes, x.told_minutes, x.by_emergency, x.version,
    t.calendars, t.froms, t.untils, q.began_at, q.ended_at, coalesce(q.is_served, false) AS is_served, coalesce(q.is_open, false) AS is_open
FROM flow.coming c
JOIN flow.expected x ON x.organization_id = $1 AND x.appointment_id = c.appointment_id
CROSS JOIN LATERAL (
    SELECT array_agg(o.calendar_id ORDER BY o.calendar_id, o.starts_at) AS calendars,
        array_agg(o.starts_at ORDER BY o.calendar_id, o.starts_at) AS froms, array_agg(o.ends_at ORDER BY o.calendar_id, o.starts_at) AS untils
    FROM flow.coming_time o WHERE o.organization_id = $1 AND o.appointment_id = c.appointment_id
) t
LEFT JOIN LATERAL (
    SELECT min(e.started_at) AS began_at, bool_or(e.status = 'in-service') AS is_served, bool_or(e.ended_at IS NULL) AS is_open,
        max(CASE WHEN e.status = 'on-hold' THEN e.updated_at ELSE e.ended_at END) AS ended_at
    FROM flow.queue_entry e WHERE e.organization_id = $1 AND e.appointment_id = c.appointment_id AND e.status <> 'cancelled'
) q ON true
WHERE c.organization_id = $1 AND c.status IN ('booked', 'arrived', 'checked-in', 'fulfilled') AND c.appointment_id IN (
    SELECT d.appointment_id FROM flow.coming_time d
    WHERE d.organization_id = $1 AND d.calendar_id = ANY($2::uuid[]) AND d.starts_at >= $3 AND d.starts_at < $4)
ORDER BY c.starts_at, c.appointment_id

-- name: served_without_booking
-- Who is being seen without an appointment, by whom and where; and who lies in a room without one and without a turn: whoever was admitted.
SELECT id, site_id, patient_id, practitioner_id, location_id, started_at, level, NULL::bytea AS detail FROM flow.queue_entry
WHERE organization_id = $1 AND status = 'in-service' AND appointment_id IS NULL AND started_at >= $3
  AND (practitioner_id = ANY($2::uuid[]) OR location_id = ANY($2::uuid[]))
UNION ALL
SELECT e.id, p.site_id, e.patient_id, NULL, p.id, p.since, NULL, e.detail
FROM flow.place p JOIN flow.encounter e ON e.organization_id = $1 AND e.id = p.encounter_id
WHERE p.organization_id = $1 AND p.id = ANY($2::uuid[]) AND p.status = 'occupied' AND e.appointment_id IS NULL
  AND NOT EXISTS (SELECT FROM flow.queue_entry q WHERE q.organization_id = $1 AND q.encounter_id = e.id AND q.ended_at IS NULL)

-- name: is_booked
SELECT EXISTS (
    SELECT FROM flow.coming_time WHERE organization_id = $1 AND calendar_id = $2 AND starts_at >= $3 AND starts_at < $4) AS is_booked

-- name: calendars_of
SELECT DISTINCT calendar_id FROM flow.coming_time WHERE organization_id = $1 AND appointment_id = $2

-- name: calendars_to_watch
-- Calendars of which somebody has begun, should have, or is expected late: what time alone may change.
SELECT DISTINCT c.organization_id, t.calendar_id FROM flow.coming c
JOIN flow.expected x ON x.organization_id = c.organization_id AND x.appointment_id = c.appointment_id
JOIN flow.coming_time t ON t.organization_id = c.organization_id AND t.appointment_id = c.appointment_id
WHERE c.starts_at >= $1 AND c.starts_at < $2 AND c.status IN ('booked', 'arrived', 'checked-in')
  AND (x.late_minutes > 0 OR (c.starts_at <= $3 AND c.status <> 'booked'))
ORDER BY c.organization_id, t.calendar_id LIMIT $4

-- name: calendars_at
-- Calendars with appointments at a site between $3 and $4, each with how many of those are expected late, and how many for an emergency. Patients
-- have a calendar, too, and are left out: nobody says of them that they run late.
SELECT t.calendar_id, count(DISTINCT c.appointment_id) FILTER (WHERE x.late_minutes > 0) AS affected,
    count(DISTINCT c.appointment_id) FILTER (WHERE x.by_emergency) AS by_emergency
FROM flow.coming c
JOIN flow.expected x ON x.organization_id = $1 AND x.appointment_id = c.appointment_id
JOIN flow.coming_time t ON t.organization_id = $1 AND t.appointment_id = c.appointment_id
WHERE c.organization_id = $1 AND c.site_id = $2 AND c.starts_at >= $3 AND c.starts_at < $4
  AND c.status IN ('booked', 'arrived', 'checked-in', 'fulfilled') AND ($5::uuid IS NULL OR t.calendar_id = $5)
  AND t.calendar_id <> x.patient_id
GROUP BY t.calendar_id ORDER BY t.calendar_id

-- name: delays_of
SELECT calendar_id, day, site_id, minutes, source, reason, said_at, version FROM flow.delay
WHERE organization_id = $1 AND calendar_id = ANY($2::uuid[]) AND day = $3

-- name: latest_delays
-- What was said or seen of each last, since $3: a calendar that serves two zones has one day in each.
SELECT DISTINCT ON (calendar_id) calendar_id, day, site_id, minutes, source, reason, said_at, from_at, version FROM flow.delay
WHERE organization_id = $1 AND calendar_id = ANY($2::uuid[]) AND said_at >= $3
ORDER BY calendar_id, said_at DESC

-- name: put_delay
INSERT INTO flow.delay AS known (organization_id, calendar_id, day, site_id, minutes, source, reason, said_at, from_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)
ON CONFLICT (organization_id, calendar_id, day) DO UPDATE SET
    site_id = EXCLUDED.site_id, minutes = EXCLUDED.minutes, source = EXCLUDED.source, reason = EXCLUDED.reason, said_at = EXCLUDED.said_at,
    from_at = EXCLUDED.from_at, version = known.version + 1
RETURNING version

-- name: insert_delay_step
INSERT INTO flow.delay_step (organization_id, calendar_id, day, version, minutes, source, reason, said_at, by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: delay_steps
SELECT version, minutes, source, reason, said_at FROM flow.delay_step
WHERE organization_id = $1 AND calendar_id = $2 AND day = $3 ORDER BY version DESC LIMIT $4

-- name: update_expected
UPDATE flow.expected x SET late_minutes = n.late, told_minutes = n.told, version = n.version, by_emergency = n.by_emergency
FROM unnest($2::uuid[], $3::int[], $4::int[], $5::int[], $6::boolean[]) AS n(id, late, told, version, by_emergency)
WHERE x.organization_id = $1 AND x.appointment_id = n.id

-- name: expected_late
-- At a site ($2), or of a patient ($3).
SELECT c.appointment_id, c.site_id, c.starts_at, x.late_minutes, x.by_emergency, x.version FROM flow.expected x
JOIN flow.coming c ON c.organization_id = $1 AND c.appointment_id = x.appointment_id
WHERE x.organization_id = $1 AND x.late_minutes > 0 AND ($2::uuid IS NULL OR c.site_id = $2) AND ($3::uuid IS NULL OR x.patient_id = $3)
  AND c.starts_at >= $4 AND c.starts_at < $5 AND c.status IN ('booked', 'arrived', 'checked-in')
ORDER BY c.starts_at, c.appointment_id LIMIT $6

-- name: take_over_expected
-- What was expected of a record that was merged ($2) is its survivor's.
UPDATE flow.expected SET patient_id = kernel.survivor_of($1, $2) WHERE organization_id = $1 AND patient_id = $2

-- name: forget_delays
DELETE FROM flow.delay WHERE (organization_id, calendar_id, day) IN (
    SELECT organization_id, calendar_id, day FROM flow.delay WHERE day < $1 ORDER BY day LIMIT $2)
RETURNING calendar_id

-- name: away_until
-- Until when somebody who is said to be late sees nobody; not who has begun with anybody of the queue ($3) since.
SELECT d.calendar_id, d.from_at + d.minutes * interval '1 minute' AS until FROM flow.delay d
WHERE d.organization_id = $1 AND d.site_id = $2 AND d.said_at > $4::timestamptz - interval '12 hours' AND d.source = 'entered'
  AND d.from_at + d.minutes * interval '1 minute' > $4 AND NOT EXISTS (
    SELECT FROM flow.queue_entry e WHERE e.organization_id = $1 AND e.queue_id = $3 AND e.practitioner_id = d.calendar_id
      AND e.started_at > d.said_at AND e.arrived_at > $4::timestamptz - interval '1 day')

-- name: say_soon
-- Once of a turn, and of who still waits.
UPDATE flow.queue_entry SET soon_at = $3
WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND soon_at IS NULL AND status = 'waiting'
RETURNING id, queue_id, site_id, patient_id, ticket

-- name: last_calls
-- Who was called lately and is not gone: first those who are still to come, then those who have come; the newest first. $3: of these queues.
-- Whom the desk does not know yet is called to the desk. $6: who got a room when they came since then is told to go there.
SELECT called.id, called.ticket, q.name AS queue, called.place, called.called_at, called.is_here
FROM flow.queue q
CROSS JOIN LATERAL (
    SELECT e.id, e.ticket, coalesce(p.name, '') AS place, e.called_at, e.status = 'in-service' AS is_here
    FROM flow.queue_entry e LEFT JOIN flow.place p ON p.organization_id = $1 AND p.id = e.location_id
    WHERE e.organization_id = $1 AND e.queue_id = q.id AND e.status IN ('called', 'in-service') AND e.called_at > $4
    UNION ALL
    SELECT e.id, e.ticket, p.name, e.arrived_at, false
    FROM flow.queue_entry e JOIN flow.place p ON p.organization_id = $1 AND p.id = e.location_id
    WHERE e.organization_id = $1 AND e.queue_id = q.id AND e.status = 'waiting' AND e.in_room AND e.arrived_at > $6
    UNION ALL
    SELECT w.id, w.ticket, '', w.called_at, false FROM flow.walk_in w
    WHERE w.organization_id = $1 AND w.queue_id = q.id AND w.ended_at IS NULL AND w.status = 'called' AND w.called_at > $4
) called
WHERE q.organization_id = $1 AND q.site_id = $2 AND ($3::uuid[] IS NULL OR q.id = ANY($3))
ORDER BY called.is_here, called.called_at DESC, called.id DESC
LIMIT $5

-- name: site
SELECT name, time_zone FROM flow.site WHERE organization_id = $1 AND id = $2

-- name: queues_to_watch
-- Queues of every organization of which the policy has steps, or of which one is on, behind $1 and $2: how many wait, and how each step stands.
SELECT q.organization_id, q.id, q.site_id, q.service_id, q.name, q.letter, q.policy, q.version,
    (SELECT count(*) FROM flow.queue_entry e
        WHERE e.organization_id = q.organization_id AND e.queue_id = q.id AND e.status = 'waiting')
    + (SELECT count(*) FROM flow.walk_in k
        WHERE k.organization_id = q.organization_id AND k.queue_id = q.id AND k.ended_at IS NULL) AS waiting,
    coalesce((SELECT jsonb_agg(l) FROM (
        SELECT DISTINCT ON (r.what) r.what, r.ended_at IS NULL AS is_on, coalesce(r.ended_at, r.begun_at) AS since,
            CASE WHEN r.ended_at IS NULL THEN r.begun_by ELSE r.ended_by END IS NOT NULL AS by_person
        FROM flow.relief r WHERE r.organization_id = q.organization_id AND r.queue_id = q.id
        ORDER BY r.what, r.ended_at DESC NULLS FIRST) l), '[]') AS last
FROM flow.queue q
WHERE (q.organization_id, q.id) > ($1, $2) AND (jsonb_array_length(coalesce(q.policy -> 'relief', '[]')) > 0 OR EXISTS (
    SELECT FROM flow.relief o WHERE o.organization_id = q.organization_id AND o.queue_id = q.id AND o.ended_at IS NULL))
ORDER BY q.organization_id, q.id LIMIT $3

-- name: queues_elsewhere
-- Queues of every organization, behind $1 and $2, that let people wait elsewhere, or where somebody does who was not told to come.
SELECT q.organization_id, q.id, q.site_id, q.service_id, q.name, q.letter, q.policy, q.version, offer.is_on AS offers
FROM flow.queue q CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT FROM flow.relief r WHERE r.organization_id = q.organization_id AND r.queue_id = q.id AND r.what = 'wait-elsewhere'
        AND r.ended_at IS NULL) AS is_on) offer
WHERE (q.organization_id, q.id) > ($1, $2) AND (offer.is_on OR EXISTS (
    SELECT FROM flow.queue_entry e WHERE e.organization_id = q.organization_id AND e.queue_id = q.id AND e.status = 'waiting'
        AND e.travel_minutes IS NOT NULL AND e.come_at IS NULL))
ORDER BY q.organization_id, q.id LIMIT $3

-- name: begin_relief
-- Nothing back: it is on.
INSERT INTO flow.relief (organization_id, id, queue_id, what, begun_at, begun_by, reason, waiting, minutes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING *

-- name: end_relief
-- Nothing back: it is not on.
UPDATE flow.relief SET ended_at = $4, ended_by = $5, end_reason = $6, version = version + 1
WHERE organization_id = $1 AND queue_id = $2 AND what = $3 AND ended_at IS NULL
RETURNING *

-- name: relief_on
SELECT * FROM flow.relief WHERE organization_id = $1 AND queue_id = ANY($2::uuid[]) AND ended_at IS NULL ORDER BY begun_at, id

-- name: relief_past
SELECT * FROM flow.relief WHERE organization_id = $1 AND queue_id = $2 AND ended_at IS NOT NULL ORDER BY ended_at DESC, id LIMIT $3

-- name: queues_of_service
-- At other sites than that of $3, where walk-ins are taken, those in which the fewest wait first.
SELECT q.id, q.site_id, q.service_id, q.name, q.letter, q.policy, q.version, coalesce(s.name, q.name) AS site_name, (
    SELECT count(*) FROM flow.queue_entry e WHERE e.organization_id = $1 AND e.queue_id = q.id AND e.status = 'waiting')
    + (SELECT count(*) FROM flow.walk_in k WHERE k.organization_id = $1 AND k.queue_id = q.id AND k.ended_at IS NULL) AS waiting
FROM flow.queue q LEFT JOIN flow.site s ON s.organization_id = $1 AND s.id = q.site_id
WHERE q.organization_id = $1 AND q.service_id = $2 AND q.site_id <> $3 AND NOT EXISTS (
    SELECT FROM flow.relief r
    WHERE r.organization_id = $1 AND r.queue_id = q.id AND r.what = 'pause-walk-ins' AND r.ended_at IS NULL)
ORDER BY waiting, q.id LIMIT $4

-- name: waiting_in
-- With those whom a kiosk gave a ticket.
SELECT (SELECT count(*) FROM flow.queue_entry WHERE organization_id = $1 AND queue_id = $2 AND status = 'waiting')
    + (SELECT count(*) FROM flow.walk_in WHERE organization_id = $1 AND queue_id = $2 AND ended_at IS NULL) AS waiting

-- name: forget_relief
DELETE FROM flow.relief WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM flow.relief WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)
RETURNING id

-- name: came_on_days
-- Who came to a queue ($2) by level and hour of the site's day, on days of a kind ($5, ISO: Monday is 1), and on how many anybody came.
-- What was entered by mistake did not happen.
WITH came AS (
    SELECT e.level, e.arrived_at AT TIME ZONE coalesce(s.time_zone, 'UTC') AS at
    FROM flow.queue_entry e LEFT JOIN flow.site s ON s.organization_id = e.organization_id AND s.id = e.site_id
    WHERE e.organization_id = $1 AND e.queue_id = $2 AND e.arrived_at >= $3 AND e.arrived_at < $4 AND e.status <> 'cancelled'
)
SELECT level, extract(hour FROM at)::int AS hour, count(*) AS people,
    (SELECT count(DISTINCT at::date) FROM came WHERE extract(isodow FROM at)::int = ANY($5::int[])) AS days
FROM came WHERE extract(isodow FROM at)::int = ANY($5::int[])
GROUP BY 1, 2

-- name: seen_on_days
-- From when until when people were seen, by the site's clock, the newest first.
SELECT e.started_at AT TIME ZONE coalesce(s.time_zone, 'UTC') AS start, e.ended_at AT TIME ZONE coalesce(s.time_zone, 'UTC') AS "end"
FROM flow.queue_entry e LEFT JOIN flow.site s ON s.organization_id = e.organization_id AND s.id = e.site_id
WHERE e.organization_id = $1 AND e.queue_id = $2 AND e.status = 'completed' AND e.started_at IS NOT NULL
  AND e.ended_at >= $3 AND e.ended_at < $4
  AND extract(isodow FROM e.started_at AT TIME ZONE coalesce(s.time_zone, 'UTC'))::int = ANY($5::int[])
ORDER BY e.ended_at DESC LIMIT $6

-- name: insert_tuning
-- Nothing back: one runs at the site.
INSERT INTO flow.tuning (organization_id, id, queue_id, site_id, status, days, is_entered, question, asked_at, asked_by)
VALUES ($1, $2, $3, $4, 'running', $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING *

-- name: tuning_running
SELECT id FROM flow.tuning WHERE organization_id = $1 AND site_id = $2 AND status = 'running'

-- name: tuning_by_id
SELECT * FROM flow.tuning WHERE organization_id = $1 AND id = $2

-- name: tuning_for_change
SELECT * FROM flow.tuning WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: tunings_of
SELECT * FROM flow.tuning WHERE organization_id = $1 AND queue_id = $2 ORDER BY asked_at DESC, id DESC LIMIT $3

-- name: advance_tuning
-- Nothing back: nobody wants it any more.
UPDATE flow.tuning SET percent = $3 WHERE organization_id = $1 AND id = $2 AND status = 'running' RETURNING id

-- name: end_tuning
-- Nothing back: it had ended. $3 is how, $5 what was found, $6 why nothing was.
UPDATE flow.tuning SET status = $3, ended_at = $4, found = $5, fault = $6, version = version + 1,
    percent = CASE WHEN $3 = 'done' THEN 100 ELSE percent END
WHERE organization_id = $1 AND id = $2 AND status = 'running'
RETURNING *

-- name: apply_tuning
UPDATE flow.tuning SET applied_at = $3, taken_back_at = NULL, former = $4, version = version + 1
WHERE organization_id = $1 AND id = $2
RETURNING *

-- name: take_back_tuning
UPDATE flow.tuning SET taken_back_at = $3, version = version + 1 WHERE organization_id = $1 AND id = $2 RETURNING *

-- name: forget_tunings
DELETE FROM flow.tuning WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM flow.tuning WHERE asked_at < $1 ORDER BY asked_at LIMIT $2)

-- name: insert_sensor
-- Nothing back: another one watches the place.
INSERT INTO flow.sensor (organization_id, id, site_id, name, transport, place_id, queue_ids, hold_seconds, readings_least, silent_seconds,
    count_most, secret_hash, enrolled_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (organization_id, place_id) WHERE stopped_at IS NULL AND place_id IS NOT NULL DO NOTHING
RETURNING id

-- name: insert_sensing
INSERT INTO flow.sensing (organization_id, sensor_id) VALUES ($1, $2)

-- name: sensor_of_place
SELECT id FROM flow.sensor WHERE organization_id = $1 AND place_id = $2 AND stopped_at IS NULL

-- name: count_of_queues
SELECT count(*) AS known FROM flow.queue WHERE organization_id = $1 AND site_id = $2 AND id = ANY($3::uuid[])

-- name: update_sensor
UPDATE flow.sensor SET name = $3, hold_seconds = $4, readings_least = $5, silent_seconds = $6, count_most = $7, version = $8
WHERE organization_id = $1 AND id = $2

-- name: set_sensor_secret
UPDATE flow.sensor SET secret_hash = $3, version = $4 WHERE organization_id = $1 AND id = $2

-- name: stop_sensor
UPDATE flow.sensor SET secret_hash = NULL, stopped_at = $3, version = $4 WHERE organization_id = $1 AND id = $2

-- name: sensor_by_secret
-- Of whichever organization.
SELECT s.organization_id, s.id, s.site_id, s.name, s.transport, s.place_id, s.queue_ids, s.hold_seconds, s.readings_least, s.silent_seconds,
    s.count_most, s.enrolled_at, s.stopped_at, s.version, n.value, n.since, n.run_value, n.run_from, n.run_readings, n.read_at, n.sequence,
    n.is_silent, n.fault, n.fault_at, n.version AS sensing_version
FROM flow.sensor s JOIN flow.sensing n ON n.organization_id = s.organization_id AND n.sensor_id = s.id
WHERE s.secret_hash = $1

-- name: sensor_by_id
-- Of whichever organization: a name of a topic is all that a broker tells.
SELECT s.organization_id, s.id, s.site_id, s.name, s.transport, s.place_id, s.queue_ids, s.hold_seconds, s.readings_least, s.silent_seconds,
    s.count_most, s.enrolled_at, s.stopped_at, s.version, n.value, n.since, n.run_value, n.run_from, n.run_readings, n.read_at, n.sequence,
    n.is_silent, n.fault, n.fault_at, n.version AS sensing_version
FROM flow.sensor s JOIN flow.sensing n ON n.organization_id = s.organization_id AND n.sensor_id = s.id
WHERE s.id = $1

-- name: sensor_for_change
-- Whoever changes what a sensor sees, or the sensor, does so one after another.
SELECT s.organization_id, s.id, s.site_id, s.name, s.transport, s.place_id, s.queue_ids, s.hold_seconds, s.readings_least, s.silent_seconds,
    s.count_most, s.enrolled_at, s.stopped_at, s.version, n.value, n.since, n.run_value, n.run_from, n.run_readings, n.read_at, n.sequence,
    n.is_silent, n.fault, n.fault_at, n.version AS sensing_version
FROM flow.sensor s JOIN flow.sensing n ON n.organization_id = s.organization_id AND n.sensor_id = s.id
WHERE s.organization_id = $1 AND s.id = $2
FOR UPDATE

-- name: sensors_at
SELECT s.organization_id, s.id, s.site_id, s.name, s.transport, s.place_id, s.queue_ids, s.hold_seconds, s.readings_least, s.silent_seconds,
    s.count_most, s.enrolled_at, s.stopped_at, s.version, n.value, n.since, n.run_value, n.run_from, n.run_readings, n.read_at, n.sequence,
    n.is_silent, n.fault, n.fault_at, n.version AS sensing_version
FROM flow.sensor s JOIN flow.sensing n ON n.organization_id = s.organization_id AND n.sensor_id = s.id
WHERE s.organization_id = $1 AND s.site_id = $2 AND s.stopped_at IS NULL AND s.id > $3
ORDER BY s.id LIMIT $4

-- name: sensors_of_places
SELECT s.organization_id, s.id, s.site_id, s.name, s.transport, s.place_id, s.queue_ids, s.hold_seconds, s.readings_least, s.silent_seconds,
    s.count_most, s.enrolled_at, s.stopped_at, s.version, n.value, n.since, n.run_value, n.run_from, n.run_readings, n.read_at, n.sequence,
    n.is_silent, n.fault, n.fault_at, n.version AS sensing_version
FROM flow.sensor s JOIN flow.sensing n ON n.organization_id = s.organization_id AND n.sensor_id = s.id
WHERE s.organization_id = $1 AND s.place_id = ANY($2::uuid[]) AND s.stopped_at IS NULL

-- name: sensors_of_queues
SELECT s.organization_id, s.id, s.site_id, s.name, s.transport, s.place_id, s.queue_ids, s.hold_seconds, s.readings_least, s.silent_seconds,
    s.count_most, s.enrolled_at, s.stopped_at, s.version, n.value, n.since, n.run_value, n.run_from, n.run_readings, n.read_at, n.sequence,
    n.is_silent, n.fault, n.fault_at, n.version AS sensing_version
FROM flow.sensor s JOIN flow.sensing n ON n.organization_id = s.organization_id AND n.sensor_id = s.id
WHERE s.organization_id = $1 AND s.queue_ids && $2::uuid[] AND s.stopped_at IS NULL
ORDER BY s.name, s.id

-- name: sensors_due
-- What time alone changes, in every organization: a run that has held, and a sensor that was not heard for so long.
SELECT s.organization_id, s.id FROM flow.sensor s
JOIN flow.sensing n ON n.organization_id = s.organization_id AND n.sensor_id = s.id
WHERE s.stopped_at IS NULL
  AND ((n.run_readings >= s.readings_least AND n.run_from <= $1::timestamptz - s.hold_seconds * interval '1 second')
    OR (NOT n.is_silent AND n.read_at <= $1::timestamptz - s.silent_seconds * interval '1 second'))
ORDER BY s.organization_id, s.id LIMIT $2

-- name: update_sensing
UPDATE flow.sensing SET value = $3, since = $4, run_value = $5, run_from = $6, run_readings = $7, read_at = $8, sequence = $9,
    is_silent = $10, fault = $11, fault_at = $12, version = $13
WHERE organization_id = $1 AND sensor_id = $2

-- name: forget_sensors
DELETE FROM flow.sensor WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM flow.sensor WHERE stopped_at < $1 ORDER BY stopped_at LIMIT $2)

-- name: lock_code_tries
-- How many wrong codes the kiosk ($2) took since $4, the row locked until the transaction ends: two who try at once do so one after another.
INSERT INTO flow.code_tries AS t (organization_id, station, since, wrong) VALUES ($1, $2, $3, 0)
ON CONFLICT (organization_id, station) DO UPDATE SET
    wrong = CASE WHEN t.since <= $4 THEN 0 ELSE t.wrong END, since = CASE WHEN t.since <= $4 THEN $3 ELSE t.since END
RETURNING since, wrong

-- name: count_wrong_code
UPDATE flow.code_tries SET wrong = wrong + 1 WHERE organization_id = $1 AND station = $2 RETURNING wrong

-- name: codes_of_today
-- Appointments of today, as their sites have it, at the site $3, or at all but $4: ids and what is needed to check in for one.
SELECT c.appointment_id, c.site_id, s.name AS site_name, s.time_zone, c.visit_type_id, c.practitioner_ids, c.level, c.status, c.starts_at, c.ends_at,
    x.patient_id
FROM flow.coming c
JOIN flow.expected x ON x.organization_id = $1 AND x.appointment_id = c.appointment_id
JOIN flow.site s ON s.organization_id = $1 AND s.id = c.site_id
WHERE c.organization_id = $1 AND c.starts_at > $2::timestamptz - interval '26 hours' AND c.starts_at < $2::timestamptz + interval '26 hours'
  AND (c.starts_at AT TIME ZONE s.time_zone)::date = ($2::timestamptz AT TIME ZONE s.time_zone)::date
  AND ($3::uuid IS NULL OR c.site_id = $3) AND ($4::uuid IS NULL OR c.site_id <> $4)

-- name: insert_walk_in
INSERT INTO flow.walk_in (organization_id, id, queue_id, site_id, station, day, ticket, status, taken_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8)

-- name: tickets_taken
SELECT count(*) AS taken FROM flow.walk_in
WHERE organization_id = $1 AND queue_id = $2 AND station = $3 AND taken_at > $4 AND ended_at IS NULL

-- name: walk_ins_open
SELECT id, queue_id, site_id, ticket, status, taken_at, called_at, ended_at, entry_id, version FROM flow.walk_in
WHERE organization_id = $1 AND queue_id = $2 AND ended_at IS NULL ORDER BY taken_at, id LIMIT $3

-- name: walk_in_for_change
-- Locked until the transaction ends: of two desks that ask the same person, the second sees what the first did.
SELECT id, queue_id, site_id, ticket, status, taken_at, called_at, ended_at, entry_id, version, day FROM flow.walk_in
WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: update_walk_in
UPDATE flow.walk_in SET status = $3, called_at = $4, ended_at = $5, end_reason = $6, entry_id = $7, version = $8
WHERE organization_id = $1 AND id = $2

-- name: open_help
-- Nothing back: the kiosk has called already, and nobody has answered.
INSERT INTO flow.help_call (organization_id, id, site_id, station, station_name, reason, raised_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING
RETURNING id, site_id, reason, station_name, raised_at, answered_at, version

-- name: help_open_of
SELECT id, site_id, reason, station_name, raised_at, answered_at, version FROM flow.help_call
WHERE organization_id = $1 AND station = $2 AND reason = $3 AND answered_at IS NULL

-- name: help_open_at
SELECT id, site_id, reason, station_name, raised_at, answered_at, version FROM flow.help_call
WHERE organization_id = $1 AND site_id = $2 AND answered_at IS NULL ORDER BY raised_at, id LIMIT $3

-- name: help_for_change
SELECT id, site_id, reason, station_name, raised_at, answered_at, version FROM flow.help_call
WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: answer_help
UPDATE flow.help_call SET answered_at = $3, answered_by = $4, version = version + 1 WHERE organization_id = $1 AND id = $2
RETURNING id, site_id, reason, station_name, raised_at, answered_at, version

-- name: forget_walk_ins
DELETE FROM flow.walk_in WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM flow.walk_in WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)
RETURNING id

-- name: forget_help
DELETE FROM flow.help_call WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM flow.help_call WHERE answered_at < $1 ORDER BY answered_at LIMIT $2)
RETURNING id

-- name: precautions_of
SELECT patient_id, needed, recorded_at, recorded_by, version FROM flow.patient_precautions
WHERE organization_id = $1 AND patient_id = kernel.survivor_of($1, $2)

-- name: survivor_of
SELECT kernel.survivor_of($1, $2) AS id

-- name: precautions_for_change
SELECT patient_id, needed, recorded_at, recorded_by, version FROM flow.patient_precautions WHERE organization_id = $1 AND patient_id = $2
FOR UPDATE

-- name: put_precautions
-- Nothing back: somebody said something else since.
INSERT INTO flow.patient_precautions AS kept (organization_id, patient_id, needed, recorded_at, recorded_by, version)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, patient_id) DO UPDATE SET
    needed = EXCLUDED.needed, recorded_at = EXCLUDED.recorded_at, recorded_by = EXCLUDED.recorded_by, version = EXCLUDED.version
WHERE kept.version = EXCLUDED.version - 1
RETURNING version

-- name: drop_precautions
DELETE FROM flow.patient_precautions WHERE organization_id = $1 AND patient_id = $2 RETURNING patient_id AS id

-- name: dispose_precautions
-- What nobody has said anew for long enough, oldest first.
DELETE FROM flow.patient_precautions WHERE organization_id = $1 AND patient_id = ANY(ARRAY(
    SELECT patient_id FROM flow.patient_precautions
    WHERE organization_id = $1 AND recorded_at < $2 AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY recorded_at LIMIT $3
))
RETURNING patient_id AS id

-- name: precautions_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT patient_id AS id, needed FROM flow.patient_precautions
WHERE organization_id = $1 AND patient_id > $2 AND substring(needed FOR 3) <> $3
ORDER BY patient_id LIMIT $4
FOR UPDATE

-- name: reseal_precautions
UPDATE flow.patient_precautions p SET needed = r.needed FROM unnest($2::uuid[], $3::bytea[]) AS r(id, needed)
WHERE p.organization_id = $1 AND p.patient_id = r.id

-- name: names_of_places
SELECT id, name FROM flow.place WHERE organization_id = $1 AND id = ANY($2::uuid[])

-- name: who_waited_in_rooms
SELECT DISTINCT encounter_id FROM flow.queue_entry WHERE organization_id = $1 AND encounter_id = ANY($2::uuid[]) AND in_room

-- name: bed_requests_at
-- Who waits for a bed at a site, in the order in which they are to have one.
SELECT b.id, b.encounter_id, e.patient_id, b.site_id, b.urgency, b.room_type, b.devices, b.needed, b.asked_at, b.asked_by, b.ended_at,
    b.ended, b.version
FROM flow.bed_request b JOIN flow.encounter e ON e.organization_id = $1 AND e.id = b.encounter_id
WHERE b.organization_id = $1 AND b.site_id = $2 AND b.ended_at IS NULL
  AND ($3::uuid[] IS NULL OR b.id = ANY($3)) AND ($4::uuid IS NULL OR b.encounter_id = $4)
ORDER BY array_position(ARRAY['emergency', 'urgent', 'planned'], b.urgency), b.asked_at, b.id LIMIT $5

-- name: count_bed_requests
SELECT count(*) AS count FROM flow.bed_request WHERE organization_id = $1 AND site_id = $2 AND ended_at IS NULL

-- name: bed_request_for_change
SELECT b.id, b.encounter_id, e.patient_id, b.site_id, b.urgency, b.room_type, b.devices, b.needed, b.asked_at, b.asked_by, b.ended_at,
    b.ended, b.version
FROM flow.bed_request b JOIN flow.encounter e ON e.organization_id = $1 AND e.id = b.encounter_id
WHERE b.organization_id = $1 AND b.id = $2
FOR UPDATE OF b

-- name: open_bed_requests_of
-- The caller holds the encounters' rows.
SELECT b.id, b.encounter_id, e.patient_id, b.site_id, b.urgency, b.room_type, b.devices, b.needed, b.asked_at, b.asked_by, b.ended_at,
    b.ended, b.version
FROM flow.bed_request b JOIN flow.encounter e ON e.organization_id = $1 AND e.id = b.encounter_id
WHERE b.organization_id = $1 AND b.encounter_id = ANY($2::uuid[]) AND b.ended_at IS NULL
ORDER BY b.id FOR UPDATE OF b

-- name: put_bed_request
INSERT INTO flow.bed_request (organization_id, id, encounter_id, site_id, urgency, room_type, devices, needed, asked_at, asked_by, ended_at,
    ended, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (organization_id, id) DO UPDATE SET
    site_id = EXCLUDED.site_id, urgency = EXCLUDED.urgency, room_type = EXCLUDED.room_type, devices = EXCLUDED.devices,
    needed = EXCLUDED.needed, ended_at = EXCLUDED.ended_at, ended = EXCLUDED.ended, version = EXCLUDED.version

-- name: drop_bed_requests
DELETE FROM flow.bed_request b USING flow.encounter e
WHERE b.organization_id = $1 AND e.organization_id = $1 AND e.id = b.encounter_id AND e.patient_id = $2
RETURNING b.id

-- name: forget_bed_requests
DELETE FROM flow.bed_request WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM flow.bed_request WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)
RETURNING id

-- name: bed_requests_to_reseal
-- As precautions_to_reseal.
SELECT id, needed FROM flow.bed_request WHERE organization_id = $1 AND id > $2 AND substring(needed FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_bed_requests
UPDATE flow.bed_request b SET needed = r.needed FROM unnest($2::uuid[], $3::bytea[]) AS r(id, needed)
WHERE b.organization_id = $1 AND b.id = r.id
