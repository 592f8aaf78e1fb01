-- name: book_appointment
-- One booking is this one statement. It is all or nothing: whatever is missing refuses, and the refusal rolls everything back.
-- Calendars are locked FOR KEY SHARE at the version the choice was made on; a change of hours or blocks in between refuses. Always before
-- the claims, as everywhere: the other way round a booking and a series could wait for each other behind a change of hours.
-- Their ids are named twice: the join alone is planned as a scan of every calendar of the hospital.
-- The database decides who wins: fewer claims back than asked for means somebody else holds the time.
-- ON CONFLICT DO NOTHING, never a bare INSERT: bare inserts on an exclusion constraint deadlock under contention.
-- What somebody holds in a further lane is not claimed either: only an override books beside others.
-- Claims begin and end so many microseconds after the appointment begins: numbers travel at a tenth of what instants cost.
-- What follows the claims waits for all of them, so that whoever loses a race has written next to nothing.
-- $15, $27 and $28 are sealed: the note, what else people wrote, and the answer for the key.
-- $29 is the site where what a payer said may stop the visit; NULL for one that nothing of the kind stops. It is looked up for the one patient.
-- Who is master of the service decides here: $31 is the system that the caller mirrors, nothing for everybody else.
-- Serves booked, pending and held alike: a hold has expires_at.
WITH calendars AS (
    SELECT s.id FROM scheduling.schedule s
    JOIN unnest($3::uuid[], $4::bigint[]) AS c(id, version) ON s.id = c.id AND s.calendar_version = c.version
    WHERE s.organization_id = $1 AND s.id = ANY($3::uuid[])
    ORDER BY s.id
    FOR KEY SHARE OF s
), master AS (
    SELECT scheduling.master_of($1, $12, $30) IS NOT DISTINCT FROM $31::text AS writes
), wanted AS (
    SELECT w.schedule_id, $10::timestamptz + w.begins * interval '1 microsecond' AS starts_at,
        $10::timestamptz + w.ends * interval '1 microsecond' AS ends_at
    FROM unnest($5::uuid[], $6::bigint[], $7::bigint[]) AS w(schedule_id, begins, ends)
), claimed AS (
    INSERT INTO scheduling.claim (organization_id, schedule_id, lane, starts_at, ends_at, appointment_id, expires_at)
    SELECT $1, w.schedule_id, 0, w.starts_at, w.ends_at, $2, $13 FROM wanted w
    WHERE (SELECT writes FROM master) AND (SELECT count(*) FROM calendars) = cardinality($3::uuid[]) AND NOT EXISTS (
        SELECT FROM scheduling.claim o WHERE o.organization_id = $1 AND o.schedule_id = w.schedule_id AND o.lane > 0
            AND tstzrange(o.starts_at, o.ends_at) && tstzrange(w.starts_at, w.ends_at))
    ORDER BY w.schedule_id, w.starts_at
    ON CONFLICT DO NOTHING
    RETURNING schedule_id
), got AS (
    SELECT count(*) = cardinality($5::uuid[]) AS everything FROM claimed
), booked AS (
    INSERT INTO scheduling.appointment
        (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, value, expires_at, note, private, version)
    SELECT $1, $2, $8, $9, $10, $11, $12, $14, $13, $15, $27, 1 FROM got
    WHERE got.everything AND EXISTS (SELECT FROM scheduling.patient p WHERE p.organization_id = $1 AND p.id = $9 AND p.active)
    RETURNING id
), event AS (
    INSERT INTO kernel.outbox (organization_id, id, topic, subject, payload, occurred_at, origin, actor, trace)
    SELECT $1, $16, $17, $2, $18, $19, $20, $21, $22 FROM got WHERE got.everything
), audited AS (
    INSERT INTO kernel.audit_entry (organization_id, id, patient_id, body) SELECT $1, $25, $9, $26 FROM got WHERE got.everything
), stored AS (
    INSERT INTO kernel.idempotency (organization_id, subject, key, fingerprint, answer, created_at)
    SELECT $1, $21, $23, $24, $28, $19 FROM got WHERE got.everything AND $23::text IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING key
), stopped AS (
    SELECT min(s.why) AS why FROM scheduling.payer_stops_of($1, $9, $29, $12, $10, $19) AS s(why) WHERE $31::text IS NULL
)
SELECT kernel.refuse(CASE
    WHEN NOT got.everything THEN CASE
        WHEN $23::text IS NOT NULL AND EXISTS (
            SELECT FROM kernel.idempotency k WHERE k.organization_id = $1 AND k.subject = $21 AND k.key = $23) THEN 'kernel.already_done'
        WHEN NOT (SELECT writes FROM master) THEN CASE
            WHEN $31 IS NULL THEN 'scheduling.booked_elsewhere' ELSE 'scheduling.not_mirrored' END
        WHEN (SELECT count(*) FROM calendars) < cardinality($3::uuid[]) THEN 'scheduling.calendar_moved'
        WHEN NOT EXISTS (SELECT FROM scheduling.patient p WHERE p.organization_id = $1 AND p.id = $9 AND p.active)
            THEN 'scheduling.unknown_patient'
        WHEN EXISTS (SELECT FROM claimed WHERE schedule_id = $9) THEN 'scheduling.time_not_free'
        ELSE 'scheduling.patient_busy' END
    WHEN $23::text IS NOT NULL AND NOT EXISTS (SELECT FROM stored) THEN 'kernel.already_done'
    WHEN NOT EXISTS (SELECT FROM booked) THEN 'scheduling.unknown_patient'
    WHEN (SELECT why FROM stopped) = 'not-authorised' THEN 'coverage.not_authorised'
    WHEN (SELECT why FROM stopped) = 'not-covered' THEN 'coverage.not_covered'
END) FROM got

-- name: payer_stop
SELECT min(s.why) AS why FROM scheduling.payer_stops_of($1, $2, $3, $4, $5, $6) AS s(why)

-- name: clear_payer_stops
-- Those of one patient, and whatever is over.
DELETE FROM scheduling.payer_stop WHERE organization_id = $1 AND (patient_id = $2 OR counts_until < $3)

