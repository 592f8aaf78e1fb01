-- Links that were given away: a token opens one thing, once, for a while. The token itself is nowhere, only its SHA-256.
CREATE TABLE kernel.link (
    organization_id uuid        NOT NULL,
    token_hash      bytea       NOT NULL CHECK (length(token_hash) = 32),
    purpose         text        NOT NULL CHECK (length(purpose) BETWEEN 1 AND 100),
    target          uuid        NOT NULL,
    holder          text        CHECK (length(holder) BETWEEN 1 AND 200),
    made_at         timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL CHECK (expires_at > made_at),
    used_at         timestamptz,
    PRIMARY KEY (organization_id, token_hash)
);
-- A token is looked up before anybody knows whose tenant it is of.
CREATE UNIQUE INDEX link_by_token ON kernel.link (token_hash);
CREATE INDEX link_of ON kernel.link (organization_id, target);
CREATE INDEX link_by_end ON kernel.link (expires_at);
