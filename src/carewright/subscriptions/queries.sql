-- name: insert_subscription
-- Nothing back where the client has $9 already.
INSERT INTO subscriptions.subscription (organization_id, id, client_id, topic, request, target, status, due_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, 'requested', $7, $8
WHERE (SELECT count(*) FROM subscriptions.subscription WHERE organization_id = $1 AND client_id = $3) < $9
RETURNING id

-- name: subscriptions_of
SELECT id, request, target, status, error, events, version, updated_at FROM subscriptions.subscription
WHERE organization_id = $1 AND client_id = $2
ORDER BY id

-- name: delete_subscription
DELETE FROM subscriptions.subscription WHERE organization_id = $1 AND id = $2 AND client_id = $3
RETURNING id

-- name: subscriptions_to
SELECT id, request FROM subscriptions.subscription
WHERE organization_id = $1 AND topic = ANY($2::text[]) AND status <> 'off'

-- name: note_events
-- Numbers and rows in one statement: a number is there with its event. What waits for its next try goes on waiting.
WITH raised AS (
    UPDATE subscriptions.subscription SET events = events + 1, due_at = CASE WHEN failures = 0 THEN least(due_at, $3) ELSE due_at END
    WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND status <> 'off'
    RETURNING id, events
)
INSERT INTO subscriptions.event (organization_id, subscription_id, number, occurred_at, change, focus, focus_id, patient_id, site_id)
SELECT $1, id, events, $3, $4, $5, $6, $7, $8 FROM raised

-- name: claim_due
-- Whose turn it is, across tenants. A lease brings back what a process took with it when it died.
UPDATE subscriptions.subscription SET leased_until = $2
WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM subscriptions.subscription
    WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING organization_id, id

-- name: subscription_for_sending
SELECT id, client_id, request, target, status, error, is_confirmed, events, sent, failures, failing_since, version, updated_at
FROM subscriptions.subscription WHERE organization_id = $1 AND id = $2

-- name: events_after
SELECT number, occurred_at, change, focus, focus_id, patient_id, site_id FROM subscriptions.event
WHERE organization_id = $1 AND subscription_id = $2 AND number > $3
ORDER BY number LIMIT $4

-- name: finish_turn
-- What came meanwhile is due at once, unless the receiver is failing; $9 is the heartbeat, or the next try. A turn is of the version $11.
UPDATE subscriptions.subscription
SET status = $3, error = $4, is_confirmed = is_confirmed OR $5, sent = greatest(sent, $6), failures = $7, failing_since = $8,
    due_at = CASE WHEN $3 = 'off' THEN NULL WHEN $7 = 0 AND events > $6 THEN $10::timestamptz ELSE $9::timestamptz END,
    leased_until = NULL, version = version + CASE WHEN status = $3 THEN 0 ELSE 1 END, updated_at = $10
WHERE organization_id = $1 AND id = $2 AND version = $11
RETURNING id

-- name: change_subscription
-- From its handshake on, whatever state it was in; a turn that is under way ends without effect, since the version is another.
UPDATE subscriptions.subscription
SET topic = $4, request = $5, target = $6, status = 'requested', error = NULL, is_confirmed = false, failures = 0, failing_since = NULL,
    due_at = $7, leased_until = NULL, version = version + 1, updated_at = $7
WHERE organization_id = $1 AND id = $2 AND version = $3
RETURNING id

-- name: put_target
UPDATE subscriptions.subscription SET target = $4 WHERE organization_id = $1 AND id = $2 AND version = $3
RETURNING id

-- name: events_between
SELECT number, occurred_at, change, focus, focus_id, patient_id, site_id FROM subscriptions.event
WHERE organization_id = $1 AND subscription_id = $2 AND number BETWEEN $3 AND $4
ORDER BY number LIMIT $5

-- name: erase_events
UPDATE subscriptions.event SET focus_id = NULL, patient_id = NULL WHERE organization_id = $1 AND patient_id = $2
RETURNING subscription_id

-- name: forget_events
-- What was taken, or is never told, and is old enough. In batches of $2.
WITH forgotten AS (
    DELETE FROM subscriptions.event WHERE ctid = ANY(ARRAY(
        SELECT e.ctid FROM subscriptions.event e JOIN subscriptions.subscription s
            ON s.organization_id = e.organization_id AND s.id = e.subscription_id
        WHERE e.occurred_at < $1 AND (e.number <= s.sent OR s.status = 'off')
        LIMIT $2
    )) RETURNING 1
)
SELECT count(*) AS count FROM forgotten

-- name: subscriptions_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, target FROM subscriptions.subscription
WHERE organization_id = $1 AND id > $2 AND substring(target FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_subscriptions
UPDATE subscriptions.subscription s SET target = r.target FROM unnest($2::uuid[], $3::bytea[]) AS r(id, target)
WHERE s.organization_id = $1 AND s.id = r.id
