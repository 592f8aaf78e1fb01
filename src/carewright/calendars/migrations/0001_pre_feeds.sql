-- Feeds: of one patient's appointments, or of one calendar. `token_hash` is SHA-256 of the address. `changes` counts what happened to what it
-- shows, `content` (sealed for its row) is how it was written after `written_changes` of them.
CREATE TABLE calendars.feed (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    token_hash      bytea       NOT NULL CHECK (length(token_hash) = 32),
    patient_id      uuid,
    schedule_id     uuid,
    made_by         text        NOT NULL CHECK (length(made_by) BETWEEN 1 AND 200),
    site_ids        uuid[]      NOT NULL,
    made_at         timestamptz NOT NULL,
    fetched_on      date,
    changes         bigint      NOT NULL DEFAULT 0,
    written_changes bigint      CHECK (written_changes <= changes),
    written_on      date,
    content         bytea,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT feed_of_one CHECK (num_nonnulls(patient_id, schedule_id) = 1),
    CONSTRAINT feed_written CHECK (num_nonnulls(written_changes, written_on, content) IN (0, 3))
);
CREATE UNIQUE INDEX feed_by_token ON calendars.feed (token_hash);
CREATE INDEX feed_of_patient ON calendars.feed (organization_id, patient_id) WHERE patient_id IS NOT NULL;
CREATE INDEX feed_of_schedule ON calendars.feed (organization_id, schedule_id) WHERE schedule_id IS NOT NULL;
CREATE INDEX feed_of_maker ON calendars.feed (organization_id, made_by);

-- Whose feeds there are, or were: what is made for one patient goes one after another by this row's lock. Of who was erased it is all that is left.
CREATE TABLE calendars.patient (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    erased_at       timestamptz,
    PRIMARY KEY (organization_id, id)
);
