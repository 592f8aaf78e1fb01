-- Who waits elsewhere: since when they were asked, how far they are, when they were told to come, when they are back by what they said, and how
-- often that was put off; when a message last failed to reach them.
ALTER TABLE flow.queue_entry
    ADD COLUMN offered_at timestamptz,
    ADD COLUMN travel_minutes smallint CHECK (travel_minutes BETWEEN 1 AND 60),
    ADD COLUMN come_at timestamptz,
    ADD COLUMN due_at timestamptz,
    ADD COLUMN more_times smallint NOT NULL DEFAULT 0 CHECK (more_times BETWEEN 0 AND 2),
    ADD COLUMN unreached_at timestamptz,
    ADD CONSTRAINT queue_entry_elsewhere CHECK (due_at IS NULL OR (travel_minutes IS NOT NULL AND come_at IS NOT NULL)),
    ADD CONSTRAINT queue_entry_is_elsewhere CHECK (travel_minutes IS NULL OR status IN ('waiting', 'called', 'skipped'));
CREATE INDEX queue_entry_elsewhere_of ON flow.queue_entry (organization_id, queue_id)
    WHERE status = 'waiting' AND travel_minutes IS NOT NULL AND come_at IS NULL;
