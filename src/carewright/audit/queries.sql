-- name: anything_to_seal
-- Asked each second, mostly in vain: without a lock, so that an idle system writes nothing.
SELECT EXISTS (
    SELECT FROM audit.log l JOIN kernel.audit_entry e ON (e.xid, e.position) > (l.xid, l.position)
    WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot())
) AS found

-- name: lock_log
-- Whoever seals holds the row until the commit: two leaders for a moment take turns.
SELECT size, xid::text AS xid, position FROM audit.log FOR UPDATE

-- name: log
SELECT size, xid::text AS xid, position FROM audit.log

-- name: entries_to_seal
-- The next entries in the journal's order, below the oldest running transaction: nothing can appear among them any more. The order names the
-- table, as in the reading of events.
SELECT e.xid::text AS xid, e.position, e.body FROM kernel.audit_entry e
WHERE (e.xid, e.position) > ($1::text::xid8, $2::bigint) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.position
LIMIT $3

-- name: move_log
UPDATE audit.log SET size = $1, xid = $2::text::xid8, position = $3

-- name: put_tiles
-- A tile only grows: what it held stays its beginning.
INSERT INTO audit.tile AS old (level, number, hashes)
SELECT t.level, t.number, t.hashes FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS t(level, number, hashes)
ON CONFLICT (level, number) DO UPDATE SET hashes = EXCLUDED.hashes
WHERE substring(EXCLUDED.hashes FOR length(old.hashes)) = old.hashes

-- name: tiles
SELECT t.level, t.number, t.hashes FROM audit.tile t
JOIN unnest($1::smallint[], $2::bigint[]) AS w(level, number) ON t.level = w.level AND t.number = w.number

-- name: add_events
-- $1 is a list of places in the log, each with the entry that stands there.
INSERT INTO audit.event (
    organization_id, number, xid, position, id, recorded_at, event, action, agent, role, purpose, outcome, code, patient_id, entity_ids,
    address)
SELECT e.organization_id, s.number, s.xid, s.position, e.id, e.recorded_at, e.event, e.action, e.agent, e.role, e.purpose,
    coalesce(e.outcome, 'success'), e.code, e.patient_id,
    ARRAY(SELECT (entity->>'id')::uuid FROM jsonb_array_elements(coalesce(e.entities, '[]')) AS entity), e.address
FROM jsonb_to_recordset($1::jsonb) AS s(number bigint, xid xid8, position bigint, body jsonb),
    jsonb_to_record(s.body) AS e(
        organization_id uuid, id uuid, recorded_at timestamptz, event text, action text, agent text, role text, purpose text, outcome text,
        code text, patient_id uuid, entities jsonb, address text)

-- name: add_checkpoint
INSERT INTO audit.checkpoint (size, note, made_at) VALUES ($1, $2, $3)

-- name: newest_checkpoint
SELECT size, note FROM audit.checkpoint ORDER BY size DESC LIMIT 1

-- name: checkpoints
SELECT size, note FROM audit.checkpoint ORDER BY size

-- name: witness
SELECT size, note FROM audit.witness WHERE name = $1

