-- name: sessions_by_token
-- Asked at most once a second for each token and process, for many at once. Whoever is disabled has no session, even before it is ended,
-- nor has a proxy whose consent does not hold now, nor an app that was turned off, nor one that somebody of the staff started in a session
-- of theirs that is over.
SELECT w.number, s.organization_id, s.id, s.account_id, s.method, s.started_at, s.last_used_at, s.authenticated_at, s.idle_seconds,
       s.absolute_until, s.scopes, s.consent_id, s.grant_id, a.subject, CASE WHEN s.consent_id IS NULL THEN a.role ELSE 'proxy' END AS role, a.display,
       coalesce(c.patient_id, a.patient_id, g.patient_id) AS patient_id, a.practitioner_id, a.site_ids,
       EXISTS (SELECT FROM access.break_glass g WHERE g.organization_id = s.organization_id AND g.session_id = s.id AND g.until > w.now) AS glass_broken
FROM unnest($1::bytea[], $2::timestamptz[]) WITH ORDINALITY AS w(token_hash, now, number)
JOIN access.session s ON s.token_hash = w.token_hash
JOIN access.account a ON a.organization_id = s.organization_id AND a.id = s.account_id
LEFT JOIN access.consent c ON c.organization_id = s.organization_id AND c.id = s.consent_id AND c.proxy_patient_id = a.patient_id
    AND c.withdrawn_at IS NULL AND c.starts_at <= w.now AND c.ends_at > w.now
LEFT JOIN access.app_grant g ON g.organization_id = s.organization_id AND g.id = s.grant_id AND g.ended_at IS NULL
    AND (NOT 'launch' = ANY(g.scopes) OR EXISTS (
        SELECT FROM access.session o
        WHERE o.organization_id = g.organization_id AND o.id = g.session_id AND o.ended_at IS NULL AND o.absolute_until > w.now
    ))
WHERE s.ended_at IS NULL AND a.disabled_at IS NULL AND (s.consent_id IS NULL OR c.id IS NOT NULL)
  AND (s.grant_id IS NULL OR g.id IS NOT NULL)

-- name: sessions_by_id
-- As sessions_by_token, of one organization.
SELECT s.organization_id, s.id, s.account_id, s.method, s.started_at, s.last_used_at, s.authenticated_at, s.idle_seconds,
       s.absolute_until, s.scopes, s.consent_id, s.grant_id, a.subject, CASE WHEN s.consent_id IS NULL THEN a.role ELSE 'proxy' END AS role, a.display,
       coalesce(c.patient_id, a.patient_id, g.patient_id) AS patient_id, a.practitioner_id, a.site_ids,
       EXISTS (SELECT FROM access.break_glass g WHERE g.organization_id = s.organization_id AND g.session_id = s.id AND g.until > $3) AS glass_broken
FROM access.session s
JOIN access.account a ON a.organization_id = s.organization_id AND a.id = s.account_id
LEFT JOIN access.consent c ON c.organization_id = s.organization_id AND c.id = s.consent_id AND c.proxy_patient_id = a.patient_id
    AND c.withdrawn_at IS NULL AND c.starts_at <= $3 AND c.ends_at > $3
LEFT JOIN access.app_grant g ON g.organization_id = s.organization_id AND g.id = s.grant_id AND g.ended_at IS NULL
    AND (NOT 'launch' = ANY(g.scopes) OR EXISTS (
        SELECT FROM access.session o
        WHERE o.organization_id = g.organization_id AND o.id = g.session_id AND o.ended_at IS NULL AND o.absolute_until > $3
    ))
WHERE s.organization_id = $1 AND s.id = ANY($2)
  AND s.ended_at IS NULL AND a.disabled_at IS NULL AND (s.consent_id IS NULL OR c.id IS NOT NULL)
  AND (s.grant_id IS NULL OR g.id IS NOT NULL)

-- name: touch_session
UPDATE access.session SET last_used_at = $3 WHERE organization_id = $1 AND id = $2 AND last_used_at < $3 AND ended_at IS NULL

-- name: insert_session
INSERT INTO access.session
    (organization_id, id, account_id, token_hash, method, started_at, last_used_at, authenticated_at, idle_seconds, absolute_until, scopes,
     consent_id, grant_id)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $12)

-- name: sessions_of_subject
-- Those that are neither ended nor run out. An app's are told of as the app that was let in.
SELECT s.organization_id, s.id, s.account_id, s.method, s.started_at, s.last_used_at, s.authenticated_at, s.idle_seconds, s.absolute_until, s.scopes, s.consent_id,
       s.grant_id, a.subject, a.role, a.display, a.patient_id, a.practitioner_id, a.site_ids
