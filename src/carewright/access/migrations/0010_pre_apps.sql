-- Apps are clients with addresses to which people are sent back. One that can keep no secret has no key.
ALTER TABLE access.client ADD COLUMN redirect_uris text[] NOT NULL DEFAULT '{}' CHECK (cardinality(redirect_uris) <= 10);
ALTER TABLE access.client DROP CONSTRAINT client_check;
ALTER TABLE access.client ADD CHECK (num_nonnulls(keys, keys_address) = 1 OR (num_nonnulls(keys, keys_address) = 0 AND redirect_uris <> '{}'));

-- A person lets an app in: to their own record, or by a consent to that of somebody for whom they act. The app has a code first, which
-- serves once; `challenge` is SHA-256 of the secret that it must bring with it. `session_id` is where the person was signed in.
CREATE TABLE access.app_grant (
    organization_id  uuid        NOT NULL,
    id               uuid        NOT NULL,
    client_id        uuid        NOT NULL,
    account_id       uuid        NOT NULL,
    consent_id       uuid,
    patient_id       uuid        NOT NULL,
    session_id       uuid        NOT NULL,
    scopes           text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 100),
    authenticated_at timestamptz NOT NULL,
    granted_at       timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL CHECK (ends_at > granted_at),
    redirect_uri     text        NOT NULL CHECK (length(redirect_uri) <= 500),
    challenge        text        NOT NULL CHECK (length(challenge) = 43),
    code_hash        bytea       NOT NULL CHECK (length(code_hash) = 32),
    code_until       timestamptz NOT NULL CHECK (code_until > granted_at),
    code_used_at     timestamptz,
    last_used_at     timestamptz,
    ended_at         timestamptz,
    end_reason       text,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES access.client,
    FOREIGN KEY (organization_id, account_id) REFERENCES access.account,
    FOREIGN KEY (organization_id, consent_id) REFERENCES access.consent,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX app_grant_by_code ON access.app_grant (organization_id, code_hash);
CREATE INDEX app_grant_of_account ON access.app_grant (organization_id, account_id);
CREATE INDEX app_grant_of_patient ON access.app_grant (organization_id, patient_id);
CREATE INDEX app_grant_of_client ON access.app_grant (organization_id, client_id) WHERE ended_at IS NULL;
CREATE INDEX app_grant_by_end ON access.app_grant (ends_at);

-- Refresh tokens, each of which serves once. Those that served stay for a while: whoever brings one shows that it was stolen.
CREATE TABLE access.refresh_token (
    organization_id uuid        NOT NULL,
    token_hash      bytea       NOT NULL CHECK (length(token_hash) = 32),
    grant_id        uuid        NOT NULL,
    issued_at       timestamptz NOT NULL,
    used_at         timestamptz,
    PRIMARY KEY (organization_id, token_hash),
    FOREIGN KEY (organization_id, grant_id) REFERENCES access.app_grant ON DELETE CASCADE
);
CREATE INDEX refresh_token_of_grant ON access.refresh_token (organization_id, grant_id);
CREATE INDEX refresh_token_used ON access.refresh_token (used_at) WHERE used_at IS NOT NULL;

-- An app's access token is a session of the person who let it in.
ALTER TABLE access.session ADD COLUMN grant_id uuid;
ALTER TABLE access.session DROP CONSTRAINT session_method_check;
ALTER TABLE access.session ADD CHECK (method IN ('oidc', 'otp', 'passkey', 'private_key_jwt', 'app'));
ALTER TABLE access.session ADD CHECK ((method = 'app') = (grant_id IS NOT NULL));
CREATE INDEX session_of_grant ON access.session (organization_id, grant_id) WHERE grant_id IS NOT NULL AND ended_at IS NULL;
