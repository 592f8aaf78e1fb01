-- name: look
-- What became of the same message before, if it came before, whether an earlier one about the same waits, and whether one that its sender
-- wrote later is done: one question for every message, and one for all that come together.
SELECT g.number, m.id, m.status, m.reason,
    EXISTS (SELECT FROM hl7.message w WHERE w.organization_id = g.organization_id AND w.subject = g.subject AND w.status = 'waiting') AS waits,
    EXISTS (SELECT FROM hl7.message n WHERE n.organization_id = g.organization_id AND n.source_hash = g.source_hash AND n.status = 'applied'
        AND n.written_at >= g.written_until) AS is_late
FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::timestamptz[]) WITH ORDINALITY
    AS g(organization_id, mark, subject, source_hash, written_until, number)
LEFT JOIN hl7.message m ON m.organization_id = g.organization_id AND m.mark = g.mark

-- name: take_turns
-- Give back the locks without a number, and take those that are free of the others, in the order of the arrays: which the session has now.
SELECT t.number, t.key FROM unnest($1::integer[], $2::bigint[]) AS t(number, key)
WHERE CASE WHEN t.number IS NULL THEN pg_advisory_unlock(t.key) IS NULL ELSE pg_try_advisory_lock(t.key) END

-- name: wait_for_turns
SELECT pg_advisory_lock(t.key) FROM unnest($1::bigint[]) AS t(key)

-- name: is_waiting
-- Whether an earlier message about the same is still on the work list: whoever comes later waits behind it. $3 leaves out the one that is
-- looked at again, and everything after it.
SELECT EXISTS (SELECT FROM hl7.message WHERE organization_id = $1 AND subject = $2 AND status = 'waiting' AND id < $3) AS waits

-- name: keep_message
-- Messages that come together are stored by one statement, and so by one commit: each with what its sender's ids stand for from now on and
-- with its entry in the journal, or without both where it is there already. What was refused before may be taken now, since a permission or
-- a setting may have changed; whatever else is there stays. By marks, and links after messages, so that two processes that get the same
-- messages cannot wait for each other in a circle.
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::bytea[],
        $10::bytea[], $11::uuid[], $12::timestamptz[], $13::jsonb[], $14::uuid[], $15::text[], $16::jsonb[], $17::bytea[], $18::timestamptz[]) WITH ORDINALITY
        AS g(organization_id, id, client_id, mark, subject, kind, status, reason, content, note, patient_id, received_at, links, entry_id,
            body, named, source_hash, written_at, number)
), kept AS (
    INSERT INTO hl7.message AS stored
        (organization_id, id, client_id, mark, subject, kind, status, reason, content, note, patient_id, received_at, decided_at, source_hash,
            written_at)
    SELECT organization_id, id, client_id, mark, subject, kind, status, reason, content, note,
        kernel.survivor_of(organization_id, patient_id), received_at, received_at, source_hash, written_at
    FROM given ORDER BY mark
    ON CONFLICT (organization_id, mark) DO UPDATE SET
        id = EXCLUDED.id, status = EXCLUDED.status, reason = EXCLUDED.reason, content = EXCLUDED.content, note = EXCLUDED.note,
        patient_id = EXCLUDED.patient_id, decided_at = EXCLUDED.decided_at, source_hash = EXCLUDED.source_hash,
        written_at = EXCLUDED.written_at
    WHERE stored.status = 'refused'
    RETURNING id
), linked AS (
    INSERT INTO hl7.link (organization_id, mark, kind, target_id, made_at, client_id, id, said)
    SELECT g.organization_id, decode(l.mark, 'base64'), l.kind, l.target_id, g.received_at, g.client_id, l.id, decode(l.said, 'base64')
    FROM kept JOIN given g USING (id),
        jsonb_to_recordset(g.links) AS l(mark text, kind text, target_id uuid, id uuid, said text)
    ORDER BY 2
    ON CONFLICT (organization_id, mark) DO UPDATE SET kind = EXCLUDED.kind, target_id = EXCLUDED.target_id
), named AS (
    -- What a message named when it was refused before goes on with it to its new id.
    INSERT INTO hl7.named (organization_id, identifier_hash, message_id)
    SELECT g.organization_id, decode(n.hash, 'base64'), g.id FROM kept JOIN given g USING (id), jsonb_array_elements_text(g.named) AS n(hash)
    WHERE NOT EXISTS (
        SELECT FROM hl7.message b JOIN hl7.named o ON o.organization_id = b.organization_id AND o.message_id = b.id
        WHERE b.organization_id = g.organization_id AND b.mark = g.mark AND o.identifier_hash = decode(n.hash, 'base64'))
), audited AS (
    INSERT INTO kernel.audit_entry (organization_id, id, patient_id, body)
    SELECT g.organization_id, g.entry_id, g.patient_id, g.body FROM kept JOIN given g USING (id)
)
SELECT g.number FROM kept JOIN given g USING (id)

