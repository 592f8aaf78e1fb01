-- name: put_connection
INSERT INTO ehr.connection
    (organization_id, id, name, profile, base, client_id, patient_system, masters, key, public_key, made_at, mode)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (organization_id, name) DO NOTHING
RETURNING id

-- name: connections
SELECT id, name, profile, base, client_id, patient_system, masters, codes, public_key, pulled_at, mode, stopped_at,
    s.id IS NOT NULL AS subscribed, s.status, s.active_since, s.ends_at, s.woken_at, s.fault, s.fault_at
FROM ehr.connection c LEFT JOIN ehr.subscription s USING (organization_id, id)
WHERE organization_id = $1
ORDER BY name

-- name: connection_for_asking
SELECT id, name, profile, base, client_id, patient_system, masters, codes, public_key, pulled_at, mode, stopped_at,
    s.id IS NOT NULL AS subscribed, s.status, s.active_since, s.ends_at, s.woken_at, s.fault, s.fault_at, key
FROM ehr.connection c LEFT JOIN ehr.subscription s USING (organization_id, id)
WHERE organization_id = $1 AND name = $2

-- name: connections_due
-- Of every organization: those that nobody asked for so long, or, where a subscription is active ($2), for longer. For the system alone.
SELECT organization_id, name FROM ehr.connection LEFT JOIN ehr.subscription s USING (organization_id, id)
WHERE (pulled_at IS NULL OR pulled_at <= CASE WHEN mode = 'subscription' AND s.status = 'active' AND COALESCE(s.ends_at > $3, true)
        THEN $2 ELSE $1::timestamptz END)
    AND stopped_at IS NULL AND (asking_until IS NULL OR asking_until <= $3)
ORDER BY pulled_at NULLS FIRST LIMIT $4

-- name: claim_asking
-- One asks at a time. Whoever dies while asking is overtaken when the lease has run out.
UPDATE ehr.connection SET asking_until = $4 WHERE organization_id = $1 AND id = $2 AND (asking_until IS NULL OR asking_until <= $3)
RETURNING id

-- name: end_asking
UPDATE ehr.connection SET asking_until = NULL, pulled_at = $3 WHERE organization_id = $1 AND id = $2

-- name: is_stopped
SELECT stopped_at IS NOT NULL AS stopped FROM ehr.connection WHERE organization_id = $1 AND id = $2

-- name: stop_connection
-- What was not told after an earlier stop ($4 is later then) is still to be told.
UPDATE ehr.connection SET stopped_at = $3, untold_since = LEAST(untold_since, $4)
WHERE organization_id = $1 AND id = $2 AND stopped_at IS NULL

-- name: resume_connection
UPDATE ehr.connection SET stopped_at = NULL WHERE organization_id = $1 AND id = $2
RETURNING untold_since

-- name: note_told
-- What had to be told since then ($3) is queued.
UPDATE ehr.connection SET untold_since = NULL WHERE organization_id = $1 AND id = $2 AND untold_since = $3 AND stopped_at IS NULL

-- name: set_mode
UPDATE ehr.connection SET mode = $3 WHERE organization_id = $1 AND id = $2

-- name: want_subscription
-- It is looked at now, and made where it is not there.
INSERT INTO ehr.subscription AS known (organization_id, id, look_at) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, id) DO UPDATE SET look_at = EXCLUDED.look_at

-- name: look_at_subscription
-- It is looked at now, if there is one.
UPDATE ehr.subscription SET look_at = $3 WHERE organization_id = $1 AND id = $2

-- name: claim_look
-- One looks at a time; whoever dies while looking is overtaken when the lease has run out.
UPDATE ehr.subscription SET look_at = $4 WHERE organization_id = $1 AND id = $2 AND look_at <= $3
RETURNING theirs, status, ends_at

-- name: subscriptions_to_look_at
-- Of every organization. For the system alone.
SELECT organization_id, name FROM ehr.subscription JOIN ehr.connection c USING (organization_id, id)
WHERE look_at <= $1 ORDER BY look_at LIMIT $2

-- name: offer_secret
-- What the EHR may show us from now on; the two before it are good until there are newer ones.
UPDATE ehr.subscription SET secret_hash = (ARRAY[$3::bytea] || secret_hash)[1:3], ends_at = GREATEST(ends_at, $4) WHERE organization_id = $1 AND id = $2

