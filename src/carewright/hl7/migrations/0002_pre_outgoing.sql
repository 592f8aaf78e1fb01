-- Whom we tell what becomes of appointments. `address` is mllp://HOST:PORT, mllps://HOST:PORT or https://…; `client_id` the registered client
-- that the same system is when it sends to us: it is not told of what it did itself, and of its own appointments by its own ids.
CREATE TABLE hl7.partner (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    name            text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    address         text        NOT NULL CHECK (length(address) BETWEEN 1 AND 2048),
    client_id       uuid,
    version         text        NOT NULL CHECK (version IN ('2.3.1', '2.4', '2.5', '2.5.1')),
    charset         text        NOT NULL CHECK (length(charset) BETWEEN 1 AND 30),
    header          text[]      NOT NULL CHECK (cardinality(header) = 4),
    made_at         timestamptz NOT NULL,
    stopped_at      timestamptz,
    PRIMARY KEY (organization_id, id)
);

-- What one of ours is called at a partner: an id of the directory, or a code of ours, and the partner's code.
CREATE TABLE hl7.partner_code (
    organization_id uuid        NOT NULL,
    partner_id      uuid        NOT NULL,
    name            text        NOT NULL CHECK (name IN ('visit-type', 'site', 'practitioner', 'calendar', 'cancellation-reason', 'authority')),
    ours            text        NOT NULL CHECK (length(ours) BETWEEN 1 AND 200),
    theirs          text        NOT NULL CHECK (length(theirs) BETWEEN 1 AND 200),
    PRIMARY KEY (organization_id, partner_id, name, ours),
    FOREIGN KEY (organization_id, partner_id) REFERENCES hl7.partner (organization_id, id)
);

-- What a partner is to be told: one row for a version of an appointment. `fact` is what became of it, without anything of the patient but the
-- id; `content` the message, sealed for its row, made when it is sent first and the same from then on; `note` what the partner answered;
-- `ends_at` when the appointment ends: until then we must know that the partner was told of it.
CREATE TABLE hl7.outgoing (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    partner_id      uuid        NOT NULL,
    appointment_id  uuid        NOT NULL,
    version         integer     NOT NULL CHECK (version > 0),
    patient_id      uuid        NOT NULL,
    event           text        NOT NULL CHECK (event ~ '^S[0-9]{2}$'),
    fact            jsonb       NOT NULL,
    status          text        NOT NULL CHECK (status IN ('due', 'accepted', 'waiting', 'dropped')),
    refusals        integer     NOT NULL DEFAULT 0,
    reason          text        CHECK (length(reason) BETWEEN 1 AND 100),
    content         bytea,
    note            bytea,
    made_at         timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, partner_id, appointment_id, version),
    FOREIGN KEY (organization_id, partner_id) REFERENCES hl7.partner (organization_id, id),
    CONSTRAINT outgoing_waits_with_reason CHECK (status <> 'waiting' OR reason IS NOT NULL)
);
CREATE INDEX outgoing_open ON hl7.outgoing (organization_id, partner_id, id) WHERE status IN ('due', 'waiting');
CREATE INDEX outgoing_of_patient ON hl7.outgoing (organization_id, patient_id);

-- A sender's own id as it wrote it, sealed for its row, so that it hears of its appointment by it. What was linked before has none.
ALTER TABLE hl7.link ADD COLUMN id uuid, ADD COLUMN client_id uuid, ADD COLUMN said bytea;