-- name: put_named
INSERT INTO hl7.named (organization_id, identifier_hash, message_id) SELECT $1, unnest($3::bytea[]), $2 ON CONFLICT DO NOTHING

-- name: put_links
INSERT INTO hl7.link (organization_id, mark, kind, target_id, made_at, client_id, id, said)
SELECT $1, each.mark, each.kind, each.target_id, $5, $6, each.id, each.said
FROM unnest($2::bytea[], $3::text[], $4::uuid[], $7::uuid[], $8::bytea[]) AS each(mark, kind, target_id, id, said)
ORDER BY each.mark
ON CONFLICT (organization_id, mark) DO UPDATE SET kind = EXCLUDED.kind, target_id = EXCLUDED.target_id

-- name: linked
-- For many messages at once.
SELECT asked.number, l.kind, l.target_id
FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS asked(organization_id, mark, number)
JOIN hl7.link l ON l.organization_id = asked.organization_id AND l.mark = asked.mark

-- name: message_by_id
SELECT id, client_id, mark, subject, kind, status, reason, content, note, patient_id, received_at, decided_at
FROM hl7.message WHERE organization_id = $1 AND id = $2

-- name: waiting
SELECT id, client_id, kind, status, reason, note, received_at FROM hl7.message
WHERE organization_id = $1 AND status = 'waiting' AND id > $2
ORDER BY id LIMIT $3

-- name: messages_of_patient
-- What was said and told of a patient, as far as it is kept, oldest first: ids are made in order of time.
SELECT id, kind, received_at AS at, content, false AS is_told FROM hl7.message
WHERE organization_id = $1 AND patient_id = $2 AND content IS NOT NULL AND id > $3
UNION ALL
SELECT id, 'SIU^' || event, made_at, content, true FROM hl7.outgoing
WHERE organization_id = $1 AND patient_id = $2 AND content IS NOT NULL AND id > $3
ORDER BY id LIMIT $4

-- name: decide_message
UPDATE hl7.message
SET status = $3, reason = $4, note = $5, patient_id = kernel.survivor_of($1, coalesce($6, patient_id)), content = $7, subject = $8, decided_at = $9
WHERE organization_id = $1 AND id = $2 AND status = 'waiting'
RETURNING id

-- name: settle_message
UPDATE hl7.message SET status = 'settled', decided_at = $3, remark = $4 WHERE organization_id = $1 AND id = $2 AND status = 'waiting'
RETURNING reason, patient_id

-- name: mappings
SELECT name, code, target FROM hl7.mapping WHERE organization_id = $1

-- name: put_mapping
INSERT INTO hl7.mapping (organization_id, name, code, target) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, name, code) DO UPDATE SET target = EXCLUDED.target

-- name: drop_mapping
DELETE FROM hl7.mapping WHERE organization_id = $1 AND name = $2 AND code = $3

-- name: erase_messages
-- What was said about a patient who was erased, and what names one of their identifiers ($3) while nobody knew whose it is. What was still
-- waiting waits no more: nobody is there to act for.
UPDATE hl7.message SET content = NULL, note = NULL, remark = NULL,
    status = CASE WHEN status = 'waiting' THEN 'refused' ELSE status END,
    reason = CASE WHEN status = 'waiting' THEN 'hl7.erased' ELSE reason END
WHERE organization_id = $1 AND content IS NOT NULL AND (patient_id = $2
    OR id IN (SELECT n.message_id FROM hl7.named n WHERE n.organization_id = $1 AND n.identifier_hash = ANY($3::bytea[])))
RETURNING id

