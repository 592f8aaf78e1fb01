-- What somebody who waits was told first, before any correction: held against when they were called, estimates learn from it.
CREATE TABLE flow.wait_told (
    organization_id uuid        NOT NULL,
    entry_id        uuid        NOT NULL,
    queue_id        uuid        NOT NULL,
    told_at         timestamptz NOT NULL,
    low             real        NOT NULL,
    median          real        NOT NULL,
    high            real        NOT NULL,
    PRIMARY KEY (organization_id, entry_id),
    FOREIGN KEY (organization_id, entry_id) REFERENCES flow.queue_entry ON DELETE CASCADE
);
CREATE INDEX wait_told_in ON flow.wait_told (organization_id, queue_id, told_at);
-- How long those who were seen last were served.
CREATE INDEX queue_entry_served ON flow.queue_entry (organization_id, queue_id, ended_at) WHERE status = 'completed' AND started_at IS NOT NULL;
-- Who came when, to tell how many come still.
CREATE INDEX queue_entry_came ON flow.queue_entry (organization_id, queue_id, arrived_at);
