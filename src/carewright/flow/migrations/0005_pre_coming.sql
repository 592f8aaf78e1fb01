-- Flow's own copy of appointments: when, with whom, and what became of them; not whose they are. `version` makes late and repeated events
-- harmless. Where it is stale, estimates and calls reckon for a moment without a booking that was just made.
CREATE TABLE flow.coming (
    organization_id  uuid        NOT NULL,
    appointment_id   uuid        NOT NULL,
    site_id          uuid        NOT NULL,
    visit_type_id    uuid        NOT NULL,
    practitioner_ids uuid[]      NOT NULL,
    level            smallint    NOT NULL CHECK (level BETWEEN 1 AND 5),
    status           text        NOT NULL,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    version          int         NOT NULL,
    PRIMARY KEY (organization_id, appointment_id)
);
CREATE INDEX coming_at ON flow.coming (organization_id, starts_at);
CREATE INDEX coming_past ON flow.coming (ends_at);
