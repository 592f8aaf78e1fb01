-- Searches for the order of a queue: what was asked, how far it is, what was found, and what was put in force of it. Counts, codes and times
-- alone. `question` is what is reckoned with, `former` the order that was in force before.
CREATE TABLE flow.tuning (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    queue_id        uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
    percent         smallint    NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    days            text        NOT NULL,
    is_entered      boolean     NOT NULL,
    question        jsonb       NOT NULL,
    asked_at        timestamptz NOT NULL,
    asked_by        text        NOT NULL,
    ended_at        timestamptz,
    fault           text,
    found           jsonb,
    applied_at      timestamptz,
    taken_back_at   timestamptz,
    former          jsonb,
    version         int         NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, queue_id) REFERENCES flow.queue ON DELETE CASCADE,
    CHECK ((status = 'running') = (ended_at IS NULL)),
    CHECK ((status = 'done') = (found IS NOT NULL)),
    CHECK ((applied_at IS NULL) = (former IS NULL))
);
-- However many ask at once, one runs at a site.
CREATE UNIQUE INDEX tuning_runs ON flow.tuning (organization_id, site_id) WHERE status = 'running';
CREATE INDEX tuning_of ON flow.tuning (organization_id, queue_id, asked_at);
CREATE INDEX tuning_past ON flow.tuning (asked_at);
