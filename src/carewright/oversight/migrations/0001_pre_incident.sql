-- Incidents. `reason` and `finding` are people's own words, sealed for their row; `steps` says what was done, by subjects, hosts and sentences
-- of ours.
CREATE TABLE oversight.incident (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    opened_at       timestamptz NOT NULL,
    opened_by       text        NOT NULL CHECK (length(opened_by) BETWEEN 1 AND 200),
    reason          bytea       NOT NULL,
    steps           jsonb       NOT NULL DEFAULT '[]',
    closed_at       timestamptz CHECK (closed_at >= opened_at),
    closed_by       text        CHECK (length(closed_by) BETWEEN 1 AND 200),
    finding         bytea,
    PRIMARY KEY (organization_id, id),
    CHECK (num_nulls(closed_at, closed_by, finding) IN (0, 3))
);
CREATE INDEX incident_open ON oversight.incident (organization_id, id) WHERE closed_at IS NULL;
