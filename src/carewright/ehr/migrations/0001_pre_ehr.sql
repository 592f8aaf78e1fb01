-- An EHR that is asked. `key` is our private key there, sealed; `public_key` is what the EHR knows us by. `asking_until` is whoever asks it now.
CREATE TABLE ehr.connection (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    name            text        NOT NULL CHECK (name ~ '^[a-z0-9-]{1,40}$'),
    profile         text        NOT NULL CHECK (profile IN ('epic', 'oracle')),
    base            text        NOT NULL CHECK (length(base) BETWEEN 8 AND 500),
    client_id       text        NOT NULL CHECK (length(client_id) BETWEEN 1 AND 200),
    patient_system  text        NOT NULL CHECK (length(patient_system) <= 200),
    masters         jsonb       NOT NULL,
    codes           jsonb       NOT NULL DEFAULT '{}',
    key             bytea       NOT NULL,
    public_key      jsonb       NOT NULL,
    made_at         timestamptz NOT NULL,
    pulled_at       timestamptz,
    asking_until    timestamptz,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT connection_name UNIQUE (organization_id, name)
);

-- What of theirs is what of ours. `mark` is a keyed hash of their id, `theirs` the id itself, sealed. `ours` is NULL while theirs is being
-- booked here. `asked_at` is when its appointments were last asked for: a pull goes on where the last one ended. `ours_changed_at` is when
-- ours last changed, as far as we were told.
CREATE TABLE ehr.link (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    connection_id   uuid        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('Practitioner', 'Location', 'Patient', 'Appointment')),
    mark            bytea       NOT NULL CHECK (length(mark) = 32),
    theirs          bytea       NOT NULL,
    ours            uuid,
    patient_id      uuid,
    start_at        timestamptz,
    asked_at        timestamptz,
    ours_changed_at timestamptz,
    made_at         timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT link_of_theirs UNIQUE (organization_id, connection_id, kind, mark),
    CONSTRAINT link_of_ours UNIQUE (organization_id, connection_id, kind, ours),
    CONSTRAINT link_taking CHECK (ours IS NOT NULL OR kind = 'Appointment')
);
CREATE INDEX link_asked ON ehr.link (organization_id, connection_id, kind, asked_at NULLS FIRST);
CREATE INDEX link_by_ours ON ehr.link (organization_id, kind, ours);
CREATE INDEX link_of_patient ON ehr.link (organization_id, patient_id) WHERE patient_id IS NOT NULL;

-- Where the two do not say the same: elements by name, never what they say.
CREATE TABLE ehr.difference (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    connection_id   uuid        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('Practitioner', 'Location', 'Patient', 'Appointment')),
    mark            bytea       NOT NULL CHECK (length(mark) = 32),
    reason          text        NOT NULL CHECK (length(reason) BETWEEN 1 AND 100),
    ours            uuid,
    patient_id      uuid,
    elements        text[]      NOT NULL,
    found_at        timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT difference_of_theirs UNIQUE (organization_id, connection_id, kind, mark)
);
CREATE INDEX difference_of_patient ON ehr.difference (organization_id, patient_id) WHERE patient_id IS NOT NULL;