FROM access.session s JOIN access.account a ON a.organization_id = s.organization_id AND a.id = s.account_id
WHERE s.organization_id = $1 AND a.subject = $2 AND s.grant_id IS NULL AND s.ended_at IS NULL AND s.absolute_until > $3
  AND s.last_used_at + s.idle_seconds * interval '1 second' > $3
ORDER BY s.started_at, s.id
LIMIT $4

-- name: end_session
-- $3 is the owner who asks; null for whoever may end everybody's.
UPDATE access.session s SET ended_at = $4, end_reason = $5
FROM access.account a
WHERE s.organization_id = $1 AND s.id = $2 AND s.ended_at IS NULL AND a.organization_id = s.organization_id AND a.id = s.account_id
  AND ($3::text IS NULL OR a.subject = $3)
RETURNING s.organization_id, s.id, s.account_id, s.method, s.started_at, s.last_used_at, s.authenticated_at, s.idle_seconds,
          s.absolute_until, s.scopes, s.consent_id, s.grant_id, a.subject, a.role, a.display, a.patient_id, a.practitioner_id, a.site_ids

-- name: end_session_by_token
-- A session that another replaces: the same person signed in once more.
UPDATE access.session SET ended_at = $4, end_reason = 'replaced'
WHERE organization_id = $1 AND token_hash = $2 AND account_id = $3 AND ended_at IS NULL

-- name: end_sessions_beyond
-- All but the $4 that were used last, of a person's own or of one app's ($5). The account's row is locked by whoever starts a session, so
-- that two at once leave no more than that.
UPDATE access.session SET ended_at = $3, end_reason = 'too-many'
WHERE organization_id = $1 AND account_id = $2 AND ended_at IS NULL AND id IN (
    SELECT id FROM access.session
    WHERE organization_id = $1 AND account_id = $2 AND ended_at IS NULL AND grant_id IS NOT DISTINCT FROM $5
      AND absolute_until > $3 AND last_used_at + idle_seconds * interval '1 second' > $3
    ORDER BY last_used_at DESC, id DESC OFFSET $4
)
RETURNING id

-- name: end_sessions_of_account
-- And whatever apps the account let in, or, where it is an app's own, wherever that was let in.
WITH shut AS (
    UPDATE access.app_grant SET ended_at = $3, end_reason = $4
    WHERE organization_id = $1 AND (account_id = $2 OR client_id = $2) AND ended_at IS NULL
), ended AS (
    UPDATE access.session SET ended_at = $3, end_reason = $4 WHERE organization_id = $1 AND account_id = $2 AND ended_at IS NULL RETURNING 1
)
SELECT count(*) AS count FROM ended

-- name: account_of_patient
-- Made on first need. DO UPDATE, so that the row comes back and stays locked: failures of one account are counted one after another.
INSERT INTO access.account AS a (organization_id, id, subject, role, display, patient_id, site_ids, created_at)
VALUES ($1, $2, $3, 'patient', '', $4, '{}', $5)
ON CONFLICT (organization_id, subject) DO UPDATE SET subject = EXCLUDED.subject
RETURNING a.id, a.subject, a.role, a.display, a.patient_id, a.site_ids, a.disabled_at, a.code_failures

-- name: account_by_subject
SELECT id, subject, role, display, patient_id, site_ids, disabled_at, code_failures FROM access.account
WHERE organization_id = $1 AND subject = $2

-- name: account_by_issuer
-- Locked: two sign-ins of one person at once make one account.
SELECT id, subject, role, display, patient_id, site_ids, disabled_at, code_failures FROM access.account
WHERE organization_id = $1 AND issuer = $2 AND issuer_subject = $3
FOR UPDATE