-- name: put_subscription
-- How it was just seen at the EHR. One that was not active, and is, has a pull owed: what changed meanwhile told nobody.
UPDATE ehr.subscription SET theirs = $3, status = $4, ends_at = $5,
    active_since = CASE WHEN $4::text = 'active' THEN COALESCE(active_since, $7) END,
    pull_at = CASE WHEN $4::text = 'active' AND status IS DISTINCT FROM 'active' THEN LEAST(pull_at, $7) ELSE pull_at END, look_at = $6
WHERE organization_id = $1 AND id = $2

-- name: note_fault
UPDATE ehr.subscription SET fault = $3, fault_at = $4, look_at = $5 WHERE organization_id = $1 AND id = $2

-- name: note_lost
-- It wakes us no more, and why.
UPDATE ehr.subscription SET status = $3, active_since = NULL, fault = $4, fault_at = $5 WHERE organization_id = $1 AND id = $2

-- name: drop_subscription
DELETE FROM ehr.subscription WHERE organization_id = $1 AND id = $2

-- name: subscription_for_waking
-- Across tenants: who wakes us is not signed in, and the row says whose tenant it is of.
SELECT organization_id, secret_hash, pull_at FROM ehr.subscription JOIN ehr.connection c USING (organization_id, id)
WHERE id = $1 AND mode = 'subscription' AND stopped_at IS NULL

-- name: owe_pull
-- A pull that is owed already stays owed since then.
UPDATE ehr.subscription SET woken_at = $3, pull_at = LEAST(pull_at, $3) WHERE organization_id = $1 AND id = $2

-- name: put_off_pull
-- Unless somebody woke us meanwhile.
UPDATE ehr.subscription SET pull_at = COALESCE(pull_at, $3) WHERE organization_id = $1 AND id = $2

-- name: pull_begins
-- Whatever wakes us from now on is answered by the pull after this one.
UPDATE ehr.subscription SET pull_at = NULL WHERE organization_id = $1 AND id = $2

-- name: pulls_owed
-- Of every organization. For the system alone.
SELECT organization_id, name FROM ehr.subscription JOIN ehr.connection c USING (organization_id, id)
WHERE pull_at <= $1 AND mode = 'subscription' AND stopped_at IS NULL AND (asking_until IS NULL OR asking_until <= $1)
ORDER BY pull_at LIMIT $2

-- name: put_code
UPDATE ehr.connection SET codes = CASE WHEN $4::text IS NULL THEN codes - $3 ELSE codes || jsonb_build_object($3::text, $4::text) END
WHERE organization_id = $1 AND name = $2
RETURNING id

-- name: linked
-- A patient of theirs whose record was merged is its survivor.
SELECT id, CASE WHEN kind = 'Patient' THEN kernel.survivor_of(organization_id, ours) ELSE ours END AS ours, ours_changed_at, made_at FROM ehr.link
WHERE organization_id = $1 AND connection_id = $2 AND kind = $3 AND mark = $4

-- name: is_linked
SELECT ours FROM ehr.link WHERE organization_id = $1 AND connection_id = $2 AND kind = $3 AND ours = ANY($4::uuid[])