-- name: take_over_messages
-- What was said of a record that was merged ($2) was said of its survivor.
UPDATE hl7.message SET patient_id = kernel.survivor_of($1, $2)
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: take_over_outgoing
UPDATE hl7.outgoing SET patient_id = kernel.survivor_of($1, $2)
WHERE organization_id = $1 AND patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: dispose_messages
-- What was received long enough ago and decided, oldest first: ids are made in order of time. What waits, waits for a person.
DELETE FROM hl7.message WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM hl7.message
    WHERE organization_id = $1 AND received_at < $2 AND status <> 'waiting' AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: messages_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, content, note, remark FROM hl7.message
WHERE organization_id = $1 AND id > $2
  AND (substring(content FOR 3) <> $3 OR substring(note FOR 3) <> $3 OR substring(remark FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_messages
UPDATE hl7.message m SET content = r.content, note = r.note, remark = r.remark
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[]) AS r(id, content, note, remark)
WHERE m.organization_id = $1 AND m.id = r.id

-- name: own_ids
-- What a client calls an appointment or a block, in the order in which it named its ids.
SELECT id, said FROM hl7.link WHERE organization_id = $1 AND target_id = $2 AND client_id = $3 AND said IS NOT NULL ORDER BY id

-- name: links_to_reseal
-- As messages_to_reseal.
SELECT id, said FROM hl7.link WHERE organization_id = $1 AND id > $2 AND substring(said FOR 3) <> $3 ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_links
UPDATE hl7.link l SET said = r.said FROM unnest($2::uuid[], $3::bytea[]) AS r(id, said) WHERE l.organization_id = $1 AND l.id = r.id

-- name: put_partner
INSERT INTO hl7.partner (organization_id, id, name, address, client_id, version, charset, processing, header, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: change_partner
-- What was made for it already stays as it was made; a message that is due and was never sent is made as the partner is now.
UPDATE hl7.partner SET name = $3, address = $4, client_id = $5, version = $6, charset = $7, processing = $8, header = $9
WHERE organization_id = $1 AND id = $2

-- name: lock_partner
SELECT id, name, address, client_id, version, charset, processing, header FROM hl7.partner
WHERE organization_id = $1 AND id = $2 AND stopped_at IS NULL FOR UPDATE

-- name: set_partner_token
UPDATE hl7.partner SET token = $3 WHERE organization_id = $1 AND id = $2

-- name: partner_token
-- Of the partner as it is spoken to: its address may have changed a moment ago, and a token is for one place.
SELECT token FROM hl7.partner WHERE organization_id = $1 AND id = $2 AND address = $3

-- name: partners_to_reseal
-- As messages_to_reseal.
SELECT id, token FROM hl7.partner WHERE organization_id = $1 AND id > $2 AND substring(token FOR 3) <> $3 ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_partners
UPDATE hl7.partner p SET token = r.token FROM unnest($2::uuid[], $3::bytea[]) AS r(id, token)
WHERE p.organization_id = $1 AND p.id = r.id

-- name: stop_partner
-- What it was still to be told it is told no more: what is sent to nobody must not hold a patient's data.
WITH stopped AS (
    UPDATE hl7.partner SET stopped_at = $3, token = NULL WHERE organization_id = $1 AND id = $2 AND stopped_at IS NULL RETURNING id
), dropped AS (
    UPDATE hl7.outgoing o SET status = 'dropped', reason = NULL, content = NULL, note = NULL FROM stopped s
    WHERE o.organization_id = $1 AND o.partner_id = s.id AND o.status IN ('due', 'waiting') RETURNING o.id
)
SELECT s.id, (SELECT count(*) FROM dropped) AS dropped FROM stopped s

-- name: partners
SELECT id, name, address, client_id, version, charset, processing, header FROM hl7.partner
WHERE organization_id = $1 AND stopped_at IS NULL ORDER BY id

-- name: every_partner
-- Of every organization, for whoever sends.
SELECT organization_id, id, name, address, client_id, version, charset, processing, header FROM hl7.partner WHERE stopped_at IS NULL

-- name: partner_codes
SELECT name, ours, theirs FROM hl7.partner_code WHERE organization_id = $1 AND partner_id = $2

-- name: put_partner_code
INSERT INTO hl7.partner_code (organization_id, partner_id, name, ours, theirs) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, partner_id, name, ours) DO UPDATE SET theirs = EXCLUDED.theirs

-- name: drop_partner_code
DELETE FROM hl7.partner_code WHERE organization_id = $1 AND partner_id = $2 AND name = $3 AND ours = $4

-- name: put_outgoing
-- A message for each partner, by arrays of partners, their clients and ids, of an appointment ($5) or a block ($6). Who was never told of it,
-- and did not make it, hears of it as new ($10), whatever happened to it before; $9 is the event for the others. NULL is none.
INSERT INTO hl7.outgoing
    (organization_id, id, partner_id, appointment_id, block_id, version, patient_id, event, fact, status, ends_at, made_at, due_at)
SELECT $1, p.id, p.partner_id, $5, $6, $7, kernel.survivor_of($1, $8), CASE WHEN p.knows THEN $9 ELSE $10 END, $11, 'due', $12, $13, $13
FROM (
    SELECT each.*,
        EXISTS (SELECT FROM hl7.outgoing o
            WHERE o.organization_id = $1 AND o.partner_id = each.partner_id AND (o.appointment_id = $5 OR o.block_id = $6))
        OR EXISTS (SELECT FROM hl7.link l WHERE l.organization_id = $1 AND l.target_id = coalesce($5, $6) AND l.client_id = each.client_id) AS knows
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS each(partner_id, client_id, id)
) AS p
WHERE CASE WHEN p.knows THEN $9 ELSE $10 END IS NOT NULL
ON CONFLICT DO NOTHING

-- name: next_outgoing
-- The oldest message that is due, unless an earlier one about the same appointment or block still waits: a partner hears in order.
SELECT o.id, o.partner_id, o.patient_id, o.event, o.fact, o.status, o.refusals, o.content, o.note
FROM hl7.outgoing o
WHERE o.organization_id = $1 AND o.partner_id = $2 AND o.status = 'due' AND o.due_at <= $3
  AND NOT EXISTS (
    SELECT FROM hl7.outgoing e WHERE e.organization_id = $1 AND e.partner_id = $2
      AND (e.appointment_id = o.appointment_id OR e.block_id = o.block_id) AND e.version < o.version AND e.status IN ('due', 'waiting'))
ORDER BY o.id LIMIT 1

-- name: freeze_outgoing
UPDATE hl7.outgoing SET content = $3 WHERE organization_id = $1 AND id = $2 AND status = 'due'

-- name: decide_outgoing
UPDATE hl7.outgoing SET status = $3, refusals = $4, reason = $5, note = $6, due_at = $7
WHERE organization_id = $1 AND id = $2 AND status = 'due'
RETURNING id

-- name: unsent
SELECT id, partner_id, event, reason, refusals, made_at FROM hl7.outgoing
WHERE organization_id = $1 AND status = 'waiting' AND id > $2
ORDER BY id LIMIT $3

-- name: outgoing_by_id
SELECT id, partner_id, patient_id, event, fact, status, refusals, content, note FROM hl7.outgoing
WHERE organization_id = $1 AND id = $2

-- name: resend_outgoing
-- The message is made anew, with the codes as they are now, under its own control id.
UPDATE hl7.outgoing SET status = 'due', refusals = 0, reason = NULL, note = NULL, content = NULL, due_at = $3
WHERE organization_id = $1 AND id = $2 AND status = 'waiting'
RETURNING patient_id

-- name: drop_outgoing
UPDATE hl7.outgoing SET status = 'dropped', content = NULL, note = NULL
WHERE organization_id = $1 AND id = $2 AND status = 'waiting'
RETURNING patient_id

-- name: erase_outgoing
-- What was to be told of a patient who was erased is told no more.
UPDATE hl7.outgoing SET content = NULL, note = NULL, status = CASE WHEN status IN ('due', 'waiting') THEN 'dropped' ELSE status END
WHERE organization_id = $1 AND patient_id = $2
RETURNING id

-- name: dispose_outgoing
-- As dispose_messages, of appointments and blocks that are past their time as well.
DELETE FROM hl7.outgoing WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM hl7.outgoing
    WHERE organization_id = $1 AND made_at < $2 AND ends_at < $2 AND status IN ('accepted', 'dropped') AND NOT kernel.is_held(organization_id, patient_id)
    ORDER BY id LIMIT $3
))
RETURNING id, patient_id

-- name: outgoing_to_reseal
-- As messages_to_reseal.
SELECT id, content, note FROM hl7.outgoing
WHERE organization_id = $1 AND id > $2 AND (substring(content FOR 3) <> $3 OR substring(note FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_outgoing
UPDATE hl7.outgoing o SET content = r.content, note = r.note
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, content, note)
WHERE o.organization_id = $1 AND o.id = r.id
