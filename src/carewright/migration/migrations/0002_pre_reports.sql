-- How an older system and we differ, service by service: counts, and the first differences by ids, lines of their file and codes.
CREATE TABLE migration.report (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    service_id      uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    source          text        NOT NULL,
    made_at         timestamptz NOT NULL,
    theirs          int         NOT NULL CHECK (theirs >= 0),
    ours            int         NOT NULL CHECK (ours >= 0),
    same            int         NOT NULL CHECK (same >= 0),
    theirs_only     int         NOT NULL CHECK (theirs_only >= 0),
    ours_only       int         NOT NULL CHECK (ours_only >= 0),
    differing       int         NOT NULL CHECK (differing >= 0),
    unread          int         NOT NULL CHECK (unread >= 0),
    differences     jsonb       NOT NULL,
    PRIMARY KEY (organization_id, id),
    CHECK (theirs = same + differing + theirs_only)
);
CREATE INDEX report_of_service ON migration.report (organization_id, service_id, site_id, made_at);

-- Which system a link is to, as a keyed hash: what that system does not list any more is looked for among its own. Links from before say nothing.
ALTER TABLE migration.link ADD COLUMN source_hash bytea CHECK (length(source_hash) = 32);
CREATE INDEX link_of_appointment ON migration.link (organization_id, appointment_id);
