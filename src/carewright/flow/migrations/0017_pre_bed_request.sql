-- Who waits for a bed: what is asked for on a visit, until the patient is in a bed, the visit is over, or it is not needed any more. Whose it
-- is, the encounter says. `needed` is sealed for its row: precautions tell of an illness.
CREATE TABLE flow.bed_request (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    encounter_id    uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    urgency         text        NOT NULL CHECK (urgency IN ('emergency', 'urgent', 'planned')),
    room_type       text,
    devices         text[]      NOT NULL,
    needed          bytea       NOT NULL,
    asked_at        timestamptz NOT NULL,
    asked_by        text        NOT NULL,
    ended_at        timestamptz,
    ended           text        CHECK (ended IN ('admitted', 'visit-over', 'not-needed', 'elsewhere', 'mistake')),
    version         int         NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, encounter_id) REFERENCES flow.encounter ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (ended IS NULL))
);
-- A visit waits for one bed.
CREATE UNIQUE INDEX bed_request_open ON flow.bed_request (organization_id, encounter_id) WHERE ended_at IS NULL;
CREATE INDEX bed_request_of ON flow.bed_request (organization_id, encounter_id);
CREATE INDEX bed_request_at ON flow.bed_request (organization_id, site_id, asked_at, id) WHERE ended_at IS NULL;
CREATE INDEX bed_request_past ON flow.bed_request (ended_at) WHERE ended_at IS NOT NULL;