-- name: put_payer_stop
INSERT INTO scheduling.payer_stop
    (organization_id, patient_id, number, site_id, why, visit_type_ids, all_but, starts_from, starts_before, counts_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: lock_calendars
-- For changes of several statements: the same lock and the same question as in book_appointment.
SELECT s.id FROM scheduling.schedule s
JOIN unnest($2::uuid[], $3::bigint[]) AS c(id, version) ON s.id = c.id AND s.calendar_version = c.version
WHERE s.organization_id = $1 AND s.id = ANY($2::uuid[])
ORDER BY s.id
FOR KEY SHARE OF s

-- name: claim_time
-- As in book_appointment, for moving and for series. Returns what was got. An override gives no $7 and may claim beside others; whoever
-- moves names itself there. $8 is when what is only kept runs out.
INSERT INTO scheduling.claim (organization_id, schedule_id, lane, starts_at, ends_at, appointment_id, expires_at)
SELECT $1, c.schedule_id, c.lane, c.starts_at, c.ends_at, c.appointment_id, $8
FROM unnest($2::uuid[], $3::smallint[], $4::timestamptz[], $5::timestamptz[], $6::uuid[])
    AS c(schedule_id, lane, starts_at, ends_at, appointment_id)
WHERE $7::uuid IS NULL OR NOT EXISTS (
    SELECT FROM scheduling.claim o WHERE o.organization_id = $1 AND o.schedule_id = c.schedule_id AND o.lane > 0 AND o.appointment_id <> $7
        AND tstzrange(o.starts_at, o.ends_at) && tstzrange(c.starts_at, c.ends_at))
ORDER BY c.schedule_id, c.starts_at
ON CONFLICT DO NOTHING
RETURNING schedule_id

-- name: release_claims
DELETE FROM scheduling.claim WHERE organization_id = $1 AND appointment_id = ANY($2::uuid[])
RETURNING schedule_id, lane, starts_at, ends_at, appointment_id

-- name: claims_of_appointment
SELECT schedule_id, lane, starts_at, ends_at FROM scheduling.claim
WHERE organization_id = $1 AND appointment_id = $2
ORDER BY schedule_id, starts_at

-- name: keep_claims
-- A hold becomes a booking: its claims no longer expire.
UPDATE scheduling.claim SET expires_at = NULL WHERE organization_id = $1 AND appointment_id = $2

-- name: taken_lanes
-- Which lanes are taken where, for an override to find the next one.
SELECT c.lane FROM scheduling.claim c
JOIN unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS w(schedule_id, starts_at, ends_at)
    ON c.schedule_id = w.schedule_id AND tstzrange(c.starts_at, c.ends_at) && tstzrange(w.starts_at, w.ends_at)
WHERE c.organization_id = $1 AND c.appointment_id <> $5

-- name: claims_beside
-- What others hold of this time, in whatever lane.
SELECT c.schedule_id, c.lane, c.starts_at, c.ends_at FROM scheduling.claim c
JOIN unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS w(schedule_id, starts_at, ends_at)
    ON c.schedule_id = w.schedule_id AND tstzrange(c.starts_at, c.ends_at) && tstzrange(w.starts_at, w.ends_at)
WHERE c.organization_id = $1 AND c.appointment_id <> $5 AND (c.expires_at IS NULL OR c.expires_at > $6)

-- name: expired_holds_in_the_way
-- Locked, skipping those that somebody is just booking or releasing.
SELECT a.id, a.value FROM scheduling.appointment a
WHERE a.organization_id = $1 AND a.expires_at <= $5 AND a.id IN (
    SELECT c.appointment_id FROM scheduling.claim c
    JOIN unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS w(schedule_id, starts_at, ends_at)
        ON c.schedule_id = w.schedule_id AND tstzrange(c.starts_at, c.ends_at) && tstzrange(w.starts_at, w.ends_at)
    WHERE c.organization_id = $1 AND c.expires_at <= $5)
ORDER BY a.id
FOR UPDATE OF a SKIP LOCKED

-- name: expired_holds
SELECT organization_id, id, value FROM scheduling.appointment WHERE expires_at <= $1
ORDER BY expires_at LIMIT $2
FOR UPDATE SKIP LOCKED

-- name: lock_patient
-- Before holds are counted, in a statement of its own: the count must see what whoever had the lock before has committed. Calendars and
-- claims are locked after it, never before.
SELECT id FROM scheduling.patient WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE

-- name: live_holds_of_patient
SELECT count(*) AS holds FROM scheduling.appointment
WHERE organization_id = $1 AND patient_id = $2 AND expires_at > $3

-- name: insert_appointments
INSERT INTO scheduling.appointment
    (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, value, series_id, private, version)
SELECT $1, a.id, a.status, $4, a.starts_at, a.ends_at, $7, a.value, $9, a.private, 1
FROM unnest($2::uuid[], $3::text[], $5::timestamptz[], $6::timestamptz[], $8::jsonb[], $10::bytea[])
    AS a(id, status, starts_at, ends_at, value, private)
WHERE EXISTS (SELECT FROM scheduling.patient p WHERE p.organization_id = $1 AND p.id = $4 AND p.active)
RETURNING id

-- name: appointment_for_change
-- The caller holds the row until the end of its transaction: changes of one appointment are one after another. Nor does its master change
-- before that.
SELECT value, private, scheduling.master_of(organization_id, visit_type_id, (value->>'site_id')::uuid) AS master
FROM scheduling.appointment WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: appointment_by_id
SELECT value, private FROM scheduling.appointment WHERE organization_id = $1 AND id = $2
UNION ALL
SELECT value, private FROM scheduling.appointment_history WHERE organization_id = $1 AND id = $2

-- name: notes_of
SELECT id, note FROM scheduling.appointment WHERE organization_id = $1 AND id = ANY($2) AND note IS NOT NULL
UNION ALL
SELECT id, note FROM scheduling.appointment_history WHERE organization_id = $1 AND id = ANY($2) AND note IS NOT NULL

-- name: save_appointment
UPDATE scheduling.appointment
SET status = $3, starts_at = $4, ends_at = $5, expires_at = $6, version = $7, value = $8, note = coalesce($9, note), private = $10
WHERE organization_id = $1 AND id = $2

-- name: keep_version
-- What a change replaces. The caller holds the lock on the appointment's row, so that each version is kept once.
INSERT INTO scheduling.appointment_version (organization_id, id, appointment_id, patient_id, version, made_at, said)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: versions_of_appointment
SELECT id, said FROM scheduling.appointment_version WHERE organization_id = $1 AND appointment_id = $2 ORDER BY version DESC LIMIT $3

-- name: appointments_of_patient
-- Pages by (start, id), so that a page stays where it is while others book. $11 asks for those alone that clash with another of theirs.
SELECT value, private FROM (
    SELECT value, private, starts_at, id, status, expires_at FROM scheduling.appointment WHERE organization_id = $1 AND patient_id = $2
    UNION ALL
    SELECT value, private, starts_at, id, status, expires_at FROM scheduling.appointment_history WHERE organization_id = $1 AND patient_id = $2
) a
WHERE ($3::timestamptz IS NULL OR starts_at >= $3) AND ($4::timestamptz IS NULL OR starts_at < $4)
  AND (cardinality($5::text[]) = 0 OR status = ANY($5))
  AND (starts_at, id) > ($6::timestamptz, $7::uuid)
  AND (expires_at IS NULL OR expires_at > $8)
  AND (cardinality($10::text[]) = 0 OR value->>'site_id' = ANY($10))
  AND (NOT $11::boolean OR EXISTS (
    SELECT FROM scheduling.claim c JOIN scheduling.claim o ON o.organization_id = c.organization_id AND o.schedule_id = c.schedule_id
        AND tstzrange(o.starts_at, o.ends_at) && tstzrange(c.starts_at, c.ends_at) AND o.appointment_id <> c.appointment_id
    WHERE c.organization_id = $1 AND c.schedule_id = $2 AND c.appointment_id = a.id))
ORDER BY starts_at, id
LIMIT $9

-- name: plan_once
-- For the searches of this transaction: planning them for each question's values takes many times as long as answering, since history has a
-- part a month, and finds no better plan.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true)

-- name: search_forward
-- What begins in a stretch of time, in the order of an index of live and archived appointments alike: a page costs the rows walked for it.
-- Every condition stands outside the union: with one inside, PostgreSQL reads and sorts the whole stretch.
-- The searches have one text of conditions. A hold is found while it lives, by who asks for what is pending; one that ended never was an
-- appointment (`HOLD_ENDED`).
SELECT value, private FROM (
    SELECT organization_id, value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold
    FROM scheduling.appointment
    UNION ALL
    SELECT organization_id, value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold
    FROM scheduling.appointment_history
) a
WHERE organization_id = $1 AND (starts_at, id) > ($7::timestamptz, $8::uuid) AND (starts_at, id) < ($9::timestamptz, $10::uuid)
  AND (cardinality($2::text[]) = 0 OR status = ANY($2))
  AND (cardinality($3::jsonb[]) = 0 OR value->'participants' @> ANY($3))
  AND (cardinality($4::uuid[]) = 0 OR site_id = ANY($4))
  AND (cardinality($5::uuid[]) = 0 OR visit_type_id = ANY($5))
  AND (expires_at IS NULL OR (expires_at > $6 AND 'pending' = ANY($2)))
  AND NOT is_ended_hold
ORDER BY starts_at, id
LIMIT $11

-- name: search_backward
-- As search_forward, latest first.
SELECT value, private FROM (
    SELECT organization_id, value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold
    FROM scheduling.appointment
    UNION ALL
    SELECT organization_id, value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold
    FROM scheduling.appointment_history
) a
WHERE organization_id = $1 AND (starts_at, id) > ($7::timestamptz, $8::uuid) AND (starts_at, id) < ($9::timestamptz, $10::uuid)
  AND (cardinality($2::text[]) = 0 OR status = ANY($2))
  AND (cardinality($3::jsonb[]) = 0 OR value->'participants' @> ANY($3))
  AND (cardinality($4::uuid[]) = 0 OR site_id = ANY($4))
  AND (cardinality($5::uuid[]) = 0 OR visit_type_id = ANY($5))
  AND (expires_at IS NULL OR (expires_at > $6 AND 'pending' = ANY($2)))
  AND NOT is_ended_hold
ORDER BY starts_at DESC, id DESC
LIMIT $11

-- name: count_by_time
-- No further than somebody wants to know, and from the index alone: nothing here may ask for what it does not hold.
SELECT count(*) AS total FROM (
    SELECT FROM (
        SELECT organization_id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold FROM scheduling.appointment
        UNION ALL
        SELECT organization_id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold FROM scheduling.appointment_history
    ) a
    WHERE organization_id = $1 AND starts_at >= $6::timestamptz AND starts_at < $7::timestamptz
      AND (cardinality($2::text[]) = 0 OR status = ANY($2))
      AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3))
      AND (cardinality($4::uuid[]) = 0 OR visit_type_id = ANY($4))
      AND (expires_at IS NULL OR (expires_at > $5 AND 'pending' = ANY($2)))
      AND NOT is_ended_hold
    LIMIT $8
) counted

-- name: count_of_actors_by_time
-- As count_by_time, of those in which given actors take part, which their rows say.
SELECT count(*) AS total FROM (
    SELECT FROM (
        SELECT organization_id, value, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold
        FROM scheduling.appointment
        UNION ALL
        SELECT organization_id, value, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold
        FROM scheduling.appointment_history
    ) a
    WHERE organization_id = $1 AND starts_at >= $7::timestamptz AND starts_at < $8::timestamptz
      AND (cardinality($2::text[]) = 0 OR status = ANY($2))
      AND (cardinality($3::jsonb[]) = 0 OR value->'participants' @> ANY($3))
      AND (cardinality($4::uuid[]) = 0 OR site_id = ANY($4))
      AND (cardinality($5::uuid[]) = 0 OR visit_type_id = ANY($5))
      AND (expires_at IS NULL OR (expires_at > $6 AND 'pending' = ANY($2)))
      AND NOT is_ended_hold
    LIMIT $9
) counted

