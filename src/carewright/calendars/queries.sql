-- name: lock_patient
-- The update changes nothing and takes the lock: an erasure that comes meanwhile waits until what it must find is there.
INSERT INTO calendars.patient AS known (organization_id, id) VALUES ($1, $2)
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = known.erased_at
RETURNING erased_at

-- name: note_erased
INSERT INTO calendars.patient AS known (organization_id, id, erased_at) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, id) DO UPDATE SET erased_at = coalesce(known.erased_at, EXCLUDED.erased_at)

-- name: erase_feeds
DELETE FROM calendars.feed WHERE organization_id = $1 AND patient_id = $2 RETURNING id

-- name: insert_feed
-- Nothing back where the maker has $9 already.
INSERT INTO calendars.feed (organization_id, id, token_hash, patient_id, schedule_id, made_by, site_ids, made_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE (SELECT count(*) FROM calendars.feed WHERE organization_id = $1 AND made_by = $6) < $9
RETURNING id, schedule_id, made_at, fetched_on

-- name: feeds_of_maker
SELECT id, schedule_id, made_at, fetched_on FROM calendars.feed WHERE organization_id = $1 AND made_by = $2
ORDER BY id

-- name: delete_feed
DELETE FROM calendars.feed WHERE organization_id = $1 AND id = $2 AND made_by = $3
RETURNING id, schedule_id, made_at, fetched_on

-- name: feed_by_token
-- Across tenants: whoever reads a feed is not signed in, and the row says whose tenant it is of.
SELECT organization_id, id, patient_id, schedule_id, made_by, site_ids, fetched_on, changes, written_changes, written_on, content
FROM calendars.feed WHERE token_hash = $1

-- name: note_changes
-- Only ever counted up, so that whoever is writing a feed just now has written it too early, and it is written again.
UPDATE calendars.feed SET changes = changes + 1
WHERE organization_id = $1 AND (patient_id = $2 OR schedule_id = ANY($3::uuid[]))

-- name: note_account_changes
-- An event of an account names its id, and a feed its subject: those of all staff look at their account again, of everybody where $2.
UPDATE calendars.feed SET changes = changes + 1 WHERE organization_id = $1 AND (schedule_id IS NOT NULL OR $2)

-- name: write_feed
-- Whoever read the appointments later has the last word.
UPDATE calendars.feed SET content = $3, written_changes = $4, written_on = $5
WHERE organization_id = $1 AND id = $2 AND (written_changes IS NULL OR (written_on, written_changes) <= ($5, $4))

-- name: note_fetched
-- A row back for the first fetch of a day alone.
UPDATE calendars.feed SET fetched_on = $3 WHERE organization_id = $1 AND id = $2 AND fetched_on IS DISTINCT FROM $3
RETURNING id

-- name: feeds_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, content FROM calendars.feed
WHERE organization_id = $1 AND id > $2 AND substring(content FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_feeds
UPDATE calendars.feed f SET content = r.content FROM unnest($2::uuid[], $3::bytea[]) AS r(id, content)
WHERE f.organization_id = $1 AND f.id = r.id
