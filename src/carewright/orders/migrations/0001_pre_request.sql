-- What is asked for. `detail` is sealed for its row: what, why, by whom, and under which numbers. `party_ids` are those of ours who ask or
-- are asked, by which orders are found.
CREATE TABLE orders.request (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN
        ('draft', 'active', 'on-hold', 'revoked', 'completed', 'entered-in-error', 'unknown')),
    intent          text        NOT NULL CHECK (intent IN
        ('proposal', 'plan', 'directive', 'order', 'original-order', 'reflex-order', 'filler-order', 'instance-order', 'option')),
    priority        text        NOT NULL CHECK (priority IN ('routine', 'urgent', 'asap', 'stat')),
    authored_at     timestamptz,
    occurs_from     timestamptz,
    occurs_until    timestamptz,
    party_ids       uuid[]      NOT NULL,
    detail          bytea       NOT NULL,
    version         int         NOT NULL CHECK (version >= 1),
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT request_period CHECK (occurs_from <= occurs_until)
);
CREATE INDEX request_of_patient ON orders.request (organization_id, patient_id, id);
CREATE INDEX request_of_party ON orders.request USING gin (party_ids);
CREATE INDEX request_authored ON orders.request (organization_id, authored_at);

-- Which order carries an identifier: `mark` is a keyed hash of system and value, `number_hash` of the value alone, as appointments name it.
CREATE TABLE orders.identifier (
    organization_id uuid  NOT NULL,
    mark            bytea NOT NULL CHECK (length(mark) = 32),
    number_hash     bytea NOT NULL CHECK (length(number_hash) = 32),
    request_id      uuid  NOT NULL,
    PRIMARY KEY (organization_id, mark),
    FOREIGN KEY (organization_id, request_id) REFERENCES orders.request ON DELETE CASCADE
);
CREATE INDEX identifier_of ON orders.identifier (organization_id, request_id);
CREATE INDEX identifier_number ON orders.identifier (organization_id, number_hash);

-- Whose orders there are, or were: changes about one patient go one after another by this row's lock. Of who was erased it is all that is
-- left, and what comes late about them is not kept.
CREATE TABLE orders.patient (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    erased_at       timestamptz,
    PRIMARY KEY (organization_id, id)
);