-- name: search_these
-- Those of given ids ($12), or of given patients ($13): few, however many others there are, so all are counted and then put in order.
-- Which of the two it is ends the other parts before they read a row.
WITH fitting AS (
    SELECT value, private, id, starts_at FROM (
        SELECT value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold FROM scheduling.appointment
        WHERE organization_id = $1 AND id = ANY($12::uuid[]) AND (cardinality($13::uuid[]) = 0 OR patient_id = ANY($13))
        UNION ALL
        SELECT value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold FROM scheduling.appointment_history
        WHERE organization_id = $1 AND id = ANY($12) AND (cardinality($13) = 0 OR patient_id = ANY($13))
        UNION ALL
        SELECT value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold FROM scheduling.appointment
        WHERE organization_id = $1 AND cardinality($12) = 0 AND patient_id = ANY($13)
        UNION ALL
        SELECT value, private, id, starts_at, status, visit_type_id, expires_at, site_id, is_ended_hold FROM scheduling.appointment_history
        WHERE organization_id = $1 AND cardinality($12) = 0 AND patient_id = ANY($13)
    ) a
    WHERE starts_at >= $14::timestamptz AND starts_at < $15::timestamptz
      AND (cardinality($2::text[]) = 0 OR status = ANY($2))
      AND (cardinality($3::jsonb[]) = 0 OR value->'participants' @> ANY($3))
      AND (cardinality($4::uuid[]) = 0 OR site_id = ANY($4))
      AND (cardinality($5::uuid[]) = 0 OR visit_type_id = ANY($5))
      AND (expires_at IS NULL OR (expires_at > $6 AND 'pending' = ANY($2)))
      AND NOT is_ended_hold
), page AS (
    SELECT value, private, id, starts_at FROM fitting
    WHERE (starts_at, id) > ($7::timestamptz, $8::uuid) AND (starts_at, id) < ($9::timestamptz, $10::uuid)
    ORDER BY CASE WHEN $16::boolean THEN starts_at END, CASE WHEN $16 THEN id END, starts_at DESC, id DESC
    LIMIT $11
)
SELECT page.value, page.private, counted.total FROM (SELECT count(*) AS total FROM fitting) counted LEFT JOIN page ON true
ORDER BY CASE WHEN $16 THEN page.starts_at END, CASE WHEN $16 THEN page.id END, page.starts_at DESC, page.id DESC

-- name: schedules_page
-- Some thousands at most: the walk along the key looks at each.
SELECT id, kind, display, site_ids, active, calendar_version FROM scheduling.schedule
WHERE organization_id = $1 AND ($6::uuid IS NULL OR id > $6)
  AND (cardinality($2::uuid[]) = 0 OR id = ANY($2)) AND (cardinality($3::text[]) = 0 OR kind = ANY($3))
  AND (cardinality($4::uuid[]) = 0 OR site_ids && $4) AND (cardinality($5::uuid[]) = 0 OR site_ids && $5)
ORDER BY id
LIMIT $7

-- name: has_earlier_visit
-- For the prerequisite "an earlier visit of that type": one that took place or is still to take place before this one.
SELECT EXISTS (
    SELECT FROM scheduling.appointment WHERE organization_id = $1 AND patient_id = $2 AND visit_type_id = $3 AND ends_at <= $4
        AND status IN ('booked', 'arrived', 'checked-in', 'fulfilled')
    UNION ALL
    SELECT FROM scheduling.appointment_history WHERE organization_id = $1 AND patient_id = $2 AND visit_type_id = $3 AND ends_at <= $4
        AND status IN ('booked', 'arrived', 'checked-in', 'fulfilled')
) AS found

-- name: is_expected
-- Whatever became of the appointment: who rings about one that was cancelled has to do with it.
SELECT EXISTS (
    SELECT FROM scheduling.appointment WHERE organization_id = $1 AND patient_id = $2 AND starts_at >= $3 AND starts_at < $4
        AND status <> 'entered-in-error' AND (cardinality($5::text[]) = 0 OR value->>'site_id' = ANY($5))
) OR EXISTS (
    SELECT FROM scheduling.appointment_history WHERE organization_id = $1 AND patient_id = $2 AND starts_at >= $3 AND starts_at < $4
        AND status <> 'entered-in-error' AND (cardinality($5::text[]) = 0 OR value->>'site_id' = ANY($5))
) AS found

-- name: patient_known
SELECT active FROM scheduling.patient WHERE organization_id = $1 AND id = $2

-- name: organizations
SELECT DISTINCT organization_id FROM scheduling.site

-- name: sites
SELECT id, name, time_zone, active FROM scheduling.site WHERE organization_id = $1

-- name: visit_types
SELECT id, service_name, value, active FROM scheduling.visit_type WHERE organization_id = $1

-- name: schedules
SELECT id, kind, display, codes, languages, site_ids, active, calendar_version FROM scheduling.schedule
WHERE organization_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2))

-- name: openings_in_ticks
-- Rows of the live copy by their number, and 5-minute ticks since 1970, rounded inward. Read by binary COPY: three int4 a row.
SELECT (p.number - 1)::int, ceil(extract(epoch FROM o.starts_at) / 300)::int, floor(extract(epoch FROM o.ends_at) / 300)::int
FROM unnest($4::uuid[], $5::uuid[]) WITH ORDINALITY AS p(schedule_id, site_id, number)
JOIN scheduling.opening o ON o.organization_id = $1 AND o.schedule_id = p.schedule_id AND o.site_id = p.site_id
WHERE o.ends_at > $2 AND o.starts_at < $3

-- name: blocks_in_ticks
-- Rounded outward: a block is never narrower than it was entered.
SELECT (p.number - 1)::int, floor(extract(epoch FROM b.starts_at) / 300)::int, ceil(extract(epoch FROM b.ends_at) / 300)::int
FROM unnest($4::uuid[]) WITH ORDINALITY AS p(schedule_id, number)
JOIN scheduling.block b ON b.organization_id = $1 AND b.schedule_id = p.schedule_id
WHERE b.ends_at > $2 AND b.starts_at < $3

-- name: claims_in_ticks
-- Rounded outward. Patients have no row in the index, so their claims do not come along.
SELECT (p.number - 1)::int, floor(extract(epoch FROM c.starts_at) / 300)::int, ceil(extract(epoch FROM c.ends_at) / 300)::int
FROM unnest($4::uuid[]) WITH ORDINALITY AS p(schedule_id, number)
JOIN scheduling.claim c ON c.organization_id = $1 AND c.schedule_id = p.schedule_id
WHERE c.ends_at > $2 AND c.starts_at < $3 AND (c.expires_at IS NULL OR c.expires_at > $5)

-- name: live_holds
-- What will come free by itself, for the index to know when.
SELECT appointment_id, schedule_id, starts_at, ends_at, expires_at FROM scheduling.claim
WHERE organization_id = $1 AND expires_at > $2 AND ($3::uuid[] IS NULL OR schedule_id = ANY($3))

-- name: overbooked_schedules
-- Where a further lane is in use, giving back time needs a look at the ledger.
SELECT DISTINCT schedule_id FROM scheduling.claim WHERE organization_id = $1 AND lane > 0

-- name: lock_schedule
-- FOR UPDATE shuts out bookings on this calendar until the change is through; afterwards they find a new version.
SELECT site_ids FROM scheduling.schedule WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: raise_calendar_version
UPDATE scheduling.schedule SET calendar_version = calendar_version + 1 WHERE organization_id = $1 AND id = $2
RETURNING calendar_version

-- name: save_hours
UPDATE scheduling.schedule SET hours = $3, materialised_on = $4 WHERE organization_id = $1 AND id = $2

-- name: delete_openings
DELETE FROM scheduling.opening WHERE organization_id = $1 AND schedule_id = $2 AND ends_at > $3

-- name: insert_openings
INSERT INTO scheduling.opening (organization_id, schedule_id, site_id, starts_at, ends_at)
SELECT $1, $2, o.site_id, o.starts_at, o.ends_at FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS o(site_id, starts_at, ends_at)
ON CONFLICT DO NOTHING

-- name: openings_of_schedule
SELECT site_id, starts_at, ends_at FROM scheduling.opening
WHERE organization_id = $1 AND schedule_id = $2 AND ends_at > $3 AND starts_at < $4
ORDER BY starts_at

-- name: openings_at
-- Who works at a site that day. Every calendar of the hospital is looked at: its key leads with whose it is.
SELECT schedule_id, starts_at, ends_at FROM scheduling.opening
WHERE organization_id = $1 AND site_id = $2 AND ends_at > $3 AND starts_at < $4
ORDER BY schedule_id, starts_at

-- name: blocks_of
SELECT schedule_id, starts_at, ends_at FROM scheduling.block
WHERE organization_id = $1 AND schedule_id = ANY($2::uuid[]) AND ends_at > $3 AND starts_at < $4
ORDER BY schedule_id, starts_at

-- name: in_use_at
-- A place that has no calendar is no row of a board.
SELECT entry_id, array_remove(ARRAY[practitioner_id, location_id], NULL) AS schedule_ids, starts_at, ends_at FROM scheduling.in_use
WHERE organization_id = $1 AND site_id = $2 AND ends_at > $3 AND starts_at < $4
ORDER BY starts_at, entry_id

-- name: blocks_of_schedule
SELECT id, starts_at, ends_at, outage IS NOT NULL AS is_outage FROM scheduling.block
WHERE organization_id = $1 AND schedule_id = $2 AND ends_at > $3 AND starts_at < $4
ORDER BY starts_at

-- name: claims_of_schedule
-- $6 are the sites of whoever asks, if they have some named: of other sites they learn that the time is taken, and not by what.
SELECT c.starts_at, c.ends_at, c.expires_at, a.id AS appointment_id, u.entry_id AS queue_entry_id
FROM scheduling.claim c
LEFT JOIN scheduling.appointment a ON a.organization_id = $1 AND a.id = c.appointment_id
    AND (cardinality($6::uuid[]) = 0 OR a.site_id = ANY($6))
LEFT JOIN scheduling.in_use u ON u.organization_id = $1 AND u.entry_id = c.appointment_id
    AND (cardinality($6) = 0 OR u.site_id = ANY($6))
WHERE c.organization_id = $1 AND c.schedule_id = $2 AND tstzrange(c.starts_at, c.ends_at) && tstzrange($3, $4)
  AND (c.expires_at IS NULL OR c.expires_at > $5)