-- name: put_witness
INSERT INTO audit.witness (name, size, note, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET size = EXCLUDED.size, note = EXCLUDED.note, seen_at = EXCLUDED.seen_at

-- name: find_events
-- Sorted by one element and, within it, by number; $16 and $17 are where the page before ended. The key of a missing element is empty. What
-- is asked of a record is asked of those that were merged into it too. A page is found first, and then joined: which of the two PostgreSQL
-- thinks cheaper hangs on statistics that a growing journal outruns, and the other way round reads all of it.
WITH page AS MATERIALIZED (
    SELECT v.number, v.xid, v.position, v.key FROM (
        SELECT v.number, v.xid, v.position, CASE $15::text
            WHEN 'event' THEN v.event WHEN 'action' THEN v.action WHEN 'agent' THEN v.agent WHEN 'role' THEN v.role
            WHEN 'purpose' THEN v.purpose WHEN 'outcome' THEN v.outcome WHEN 'code' THEN coalesce(v.code, '')
            WHEN 'patient' THEN coalesce(v.patient_id::text, '') WHEN 'address' THEN coalesce(v.address, '') ELSE '' END COLLATE "C" AS key
        FROM audit.event v
        WHERE v.organization_id = $1
          AND ($2::uuid IS NULL OR v.patient_id = ANY(kernel.records_of($1, $2))) AND ($3::text IS NULL OR v.agent = $3)
          AND ($4::text IS NULL OR v.role = $4)
          AND ($5::text IS NULL OR v.event = $5) AND ($6::text IS NULL OR v.action = $6) AND ($7::text IS NULL OR v.outcome = $7)
          AND ($8::text IS NULL OR v.purpose = $8) AND ($9::text IS NULL OR v.code = $9)
          AND ($10::uuid IS NULL OR v.entity_ids @> ARRAY[$10])
          AND ($11::timestamptz IS NULL OR v.recorded_at >= $11) AND ($12::timestamptz IS NULL OR v.recorded_at < $12)
          AND v.purpose <> ALL($13::text[]) AND ($18::text IS NULL OR v.address = $18)
    ) v
    WHERE (v.key, v.number) > ($16::text, $17::bigint)
    ORDER BY v.key, v.number
    LIMIT $14
)
SELECT p.number, e.body, p.key FROM page p JOIN kernel.audit_entry e ON (e.xid, e.position) = (p.xid, p.position)
ORDER BY p.key, p.number

-- name: find_newest_events
-- The search asked most, from the end: the index gives them in order, so that no search reads more than it shows where nothing narrows it.
WITH page AS MATERIALIZED (
    SELECT v.number, v.xid, v.position FROM audit.event v
    WHERE v.organization_id = $1
      AND ($2::uuid IS NULL OR v.patient_id = ANY(kernel.records_of($1, $2))) AND ($3::text IS NULL OR v.agent = $3)
      AND ($4::text IS NULL OR v.role = $4)
      AND ($5::text IS NULL OR v.event = $5) AND ($6::text IS NULL OR v.action = $6) AND ($7::text IS NULL OR v.outcome = $7)
      AND ($8::text IS NULL OR v.purpose = $8) AND ($9::text IS NULL OR v.code = $9)
      AND ($10::uuid IS NULL OR v.entity_ids @> ARRAY[$10])
      AND ($11::timestamptz IS NULL OR v.recorded_at >= $11) AND ($12::timestamptz IS NULL OR v.recorded_at < $12)
      AND v.purpose <> ALL($13::text[]) AND v.number < $15 AND ($16::text IS NULL OR v.address = $16)
    ORDER BY v.number DESC
    LIMIT $14
)
SELECT p.number, e.body FROM page p JOIN kernel.audit_entry e ON (e.xid, e.position) = (p.xid, p.position)
ORDER BY p.number DESC

-- name: busy_readers
-- Entries since $1 stand behind the checkpoint of a minute before: so that nothing older is read. A cheap look, made every few seconds.
SELECT v.organization_id, v.agent, v.role, v.purpose, count(DISTINCT v.patient_id) AS count FROM audit.event v
WHERE v.number >= coalesce((SELECT c.size FROM audit.checkpoint c WHERE c.made_at < $1::timestamptz - interval '1 minute' ORDER BY c.size DESC LIMIT 1), 0)
  AND v.recorded_at >= $1 AND v.outcome = 'success' AND v.event = ANY($3) AND v.patient_id IS NOT NULL
GROUP BY v.organization_id, v.agent, v.role, v.purpose
HAVING count(DISTINCT v.patient_id) >= $2
ORDER BY count(DISTINCT v.patient_id) DESC, v.agent
LIMIT $4

-- name: busy_refused
SELECT v.organization_id, v.agent, v.role, v.purpose, count(*) AS count FROM audit.event v
WHERE v.number >= coalesce((SELECT c.size FROM audit.checkpoint c WHERE c.made_at < $1::timestamptz - interval '1 minute' ORDER BY c.size DESC LIMIT 1), 0)
  AND v.recorded_at >= $1 AND v.outcome = 'refused' AND v.code = ANY($3)
GROUP BY v.organization_id, v.agent, v.role, v.purpose
HAVING count(*) >= $2
ORDER BY count(*) DESC, v.agent
LIMIT $4

-- name: busy_addresses
-- From where codes of $3, or passwords in events of $5, were wrong. An index holds just these, so that a longer look stays cheap.
SELECT v.organization_id, v.address, count(*) AS count FROM audit.event v
WHERE v.outcome = 'refused' AND v.address IS NOT NULL AND v.recorded_at >= $1 AND (v.code = ANY($3) OR v.event = ANY($5))
GROUP BY v.organization_id, v.address
HAVING count(*) >= $2
ORDER BY count(*) DESC, v.address
LIMIT $4

-- name: sealed_before
SELECT size FROM audit.checkpoint WHERE made_at < $1 ORDER BY size DESC LIMIT 1

-- name: reads_between
WITH page AS MATERIALIZED (
    SELECT v.number, v.xid, v.position FROM audit.event v
    WHERE v.number > $1 AND v.number <= $2 AND v.event = $3 AND v.outcome = 'success' AND v.patient_id IS NOT NULL
    ORDER BY v.number
    LIMIT $4
)
SELECT p.number, e.body FROM page p JOIN kernel.audit_entry e ON (e.xid, e.position) = (p.xid, p.position)
ORDER BY p.number

-- name: event_by_id
SELECT v.number, e.body FROM audit.event v JOIN kernel.audit_entry e ON (e.xid, e.position) = (v.xid, v.position)
WHERE v.organization_id = $1 AND v.id = $2

-- name: journal
-- The whole journal up to a place, for export and verification: read by binary COPY, in the order in which it is sealed.
SELECT e.body FROM kernel.audit_entry e
WHERE (e.xid, e.position) <= ($1::text::xid8, $2::bigint)
ORDER BY e.xid, e.position

-- name: leaves
SELECT t.hashes FROM audit.tile t WHERE t.level = 0 ORDER BY t.number
