-- Stays and visits. `detail` is sealed for its row: class, kind, identifiers, who takes part and where; NULL once the patient was erased.
-- `content` is a keyed hash of all that is said, since what is sealed twice is never the same.
CREATE TABLE flow.encounter (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN
        ('planned', 'arrived', 'triaged', 'in-progress', 'onleave', 'finished', 'cancelled', 'entered-in-error', 'unknown')),
    appointment_id  uuid,
    site_id         uuid,
    starts_at       timestamptz,
    ends_at         timestamptz,
    detail          bytea,
    content         bytea       NOT NULL CHECK (length(content) = 32),
    version         int         NOT NULL CHECK (version >= 1),
    recorded_at     timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT encounter_period CHECK (ends_at IS NULL OR starts_at <= ends_at)
);
CREATE INDEX encounter_of_patient ON flow.encounter (organization_id, patient_id);
CREATE INDEX encounter_by_start ON flow.encounter (organization_id, starts_at, ends_at);
CREATE INDEX encounter_of_appointment ON flow.encounter (organization_id, appointment_id) WHERE appointment_id IS NOT NULL;

-- Which encounter carries a foreign identifier: `mark` is a keyed hash of system and value at full length.
CREATE TABLE flow.identifier (
    organization_id uuid  NOT NULL,
    mark            bytea NOT NULL CHECK (length(mark) = 32),
    encounter_id    uuid  NOT NULL,
    PRIMARY KEY (organization_id, mark),
    FOREIGN KEY (organization_id, encounter_id) REFERENCES flow.encounter ON DELETE CASCADE
);
CREATE INDEX identifier_of ON flow.identifier (organization_id, encounter_id);

-- Who takes part and where it is: practitioners and places, by which encounters are found.
CREATE TABLE flow.taking_part (
    organization_id uuid NOT NULL,
    actor_id        uuid NOT NULL,
    encounter_id    uuid NOT NULL,
    PRIMARY KEY (organization_id, actor_id, encounter_id),
    FOREIGN KEY (organization_id, encounter_id) REFERENCES flow.encounter ON DELETE CASCADE
);
CREATE INDEX taking_part_of ON flow.taking_part (organization_id, encounter_id);
