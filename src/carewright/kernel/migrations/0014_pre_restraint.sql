-- What an incident holds back, read by every process each second. One row at a time for each client and peer; tokens that were signed before
-- a moment need none once they have all run out.
CREATE TABLE kernel.restraint (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('tokens', 'client', 'peer')),
    name            text        NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
    since           timestamptz NOT NULL,
    lifted_at       timestamptz CHECK (lifted_at >= since),
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX restraint_in_force ON kernel.restraint (organization_id, kind, name) WHERE lifted_at IS NULL AND kind <> 'tokens';
CREATE INDEX restraint_to_know ON kernel.restraint (kind, since) WHERE lifted_at IS NULL;
