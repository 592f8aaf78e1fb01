-- What was observed. `detail` is sealed for its row: what was looked at, what it was, and under which numbers. `content_hash` is a keyed hash
-- of all that is said, since what is sealed twice is never the same.
CREATE TABLE vitals.observation (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    encounter_id    uuid,
    status          text        NOT NULL CHECK (status IN
        ('registered', 'preliminary', 'final', 'amended', 'corrected', 'cancelled', 'entered-in-error', 'unknown')),
    effective_from  timestamptz,
    effective_until timestamptz,
    issued_at       timestamptz,
    detail          bytea       NOT NULL,
    content_hash    bytea       NOT NULL CHECK (length(content_hash) = 32),
    version         int         NOT NULL CHECK (version >= 1),
    recorded_at     timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT observation_period CHECK (effective_until IS NULL OR effective_from <= effective_until)
);
CREATE INDEX observation_of_patient ON vitals.observation (organization_id, patient_id, effective_from);
CREATE INDEX observation_of_encounter ON vitals.observation (organization_id, encounter_id) WHERE encounter_id IS NOT NULL;

-- Which observation carries a foreign identifier: `mark` is a keyed hash of system and value at full length.
CREATE TABLE vitals.identifier (
    organization_id uuid  NOT NULL,
    mark            bytea NOT NULL CHECK (length(mark) = 32),
    observation_id  uuid  NOT NULL,
    PRIMARY KEY (organization_id, mark),
    FOREIGN KEY (organization_id, observation_id) REFERENCES vitals.observation ON DELETE CASCADE
);
CREATE INDEX identifier_of ON vitals.identifier (organization_id, observation_id);

-- Of whom there are observations, or were: changes about one patient go one after another by this row's lock. Of who was erased it is all
-- that is left, and what comes late about them is not kept.
CREATE TABLE vitals.patient (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    erased_at       timestamptz,
    PRIMARY KEY (organization_id, id)
);
