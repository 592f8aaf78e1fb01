-- A connection polls, or is woken by a subscription at the EHR besides. `untold_since`: from when on what changed here is still to be told,
-- since the connection was stopped.
ALTER TABLE ehr.connection DROP CONSTRAINT connection_profile_check,
    ADD CONSTRAINT connection_profile_check CHECK (profile IN ('epic', 'oracle', 'r4')),
    ADD COLUMN mode text NOT NULL DEFAULT 'polling' CHECK (mode IN ('polling', 'subscription')),
    ADD COLUMN stopped_at timestamptz,
    ADD COLUMN untold_since timestamptz,
    ADD CONSTRAINT connection_stopped CHECK (stopped_at IS NULL OR untold_since IS NOT NULL);

-- Our subscription at an EHR, under its connection's id: `theirs` is its id there, sealed, `status` as it was last seen. `secret_hash` are
-- SHA-256 of what it may show us, the newest first: an older one while nobody knows whether the newer arrived. `look_at` is when it is looked
-- at next; a row that nobody wants any more goes when nothing is at the EHR. `pull_at` is since when, or from when on, a pull is owed.
CREATE TABLE ehr.subscription (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    theirs          bytea,
    secret_hash     bytea[]     NOT NULL DEFAULT '{}',
    status          text        CHECK (status IN ('requested', 'active', 'error', 'off')),
    active_since    timestamptz,
    ends_at         timestamptz,
    woken_at        timestamptz,
    fault           text        CHECK (length(fault) BETWEEN 1 AND 100),
    fault_at        timestamptz,
    look_at         timestamptz NOT NULL,
    pull_at         timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, id) REFERENCES ehr.connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT subscription_secrets CHECK (cardinality(secret_hash) <= 3),
    CONSTRAINT subscription_active CHECK ((active_since IS NOT NULL) = (status IS NOT NULL AND status = 'active'))
);
CREATE UNIQUE INDEX subscription_id ON ehr.subscription (id);
CREATE INDEX subscription_pull ON ehr.subscription (pull_at) WHERE pull_at IS NOT NULL;
