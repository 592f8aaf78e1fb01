-- Proposals of a better plan for a site's day: what was asked, how far the search is, what it found, and what became of each move. Ids, codes,
-- times and figures alone. `begun` counts how often a search was begun, `heard_at` is when whoever searches was last at it. `asked` is what was
-- asked, `plan` what was found, `made` what became of its moves.
CREATE TABLE scheduling.day_plan (
    organization_id uuid             NOT NULL,
    id              uuid             NOT NULL,
    site_id         uuid             NOT NULL,
    state           text             NOT NULL CHECK (state IN ('searching', 'proposed', 'accepted', 'given-up', 'failed')),
    cause           text             NOT NULL CHECK (cause IN ('asked', 'outage')),
    outage_id       uuid,
    asked           jsonb            NOT NULL,
    asked_at        timestamptz      NOT NULL,
    asked_by        text,
    from_at         timestamptz      NOT NULL,
    until_at        timestamptz      NOT NULL CHECK (until_at > from_at),
    begun           int              NOT NULL DEFAULT 0,
    heard_at        timestamptz,
    percent         smallint         NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    worth_minutes   double precision,
    ended_at        timestamptz,
    fault           text,
    plan            jsonb,
    made            jsonb            NOT NULL DEFAULT '[]',
    moves           int              NOT NULL DEFAULT 0,
    moved           int              NOT NULL DEFAULT 0,
    refused         int              NOT NULL DEFAULT 0,
    version         int              NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    CHECK ((cause = 'outage') = (outage_id IS NOT NULL)),
    CHECK ((state = 'searching') = (ended_at IS NULL)),
    CHECK ((state = 'failed') = (fault IS NOT NULL)),
    CHECK (plan IS NOT NULL OR state NOT IN ('proposed', 'accepted')),
    CHECK (moved + refused <= moves)
);
-- However many ask at once, one search runs at a site.
CREATE UNIQUE INDEX day_plan_searching ON scheduling.day_plan (organization_id, site_id) WHERE state = 'searching';
CREATE INDEX day_plan_of ON scheduling.day_plan (organization_id, site_id, id);
CREATE INDEX day_plan_past ON scheduling.day_plan (asked_at);
-- What is done by itself when something goes out of service at a site.
ALTER TABLE scheduling.site ADD COLUMN proposes boolean NOT NULL DEFAULT true;
ALTER TABLE scheduling.site ADD COLUMN accepts boolean NOT NULL DEFAULT false;
ALTER TABLE scheduling.site ADD COLUMN moves_most int NOT NULL DEFAULT 10 CHECK (moves_most BETWEEN 1 AND 100);
ALTER TABLE scheduling.site ADD COLUMN minutes_most int NOT NULL DEFAULT 60 CHECK (minutes_most BETWEEN 5 AND 720);