ORDER BY c.starts_at

-- name: insert_block
INSERT INTO scheduling.block (organization_id, id, schedule_id, starts_at, ends_at, reason, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: delete_block
DELETE FROM scheduling.block WHERE organization_id = $1 AND id = $2 RETURNING starts_at, ends_at

-- name: block_schedule
-- What is out of service comes back by its own way.
SELECT schedule_id FROM scheduling.block WHERE organization_id = $1 AND id = $2 AND outage IS NULL

-- name: insert_outage
INSERT INTO scheduling.block (organization_id, id, schedule_id, starts_at, ends_at, outage, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: end_outage
UPDATE scheduling.block SET ends_at = $3 WHERE organization_id = $1 AND id = $2 AND outage IS NOT NULL

-- name: withdraw_outage
DELETE FROM scheduling.block WHERE organization_id = $1 AND id = $2 AND outage IS NOT NULL

-- name: outages
-- One, or those of a site, in the order in which they were reported, with what is booked in them and not over. $8 are the sites of whoever
-- asks, if they have some named.
SELECT b.id, b.schedule_id, s.kind, s.display, s.site_ids, b.starts_at, b.ends_at, b.outage, b.created_at, ARRAY(
    SELECT DISTINCT a.id FROM scheduling.claim c
    JOIN scheduling.appointment a ON a.organization_id = c.organization_id AND a.id = c.appointment_id
    WHERE c.organization_id = $1 AND c.schedule_id = b.schedule_id AND tstzrange(c.starts_at, c.ends_at) && tstzrange(b.starts_at, b.ends_at)
      AND a.status IN ('pending', 'booked', 'arrived', 'checked-in') AND c.expires_at IS NULL AND a.ends_at > $7
      AND (cardinality($8::uuid[]) = 0 OR a.site_id = ANY($8))
    ORDER BY a.id
) AS hit
FROM scheduling.block b JOIN scheduling.schedule s ON s.organization_id = b.organization_id AND s.id = b.schedule_id
WHERE b.organization_id = $1 AND b.outage IS NOT NULL AND ($2::uuid IS NULL OR b.id = $2) AND ($3::uuid IS NULL OR $3 = ANY(s.site_ids))
  AND ($4::timestamptz IS NULL OR b.ends_at > $4) AND ($5::timestamptz IS NULL OR b.starts_at < $5) AND ($6::uuid IS NULL OR b.id > $6)
  AND (cardinality($8) = 0 OR s.site_ids && $8)
ORDER BY b.id
LIMIT $9

-- name: appointments_hit
-- Every appointment with a claim of this schedule inside the period, once.
SELECT DISTINCT ON (a.starts_at, a.id) a.value, a.private FROM scheduling.claim c
JOIN scheduling.appointment a ON a.organization_id = c.organization_id AND a.id = c.appointment_id
WHERE c.organization_id = $1 AND c.schedule_id = $2 AND tstzrange(c.starts_at, c.ends_at) && tstzrange($3, $4)
  AND (c.expires_at IS NULL OR c.expires_at > $5)
ORDER BY a.starts_at, a.id

-- name: appointments_outside_hours
-- After new working hours: what no longer lies within the openings at its site.
SELECT DISTINCT ON (a.starts_at, a.id) a.value, a.private FROM scheduling.claim c
JOIN scheduling.appointment a ON a.organization_id = c.organization_id AND a.id = c.appointment_id
WHERE c.organization_id = $1 AND c.schedule_id = $2 AND c.starts_at >= $3 AND (c.expires_at IS NULL OR c.expires_at > $3)
  AND NOT tstzmultirange(tstzrange(c.starts_at, c.ends_at)) <@ (
      SELECT coalesce(range_agg(tstzrange(o.starts_at, o.ends_at)), '{}') FROM scheduling.opening o
      WHERE o.organization_id = $1 AND o.schedule_id = $2 AND o.site_id = (a.value->>'site_id')::uuid)
ORDER BY a.starts_at, a.id

-- name: put_site
INSERT INTO scheduling.site AS old (organization_id, id, name, time_zone, active, source_version) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, id) DO UPDATE
SET name = EXCLUDED.name, time_zone = EXCLUDED.time_zone, active = EXCLUDED.active, source_version = EXCLUDED.source_version
WHERE old.source_version < EXCLUDED.source_version
RETURNING id

-- name: put_visit_type
INSERT INTO scheduling.visit_type AS old (organization_id, id, service_name, value, active, source_version) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, id) DO UPDATE
SET service_name = EXCLUDED.service_name, value = EXCLUDED.value, active = EXCLUDED.active, source_version = EXCLUDED.source_version
WHERE old.source_version < EXCLUDED.source_version
RETURNING id

-- name: put_patient
INSERT INTO scheduling.patient AS old (organization_id, id, active, source_version) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, id) DO UPDATE SET active = EXCLUDED.active, source_version = EXCLUDED.source_version
WHERE old.source_version < EXCLUDED.source_version

