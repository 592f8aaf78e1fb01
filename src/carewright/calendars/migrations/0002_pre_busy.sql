-- Calendars of others whose busy times close one of ours. `address` (sealed for its row) is where it is fetched, NULL where files are brought;
-- `due_at` is when to look there next. `site_ids` is where whoever added it may work, none for everywhere. `error` is the code that ended the last read.
CREATE TABLE calendars.source (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    schedule_id     uuid        NOT NULL,
    time_zone       text        NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 100),
    site_ids        uuid[]      NOT NULL,
    address         bytea,
    due_at          timestamptz,
    made_at         timestamptz NOT NULL,
    read_at         timestamptz,
    error           text        CHECK (length(error) BETWEEN 1 AND 100),
    PRIMARY KEY (organization_id, id),
    CONSTRAINT source_due CHECK ((due_at IS NULL) = (address IS NULL))
);
CREATE INDEX source_due_at ON calendars.source (due_at) WHERE due_at IS NOT NULL;

-- What a source closes. `block_id` is scheduling's block; NULL until it is known to be made, and asked for again under the row's id as its key.
CREATE TABLE calendars.blocked (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    source_id       uuid        NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    block_id        uuid,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT blocked_once UNIQUE (organization_id, source_id, starts_at, ends_at),
    CONSTRAINT blocked_time CHECK (starts_at < ends_at),
    FOREIGN KEY (organization_id, source_id) REFERENCES calendars.source ON DELETE CASCADE
);
