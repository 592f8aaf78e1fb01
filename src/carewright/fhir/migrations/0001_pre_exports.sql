-- Exports that were asked for, and not what they hold: their files are made as they are read. Each is gone at `until`, or when it is cancelled.
CREATE TABLE fhir.export (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    subject         text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    kinds           text[]      NOT NULL CHECK (cardinality(kinds) BETWEEN 1 AND 100),
    since           timestamptz,
    request         text        NOT NULL CHECK (length(request) <= 4000),
    asked_at        timestamptz NOT NULL,
    until           timestamptz NOT NULL CHECK (until > asked_at),
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX export_of_subject ON fhir.export (organization_id, subject, until);
CREATE INDEX export_by_end ON fhir.export (until);