-- name: put_schedule
-- A change of what the actor can do is a change of the calendar too: pools were chosen on it.
INSERT INTO scheduling.schedule AS old
    (organization_id, id, kind, display, codes, languages, site_ids, active, source_version, hours, materialised_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (organization_id, id) DO UPDATE
SET kind = EXCLUDED.kind, display = EXCLUDED.display, codes = EXCLUDED.codes, languages = EXCLUDED.languages, site_ids = EXCLUDED.site_ids,
    active = EXCLUDED.active, source_version = EXCLUDED.source_version, calendar_version = old.calendar_version + 1
WHERE old.source_version < EXCLUDED.source_version
RETURNING calendar_version

-- name: schedules_to_extend
-- Calendars whose materialised openings end before the day asked for.
SELECT organization_id, id, hours, materialised_on FROM scheduling.schedule
WHERE materialised_on < $1 AND active
ORDER BY materialised_on LIMIT $2
FOR UPDATE SKIP LOCKED

-- name: extend_materialised
UPDATE scheduling.schedule SET materialised_on = $3, calendar_version = calendar_version + 1 WHERE organization_id = $1 AND id = $2
RETURNING calendar_version

-- name: months_to_archive
-- Which months the ids of the next rows to archive were made in (the first 48 bits of a UUIDv7 are milliseconds).
SELECT DISTINCT date_trunc('month', to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AT TIME ZONE 'UTC')::date AS month
FROM (SELECT id FROM scheduling.appointment WHERE ends_at < $1 ORDER BY ends_at LIMIT $2) past

-- name: ensure_history_month
SELECT scheduling.ensure_history_month($1)

-- name: patients_in_hidden_order
-- An order that a secret decides ($2), so that a place in it tells nothing of when a patient came. $3 is the last place of an earlier page.
SELECT id, sha256($2::bytea || uuid_send(id)) AS place FROM scheduling.patient
WHERE organization_id = $1 AND sha256($2::bytea || uuid_send(id)) > $3::bytea
ORDER BY place
LIMIT $4

-- name: past_of_patients
-- Without what is sealed: it is never opened on this way.
SELECT value FROM (
    SELECT value, patient_id, starts_at, ends_at, id, status FROM scheduling.appointment
    WHERE organization_id = $1 AND patient_id = ANY($2::uuid[])
    UNION ALL
    SELECT value, patient_id, starts_at, ends_at, id, status FROM scheduling.appointment_history
    WHERE organization_id = $1 AND patient_id = ANY($2::uuid[])
) a
WHERE ends_at < $3 AND status = ANY($4::text[])
ORDER BY starts_at, id

-- name: archive_past
-- Moves what is over out of the ledger and the live table, in one bounded step. The appointment keeps who took part, and when.
WITH past AS (
    SELECT organization_id, id FROM scheduling.appointment WHERE ends_at < $1 ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM scheduling.appointment a USING past p WHERE a.organization_id = p.organization_id AND a.id = p.id RETURNING a.*
), released AS (
    DELETE FROM scheduling.claim c USING past p WHERE c.organization_id = p.organization_id AND c.appointment_id = p.id
), kept AS (
    INSERT INTO scheduling.appointment_history (
        organization_id, id, status, patient_id, starts_at, ends_at, expires_at, series_id, visit_type_id, version, value, note, private)
    SELECT organization_id, id, status, patient_id, starts_at, ends_at, expires_at, series_id, visit_type_id, version, value, note, private
    FROM gone
)
SELECT count(*) AS moved FROM gone

-- name: restore_archived
-- Brings one row back so that its outcome can still be recorded. Its time is over: it claims none.
WITH back AS (DELETE FROM scheduling.appointment_history WHERE organization_id = $1 AND id = $2 RETURNING *)
INSERT INTO scheduling.appointment (
    organization_id, id, status, patient_id, starts_at, ends_at, expires_at, series_id, visit_type_id, version, value, note, private)
SELECT organization_id, id, status, patient_id, starts_at, ends_at, expires_at, series_id, visit_type_id, version, value, note, private
FROM back RETURNING id

-- name: forget_past_openings
DELETE FROM scheduling.opening WHERE ends_at < $1

-- name: lock_appointments_of
-- Whoever is changing one gets through first, and what they keep of it is found; whoever comes later finds no words to keep.
SELECT id FROM scheduling.appointment WHERE organization_id = $1 AND patient_id = $2 ORDER BY id FOR UPDATE

-- name: erase_versions
DELETE FROM scheduling.appointment_version WHERE organization_id = $1 AND patient_id = $2 RETURNING appointment_id AS id

-- name: erase_words
-- Everybody's own words about a patient who was erased. The appointment keeps its time, its kind and what became of it.
UPDATE scheduling.appointment SET note = NULL, private = NULL
WHERE organization_id = $1 AND patient_id = $2 AND (note IS NOT NULL OR private IS NOT NULL)
RETURNING id

-- name: erase_words_of_history
UPDATE scheduling.appointment_history SET note = NULL, private = NULL
WHERE organization_id = $1 AND patient_id = $2 AND (note IS NOT NULL OR private IS NOT NULL)
RETURNING id

-- name: take_over_appointments
-- What was kept of a record that was merged ($2) is its survivor's. The old id stands in a value as whose the appointment is and as who takes
-- part, and nowhere else. $3 is now. What each was comes back too, to be kept.
UPDATE scheduling.appointment a SET patient_id = kernel.survivor_of($1, $2), version = a.version + 1, value = jsonb_set(jsonb_set(
    replace(a.value::text, $2::uuid::text, kernel.survivor_of($1, $2)::text)::jsonb, '{version}', to_jsonb(a.version + 1)),
    '{updated_at}', $3::jsonb)
FROM (SELECT id, value, private FROM scheduling.appointment WHERE organization_id = $1 AND patient_id = $2 FOR UPDATE) was
WHERE a.organization_id = $1 AND a.patient_id = $2 AND a.id = was.id AND kernel.survivor_of($1, $2) <> $2
RETURNING a.value AS taken_over, was.value, was.private

-- name: take_over_history
-- As take_over_appointments.
UPDATE scheduling.appointment_history a SET patient_id = kernel.survivor_of($1, $2), version = a.version + 1, value = jsonb_set(jsonb_set(
    replace(a.value::text, $2::uuid::text, kernel.survivor_of($1, $2)::text)::jsonb, '{version}', to_jsonb(a.version + 1)),
    '{updated_at}', $3::jsonb)
FROM (SELECT id, value, private FROM scheduling.appointment_history WHERE organization_id = $1 AND patient_id = $2 FOR UPDATE) was
WHERE a.organization_id = $1 AND a.patient_id = $2 AND a.id = was.id AND kernel.survivor_of($1, $2) <> $2
RETURNING a.id, was.value, was.private

-- name: take_over_versions
-- What they were stays as it was said then. Asked after the appointments, whose rows are locked: no change keeps one under the old id.
UPDATE scheduling.appointment_version SET patient_id = kernel.survivor_of($1, $2)
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2

-- name: take_over_time
-- A patient's own time, beside what the survivor holds at that time: two records that are one person may have two appointments at once. Lanes
-- that neither has used keep them apart. Where somebody books for the survivor just now, less is taken over than there was.
WITH own AS (
    DELETE FROM scheduling.claim WHERE organization_id = $1 AND schedule_id = $2 AND kernel.survivor_of($1, $2) <> $2
    RETURNING lane, starts_at, ends_at, appointment_id, expires_at
), used AS (
    SELECT 1 + max(lane) AS lanes FROM scheduling.claim WHERE organization_id = $1 AND schedule_id IN ($2, kernel.survivor_of($1, $2))
), taken AS (
    INSERT INTO scheduling.claim (organization_id, schedule_id, lane, starts_at, ends_at, appointment_id, expires_at)
    SELECT $1, kernel.survivor_of($1, $2), o.lane + CASE WHEN EXISTS (
            SELECT FROM scheduling.claim s WHERE s.organization_id = $1 AND s.schedule_id = kernel.survivor_of($1, $2)
                AND tstzrange(s.starts_at, s.ends_at) && tstzrange(o.starts_at, o.ends_at)) THEN used.lanes ELSE 0 END,
        o.starts_at, o.ends_at, o.appointment_id, o.expires_at
    FROM own o, used
    ORDER BY o.starts_at
    ON CONFLICT DO NOTHING
    RETURNING appointment_id
)
SELECT (SELECT count(*) FROM taken) = (SELECT count(*) FROM own) AS everything

-- name: appointments_of_merged
-- For `carewright verify`: nothing is left with a record that was merged.
SELECT a.id FROM scheduling.appointment a WHERE kernel.survivor_of(a.organization_id, a.patient_id) <> a.patient_id LIMIT 100

-- name: dispose_appointments
-- What is over long enough, oldest parts first: an appointment was made before it ended, so later parts hold none.
WITH gone AS (
    DELETE FROM scheduling.appointment_history WHERE organization_id = $1 AND id = ANY(ARRAY(
        SELECT id FROM scheduling.appointment_history
        WHERE organization_id = $1 AND id < scheduling.first_id_at($2) AND ends_at < $2 AND NOT kernel.is_held(organization_id, patient_id)
        LIMIT $3
    ))
    RETURNING id, patient_id
), versions AS (
    DELETE FROM scheduling.appointment_version WHERE organization_id = $1 AND appointment_id IN (SELECT id FROM gone)
), offers AS (
    DELETE FROM scheduling.offer WHERE organization_id = $1 AND appointment_id IN (SELECT id FROM gone)
), links AS (
    DELETE FROM scheduling.link
    WHERE organization_id = $1 AND (appointment_id IN (SELECT id FROM gone) OR depends_on_id IN (SELECT id FROM gone))
)
SELECT id, patient_id FROM gone

-- name: dispose_blocks
-- Blocks that are over. They are nobody's in particular, so a hold on everything alone keeps them.
DELETE FROM scheduling.block WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM scheduling.block WHERE organization_id = $1 AND ends_at < $2 AND NOT kernel.is_held(organization_id, NULL) LIMIT $3
))
RETURNING id

-- name: begin_in_use
-- Nothing back: the turn has time already.
INSERT INTO scheduling.in_use (organization_id, entry_id, site_id, practitioner_id, location_id, starts_at, ends_at, taken_at, kept)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING entry_id

-- name: in_use_for_change
-- Locked until the transaction ends, always before the claims.
SELECT entry_id, site_id, practitioner_id, location_id, starts_at, ends_at, kept FROM scheduling.in_use
WHERE organization_id = $1 AND entry_id = $2 FOR UPDATE

-- name: save_in_use
UPDATE scheduling.in_use SET location_id = $3, ends_at = $4, kept = $5 WHERE organization_id = $1 AND entry_id = $2

-- name: end_in_use
DELETE FROM scheduling.in_use WHERE organization_id = $1 AND entry_id = $2

-- name: next_running_out
-- What ends soon and goes on, what was taken for a call that never came ($2), and what goes on for longer than anything does ($3).
SELECT organization_id, entry_id, site_id, practitioner_id, location_id, starts_at, ends_at, kept FROM scheduling.in_use
WHERE (ends_at <= $1 OR (NOT kept AND taken_at <= $2) OR taken_at <= $3) AND (organization_id, entry_id) > ($4, $5)
ORDER BY organization_id, entry_id LIMIT 1
FOR UPDATE SKIP LOCKED

-- name: held_by_others
-- Who has time of a schedule ($2), whatever the lane; an expired hold is nobody's.
SELECT c.lane, c.starts_at, c.ends_at, a.status, a.starts_at AS booked_at FROM scheduling.claim c
LEFT JOIN scheduling.appointment a ON a.organization_id = $1 AND a.id = c.appointment_id
WHERE c.organization_id = $1 AND c.schedule_id = $2 AND tstzrange(c.starts_at, c.ends_at) && tstzrange($3, $4) AND c.appointment_id <> $5
  AND (c.expires_at IS NULL OR c.expires_at > $6)
ORDER BY c.starts_at, c.lane

-- name: schedules_known
SELECT id FROM scheduling.schedule WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND active ORDER BY id

-- name: planned_minutes
SELECT avg((value->>'duration_minutes')::int)::float8 AS minutes FROM scheduling.visit_type
WHERE organization_id = $1 AND active AND value->>'healthcare_service_id' = $2::text

-- name: not_used
-- Of these practitioners at this moment ($4): time of appointments at the site that are done before their end, or whose patient is not here
-- although they began before $5; none that somebody else has beside.
SELECT c.schedule_id, c.ends_at, a.id, a.status FROM scheduling.claim c
JOIN scheduling.appointment a ON a.organization_id = $1 AND a.id = c.appointment_id
WHERE c.organization_id = $1 AND c.schedule_id = ANY($2::uuid[]) AND a.site_id = $3 AND tstzrange(c.starts_at, c.ends_at) @> $4::timestamptz
  AND (a.status = 'fulfilled' OR (a.status = 'booked' AND a.starts_at < $5))
  AND NOT EXISTS (
    SELECT FROM scheduling.claim o LEFT JOIN scheduling.appointment b ON b.organization_id = $1 AND b.id = o.appointment_id
    WHERE o.organization_id = $1 AND o.schedule_id = c.schedule_id AND o.appointment_id <> c.appointment_id
      AND tstzrange(o.starts_at, o.ends_at) @> $4 AND (o.expires_at IS NULL OR o.expires_at > $4)
      AND (b.status IS NULL OR b.status NOT IN ('fulfilled', 'booked')))
ORDER BY c.ends_at DESC

-- name: claims_of_nobody
-- For `carewright verify`: whatever holds time is an appointment, a turn, or an offer that is open.
SELECT c.appointment_id FROM scheduling.claim c
WHERE NOT EXISTS (SELECT FROM scheduling.appointment a WHERE a.organization_id = c.organization_id AND a.id = c.appointment_id)
  AND NOT EXISTS (SELECT FROM scheduling.in_use u WHERE u.organization_id = c.organization_id AND u.entry_id = c.appointment_id)
  AND NOT EXISTS (
    SELECT FROM scheduling.offer o WHERE o.organization_id = c.organization_id AND o.status = 'open'
        AND (o.id = c.appointment_id OR o.freed_id = c.appointment_id))
