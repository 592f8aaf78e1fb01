-- What payers were asked, and what became of it. `content` (what they said; while an answer is on its way, what was asked) is sealed for its
-- row. `trace` goes out with the question, and is all that an answer is found by.
CREATE TABLE coverage.eligibility (
    organization_id  uuid        NOT NULL,
    id               uuid        NOT NULL,
    patient_id       uuid        NOT NULL,
    coverage_id      uuid        NOT NULL,
    coverage_version int         NOT NULL CHECK (coverage_version >= 1),
    service_type     text        NOT NULL CHECK (service_type ~ '^[A-Z0-9]{1,2}$'),
    serviced_on      date        NOT NULL,
    outcome          text        NOT NULL CHECK (outcome IN ('queued', 'complete', 'error')),
    trace            text        NOT NULL CHECK (trace ~ '^[0-9A-F]{32}$'),
    content          bytea       NOT NULL,
    asked_at         timestamptz NOT NULL,
    answered_at      timestamptz,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT eligibility_answered CHECK ((outcome = 'queued') = (answered_at IS NULL))
);
CREATE UNIQUE INDEX eligibility_by_trace ON coverage.eligibility (trace);
CREATE INDEX eligibility_of_patient ON coverage.eligibility (organization_id, patient_id, id);
CREATE INDEX eligibility_of_coverage ON coverage.eligibility (organization_id, coverage_id, id);
CREATE INDEX eligibility_waiting ON coverage.eligibility (asked_at) WHERE outcome = 'queued';

-- Visits that were booked, and the question that was asked about each. No coverage is one that could have been asked about.
CREATE TABLE coverage.visit (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    urgency         text        NOT NULL CHECK (urgency IN ('P0', 'P1', 'P2')),
    starts_at       timestamptz NOT NULL,
    eligibility_id  uuid,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX visit_of_patient ON coverage.visit (organization_id, patient_id);

CREATE TABLE coverage.policy (
    organization_id uuid NOT NULL,
    site_id         uuid NOT NULL,
    rule            text NOT NULL CHECK (rule IN ('allow', 'warn', 'require')),
    time_zone       text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 100),
    PRIMARY KEY (organization_id, site_id)
);
