-- Access that somebody should look at. One row waits for each kind, reader and patient; `finding` is a person's own words, sealed for its row.
CREATE TABLE oversight.unusual (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('own_record', 'same_surname', 'no_appointment', 'bulk_reading')),
    agent           text        NOT NULL CHECK (length(agent) BETWEEN 1 AND 200),
    role            text        NOT NULL,
    patient_id      uuid,
    first_at        timestamptz NOT NULL,
    last_at         timestamptz NOT NULL CHECK (last_at >= first_at),
    count           int         NOT NULL CHECK (count >= 1),
    closed_at       timestamptz,
    closed_by       text        CHECK (length(closed_by) BETWEEN 1 AND 200),
    outcome         text        CHECK (outcome IN ('justified', 'not-justified')),
    finding         bytea,
    PRIMARY KEY (organization_id, id),
    CHECK ((kind = 'bulk_reading') = (patient_id IS NULL)),
    CHECK (closed_by <> agent),
    CHECK (num_nulls(closed_at, closed_by, outcome, finding) IN (0, 4))
);
CREATE UNIQUE INDEX unusual_waiting ON oversight.unusual (organization_id, kind, agent, patient_id) NULLS NOT DISTINCT WHERE closed_at IS NULL;
CREATE INDEX unusual_of_agent ON oversight.unusual (organization_id, kind, agent, patient_id, last_at);

-- How far the log was looked through, of all organizations.
CREATE TABLE oversight.place (
    id     smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    number bigint   NOT NULL
);
INSERT INTO oversight.place (number) VALUES (-1);