LIMIT 100

-- name: offers_without_claims
-- For `carewright verify`: an open offer keeps the time of all whom it names; but where somebody else has that time it ends in a moment.
SELECT o.id FROM scheduling.offer o WHERE o.status = 'open' AND cardinality(o.actor_ids) <> (
    SELECT count(DISTINCT c.schedule_id) FROM scheduling.claim c
    WHERE c.organization_id = o.organization_id AND c.appointment_id = coalesce(o.freed_id, o.id) AND c.schedule_id = ANY(o.actor_ids))
  AND NOT EXISTS (
    SELECT FROM scheduling.freed_time f WHERE f.organization_id = o.organization_id AND f.id = o.freed_id AND f.state = 'taken')
LIMIT 100

-- name: overlapping_claims
-- For `carewright verify`: must be empty while the constraint holds; asked independently of it.
SELECT a.appointment_id AS one, b.appointment_id AS other FROM scheduling.claim a
JOIN scheduling.claim b ON b.organization_id = a.organization_id AND b.schedule_id = a.schedule_id AND b.lane = a.lane
    AND tstzrange(b.starts_at, b.ends_at) && tstzrange(a.starts_at, a.ends_at)
    AND (b.appointment_id, b.starts_at) > (a.appointment_id, a.starts_at)
LIMIT 100

