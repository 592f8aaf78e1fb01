-- How the journal (kernel.audit_entry) is put in one order and sealed. The order is the journal's own, (xid, position); leaf n of the tree is
-- the n-th entry in it. log, tile, checkpoint and witness are the system's, not a tenant's: there is one tree, and one order.
CREATE TABLE audit.log (
    id       smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    size     bigint   NOT NULL CHECK (size >= 0),
    xid      xid8     NOT NULL,
    position bigint   NOT NULL
);
INSERT INTO audit.log (size, xid, position) VALUES (0, '0', 0);

-- 256 hashes side by side (C2SP tlog-tiles). Level 0 holds leaf hashes; a hash of level n is the root of a whole tile of level n - 1.
CREATE TABLE audit.tile (
    level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    number bigint   NOT NULL CHECK (number >= 0),
    hashes bytea    NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (level, number)
);

CREATE TABLE audit.checkpoint (
    size    bigint      PRIMARY KEY CHECK (size > 0),
    note    text        NOT NULL,
    made_at timestamptz NOT NULL
);

-- Up to which size each outside witness has seen the log, and what it signed, if it signs.
CREATE TABLE audit.witness (
    name    text        PRIMARY KEY,
    size    bigint      NOT NULL CHECK (size >= 0),
    note    text        NOT NULL,
    seen_at timestamptz NOT NULL
);

-- What entries say, to be searched and sorted by. Made from the journal by the sequencer; proofs are about the journal, never about this.
CREATE TABLE audit.event (
    organization_id uuid        NOT NULL,
    number          bigint      NOT NULL,
    xid             xid8        NOT NULL,
    position        bigint      NOT NULL,
    id              uuid        NOT NULL,
    recorded_at     timestamptz NOT NULL,
    event           text        NOT NULL,
    action          text        NOT NULL,
    agent           text        NOT NULL,
    role            text        NOT NULL,
    purpose         text        NOT NULL,
    outcome         text        NOT NULL,
    code            text,
    patient_id      uuid,
    entity_ids      uuid[]      NOT NULL,
    PRIMARY KEY (organization_id, number)
);
CREATE INDEX event_by_id ON audit.event (organization_id, id);
CREATE INDEX event_of_patient ON audit.event (organization_id, patient_id, number) WHERE patient_id IS NOT NULL;
CREATE INDEX event_of_agent ON audit.event (organization_id, agent, number);
CREATE INDEX event_refused ON audit.event (organization_id, number) WHERE outcome <> 'success';
CREATE INDEX event_of_entity ON audit.event USING gin (entity_ids);
