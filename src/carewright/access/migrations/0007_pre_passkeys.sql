-- Passkeys (Web Authentication): the public part of a key that a patient's own device keeps. `sign_count` is what the device last counted.
CREATE TABLE access.passkey (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    credential_id   bytea       NOT NULL CHECK (length(credential_id) BETWEEN 16 AND 1023),
    public_key      bytea       NOT NULL CHECK (length(public_key) BETWEEN 1 AND 2000),
    sign_count      bigint      NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, credential_id),
    FOREIGN KEY (organization_id, account_id) REFERENCES access.account
);
CREATE INDEX passkey_of_account ON access.passkey (organization_id, account_id);

-- What a browser is to sign, once and soon, in the browser that asked: to sign in, or to add a passkey to an account.
CREATE TABLE access.passkey_challenge (
    organization_id uuid        NOT NULL,
    binding_hash    bytea       NOT NULL CHECK (length(binding_hash) = 32),
    challenge       bytea       NOT NULL CHECK (length(challenge) = 32),
    account_id      uuid,
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, binding_hash),
    FOREIGN KEY (organization_id, account_id) REFERENCES access.account
);
CREATE INDEX passkey_challenge_by_end ON access.passkey_challenge (expires_at);

-- By which passkey a session began: it ends with that, though what the session was stays known after the passkey is gone.
ALTER TABLE access.session ADD COLUMN passkey_id uuid;