-- name: appointments_without_claims
-- For `carewright verify`: a live appointment holds time, a dead one none.
SELECT a.id FROM scheduling.appointment a
WHERE a.ends_at > $1
  AND (a.status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled'))
   <> EXISTS (SELECT FROM scheduling.claim c WHERE c.organization_id = a.organization_id AND c.appointment_id = a.id)
LIMIT 100

-- name: partial_claims
-- For `carewright verify`: as many claims as participants, or none.
SELECT a.id, c.held, jsonb_array_length(a.value->'participants') AS needed
FROM scheduling.appointment a
JOIN (SELECT organization_id, appointment_id, count(*) AS held FROM scheduling.claim GROUP BY 1, 2) c
    ON c.organization_id = a.organization_id AND c.appointment_id = a.id
WHERE c.held <> jsonb_array_length(a.value->'participants')
LIMIT 100

-- name: appointments_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, note, private FROM scheduling.appointment
WHERE organization_id = $1 AND id > $2 AND (substring(note FOR 3) <> $3 OR substring(private FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_appointments
UPDATE scheduling.appointment a SET note = r.note, private = r.private
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, note, private)
WHERE a.organization_id = $1 AND a.id = r.id

-- name: history_to_reseal
SELECT id, note, private FROM scheduling.appointment_history
WHERE organization_id = $1 AND id > $2 AND (substring(note FOR 3) <> $3 OR substring(private FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_history
UPDATE scheduling.appointment_history a SET note = r.note, private = r.private
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, note, private)
WHERE a.organization_id = $1 AND a.id = r.id

-- name: blocks_to_reseal
SELECT id, reason FROM scheduling.block
WHERE organization_id = $1 AND id > $2 AND substring(reason FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_blocks
UPDATE scheduling.block b SET reason = r.reason FROM unnest($2::uuid[], $3::bytea[]) AS r(id, reason)
WHERE b.organization_id = $1 AND b.id = r.id

-- name: versions_to_reseal
-- As appointments_to_reseal.
SELECT id, said FROM scheduling.appointment_version
WHERE organization_id = $1 AND id > $2 AND substring(said FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_versions
UPDATE scheduling.appointment_version v SET said = r.said FROM unnest($2::uuid[], $3::bytea[]) AS r(id, said)
WHERE v.organization_id = $1 AND v.id = r.id

-- name: master_of
-- For changes of several statements: as in book_appointment.
SELECT scheduling.master_of($1, $2, $3) AS master

-- name: wait_shortly
-- Everybody who writes waits behind a step that waits: for a second at the most, then it gives up.
SELECT set_config('lock_timeout', '1s', true)

-- name: lock_masters
-- For a step: whoever writes an appointment holds ROW SHARE since they asked who is master, so this waits for them, and they for this, of
-- every hospital. EXCLUSIVE lets plain readers and backups through.
LOCK TABLE scheduling.master IN EXCLUSIVE MODE

-- name: masters
SELECT m.service_id, m.site_id, m.stage, m.source, m.book_at, m.step_id, s.reason, s.taken_by, s.taken_at
FROM scheduling.master m JOIN scheduling.master_step s ON s.organization_id = m.organization_id AND s.id = m.step_id
WHERE m.organization_id = $1
ORDER BY m.service_id, m.site_id

-- name: mirrored
-- What the live copy must know.
SELECT service_id, site_id, source, book_at FROM scheduling.master WHERE organization_id = $1 AND stage = 'mirrored'

-- name: begin_masters
INSERT INTO scheduling.master (organization_id, service_id, site_id, stage, source, book_at, step_id)
SELECT $1, $2, site_id, 'mirrored', $4, $5, $6 FROM unnest($3::uuid[]) AS site_id
ON CONFLICT (organization_id, service_id, site_id) DO UPDATE SET book_at = EXCLUDED.book_at, step_id = EXCLUDED.step_id

-- name: step_masters
UPDATE scheduling.master SET stage = $4, step_id = $5 WHERE organization_id = $1 AND service_id = $2 AND site_id = ANY($3::uuid[])

-- name: insert_master_step
INSERT INTO scheduling.master_step (organization_id, id, service_id, site_ids, step, reason, taken_by, taken_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: master_steps_to_reseal
SELECT id, reason FROM scheduling.master_step
WHERE organization_id = $1 AND id > $2 AND substring(reason FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_master_steps
UPDATE scheduling.master_step s SET reason = r.reason FROM unnest($2::uuid[], $3::bytea[]) AS r(id, reason)
WHERE s.organization_id = $1 AND s.id = r.id

-- name: insert_offer
INSERT INTO scheduling.offer (
    organization_id, id, purpose, status, appointment_id, appointment_version, patient_id, site_id, booked_at, booked_actor_ids,
    starts_at, ends_at, actor_ids, made_at, expires_at, version, entry_id, freed_id, shared)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (organization_id, appointment_id) WHERE status = 'open' DO NOTHING
RETURNING id

-- name: offer_by_id
SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
JOIN scheduling.site s ON s.organization_id = $1 AND s.id = o.site_id
WHERE o.organization_id = $1 AND o.id = $2

-- name: offer_for_change
-- Locked until the transaction ends: after the appointment's row where both are, and before the claims.
SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
JOIN scheduling.site s ON s.organization_id = $1 AND s.id = o.site_id
WHERE o.organization_id = $1 AND o.id = $2
FOR UPDATE OF o

-- name: open_offer_for_change
-- As offer_for_change: what an appointment is offered now, if anything.
SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
JOIN scheduling.site s ON s.organization_id = $1 AND s.id = o.site_id
WHERE o.organization_id = $1 AND o.appointment_id = $2 AND o.status = 'open'
FOR UPDATE OF o

-- name: offers_page
-- $8 are the sites of whoever asks, if they have some named.
SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
JOIN scheduling.site s ON s.organization_id = $1 AND s.id = o.site_id
WHERE o.organization_id = $1 AND ($2::uuid IS NULL OR o.appointment_id = $2)
  AND ($3::uuid IS NULL OR o.patient_id = $3) AND ($4::uuid IS NULL OR o.site_id = $4)
  AND ($5::timestamptz IS NULL OR o.booked_at >= $5) AND ($6::timestamptz IS NULL OR o.booked_at < $6)
  AND ($7::uuid IS NULL OR o.id > $7) AND (cardinality($8::uuid[]) = 0 OR o.site_id = ANY($8))
  AND ($9::uuid IS NULL OR $9 = ANY(o.booked_actor_ids)) AND ($11::uuid IS NULL OR o.entry_id = $11)
ORDER BY o.id
LIMIT $10

-- name: declined_starts
SELECT starts_at FROM scheduling.offer WHERE organization_id = $1 AND appointment_id = $2 AND status = 'declined'

-- name: save_offer
UPDATE scheduling.offer SET status = $3, ended_at = $4, unreached = $5, version = $6 WHERE organization_id = $1 AND id = $2

-- name: expired_offers
-- Of every organization, locked for their end; what somebody is just answering is theirs. Those that share a time come together, in the order
-- in which everybody locks such times, or two timers could wait for each other.
WITH lapsed AS (
    SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
    JOIN scheduling.site s ON s.organization_id = o.organization_id AND s.id = o.site_id
    WHERE o.status = 'open' AND o.expires_at <= $1
    ORDER BY o.expires_at LIMIT $2
    FOR UPDATE OF o SKIP LOCKED
)
SELECT * FROM lapsed ORDER BY freed_id, id

-- name: expired_offers_in_the_way
-- As expired_holds_in_the_way.
SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
JOIN scheduling.site s ON s.organization_id = $1 AND s.id = o.site_id
WHERE o.organization_id = $1 AND o.status = 'open' AND o.expires_at <= $5 AND coalesce(o.freed_id, o.id) IN (
    SELECT c.appointment_id FROM scheduling.claim c
    JOIN unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS w(schedule_id, starts_at, ends_at)
        ON c.schedule_id = w.schedule_id AND tstzrange(c.starts_at, c.ends_at) && tstzrange(w.starts_at, w.ends_at)
    WHERE c.organization_id = $1 AND c.expires_at <= $5)
ORDER BY o.freed_id, o.id
FOR UPDATE OF o SKIP LOCKED

-- name: offers_of_patient_for_change
SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
JOIN scheduling.site s ON s.organization_id = $1 AND s.id = o.site_id
WHERE o.organization_id = $1 AND o.patient_id = $2
ORDER BY o.freed_id, o.id
FOR UPDATE OF o

-- name: erase_offers
DELETE FROM scheduling.offer WHERE organization_id = $1 AND patient_id = $2

-- name: take_over_offers
-- Asked after the appointments, whose rows are locked.
UPDATE scheduling.offer SET patient_id = kernel.survivor_of($1, $2), version = version + 1
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: insert_day_plan
-- Nothing back: a search runs at the site.
INSERT INTO scheduling.day_plan (organization_id, id, site_id, state, cause, outage_id, asked, asked_at, asked_by, from_at, until_at)
VALUES ($1, $2, $3, 'searching', $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT DO NOTHING
RETURNING *

-- name: day_plan_searching
SELECT * FROM scheduling.day_plan WHERE organization_id = $1 AND site_id = $2 AND state = 'searching'

-- name: day_plan_by_id
SELECT * FROM scheduling.day_plan WHERE organization_id = $1 AND id = $2

-- name: day_plan_for_change
SELECT * FROM scheduling.day_plan WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: day_plans_page
-- The newest first: ids go up with time.
SELECT organization_id, id, site_id, state, cause, outage_id, asked, asked_at, asked_by, from_at, until_at, percent, worth_minutes, ended_at,
    fault, moves, moved, refused, version, (plan #>> '{proposed,placed}')::int - (plan #>> '{booked,placed}')::int AS gained
FROM scheduling.day_plan
WHERE organization_id = $1 AND site_id = $2 AND ($3::uuid IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4

-- name: begin_day_plan
-- Nothing back: nobody wants it any more, or somebody is at it and was heard after $4.
UPDATE scheduling.day_plan SET begun = begun + 1, heard_at = $3, percent = 0, worth_minutes = NULL
WHERE organization_id = $1 AND id = $2 AND state = 'searching' AND (heard_at IS NULL OR heard_at < $4)
RETURNING *

-- name: hear_of_day_plan
-- Nothing back: nobody wants it any more.
UPDATE scheduling.day_plan SET heard_at = $3 WHERE organization_id = $1 AND id = $2 AND state = 'searching' RETURNING id

-- name: advance_day_plan
UPDATE scheduling.day_plan SET percent = $3, worth_minutes = $4 WHERE organization_id = $1 AND id = $2 AND state = 'searching'

-- name: end_day_plan
-- Nothing back: it had ended. $3 is how, $5 what was found, $6 how many moves that are, $7 why nothing was.
UPDATE scheduling.day_plan SET state = $3, ended_at = $4, plan = $5, moves = $6, fault = $7, version = version + 1,
    percent = CASE WHEN $3 = 'proposed' THEN 100 ELSE percent END
WHERE organization_id = $1 AND id = $2 AND state = 'searching'
RETURNING *

-- name: put_day_plan_aside
UPDATE scheduling.day_plan SET state = 'given-up', version = version + 1 WHERE organization_id = $1 AND id = $2 RETURNING *

-- name: note_day_plan_made
UPDATE scheduling.day_plan SET state = 'accepted', made = $3, moved = $4, refused = $5, version = version + 1
WHERE organization_id = $1 AND id = $2
RETURNING *

-- name: silent_day_plans
-- Of every organization: searches that were begun, and at which nobody was after $1.
SELECT organization_id, id, begun FROM scheduling.day_plan WHERE state = 'searching' AND heard_at < $1 ORDER BY heard_at LIMIT $2

-- name: day_plans_for_outage
-- Those that nobody has decided about.
SELECT * FROM scheduling.day_plan WHERE organization_id = $1 AND outage_id = $2 AND state IN ('searching', 'proposed') ORDER BY id FOR UPDATE

-- name: day_plan_since
-- A search by itself for that site and moment that was asked for after $4 knows of whatever was closed by then.
SELECT id FROM scheduling.day_plan
WHERE organization_id = $1 AND site_id = $2 AND cause = 'outage' AND from_at <= $3 AND until_at > $3 AND asked_at > $4
  AND state IN ('searching', 'proposed', 'accepted')
LIMIT 1

-- name: forget_day_plans
DELETE FROM scheduling.day_plan WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM scheduling.day_plan WHERE asked_at < $1 ORDER BY asked_at LIMIT $2)
RETURNING id

-- name: first_start_of
-- When the first of these that is at the site begins.
SELECT min(starts_at) AS start FROM scheduling.appointment WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND value->>'site_id' = $3

-- name: planning_rules
SELECT proposes, accepts, moves_most, minutes_most, weight_use, weight_serve, weight_absence, weight_move, weight_drop, weight_split
FROM scheduling.site WHERE organization_id = $1 AND id = $2

-- name: set_planning_rules
UPDATE scheduling.site SET proposes = $3, accepts = $4, moves_most = $5, minutes_most = $6,
    weight_use = $7, weight_serve = $8, weight_absence = $9, weight_move = $10, weight_drop = $11, weight_split = $12
WHERE organization_id = $1 AND id = $2 RETURNING id

-- name: insert_link
INSERT INTO scheduling.link (
    organization_id, id, patient_id, site_id, appointment_id, depends_on_id, kind, why, needs, least_minutes, most_minutes, otherwise, status,
    made_at, changed_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- name: link_of_two
SELECT id FROM scheduling.link WHERE organization_id = $1
    AND least(appointment_id, depends_on_id) = least($2::uuid, $3::uuid)
    AND greatest(appointment_id, depends_on_id) = greatest($2::uuid, $3::uuid)

-- name: depended_on
-- What an appointment ($2) depends on, straight or by others. Links of one patient are made one after another, so that this stays true.
WITH RECURSIVE reached AS (
    SELECT depends_on_id AS id FROM scheduling.link WHERE organization_id = $1 AND appointment_id = $2
    UNION
    SELECT l.depends_on_id FROM scheduling.link l JOIN reached r ON l.organization_id = $1 AND l.appointment_id = r.id
)
SELECT id FROM reached

-- name: links_of
-- Of these appointments, whichever end.
SELECT * FROM scheduling.link WHERE organization_id = $1 AND (appointment_id = ANY($2::uuid[]) OR depends_on_id = ANY($2)) ORDER BY id

-- name: bonds_of
-- Of these appointments, whichever end, with when both lie, archived or not.
SELECT l.*, one.starts_at AS one_start, one.ends_at AS one_end, other.starts_at AS other_start, other.ends_at AS other_end
FROM scheduling.link l
JOIN LATERAL (
    SELECT starts_at, ends_at, status FROM scheduling.appointment WHERE organization_id = $1 AND id = l.appointment_id
    UNION ALL
    SELECT starts_at, ends_at, status FROM scheduling.appointment_history WHERE organization_id = $1 AND id = l.appointment_id
) one ON one.status = ANY($3::text[])
JOIN LATERAL (
    SELECT starts_at, ends_at, status FROM scheduling.appointment WHERE organization_id = $1 AND id = l.depends_on_id
    UNION ALL
    SELECT starts_at, ends_at, status FROM scheduling.appointment_history WHERE organization_id = $1 AND id = l.depends_on_id
) other ON other.status = ANY($3)
WHERE l.organization_id = $1 AND (l.appointment_id = ANY($2::uuid[]) OR l.depends_on_id = ANY($2)) AND l.status <> 'ended'
ORDER BY l.id

-- name: link_by_id
SELECT * FROM scheduling.link WHERE organization_id = $1 AND id = $2

-- name: links_for_change
-- Locked until the transaction ends, after the rows of the appointments.
SELECT * FROM scheduling.link WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE

-- name: links_page
-- $7 are the sites of whoever asks, if they have some named. At a site nobody is asked to see to what is archived.
SELECT l.* FROM scheduling.link l
WHERE l.organization_id = $1 AND ($2::uuid IS NULL OR l.appointment_id = $2 OR l.depends_on_id = $2)
  AND ($3::uuid IS NULL OR l.patient_id = $3) AND ($4::uuid IS NULL OR l.site_id = $4) AND ($5::text IS NULL OR l.status = $5)
  AND ($6::uuid IS NULL OR l.id > $6) AND (cardinality($7::uuid[]) = 0 OR l.site_id = ANY($7))
  AND ($4 IS NULL OR EXISTS (SELECT FROM scheduling.appointment a WHERE a.organization_id = $1 AND a.id = l.appointment_id))
ORDER BY l.id
LIMIT $8

-- name: save_link
UPDATE scheduling.link SET site_id = $3, status = $4, cause = $5, attempt = $6, changed_at = $7, version = $8
WHERE organization_id = $1 AND id = $2

-- name: delete_link
DELETE FROM scheduling.link WHERE organization_id = $1 AND id = $2

-- name: erase_links
DELETE FROM scheduling.link WHERE organization_id = $1 AND patient_id = $2 RETURNING id

-- name: take_over_links
-- Asked after the appointments, whose rows are locked.
UPDATE scheduling.link SET patient_id = kernel.survivor_of($1, $2), version = version + 1
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: links_of_merged
-- For `carewright verify`: both ends of a link are its patient's.
SELECT l.id FROM scheduling.link l
JOIN scheduling.appointment a ON a.organization_id = l.organization_id AND a.id IN (l.appointment_id, l.depends_on_id)
WHERE a.patient_id <> l.patient_id
LIMIT 100
-- name: insert_waiting
-- Nothing comes back where the patient waits for it already, or is not known.
INSERT INTO scheduling.waiting
    (organization_id, id, state, patient_id, visit_type_id, site_ids, urgency, latest_on, wishes, given_up_id, since, version)
SELECT $1, $2, 'waiting', $3, $4, $5, $6, $7, $8, $9, $10, 1
WHERE EXISTS (SELECT FROM scheduling.patient p WHERE p.organization_id = $1 AND p.id = $3 AND p.active)
ON CONFLICT DO NOTHING
RETURNING id

-- name: waiting_by_id
-- With how offers to it ended, and whether one is open.
SELECT w.*, o.declined, o.unanswered, o.asked FROM scheduling.waiting w, LATERAL (
    SELECT count(*) FILTER (WHERE o.status = 'declined') AS declined, count(*) FILTER (WHERE o.status = 'expired') AS unanswered,
        coalesce(bool_or(o.status = 'open'), false) AS asked
    FROM scheduling.offer o WHERE o.organization_id = $1 AND o.entry_id = w.id) o
WHERE w.organization_id = $1 AND w.id = $2

-- name: lock_waiting
-- The caller holds the row until the end of its transaction; after that of an offer and of a freed time.
SELECT id FROM scheduling.waiting WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: waits_of_patient
SELECT id, visit_type_id FROM scheduling.waiting WHERE organization_id = $1 AND patient_id = $2 AND state = 'waiting'

-- name: waiting_page
-- $5 are states, $7 the sites of whoever asks, if they have some named. One who is asked just now is `offered`, and no more `waiting`.
SELECT w.*, o.declined, o.unanswered, o.asked FROM scheduling.waiting w, LATERAL (
    SELECT count(*) FILTER (WHERE o.status = 'declined') AS declined, count(*) FILTER (WHERE o.status = 'expired') AS unanswered,
        coalesce(bool_or(o.status = 'open'), false) AS asked
    FROM scheduling.offer o WHERE o.organization_id = $1 AND o.entry_id = w.id) o
WHERE w.organization_id = $1 AND ($2::uuid IS NULL OR $2 = ANY(w.site_ids)) AND ($3::uuid IS NULL OR w.patient_id = $3)
  AND ($4::uuid IS NULL OR w.visit_type_id = $4)
  AND (cardinality($5::text[]) = 0 OR CASE WHEN w.state = 'waiting' AND o.asked THEN 'offered' ELSE w.state END = ANY($5))
  AND ($6::uuid IS NULL OR w.id > $6) AND (cardinality($7::uuid[]) = 0 OR w.site_ids && $7)
ORDER BY w.id
LIMIT $8

-- name: save_waiting
UPDATE scheduling.waiting SET state = $3, site_ids = $4, urgency = $5, latest_on = $6, wishes = $7, given_up_id = $8, ended_at = $9, version = $10
WHERE organization_id = $1 AND id = $2

-- name: waiting_for_visit
-- Who waited for this kind of visit before it was booked, locked. Ids grow with time.
SELECT id FROM scheduling.waiting
WHERE organization_id = $1 AND patient_id = $2 AND visit_type_id = $3 AND state = 'waiting' AND given_up_id IS NULL AND id < $4
FOR UPDATE

-- name: waiting_to_give_up
-- As waiting_for_visit: who would give an appointment up.
SELECT id FROM scheduling.waiting WHERE organization_id = $1 AND patient_id = $2 AND given_up_id = $3 AND state = 'waiting'
FOR UPDATE

-- name: waiting_that_ended
-- Of every organization, locked: the last day that would do is over, on every clock on earth.
SELECT organization_id, id FROM scheduling.waiting
WHERE state = 'waiting' AND latest_on < $1
ORDER BY id LIMIT $2
FOR UPDATE SKIP LOCKED

-- name: anybody_waits
SELECT EXISTS (SELECT FROM scheduling.waiting WHERE organization_id = $1 AND site_ids @> ARRAY[$2::uuid] AND state = 'waiting') AS found

-- name: people_waiting
-- Whoever waits at a site, is asked about nothing just now, and was not asked about this time; the most urgent first, then who waits longest.
-- How they answered so far is the patient's, by whichever entry. An appointment that they would give up is as it is booked now.
SELECT w.id, w.patient_id, w.visit_type_id, w.wishes, w.since, w.passed_over, w.given_up_id, g.value AS given_up, o.asked,
    o.accepted
FROM scheduling.waiting w
LEFT JOIN scheduling.appointment g ON g.organization_id = $1 AND g.id = w.given_up_id AND g.status IN ('pending', 'booked')
    AND g.expires_at IS NULL AND g.patient_id = w.patient_id AND g.starts_at > $4
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE o.status IN ('accepted', 'declined', 'expired')) AS asked,
        count(*) FILTER (WHERE o.status = 'accepted') AS accepted,
        coalesce(bool_or(o.entry_id = w.id AND (o.status = 'open' OR o.freed_id = $3)), false) AS barred
    FROM scheduling.offer o WHERE o.organization_id = $1 AND o.patient_id = w.patient_id AND o.entry_id IS NOT NULL) o
WHERE w.organization_id = $1 AND w.site_ids @> ARRAY[$2::uuid] AND w.state = 'waiting' AND NOT o.barred
  AND (w.given_up_id IS NULL OR g.id IS NOT NULL)
ORDER BY w.urgency, w.since, w.id
LIMIT $5

-- name: lock_person
-- Not waited for: people are locked in the order in which they are asked, which is not the same for all times.
SELECT id FROM scheduling.waiting WHERE organization_id = $1 AND id = $2 AND state = 'waiting' FOR UPDATE SKIP LOCKED

-- name: pass_over
UPDATE scheduling.waiting SET passed_over = passed_over + 1
WHERE organization_id = $1 AND id IN (
    SELECT id FROM scheduling.waiting WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND state = 'waiting' ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED)

-- name: erase_waiting
DELETE FROM scheduling.waiting WHERE organization_id = $1 AND patient_id = $2 RETURNING id

-- name: take_over_waiting
-- Where the survivor waits for the same already, the other entry ends.
UPDATE scheduling.waiting w SET patient_id = kernel.survivor_of($1, $2), version = version + 1,
    state = CASE WHEN s.waits THEN 'withdrawn' ELSE w.state END, ended_at = CASE WHEN s.waits THEN $3 ELSE w.ended_at END
FROM (
    SELECT m.id, m.state = 'waiting' AND EXISTS (
        SELECT FROM scheduling.waiting o WHERE o.organization_id = $1 AND o.patient_id = kernel.survivor_of($1, $2)
            AND o.visit_type_id = m.visit_type_id AND o.state = 'waiting') AS waits
    FROM scheduling.waiting m WHERE m.organization_id = $1 AND m.patient_id = $2) s
WHERE w.organization_id = $1 AND w.id = s.id AND kernel.survivor_of($1, $2) <> $2
RETURNING w.id

-- name: waitlist_policy
SELECT * FROM scheduling.waitlist_policy WHERE organization_id = $1 AND site_id = $2

-- name: put_waitlist_policy
-- Nothing comes back where somebody was faster with the first.
INSERT INTO scheduling.waitlist_policy (organization_id, site_id, way, racers, answer_minutes, notice_minutes, chains, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (organization_id, site_id) DO UPDATE SET way = $3, racers = $4, answer_minutes = $5, notice_minutes = $6, chains = $7, version = $8
    WHERE scheduling.waitlist_policy.version = $8 - 1
RETURNING version

-- name: insert_freed_time
-- One for each change that frees time, however often it is reported.
INSERT INTO scheduling.freed_time (organization_id, id, state, site_id, starts_at, ends_at, actor_ids, cause_id, cause_version, freed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT DO NOTHING
RETURNING id

-- name: freed_time_by_id
SELECT * FROM scheduling.freed_time WHERE organization_id = $1 AND id = $2

-- name: freed_time_for_change
-- Locked until the transaction ends: after an appointment's row and an offer's, before an entry's and the claims. Of those who are asked about
-- the same time, whoever has this lock first has the time.
SELECT * FROM scheduling.freed_time WHERE organization_id = $1 AND id = $2 FOR UPDATE

-- name: save_freed_time
UPDATE scheduling.freed_time SET state = $3, turn = $4 WHERE organization_id = $1 AND id = $2

-- name: others_asked
SELECT EXISTS (
    SELECT FROM scheduling.offer WHERE organization_id = $1 AND freed_id = $2 AND status = 'open' AND ($3::uuid IS NULL OR id <> $3)
) AS found

-- name: open_offers_for_change
-- What is open of a freed time or of an entry, locked, in the order in which the times are locked that they share.
SELECT o.*, s.name AS site_name, s.time_zone FROM scheduling.offer o
JOIN scheduling.site s ON s.organization_id = $1 AND s.id = o.site_id
WHERE o.organization_id = $1 AND o.status = 'open' AND (o.freed_id = $2 OR o.entry_id = $3)
ORDER BY o.freed_id, o.id
FOR UPDATE OF o

-- name: forget_freed_times
DELETE FROM scheduling.freed_time f WHERE f.ends_at < $1 AND NOT EXISTS (
    SELECT FROM scheduling.offer o WHERE o.organization_id = f.organization_id AND o.freed_id = f.id)
