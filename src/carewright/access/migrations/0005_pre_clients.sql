-- Other systems. Each is an account of its own; it proves itself by a key, of which the public part stands in `keys` or at `keys_address`.
CREATE TABLE access.client (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    scopes          text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 100),
    keys            jsonb,
    keys_address    text        CHECK (length(keys_address) <= 2000),
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, id) REFERENCES access.account,
    CHECK (num_nonnulls(keys, keys_address) = 1)
);
-- Looked up before anybody knows whose client it is: its id is unique by itself, across tenants.
CREATE UNIQUE INDEX client_by_id ON access.client (id);

-- Assertions that have served, for as long as they would hold: each serves once. `jti_hash` is SHA-256 of the assertion's id.
CREATE TABLE access.assertion (
    organization_id uuid        NOT NULL,
    client_id       uuid        NOT NULL,
    jti_hash        bytea       NOT NULL CHECK (length(jti_hash) = 32),
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, client_id, jti_hash),
    FOREIGN KEY (organization_id, client_id) REFERENCES access.client
);
CREATE INDEX assertion_by_end ON access.assertion (expires_at);

-- What a session may do of what its owner's role may; null for all of it.
ALTER TABLE access.session ADD COLUMN scopes text[];
ALTER TABLE access.session DROP CONSTRAINT session_method_check;
ALTER TABLE access.session ADD CHECK (method IN ('oidc', 'otp', 'passkey', 'private_key_jwt'));