-- name: insert_staff_account
INSERT INTO access.account (organization_id, id, subject, role, display, issuer, issuer_subject, site_ids, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING

-- name: update_staff_account
UPDATE access.account SET role = $3, display = $4, site_ids = $5 WHERE organization_id = $1 AND id = $2

-- name: accounts
SELECT id, subject, role, display, patient_id, site_ids, disabled_at, code_failures FROM access.account
WHERE organization_id = $1 AND id > $2 AND ($3::text IS NULL OR role = $3)
ORDER BY id
LIMIT $4

-- name: staff_names
-- Patients have none here: their names are sealed, and not this page's to show.
SELECT subject, display FROM access.account WHERE organization_id = $1 AND subject = ANY($2) AND patient_id IS NULL AND display <> ''

-- name: account_for_change
SELECT id, subject, role, display, patient_id, site_ids, disabled_at, code_failures FROM access.account
WHERE organization_id = $1 AND id = $2
FOR UPDATE

-- name: set_account_disabled
-- Enabling forgives what was guessed wrong before: somebody has looked at it.
UPDATE access.account SET disabled_at = $3, code_failures = 0 WHERE organization_id = $1 AND id = $2

-- name: live_codes
SELECT count(*) AS count FROM access.code WHERE organization_id = $1 AND account_id = $2 AND expires_at > $3 AND used_at IS NULL

-- name: insert_code
INSERT INTO access.code (organization_id, id, account_id, proof, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: code_for_change
-- Both rows locked: a code serves once, however many try at once, and no try of an account goes uncounted.
SELECT c.id, c.account_id, c.proof, c.tries, c.expires_at, c.used_at, a.subject, a.role, a.display, a.patient_id, a.site_ids, a.disabled_at,
       a.code_failures
FROM access.code c JOIN access.account a ON a.organization_id = c.organization_id AND a.id = c.account_id
WHERE c.organization_id = $1 AND c.id = $2
FOR UPDATE

-- name: use_code
UPDATE access.code SET used_at = $3 WHERE organization_id = $1 AND id = $2

-- name: note_wrong_code
WITH tried AS (UPDATE access.code SET tries = tries + 1 WHERE organization_id = $1 AND id = $2)
UPDATE access.account SET code_failures = least(code_failures + 1, 100) WHERE organization_id = $1 AND id = $3

-- name: forgive_wrong_codes
UPDATE access.account SET code_failures = 0 WHERE organization_id = $1 AND id = $2 AND code_failures > 0

-- name: insert_passkey_challenge
-- A browser that asks again gets another, and the earlier one is of use no more.
INSERT INTO access.passkey_challenge (organization_id, binding_hash, challenge, account_id, expires_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, binding_hash)
DO UPDATE SET challenge = EXCLUDED.challenge, account_id = EXCLUDED.account_id, expires_at = EXCLUDED.expires_at

-- name: take_passkey_challenge
-- Taken out by whoever comes first, in whatever process: of two answers, the second finds nothing.
DELETE FROM access.passkey_challenge WHERE organization_id = $1 AND binding_hash = $2 AND expires_at > $3
RETURNING challenge, account_id

-- name: forget_old_passkey_challenges
DELETE FROM access.passkey_challenge WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM access.passkey_challenge WHERE expires_at < $1 LIMIT $2
))

-- name: account_by_subject_for_change
-- Locked: two passkeys added at once are counted one after the other.
SELECT id, disabled_at FROM access.account WHERE organization_id = $1 AND subject = $2
FOR UPDATE

-- name: credentials_of_account
SELECT credential_id FROM access.passkey WHERE organization_id = $1 AND account_id = $2 ORDER BY id

