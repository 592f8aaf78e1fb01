-- What was received. `content` is the message, sealed for its row, and NULL once it was forgotten; `note` says which code did not fit, sealed
-- as well. `mark` is a keyed hash of sender, control id and content: the same message again finds its answer. `subject` is one of the
-- appointment or patient it is about, by which messages keep their order.
CREATE TABLE hl7.message (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    client_id       uuid        NOT NULL,
    mark            bytea       NOT NULL CHECK (length(mark) = 32),
    subject         bytea       CHECK (length(subject) = 32),
    kind            text        NOT NULL CHECK (kind ~ '^[A-Z]{0,3}\^[A-Z0-9]{0,3}$'),
    status          text        NOT NULL CHECK (status IN ('applied', 'waiting', 'refused', 'settled')),
    reason          text        CHECK (length(reason) BETWEEN 1 AND 100),
    content         bytea,
    note            bytea,
    patient_id      uuid,
    received_at     timestamptz NOT NULL,
    decided_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT message_reason CHECK ((status = 'applied') = (reason IS NULL)),
    CONSTRAINT message_waits_whole CHECK (status <> 'waiting' OR content IS NOT NULL)
);
CREATE UNIQUE INDEX message_by_mark ON hl7.message (organization_id, mark);
CREATE INDEX message_waiting ON hl7.message (organization_id, subject, id) WHERE status = 'waiting';
CREATE INDEX message_of_patient ON hl7.message (organization_id, patient_id) WHERE patient_id IS NOT NULL;

-- What a sender's own id stands for here. `mark` is a keyed hash of the client and its id.
CREATE TABLE hl7.link (
    organization_id uuid        NOT NULL,
    mark            bytea       NOT NULL CHECK (length(mark) = 32),
    kind            text        NOT NULL CHECK (kind IN ('appointment', 'block')),
    target_id       uuid        NOT NULL,
    made_at         timestamptz NOT NULL,
    PRIMARY KEY (organization_id, mark)
);
CREATE INDEX link_by_target ON hl7.link (organization_id, target_id);

-- Codes of others, and what they become: an id of the directory, or a code of ours.
CREATE TABLE hl7.mapping (
    organization_id uuid        NOT NULL,
    name            text        NOT NULL CHECK (name IN
        ('visit-type', 'site', 'practitioner', 'calendar', 'cancellation-reason', 'status', 'authority')),
    code            text        NOT NULL CHECK (length(code) BETWEEN 1 AND 200),
    target          text        NOT NULL CHECK (length(target) BETWEEN 1 AND 200),
    PRIMARY KEY (organization_id, name, code)
);
