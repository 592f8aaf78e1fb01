-- Steps of relief that are on in a queue, and those that were. Codes, ids and times alone; nobody in `begun_by` and `ended_by` is the policy.
CREATE TABLE flow.relief (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    queue_id        uuid        NOT NULL,
    what            text        NOT NULL,
    begun_at        timestamptz NOT NULL,
    begun_by        text,
    reason          text        NOT NULL,
    waiting         int         NOT NULL CHECK (waiting >= 0),
    minutes         int         CHECK (minutes >= 0),
    ended_at        timestamptz,
    ended_by        text,
    end_reason      text,
    version         int         NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, queue_id) REFERENCES flow.queue ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (ended_at IS NOT NULL OR ended_by IS NULL)
);
-- However many begin a step at once, it is on once.
CREATE UNIQUE INDEX relief_on ON flow.relief (organization_id, queue_id, what) WHERE ended_at IS NULL;
CREATE INDEX relief_of ON flow.relief (organization_id, queue_id, what, begun_at);
CREATE INDEX relief_past ON flow.relief (ended_at);
