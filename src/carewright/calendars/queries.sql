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

-- name: take_over
-- What was made for a record that was merged ($2) shows its survivor's appointments, and what its account made is the survivor's.
UPDATE calendars.feed SET patient_id = CASE WHEN patient_id = $2 THEN kernel.survivor_of($1, $2) ELSE patient_id END,
    made_by = CASE WHEN made_by = 'patient/' || $2::uuid THEN 'patient/' || kernel.survivor_of($1, $2) ELSE made_by END, changes = changes + 1
WHERE organization_id = $1 AND (patient_id = $2 OR made_by = 'patient/' || $2::uuid) AND kernel.survivor_of($1, $2) <> $2
RETURNING id

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

-- name: insert_source
INSERT INTO calendars.source (organization_id, id, schedule_id, time_zone, site_ids, address, due_at, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: sources
SELECT id, schedule_id, time_zone, site_ids, address, read_at, error FROM calendars.source WHERE organization_id = $1 ORDER BY id

-- name: source_by_id
SELECT id, schedule_id, time_zone, site_ids, address, read_at, error FROM calendars.source WHERE organization_id = $1 AND id = $2

-- name: claim_source
-- Across tenants. $2 is when it is due next, whatever comes of this turn: a process that dies leaves it to others then.
UPDATE calendars.source SET due_at = $2
WHERE (organization_id, id) = (
    SELECT organization_id, id FROM calendars.source WHERE due_at <= $1 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING organization_id, id

-- name: note_read
UPDATE calendars.source SET read_at = $3, error = $4 WHERE organization_id = $1 AND id = $2

-- name: delete_source
DELETE FROM calendars.source WHERE organization_id = $1 AND id = $2

-- name: blocked_by
SELECT id, starts_at, ends_at, block_id FROM calendars.blocked WHERE organization_id = $1 AND source_id = $2 ORDER BY starts_at, ends_at

-- name: plan_blocked
-- Before scheduling is asked: whoever goes on after a crash finds what may have been made. Somebody else's row for the same time stands.
INSERT INTO calendars.blocked (organization_id, id, source_id, starts_at, ends_at)
SELECT $1, r.id, $2, r.starts_at, r.ends_at FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS r(id, starts_at, ends_at)
ON CONFLICT DO NOTHING

-- name: note_blocked
UPDATE calendars.blocked SET block_id = $3 WHERE organization_id = $1 AND id = $2

-- name: delete_blocked
DELETE FROM calendars.blocked WHERE organization_id = $1 AND id = $2

-- name: sources_to_reseal
-- $3 begins everything that the newest key sealed.
SELECT id, address FROM calendars.source
WHERE organization_id = $1 AND id > $2 AND substring(address FOR 3) <> $3
ORDER BY id LIMIT $4
FOR UPDATE

-- name: reseal_sources
UPDATE calendars.source s SET address = r.address FROM unnest($2::uuid[], $3::bytea[]) AS r(id, address)
WHERE s.organization_id = $1 AND s.id = r.id
