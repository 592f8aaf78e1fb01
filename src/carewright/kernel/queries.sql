-- name: append_events
-- Appends within the caller's transaction. The xid is the writer's own, which is what makes the reader's order safe.
INSERT INTO kernel.outbox (organization_id, id, topic, subject, payload, occurred_at, origin, actor, trace)
SELECT e.organization_id, e.id, e.topic, e.subject, e.payload, $6, $7, $8, $9
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::jsonb[]) AS e(organization_id, id, topic, subject, payload)

-- name: events_between
-- $3 is an earlier answer of end_of_log, and stays below the oldest running transaction: a lower xid that commits later would be skipped
-- otherwise. The order names the table: a bare xid would mean the text that is selected, and '999' comes after '1000'.
SELECT xid::text AS xid, position, organization_id, id, topic, subject, payload, occurred_at, origin, actor, trace
FROM kernel.outbox
WHERE (xid, position) > ($1::text::xid8, $2::bigint) AND xid < $3::text::xid8 AND topic = ANY($5)
ORDER BY outbox.xid, outbox.position
LIMIT $4

-- name: written_here
-- What the transaction that asks has written of these topics, as far as consumer $1 has not handled it.
SELECT organization_id, id, xid::text AS xid, position, occurred_at, topic, subject, origin, actor, trace, payload FROM kernel.outbox o
WHERE xid = pg_current_xact_id() AND topic = ANY($2)
  AND NOT EXISTS (SELECT FROM kernel.inbox i WHERE i.consumer = $1 AND i.event_id = o.id)
ORDER BY position

-- name: first_unread
-- Without the limit of end_of_log: an event that a running transaction holds back counts too, or nobody would notice.
SELECT occurred_at FROM kernel.outbox
WHERE (xid, position) > ($1::text::xid8, $2::bigint) AND topic = ANY($3)
ORDER BY xid, position
LIMIT 1

-- name: end_of_log
-- A place before everything still running: reading on from here repeats a little at worst, and misses nothing.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid, 0::bigint AS position

-- name: last_place
SELECT xid::text AS xid, position FROM kernel.outbox
WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY outbox.xid DESC, outbox.position DESC
LIMIT 1

-- name: occurred_at
SELECT occurred_at FROM kernel.outbox WHERE (xid, position) = ($1::text::xid8, $2::bigint)