-- name: insert_passkey
-- Nothing back when somebody has registered this credential already.
INSERT INTO access.passkey (organization_id, id, account_id, credential_id, public_key, sign_count, name, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (organization_id, credential_id) DO NOTHING
RETURNING id

-- name: passkey_for_change
-- Both rows locked: a count is compared with the one before it, and a session is started for an account nobody else is changing.
SELECT p.id, p.account_id, p.public_key, p.sign_count, a.subject, a.role, a.display, a.patient_id, a.site_ids, a.disabled_at, a.code_failures
FROM access.passkey p JOIN access.account a ON a.organization_id = p.organization_id AND a.id = p.account_id
WHERE p.organization_id = $1 AND p.credential_id = $2
FOR UPDATE

-- name: use_passkey
WITH used AS (UPDATE access.passkey SET sign_count = $3, last_used_at = $5 WHERE organization_id = $1 AND id = $2)
UPDATE access.session SET passkey_id = $2 WHERE organization_id = $1 AND id = $4

-- name: passkeys_of_subject
SELECT p.id, p.name, p.created_at, p.last_used_at
FROM access.passkey p JOIN access.account a ON a.organization_id = p.organization_id AND a.id = p.account_id
WHERE p.organization_id = $1 AND a.subject = $2
ORDER BY p.id

-- name: delete_passkey
DELETE FROM access.passkey p USING access.account a
WHERE p.organization_id = $1 AND p.id = $2 AND a.organization_id = p.organization_id AND a.id = p.account_id AND a.subject = $3
RETURNING p.account_id

-- name: passkeys_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a sign-in by one waits for a moment.
SELECT id, name FROM access.passkey WHERE organization_id = $1 AND id > $2 AND substring(name FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_passkeys
UPDATE access.passkey p SET name = r.name FROM unnest($2::uuid[], $3::bytea[]) AS r(id, name)
WHERE p.organization_id = $1 AND p.id = r.id

-- name: delete_passkeys_of_account
WITH asked AS (DELETE FROM access.passkey_challenge WHERE organization_id = $1 AND account_id = $2)
DELETE FROM access.passkey WHERE organization_id = $1 AND account_id = $2

-- name: end_sessions_of_passkey
UPDATE access.session SET ended_at = $3, end_reason = 'ended' WHERE organization_id = $1 AND passkey_id = $2 AND ended_at IS NULL
RETURNING id

-- name: carry_passkey
-- The session that takes the place of another ends with the passkey that began the first.
UPDATE access.session n SET passkey_id = o.passkey_id FROM access.session o
WHERE n.organization_id = $1 AND n.id = $3 AND o.organization_id = $1 AND o.id = $2

-- name: insert_consent
INSERT INTO access.consent
    (organization_id, id, patient_id, proxy_patient_id, relationship, scope, proof, starts_at, ends_at, given_at, given_by, accepted_at,
     code_hash, code_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: accept_consent
-- The code serves once: it goes with the first who types it. Nobody is their own proxy.
UPDATE access.consent SET proxy_patient_id = $3, accepted_at = $4, code_hash = NULL, code_until = NULL
WHERE organization_id = $1 AND code_hash = $2 AND code_until > $4 AND ends_at > $4 AND withdrawn_at IS NULL AND patient_id <> $3
RETURNING id, patient_id, proxy_patient_id, relationship, scope, proof, starts_at, ends_at, given_at, given_by, accepted_at, withdrawn_at

-- name: consent_by_id
SELECT id, patient_id, proxy_patient_id, relationship, scope, proof, starts_at, ends_at, given_at, given_by, accepted_at, withdrawn_at
FROM access.consent WHERE organization_id = $1 AND id = $2

-- name: consents
-- Given by somebody, or to them; what is over is left out.
SELECT id, patient_id, proxy_patient_id, relationship, scope, proof, starts_at, ends_at, given_at, given_by, accepted_at, withdrawn_at
FROM access.consent
WHERE organization_id = $1 AND (patient_id = $2 OR proxy_patient_id = $2) AND withdrawn_at IS NULL AND ends_at > $3
ORDER BY id
LIMIT $4

-- name: find_proxies
-- Accepted ones alone: before, there is nobody who acts. What nobody asked for is NULL.
SELECT id, patient_id, proxy_patient_id, relationship, scope, proof, starts_at, ends_at, given_at, given_by, accepted_at, withdrawn_at
FROM access.consent
WHERE organization_id = $1 AND accepted_at IS NOT NULL AND id > $2
  AND ($3::uuid[] IS NULL OR id = ANY($3)) AND ($4::uuid[] IS NULL OR patient_id = ANY($4))
  AND ($5::uuid[] IS NULL OR proxy_patient_id = ANY($5))
ORDER BY id
LIMIT $6

-- name: withdraw_consent
-- $3 is the patient or the proxy who asks; null for the desk.
UPDATE access.consent SET withdrawn_at = $5, withdrawn_by = $4, code_hash = NULL, code_until = NULL
WHERE organization_id = $1 AND id = $2 AND withdrawn_at IS NULL AND ($3::uuid IS NULL OR patient_id = $3 OR proxy_patient_id = $3)
RETURNING id, patient_id, proxy_patient_id, relationship, scope, proof, starts_at, ends_at, given_at, given_by, accepted_at, withdrawn_at

-- name: withdraw_consents_of
-- Given by somebody, or to them. Sessions that act by them are none from now on.
UPDATE access.consent SET withdrawn_at = $3, withdrawn_by = 'system', code_hash = NULL, code_until = NULL
WHERE organization_id = $1 AND (patient_id = $2 OR proxy_patient_id = $2) AND withdrawn_at IS NULL

-- name: withdraw_consents_between
-- Between a record that was merged ($2) and its survivor: nobody is their own proxy.
UPDATE access.consent SET withdrawn_at = $3, withdrawn_by = 'system', code_hash = NULL, code_until = NULL
WHERE organization_id = $1 AND withdrawn_at IS NULL AND $2 IN (patient_id, proxy_patient_id)
  AND kernel.survivor_of($1, patient_id) = kernel.survivor_of($1, proxy_patient_id)

-- name: take_over_consents
-- Whoever acts for a record that was merged ($2) acts for its survivor, and for whom it acted the survivor acts.
UPDATE access.consent SET patient_id = CASE WHEN patient_id = $2 THEN kernel.survivor_of($1, $2) ELSE patient_id END,
    proxy_patient_id = CASE WHEN proxy_patient_id = $2 THEN kernel.survivor_of($1, $2) ELSE proxy_patient_id END
WHERE organization_id = $1 AND $2 IN (patient_id, proxy_patient_id)
  AND kernel.survivor_of($1, patient_id) IS DISTINCT FROM kernel.survivor_of($1, proxy_patient_id)
RETURNING id

-- name: end_sessions_of_consent
-- And the apps that were let in by it.
WITH shut AS (
    UPDATE access.app_grant SET ended_at = $3, end_reason = 'withdrawn' WHERE organization_id = $1 AND consent_id = $2 AND ended_at IS NULL
)
UPDATE access.session SET ended_at = $3, end_reason = 'withdrawn' WHERE organization_id = $1 AND consent_id = $2 AND ended_at IS NULL

-- name: insert_client
-- Nothing back where another client has the issuer.
WITH client AS (
    INSERT INTO access.client (organization_id, id, scopes, keys, keys_address, created_at, issuer, redirect_uris, launch_uri)
    VALUES ($1, $2, $8, $9, $10, $7, $11, $12, $13)
    ON CONFLICT (issuer) DO NOTHING
    RETURNING id
)
INSERT INTO access.account (organization_id, id, subject, role, display, site_ids, created_at)
SELECT $1, $2, $3, $4, $5, $6, $7 FROM client
RETURNING id

-- name: client_by_id
-- Asked before anybody knows whose client it is.
SELECT c.organization_id, c.id, c.scopes, c.keys, c.keys_address, c.issuer, c.redirect_uris, c.launch_uri, c.created_at, a.subject, a.role, a.display, a.patient_id,
       a.site_ids, a.disabled_at
FROM access.client c JOIN access.account a ON a.organization_id = c.organization_id AND a.id = c.id
WHERE c.id = $1

-- name: client_by_issuer
-- As `client_by_id`: a request that somebody signed says no more than this of who they are.
SELECT c.organization_id, c.id, c.scopes, c.keys, c.keys_address, c.issuer, c.redirect_uris, c.launch_uri, c.created_at, a.subject, a.role, a.display, a.patient_id,
       a.site_ids, a.disabled_at
FROM access.client c JOIN access.account a ON a.organization_id = c.organization_id AND a.id = c.id
WHERE c.issuer = $1

-- name: clients
SELECT c.organization_id, c.id, c.scopes, c.keys, c.keys_address, c.issuer, c.redirect_uris, c.launch_uri, c.created_at, a.subject, a.role, a.display, a.patient_id,
       a.site_ids, a.disabled_at
FROM access.client c JOIN access.account a ON a.organization_id = c.organization_id AND a.id = c.id
WHERE c.organization_id = $1
ORDER BY c.id
LIMIT $2

-- name: startable_apps
-- Those that the staff start: enabled, and with an address at which they begin.
SELECT c.organization_id, c.id, c.scopes, c.keys, c.keys_address, c.issuer, c.redirect_uris, c.launch_uri, c.created_at, a.subject, a.role, a.display, a.patient_id,
       a.site_ids, a.disabled_at
FROM access.client c JOIN access.account a ON a.organization_id = c.organization_id AND a.id = c.id
WHERE c.organization_id = $1 AND c.launch_uri IS NOT NULL AND a.disabled_at IS NULL
ORDER BY a.display, c.id
LIMIT $2

-- name: redirect_uris
-- Of the enabled apps of every tenant: asked before anybody knows whose a request is.
SELECT DISTINCT u.address FROM access.client c
JOIN access.account a ON a.organization_id = c.organization_id AND a.id = c.id AND a.disabled_at IS NULL
CROSS JOIN LATERAL unnest(c.redirect_uris) AS u(address)
LIMIT $1

-- name: change_client_keys
UPDATE access.client SET keys = $3, keys_address = $4 WHERE organization_id = $1 AND id = $2 RETURNING id

-- name: note_assertion
-- Of two who bring one assertion, the second gets nothing back.
INSERT INTO access.assertion (organization_id, client_id, jti_hash, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
RETURNING client_id

-- name: insert_app_grant
INSERT INTO access.app_grant
    (organization_id, id, client_id, account_id, consent_id, patient_id, session_id, scopes, authenticated_at, granted_at, ends_at,
     redirect_uri, challenge, code_hash, code_until, encounter_id, appointment_id, nonce)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: insert_launch
INSERT INTO access.launch (organization_id, launch_hash, client_id, session_id, patient_id, encounter_id, appointment_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: take_launch
-- Taken out by whoever comes first, in the session in which it was started, which goes on. `ends_at` is when that ends whatever happens.
DELETE FROM access.launch l USING access.session s
WHERE l.organization_id = $1 AND l.launch_hash = $2 AND l.client_id = $3 AND l.session_id = $4 AND l.expires_at > $5
  AND s.organization_id = l.organization_id AND s.id = l.session_id AND s.ended_at IS NULL
RETURNING l.patient_id, l.encounter_id, l.appointment_id, s.absolute_until AS ends_at

-- name: carry_app_grants
-- Whoever signs in once more, as a step-up asks, keeps the apps they started in the session that this one takes the place of.
UPDATE access.app_grant g SET session_id = $4
FROM access.session s
WHERE s.organization_id = $1 AND s.token_hash = $2 AND s.account_id = $3
  AND g.organization_id = $1 AND g.account_id = $3 AND g.session_id = s.id AND g.ended_at IS NULL AND 'launch' = ANY(g.scopes)

-- name: end_earlier_app_grants
-- An app that is let in once more to the same record has the newer access alone.
UPDATE access.app_grant SET ended_at = $5, end_reason = 'replaced'
WHERE organization_id = $1 AND client_id = $2 AND account_id = $3 AND patient_id = $4 AND ended_at IS NULL

-- name: app_grant_by_code
-- Locked: of two who bring one code, the second finds it used.
SELECT g.id, g.client_id, g.account_id, g.consent_id, g.patient_id, g.encounter_id, g.appointment_id, g.scopes, g.authenticated_at, g.ends_at,
       g.ended_at, g.redirect_uri, g.challenge, g.nonce, g.code_until AS until, g.code_used_at AS used_at
FROM access.app_grant g WHERE g.organization_id = $1 AND g.code_hash = $2
FOR UPDATE

-- name: app_grant_by_refresh_token
-- Both rows locked: a refresh token serves once. An app without offline access has it while the person is signed in where they let it in.
SELECT g.id, g.client_id, g.account_id, g.consent_id, g.patient_id, g.encounter_id, g.appointment_id, g.scopes, g.authenticated_at, g.ends_at,
       g.ended_at, r.used_at,
       'offline_access' = ANY(g.scopes) OR EXISTS (
           SELECT FROM access.session s
           WHERE s.organization_id = g.organization_id AND s.id = g.session_id AND s.ended_at IS NULL AND s.absolute_until > $3
       ) AS may_refresh
FROM access.refresh_token r JOIN access.app_grant g ON g.organization_id = r.organization_id AND g.id = r.grant_id
WHERE r.organization_id = $1 AND r.token_hash = $2
FOR UPDATE

-- name: signing_id_key
SELECT id, private_key, public_key, signs_until FROM access.id_key
WHERE organization_id = $1 AND signs_until > $2
ORDER BY signs_until DESC, id
LIMIT 1

-- name: insert_id_key
INSERT INTO access.id_key (organization_id, id, private_key, public_key, signs_until) VALUES ($1, $2, $3, $4, $5)

-- name: published_id_keys
-- Of every tenant: asked before anybody knows whose a token is.
SELECT public_key FROM access.id_key ORDER BY signs_until DESC, id LIMIT $1

-- name: id_keys_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, private_key FROM access.id_key WHERE organization_id = $1 AND id > $2 AND substring(private_key FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_id_keys
UPDATE access.id_key k SET private_key = r.private_key FROM unnest($2::uuid[], $3::bytea[]) AS r(id, private_key)
WHERE k.organization_id = $1 AND k.id = r.id

-- name: forget_old_id_keys
-- A day after a key has signed for the last time, which is longer than any token of it lasts.
DELETE FROM access.id_key WHERE ctid = ANY(ARRAY(SELECT ctid FROM access.id_key WHERE signs_until < $1 LIMIT $2))

-- name: practitioner_of_account
SELECT practitioner_id FROM access.account WHERE organization_id = $1 AND id = $2

-- name: set_practitioner_of_account
UPDATE access.account SET practitioner_id = $3 WHERE organization_id = $1 AND id = $2 AND practitioner_id IS DISTINCT FROM $3

-- name: client_of_app_grant
SELECT client_id FROM access.app_grant WHERE organization_id = $1 AND id = $2

-- name: use_app_code
UPDATE access.app_grant SET code_used_at = $3, last_used_at = $3 WHERE organization_id = $1 AND id = $2

-- name: use_refresh_token
WITH used AS (UPDATE access.refresh_token SET used_at = $4 WHERE organization_id = $1 AND token_hash = $3)
UPDATE access.app_grant SET last_used_at = $4 WHERE organization_id = $1 AND id = $2

-- name: insert_refresh_token
INSERT INTO access.refresh_token (organization_id, token_hash, grant_id, issued_at) VALUES ($1, $2, $3, $4)

-- name: app_grants
-- Those that somebody gave, or that open their record whoever gave them, the latest first. What the staff start is theirs alone.
SELECT g.id, c.display AS name, g.scopes, g.patient_id = $3 AS own, g.granted_at, g.last_used_at, g.ends_at
FROM access.app_grant g JOIN access.account c ON c.organization_id = g.organization_id AND c.id = g.client_id
WHERE g.organization_id = $1 AND (g.account_id = $2 OR (g.patient_id = $3 AND NOT 'launch' = ANY(g.scopes))) AND g.ended_at IS NULL AND g.ends_at > $4
  AND g.code_used_at IS NOT NULL
ORDER BY g.granted_at DESC, g.id
LIMIT $5

-- name: app_grants_of_patient
-- By whom anybody let an app in to a record, those that ended too as long as they are kept. What the staff start is in the journal.
SELECT g.id, c.display AS name, g.patient_id, g.consent_id, g.scopes, g.granted_at, least(g.ended_at, g.ends_at) AS until,
       g.ended_at IS NULL AND g.ends_at > $3 AS active
FROM access.app_grant g JOIN access.account c ON c.organization_id = g.organization_id AND c.id = g.client_id
WHERE g.organization_id = $1 AND g.patient_id = $2 AND g.code_used_at IS NOT NULL AND NOT 'launch' = ANY(g.scopes) AND g.id > $4
ORDER BY g.id
LIMIT $5

-- name: end_app_grant
-- $3 and $4 are who asks and their record; null for us. Its access tokens are good for nothing from now on.
WITH ended AS (
    UPDATE access.app_grant SET ended_at = $5, end_reason = $6
    WHERE organization_id = $1 AND id = $2 AND ended_at IS NULL AND ($3::uuid IS NULL OR account_id = $3 OR (patient_id = $4 AND NOT 'launch' = ANY(scopes)))
    RETURNING organization_id, id, patient_id
), shut AS (
    UPDATE access.session s SET ended_at = $5, end_reason = 'ended' FROM ended e
    WHERE s.organization_id = e.organization_id AND s.grant_id = e.id AND s.ended_at IS NULL
)
SELECT patient_id FROM ended

-- name: delete_app_grants_of_patient
WITH launches AS (DELETE FROM access.launch WHERE organization_id = $1 AND patient_id = $2)
DELETE FROM access.app_grant WHERE organization_id = $1 AND (patient_id = $2 OR account_id = $3)

-- name: forget_old_app_grants
DELETE FROM access.app_grant WHERE ctid = ANY(ARRAY(SELECT ctid FROM access.app_grant WHERE ends_at < $1 OR ended_at < $1 LIMIT $2))

-- name: forget_old_refresh_tokens
DELETE FROM access.refresh_token WHERE ctid = ANY(ARRAY(SELECT ctid FROM access.refresh_token WHERE used_at < $1 LIMIT $2))

-- name: forget_old_launches
DELETE FROM access.launch WHERE ctid = ANY(ARRAY(SELECT ctid FROM access.launch WHERE expires_at < $1 LIMIT $2))

-- name: forget_old_assertions
DELETE FROM access.assertion WHERE ctid = ANY(ARRAY(SELECT ctid FROM access.assertion WHERE expires_at < $1 LIMIT $2))

-- name: forget_old_codes
DELETE FROM access.code WHERE ctid = ANY(ARRAY(SELECT ctid FROM access.code WHERE expires_at < $1 LIMIT $2))

-- name: forget_old_sign_ins
DELETE FROM access.sign_in WHERE ctid = ANY(ARRAY(SELECT ctid FROM access.sign_in WHERE expires_at < $1 LIMIT $2))

-- name: forget_old_sessions
-- What ended long ago, unless the glass was broken in it.
DELETE FROM access.session WHERE ctid = ANY(ARRAY(
    SELECT s.ctid FROM access.session s
    WHERE s.absolute_until < $1
      AND NOT EXISTS (SELECT FROM access.break_glass g WHERE g.organization_id = s.organization_id AND g.session_id = s.id)
    LIMIT $2
))

-- name: insert_sign_in
INSERT INTO access.sign_in (organization_id, state_hash, binding_hash, nonce, verifier, next, again, started_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: take_sign_in
-- Taken out by whoever comes first: of two answers with one state, the second finds nothing.
DELETE FROM access.sign_in WHERE organization_id = $1 AND state_hash = $2 AND expires_at > $3
RETURNING binding_hash, nonce, verifier, next, again, started_at

-- name: insert_break_glass
INSERT INTO access.break_glass (organization_id, id, account_id, session_id, role, purpose, reason, started_at, until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: end_break_glass
-- A moment later at least, since it must end after it began.
UPDATE access.break_glass SET until = greatest($3, started_at + interval '1 microsecond')
WHERE organization_id = $1 AND session_id = $2 AND until > $3
RETURNING id

-- name: active_break_glass
SELECT g.id, a.subject, g.role, g.purpose, g.reason, g.started_at, g.until, g.closed_at, g.closed_by, g.finding
FROM access.break_glass g JOIN access.account a ON a.organization_id = g.organization_id AND a.id = g.account_id
WHERE g.organization_id = $1 AND g.session_id = $2 AND g.until > $3
ORDER BY g.until DESC
LIMIT 1

-- name: break_glass_reviews
SELECT g.id, a.subject, g.role, g.purpose, g.reason, g.started_at, g.until, g.closed_at, g.closed_by, g.finding
FROM access.break_glass g JOIN access.account a ON a.organization_id = g.organization_id AND a.id = g.account_id
WHERE g.organization_id = $1 AND ($2 OR g.closed_at IS NULL)
ORDER BY g.started_at, g.id
LIMIT $3

-- name: break_glass_for_change
SELECT g.id, a.subject, g.role, g.purpose, g.reason, g.started_at, g.until, g.closed_at, g.closed_by, g.finding
FROM access.break_glass g JOIN access.account a ON a.organization_id = g.organization_id AND a.id = g.account_id
WHERE g.organization_id = $1 AND g.id = $2
FOR UPDATE OF g

-- name: close_break_glass
UPDATE access.break_glass SET closed_at = $3, closed_by = $4, outcome = $5, finding = $6 WHERE organization_id = $1 AND id = $2

-- name: dispose_break_glass
-- Reviews that were closed long enough ago. Whose records were read is not known here, so a hold on anybody keeps them all.
DELETE FROM access.break_glass WHERE organization_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM access.break_glass WHERE organization_id = $1 AND closed_at < $2 AND NOT kernel.is_anything_held($1) LIMIT $3
))
RETURNING id

-- name: break_glass_to_reseal
-- $3 begins everything that the newest key sealed. Locked, so that a review that is being closed waits for a moment; readers do not.
SELECT id, reason, finding FROM access.break_glass
WHERE organization_id = $1 AND id > $2 AND (substring(reason FOR 3) <> $3 OR substring(finding FOR 3) <> $3)
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_break_glass
UPDATE access.break_glass g SET reason = r.reason, finding = r.finding
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r(id, reason, finding)
WHERE g.organization_id = $1 AND g.id = r.id

-- name: insert_station
WITH account AS (
    INSERT INTO access.account (organization_id, id, subject, role, display, site_ids, created_at)
    VALUES ($1, $2, $3, $4, $5, ARRAY[$6::uuid], $9)
)
INSERT INTO access.station (organization_id, id, kind, site_id, languages, queue_ids, created_at, code_hash, code_until)
VALUES ($1, $2, $4, $6, $7, $8, $9, $10, $11)

-- name: stations
-- Of these sites, or of all; one alone, where it is named. Those that were retired come last.
SELECT s.id, s.kind, a.display AS name, s.site_id, s.languages, s.queue_ids, s.created_at, s.enrolled_at, s.code_until,
       a.disabled_at IS NOT NULL AS retired,
       (SELECT max(l.last_used_at) FROM access.session l
        WHERE l.organization_id = s.organization_id AND l.account_id = s.id AND l.ended_at IS NULL AND l.absolute_until > $4) AS last_seen_at
FROM access.station s JOIN access.account a ON a.organization_id = s.organization_id AND a.id = s.id
WHERE s.organization_id = $1 AND ($2::uuid[] IS NULL OR s.site_id = ANY($2)) AND ($3::uuid IS NULL OR s.id = $3)
ORDER BY a.disabled_at IS NOT NULL, a.display, s.id
LIMIT $5

-- name: set_station_code
UPDATE access.station SET code_hash = $3, code_until = $4 WHERE organization_id = $1 AND id = $2

-- name: station_by_code
-- Asked before anybody knows whose station it is.
SELECT organization_id, id FROM access.station WHERE code_hash = $1 AND code_until > $2

-- name: use_station_code
-- Of two that type one code, the second finds it gone.
UPDATE access.station s SET code_hash = NULL, code_until = NULL, enrolled_at = $4
FROM access.account a
WHERE s.organization_id = $1 AND s.id = $2 AND s.code_hash = $3 AND s.code_until > $4
  AND a.organization_id = s.organization_id AND a.id = s.id AND a.disabled_at IS NULL
RETURNING a.id, a.subject, a.role, a.display, a.patient_id, a.site_ids