-- name: put_link
-- Whoever was linked stays linked: two of theirs are never one of ours.
INSERT INTO ehr.link (organization_id, id, connection_id, kind, mark, theirs, ours, patient_id, start_at, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT DO NOTHING
RETURNING id

-- name: complete_link
-- What was being booked is booked.
UPDATE ehr.link SET ours = $3 WHERE organization_id = $1 AND id = $2 AND ours IS NULL

-- name: drop_taking
-- What could not be booked is not ours.
DELETE FROM ehr.link WHERE organization_id = $1 AND id = $2 AND ours IS NULL

-- name: link_of_ours
SELECT id, theirs FROM ehr.link WHERE organization_id = $1 AND connection_id = $2 AND kind = $3 AND ours = $4

-- name: is_taking
-- Whether an appointment of theirs is just being booked here, for this patient and at this time.
SELECT EXISTS (SELECT FROM ehr.link
    WHERE organization_id = $1 AND connection_id = $2 AND kind = 'Appointment' AND ours IS NULL AND patient_id = $3 AND start_at = $4) AS taking

-- name: next_to_ask
-- Those that were asked longest ago, of those not asked since this pull began.
SELECT id, theirs FROM ehr.link
WHERE organization_id = $1 AND connection_id = $2 AND kind = $3 AND (asked_at IS NULL OR asked_at < $4)
ORDER BY asked_at NULLS FIRST, id LIMIT $5

-- name: mark_asked
-- Of an appointment: a list of theirs named it, or it was read.
UPDATE ehr.link SET asked_at = $3 WHERE organization_id = $1 AND id = $2

-- name: unlisted
-- Appointments of both, of those that we expect ($4), which no list of theirs has named since this pull began ($5).
SELECT id, theirs, ours FROM ehr.link
WHERE organization_id = $1 AND connection_id = $2 AND kind = $3 AND ours = ANY($4::uuid[]) AND COALESCE(asked_at, made_at) < $5
ORDER BY id

-- name: next_to_ask_who_pays
-- As next_to_ask, patients by when it was last asked who pays for them; a merged record's patient is its survivor.
SELECT id, theirs, kernel.survivor_of(organization_id, ours) AS ours FROM ehr.link
WHERE organization_id = $1 AND connection_id = $2 AND kind = 'Patient' AND (payers_asked_at IS NULL OR payers_asked_at < $3)
ORDER BY payers_asked_at NULLS FIRST, id LIMIT $4

-- name: mark_payers_asked
UPDATE ehr.link SET payers_asked_at = $3 WHERE organization_id = $1 AND id = $2

-- name: note_changed
UPDATE ehr.link SET ours_changed_at = $4 WHERE organization_id = $1 AND kind = $2 AND ours = $3

-- name: count_links
SELECT kind, count(*) AS count FROM ehr.link WHERE organization_id = $1 AND connection_id = $2 AND ours IS NOT NULL GROUP BY kind

-- name: put_difference
-- What was known stays as it was found; nothing comes back for it.
INSERT INTO ehr.difference AS known (organization_id, id, connection_id, kind, mark, reason, ours, patient_id, elements, found_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (organization_id, connection_id, kind, mark) DO UPDATE
SET reason = EXCLUDED.reason, ours = EXCLUDED.ours, patient_id = EXCLUDED.patient_id, elements = EXCLUDED.elements,
    found_at = EXCLUDED.found_at
WHERE (known.reason, known.ours, known.elements) IS DISTINCT FROM (EXCLUDED.reason, EXCLUDED.ours, EXCLUDED.elements)
RETURNING id

-- name: drop_difference
-- They agree. That ours was changed to agree is kept.
DELETE FROM ehr.difference
WHERE organization_id = $1 AND connection_id = $2 AND kind = $3 AND mark = $4 AND reason <> $5
RETURNING id

-- name: differences
SELECT id, kind, reason, ours, elements, found_at FROM ehr.difference
WHERE organization_id = $1 AND connection_id = $2
ORDER BY kind, reason, found_at, id LIMIT $3

-- name: take_over
-- Who a merged record ($2) is at an EHR its survivor is, where that one is nobody there yet: of ours none is two of theirs. Where it is, the
-- link leads over the old record (`linked`).
UPDATE ehr.link l SET patient_id = kernel.survivor_of($1, $2), ours = CASE WHEN l.kind = 'Patient' AND l.ours = $2 AND NOT EXISTS (
        SELECT FROM ehr.link o WHERE o.organization_id = $1 AND o.connection_id = l.connection_id AND o.kind = 'Patient'
            AND o.ours = kernel.survivor_of($1, $2)) THEN kernel.survivor_of($1, $2) ELSE l.ours END
WHERE l.organization_id = $1 AND l.patient_id = $2 AND kernel.survivor_of($1, $2) <> $2
RETURNING l.id

-- name: erase_links
DELETE FROM ehr.link WHERE organization_id = $1 AND patient_id = $2

-- name: erase_differences
DELETE FROM ehr.difference WHERE organization_id = $1 AND patient_id = $2

-- name: connections_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, key FROM ehr.connection
WHERE organization_id = $1 AND id > $2 AND substring(key FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_connections
UPDATE ehr.connection c SET key = r.key FROM unnest($2::uuid[], $3::bytea[]) AS r(id, key)
WHERE c.organization_id = $1 AND c.id = r.id

-- name: subscriptions_to_reseal
-- As connections_to_reseal.
SELECT id, theirs FROM ehr.subscription
WHERE organization_id = $1 AND id > $2 AND substring(theirs FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_subscriptions
UPDATE ehr.subscription s SET theirs = r.theirs FROM unnest($2::uuid[], $3::bytea[]) AS r(id, theirs)
WHERE s.organization_id = $1 AND s.id = r.id

-- name: links_to_reseal
-- As connections_to_reseal.
SELECT id, theirs FROM ehr.link
WHERE organization_id = $1 AND id > $2 AND substring(theirs FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_links
UPDATE ehr.link l SET theirs = r.theirs FROM unnest($2::uuid[], $3::bytea[]) AS r(id, theirs)
WHERE l.organization_id = $1 AND l.id = r.id