-- name: remember_answer
-- Refuses when the key is there already: another process did the work, and ours must roll back.
WITH stored AS (
    INSERT INTO kernel.idempotency (organization_id, subject, key, fingerprint, answer, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT kernel.refuse(CASE WHEN NOT EXISTS (SELECT FROM stored) THEN 'kernel.already_done' END)

-- name: answers_by_key
-- For many callers at once: whoever is refused asks whether the same key had been served before.
SELECT w.number, k.fingerprint, k.answer
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS w(organization_id, subject, key, number)
JOIN kernel.idempotency k ON k.organization_id = w.organization_id AND k.subject = w.subject AND k.key = w.key

-- name: kept_answers
SELECT subject, key, answer FROM kernel.idempotency
WHERE organization_id = $1 AND (subject, key) > ($2, $3)
ORDER BY subject, key LIMIT $4

-- name: forget_answers
DELETE FROM kernel.idempotency k USING unnest($2::text[], $3::text[]) AS g(subject, key)
WHERE k.organization_id = $1 AND k.subject = g.subject AND k.key = g.key

-- name: forget_old_answers
-- In batches of $2, as all housekeeping: a statement has its time limit, and after an import there is much to forget at once.
WITH gone AS (
    DELETE FROM kernel.idempotency WHERE ctid = ANY(ARRAY(SELECT ctid FROM kernel.idempotency WHERE created_at < $1 LIMIT $2)) RETURNING 1
)
SELECT count(*) AS count FROM gone

-- name: consumer_place
SELECT xid::text AS xid, position FROM kernel.consumer WHERE name = $1

-- name: move_consumer
INSERT INTO kernel.consumer (name, xid, position, moved_at) VALUES ($1, $2::text::xid8, $3, $4)
ON CONFLICT (name) DO UPDATE SET xid = EXCLUDED.xid, position = EXCLUDED.position, moved_at = EXCLUDED.moved_at

-- name: consumer_places
SELECT name, xid::text AS xid, position, moved_at FROM kernel.consumer ORDER BY name

-- name: first_deliveries
-- The inbox row shares the handler's transaction: an event that does not come back has had its effect already.
INSERT INTO kernel.inbox (consumer, event_id, handled_at) SELECT $1, unnest($2::uuid[]), $3 ON CONFLICT DO NOTHING RETURNING event_id

-- name: forget_old_deliveries
WITH gone AS (
    DELETE FROM kernel.inbox WHERE ctid = ANY(ARRAY(SELECT ctid FROM kernel.inbox WHERE handled_at < $1 LIMIT $2)) RETURNING 1
)
SELECT count(*) AS count FROM gone

-- name: park_event
-- After its last retry, or because an earlier event of the same subject is parked.
INSERT INTO kernel.dead_letter (consumer, event_id, xid, position, topic, subject, reason, attempts, parked_at)
VALUES ($1, $2, $3::text::xid8, $4, $5, $6, $7, $8, $9)
ON CONFLICT (consumer, event_id) DO UPDATE SET reason = EXCLUDED.reason, attempts = EXCLUDED.attempts

-- name: parked_subjects
SELECT DISTINCT subject FROM kernel.dead_letter WHERE consumer = $1

-- name: parked_events
SELECT d.consumer, d.reason, d.attempts, d.parked_at, o.xid::text AS xid, o.position, o.organization_id, o.id, o.topic, o.subject, o.payload,
       o.occurred_at, o.origin, o.actor, o.trace
FROM kernel.dead_letter d JOIN kernel.outbox o ON (o.xid, o.position) = (d.xid, d.position)
WHERE $1::text IS NULL OR d.consumer = $1
ORDER BY d.consumer, o.xid, o.position
LIMIT $2

-- name: unpark_event
DELETE FROM kernel.dead_letter WHERE consumer = $1 AND event_id = $2

-- name: forget_old_events
-- Keeps what any consumer has still to read or to replay.
WITH gone AS (
    DELETE FROM kernel.outbox WHERE ctid = ANY(ARRAY(
        SELECT o.ctid FROM kernel.outbox o
        WHERE o.occurred_at < $1
          AND o.xid < (SELECT coalesce(min(c.xid), '0'::xid8) FROM kernel.consumer c)
          AND NOT EXISTS (SELECT 1 FROM kernel.dead_letter d WHERE (d.xid, d.position) = (o.xid, o.position))
        LIMIT $2
    )) RETURNING 1
)
SELECT count(*) AS count FROM gone

-- name: database_now
SELECT clock_timestamp() AS now

-- name: try_lead
-- A session lock: it goes with the connection, so a dead leader is replaced by itself.
SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS leads

-- name: let_go
-- Before a reserved connection goes back to its pool: its locks must not stay with somebody who does not know of them.
SELECT pg_advisory_unlock_all()

-- name: enqueue_job
-- A second job under the same unique key is the same job; one that had failed for good begins anew.
INSERT INTO kernel.job (id, name, unique_key, payload, run_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name, unique_key) DO UPDATE
SET id = EXCLUDED.id, payload = EXCLUDED.payload, run_at = EXCLUDED.run_at, created_at = EXCLUDED.created_at, attempts = 0, failed = false,
    reason = NULL, leased_until = NULL
WHERE kernel.job.failed

-- name: claim_due_job
-- SKIP LOCKED lets any number of workers share the queue; the lease makes a dead worker's job run again. The first of each kind is looked up by
-- itself: a thousand of another kind that came before are not read.
UPDATE kernel.job SET leased_until = $2, attempts = attempts + 1
WHERE id = (
    SELECT first.id FROM unnest($3::text[]) AS kind(name), LATERAL (
        SELECT j.id, j.run_at FROM kernel.job j
        WHERE j.name = kind.name AND j.run_at <= $1 AND (j.leased_until IS NULL OR j.leased_until < $1) AND NOT j.failed
        ORDER BY j.run_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS first
    ORDER BY first.run_at LIMIT 1
)
RETURNING id, name, payload, attempts

-- name: finish_job
DELETE FROM kernel.job WHERE id = $1

-- name: retry_job
-- $5 is the attempt that failed: a worker that was late must not give away the lease of the one after it.
UPDATE kernel.job SET run_at = $2, leased_until = NULL, failed = $3, reason = $4 WHERE id = $1 AND attempts = $5

-- name: standing_jobs
-- Jobs that are not done, of those whose unique key begins with $2, oldest first.
SELECT unique_key, created_at, attempts, failed FROM kernel.job WHERE name = $1 AND starts_with(unique_key, $2)
ORDER BY created_at, id LIMIT $3

-- name: retry_failed_jobs
-- Those that had failed for good begin anew.
UPDATE kernel.job SET attempts = 0, failed = false, reason = NULL, leased_until = NULL, run_at = $3
WHERE name = $1 AND failed AND starts_with(unique_key, $2)
RETURNING id

-- name: drop_jobs
-- Whatever its state; one that runs just now is not run again.
DELETE FROM kernel.job WHERE name = $1 AND starts_with(unique_key, $2)
RETURNING unique_key, created_at, attempts, failed

-- name: drop_failed_jobs
DELETE FROM kernel.job WHERE name = $1 AND failed AND starts_with(unique_key, $2)

-- name: claim_timer
-- The row decides which process runs this turn of a timer.
INSERT INTO kernel.timer (name, next_at) VALUES ($1, $3)
ON CONFLICT (name) DO UPDATE SET next_at = EXCLUDED.next_at WHERE kernel.timer.next_at <= $2
RETURNING 1


-- name: forget_consumer
DELETE FROM kernel.consumer WHERE name = $1

-- name: unhurried
-- A whole hospital by COPY takes longer than any statement of a request may.
SET LOCAL statement_timeout = 0

-- name: append_audit_entries
-- In the transaction of the deed, as append_events. Statements that are a whole transaction insert their entry themselves.
INSERT INTO kernel.audit_entry (organization_id, id, patient_id, body)
SELECT e.organization_id, e.id, e.patient_id, e.body
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS e(organization_id, id, patient_id, body)

-- name: insert_link
INSERT INTO kernel.link (organization_id, token_hash, purpose, target, holder, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: link_by_token
-- Live or not: whoever asks is told the same about everything that does not open. Purpose and holder are part of the question.
SELECT organization_id, target, holder, expires_at FROM kernel.link
WHERE token_hash = $1 AND purpose = $2 AND (holder IS NULL OR holder = $3) AND expires_at > $4 AND used_at IS NULL

-- name: use_link
-- The row decides which of two at once was first.
UPDATE kernel.link SET used_at = $4
WHERE token_hash = $1 AND purpose = $2 AND (holder IS NULL OR holder = $3) AND expires_at > $4 AND used_at IS NULL
RETURNING organization_id, target, holder, expires_at

-- name: revoke_links
WITH gone AS (DELETE FROM kernel.link WHERE organization_id = $1 AND purpose = $2 AND target = $3 AND used_at IS NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: forget_old_links
-- A link that cannot be used any more says nothing to anybody.
WITH gone AS (
    DELETE FROM kernel.link WHERE ctid = ANY(ARRAY(SELECT ctid FROM kernel.link WHERE expires_at < $1 LIMIT $2)) RETURNING 1
)
SELECT count(*) AS count FROM gone

-- name: restraints_everywhere
-- Of every tenant, by each process each second. Tokens that were signed before $1 have run out.
SELECT organization_id, id, kind, name, since FROM kernel.restraint WHERE lifted_at IS NULL AND (kind <> 'tokens' OR since > $1)

-- name: restraints_of
SELECT organization_id, id, kind, name, since FROM kernel.restraint
WHERE organization_id = $1 AND kind <> 'tokens' AND lifted_at IS NULL
ORDER BY since, id

-- name: client_held
SELECT EXISTS (
    SELECT FROM kernel.restraint WHERE organization_id = $1 AND kind = 'client' AND name = $2 AND lifted_at IS NULL
) AS held

-- name: insert_restraint
INSERT INTO kernel.restraint (organization_id, id, kind, name, since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, kind, name) WHERE lifted_at IS NULL AND kind <> 'tokens' DO NOTHING

-- name: lift_restraint
UPDATE kernel.restraint SET lifted_at = greatest($3, since)
WHERE organization_id = $1 AND id = $2 AND kind <> 'tokens' AND lifted_at IS NULL
RETURNING organization_id, id, kind, name, since

-- name: keysets_of
SELECT organization_id, purpose, version, wrapped, seals_from, retired_at FROM kernel.keyset WHERE organization_id = $1 ORDER BY purpose, version

-- name: keysets_by_service
-- One keyset for each key that wrapped any: what a process must be able to open before it serves.
SELECT DISTINCT ON (kek_id) organization_id, purpose, version, wrapped, kek_id FROM kernel.keyset
WHERE wrapped IS NOT NULL
ORDER BY kek_id, organization_id, purpose, version

-- name: insert_keyset
-- Two processes may meet an organization first at the same time: one key stays, and both read that.
-- Nothing is wrapped any more by a key that was replaced.
INSERT INTO kernel.keyset (organization_id, purpose, version, wrapped, kek_id, created_at, seals_from)
SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM kernel.wrapping WHERE kek_id <> $5)
ON CONFLICT DO NOTHING

-- name: retire_keysets
UPDATE kernel.keyset SET retired_at = $3 WHERE organization_id = $1 AND purpose = 'field' AND version < $2 AND retired_at IS NULL

-- name: destroy_retired_keysets
-- Nothing live is sealed by them: only older backups are, and those are to be read by nobody any more.
UPDATE kernel.keyset SET wrapped = NULL, destroyed_at = $2
WHERE organization_id = $1 AND retired_at IS NOT NULL AND wrapped IS NOT NULL
RETURNING version

-- name: forget_answers_of_older_keys
-- $2 begins everything that the newest key sealed.
DELETE FROM kernel.idempotency WHERE organization_id = $1 AND substring(answer FOR 3) <> $2

-- name: replace_wrapping
-- First in its transaction: whoever wraps a key from here on sees the new one, or waits.
INSERT INTO kernel.wrapping (kek_id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET kek_id = EXCLUDED.kek_id

-- name: open_transactions
-- Those of everybody but ourselves: each holds a lock on its own number for as long as it lasts, and every role sees locks.
SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database() AND a.usesysid IS NOT NULL

-- name: lock_keysets
LOCK TABLE kernel.keyset IN SHARE ROW EXCLUSIVE MODE

-- name: keysets_to_rewrap
SELECT organization_id, purpose, version, wrapped FROM kernel.keyset WHERE wrapped IS NOT NULL

-- name: rewrap_keysets
UPDATE kernel.keyset k SET wrapped = w.wrapped, kek_id = $1
FROM unnest($2::uuid[], $3::text[], $4::int[], $5::bytea[]) AS w(organization_id, purpose, version, wrapped)
WHERE k.organization_id = w.organization_id AND k.purpose = w.purpose AND k.version = w.version

-- name: destroy_keysets
UPDATE kernel.keyset SET wrapped = NULL, destroyed_at = $2 WHERE organization_id = $1 AND wrapped IS NOT NULL RETURNING version

-- name: stand_in_tenant
-- For the session, outside any transaction: policies compare each row's organization_id with it, see kernel.tenant().
SELECT set_config('carewright.organization_id', $1, false)

-- name: role_of_free_login
-- The role that the connection acts as, if its login is past all policies; nothing otherwise.
SELECT current_setting('role') AS role FROM pg_roles WHERE rolname = session_user AND (rolsuper OR rolbypassrls)

-- name: write_plainly
-- Compressing page images costs a bulk load a tenth of its processor time, and nobody reads them again. Only a free login may say so.
SELECT set_config('wal_compression', 'off', true)

-- name: act_as
-- For the rest of the transaction, or until it is said again.
SELECT set_config('role', $1, true)

-- name: wait_little
-- For a transaction that several use cases share: it locks in no fixed order, so it gives way instead of waiting.
SELECT set_config('lock_timeout', $1, true)

-- name: open_stage
SELECT kernel.open_stage($1, $2, $3)

-- name: empty_stage
SELECT kernel.empty_stage($1, $2, $3)

-- name: retention_of
SELECT what, days FROM kernel.retention WHERE organization_id = $1

-- name: put_retention
INSERT INTO kernel.retention (organization_id, what, days, set_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, what) DO UPDATE SET days = EXCLUDED.days, set_at = EXCLUDED.set_at

-- name: drop_retention
DELETE FROM kernel.retention WHERE organization_id = $1 AND what = $2

-- name: jurisdiction_of
SELECT region, state FROM kernel.jurisdiction WHERE organization_id = $1

-- name: put_jurisdiction
INSERT INTO kernel.jurisdiction (organization_id, region, state, set_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id) DO UPDATE SET region = EXCLUDED.region, state = EXCLUDED.state, set_at = EXCLUDED.set_at

-- name: organizations_with_keys
-- Whoever sealed anything has keys: these are the tenants that there are.
SELECT DISTINCT organization_id FROM kernel.keyset ORDER BY organization_id

-- name: insert_hold
INSERT INTO kernel.legal_hold (organization_id, id, patient_id, reason, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: holds
SELECT id, patient_id, reason, set_by, set_at, lifted_at, lifted_by, lift_reason FROM kernel.legal_hold
WHERE organization_id = $1 AND ($2 OR lifted_at IS NULL) AND id > $3
ORDER BY id LIMIT $4

-- name: hold_for_change
SELECT id, patient_id, reason, set_by, set_at, lifted_at, lifted_by, lift_reason FROM kernel.legal_hold
WHERE organization_id = $1 AND id = $2
FOR UPDATE

-- name: lift_hold
UPDATE kernel.legal_hold SET lifted_at = $3, lifted_by = $4, lift_reason = $5 WHERE organization_id = $1 AND id = $2

-- name: is_held
SELECT kernel.is_held($1, $2) AS held

-- name: holds_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, reason, lift_reason FROM kernel.legal_hold
WHERE organization_id = $1 AND id > $2 AND (substring(reason FOR 3) <> $3 OR substring(lift_reason FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_holds
UPDATE kernel.legal_hold h SET reason = r.reason, lift_reason = r.lift_reason
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, reason, lift_reason)
WHERE h.organization_id = $1 AND h.id = r.id

-- name: merges_of
-- Which of these records were merged into others, and others into these.
SELECT patient_id, survivor_id FROM kernel.merged
WHERE organization_id = $1 AND (patient_id = ANY($2::uuid[]) OR survivor_id = ANY($2::uuid[]))
ORDER BY patient_id

-- name: note_merged
-- Whatever was merged into the prior record before is the survivor's now, like the rest.
WITH followed AS (
    UPDATE kernel.merged SET survivor_id = $3 WHERE organization_id = $1 AND survivor_id = $2
)
INSERT INTO kernel.merged (organization_id, patient_id, survivor_id, merged_at) VALUES ($1, $2, $3, $4)
