-- Time that a turn in a queue takes. Its claims carry the turn's id where those of an appointment carry the appointment's. What is not `kept`
-- was taken for a call that is still to come.
CREATE TABLE scheduling.in_use (
    organization_id uuid        NOT NULL,
    entry_id        uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    practitioner_id uuid        NOT NULL,
    location_id     uuid,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    taken_at        timestamptz NOT NULL,
    kept            boolean     NOT NULL,
    PRIMARY KEY (organization_id, entry_id)
);
CREATE INDEX in_use_ending ON scheduling.in_use (ends_at);
