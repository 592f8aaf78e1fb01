-- name: look
-- What became of the same message before, if it came before, and whether an earlier one about $3 waits: one question for every message.
SELECT m.id, m.status, m.reason,
    EXISTS (SELECT FROM hl7.message w WHERE w.organization_id = $1 AND w.subject = $3 AND w.status = 'waiting') AS waits
FROM (SELECT 1) AS always LEFT JOIN hl7.message m ON m.organization_id = $1 AND m.mark = $2

-- name: is_waiting
-- Whether an earlier message about the same is still on the work list: whoever comes later waits behind it. $3 leaves out the one that is
-- looked at again, and everything after it.
SELECT EXISTS (SELECT FROM hl7.message WHERE organization_id = $1 AND subject = $2 AND status = 'waiting' AND id < $3) AS waits

-- name: put_message
-- What was refused before may be taken now, since a permission or a setting may have changed; whatever else is there stays.
INSERT INTO hl7.message AS stored
    (organization_id, id, client_id, mark, subject, kind, status, reason, content, note, patient_id, received_at, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
ON CONFLICT (organization_id, mark) DO UPDATE SET
    id = EXCLUDED.id, status = EXCLUDED.status, reason = EXCLUDED.reason, content = EXCLUDED.content, note = EXCLUDED.note,
    patient_id = EXCLUDED.patient_id, decided_at = EXCLUDED.decided_at
WHERE stored.status = 'refused'
RETURNING id

-- name: put_links
INSERT INTO hl7.link (organization_id, mark, kind, target_id, made_at)
SELECT $1, each.mark, $3, $4, $5 FROM unnest($2::bytea[]) AS each(mark)
ORDER BY each.mark
ON CONFLICT (organization_id, mark) DO UPDATE SET kind = EXCLUDED.kind, target_id = EXCLUDED.target_id

-- name: linked
-- The first of the marks, in the order in which they are asked for.
SELECT l.kind, l.target_id FROM hl7.link l JOIN unnest($2::bytea[]) WITH ORDINALITY AS asked(mark, number) ON l.mark = asked.mark
WHERE l.organization_id = $1
ORDER BY asked.number LIMIT 1

-- name: message_for_change
SELECT id, client_id, mark, subject, kind, status, reason, content, note, patient_id, received_at, decided_at
FROM hl7.message WHERE organization_id = $1 AND id = $2
FOR UPDATE

-- name: message_by_id
SELECT id, client_id, mark, subject, kind, status, reason, content, note, patient_id, received_at, decided_at
FROM hl7.message WHERE organization_id = $1 AND id = $2

-- name: waiting
SELECT id, client_id, kind, status, reason, note, received_at FROM hl7.message
WHERE organization_id = $1 AND status = 'waiting' AND id > $2
ORDER BY id LIMIT $3

-- name: decide_message
UPDATE hl7.message
SET status = $3, reason = $4, note = $5, patient_id = coalesce($6, patient_id), content = $7, subject = $8, decided_at = $9
WHERE organization_id = $1 AND id = $2 AND status = 'waiting'
RETURNING id

-- name: settle_message
UPDATE hl7.message SET status = 'settled', decided_at = $3 WHERE organization_id = $1 AND id = $2 AND status = 'waiting'
RETURNING reason, patient_id

-- name: mappings
SELECT name, code, target FROM hl7.mapping WHERE organization_id = $1

-- name: put_mapping
INSERT INTO hl7.mapping (organization_id, name, code, target) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, name, code) DO UPDATE SET target = EXCLUDED.target

-- name: drop_mapping
DELETE FROM hl7.mapping WHERE organization_id = $1 AND name = $2 AND code = $3

-- name: erase_messages
-- What was said about a patient who was erased. What was still waiting waits no more: nobody is there to act for.
UPDATE hl7.message SET content = NULL, note = NULL,
    status = CASE WHEN status = 'waiting' THEN 'refused' ELSE status END,
    reason = CASE WHEN status = 'waiting' THEN 'hl7.erased' ELSE reason END
WHERE organization_id = $1 AND patient_id = $2 AND content IS NOT NULL
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
SELECT id, content, note FROM hl7.message
WHERE organization_id = $1 AND id > $2 AND (substring(content FOR 3) <> $3 OR substring(note FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_messages
UPDATE hl7.message m SET content = r.content, note = r.note
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, content, note)
WHERE m.organization_id = $1 AND m.id = r.id
