-- name: insert_communication
INSERT INTO notifications.communication
    (organization_id, id, status, template, language, channel, recipient_kind, recipient, content, created_at, until_at, forget_at, about_id)
VALUES ($1, $2, 'preparation', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: start_delivery
-- No row back means that somebody delivered it already, or gave it up: a job may come twice.
UPDATE notifications.communication SET status = 'in-progress', deliveries = deliveries + 1
WHERE organization_id = $1 AND id = $2 AND status IN ('preparation', 'in-progress')
RETURNING template, language, channel, recipient_kind, recipient, content, deliveries, until_at, about_id

-- name: finish_delivery
UPDATE notifications.communication
SET status = $3, status_reason = $4, sent_at = $5, content = CASE WHEN $3 = 'completed' THEN content END
WHERE organization_id = $1 AND id = $2 AND status = 'in-progress'
RETURNING id

-- name: inbox_of
-- What lies in the product's own inbox for a person: sent to them, to their role, or to their account. A text past its time is not
-- read any more, whether or not it has been cleared yet.
SELECT id, status, status_reason, template, language, channel, recipient_kind, recipient, content, created_at, sent_at
FROM notifications.communication
WHERE organization_id = $1 AND channel = 'inbox' AND status = 'completed' AND content IS NOT NULL AND forget_at > $3
  AND (recipient_kind, recipient) IN (SELECT * FROM unnest($4::text[], $5::text[]))
ORDER BY id DESC
LIMIT $2

-- name: local_inbox
SELECT id, status, status_reason, template, language, channel, recipient_kind, recipient, content, created_at, sent_at
FROM notifications.communication
WHERE organization_id = $1 AND status = 'completed' AND content IS NOT NULL AND forget_at > $3
ORDER BY id DESC
LIMIT $2

-- name: messages_to_patient
SELECT id, status, status_reason, template, language, channel, recipient_kind, recipient, content, created_at, sent_at
FROM notifications.communication
WHERE organization_id = $1 AND recipient_kind = 'patient' AND recipient = $2 AND id > $3
ORDER BY id LIMIT $4

-- name: search_communications
-- What was said to patients. What nobody asked for is NULL; a text past its time is not read any more, cleared or not.
SELECT id, status, status_reason, template, language, channel, recipient_kind, recipient, CASE WHEN forget_at > $5 THEN content END AS content,
       created_at, sent_at
FROM notifications.communication
WHERE organization_id = $1 AND recipient_kind = 'patient' AND id > $2
  AND ($3::uuid[] IS NULL OR id = ANY($3)) AND ($4::text[] IS NULL OR recipient = ANY($4))
ORDER BY id LIMIT $6

-- name: forget_texts
-- In batches of $2, as all housekeeping.
WITH forgotten AS (
    UPDATE notifications.communication SET content = NULL
    WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM notifications.communication
        WHERE forget_at <= $1 AND content IS NOT NULL AND NOT (status = 'completed' AND kernel.is_held(
            organization_id, CASE WHEN recipient_kind = 'patient' THEN recipient::uuid END))
        LIMIT $2 FOR UPDATE SKIP LOCKED
    )) RETURNING 1
)
SELECT count(*) AS count FROM forgotten

-- name: take_over
-- What was said to a record that was merged ($2) was said to its survivor.
UPDATE notifications.communication SET recipient = kernel.survivor_of($1, $2)::text
WHERE organization_id = $1 AND recipient_kind = 'patient' AND recipient = $2::uuid::text AND kernel.survivor_of($1, $2) <> $2
RETURNING id

-- name: erase_texts
-- What was said to a patient who was erased. What is still on its way is given up: nobody is there to read it.
UPDATE notifications.communication SET content = NULL
WHERE organization_id = $1 AND recipient_kind = 'patient' AND recipient = $2 AND content IS NOT NULL
RETURNING id

-- name: dispose_communications
-- What was said long enough ago, oldest first. Ids are made in order of time, so the key finds them.
DELETE FROM notifications.communication WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM notifications.communication
    WHERE organization_id = $1 AND created_at < $2 AND status IN ('completed', 'not-done')
      AND NOT kernel.is_held(organization_id, CASE WHEN recipient_kind = 'patient' THEN recipient::uuid END)
    ORDER BY id LIMIT $3
))
RETURNING id, recipient_kind, recipient

-- name: communications_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a change of the same row waits for a moment; readers do not.
SELECT id, content FROM notifications.communication
WHERE organization_id = $1 AND id > $2 AND substring(content FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_communications
UPDATE notifications.communication c SET content = r.content FROM unnest($2::uuid[], $3::bytea[]) AS r(id, content)
WHERE c.organization_id = $1 AND c.id = r.id
