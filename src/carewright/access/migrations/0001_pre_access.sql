-- Accounts, sessions, and every way to sign in. Secrets are stored as SHA-256 of something that cannot be guessed, never as they are.

-- Whoever has signed in, or may. Staff are known by their identity provider's subject, patients by their record.
CREATE TABLE access.account (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    subject         text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    role            text        NOT NULL,
    display         text        NOT NULL CHECK (length(display) <= 200),
    issuer          text,
    issuer_subject  text        CHECK (length(issuer_subject) BETWEEN 1 AND 255),
    patient_id      uuid,
    site_ids        uuid[]      NOT NULL,
    code_failures   int         NOT NULL DEFAULT 0 CHECK (code_failures BETWEEN 0 AND 100),
    disabled_at     timestamptz,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, subject),
    CHECK ((issuer IS NULL) = (issuer_subject IS NULL))
);
CREATE UNIQUE INDEX account_of_issuer ON access.account (organization_id, issuer, issuer_subject) WHERE issuer IS NOT NULL;
CREATE UNIQUE INDEX account_of_patient ON access.account (organization_id, patient_id) WHERE role = 'patient';

-- A token is looked up before anybody knows whose it is: its hash is unique by itself, across tenants.
CREATE TABLE access.session (
    organization_id  uuid        NOT NULL,
    id               uuid        NOT NULL,
    account_id       uuid        NOT NULL,
    token_hash       bytea       NOT NULL CHECK (length(token_hash) = 32),
    method           text        NOT NULL CHECK (method IN ('oidc', 'otp', 'passkey', 'demonstration')),
    started_at       timestamptz NOT NULL,
    last_used_at     timestamptz NOT NULL,
    authenticated_at timestamptz NOT NULL,
    idle_seconds     int         NOT NULL CHECK (idle_seconds > 0),
    absolute_until   timestamptz NOT NULL CHECK (absolute_until > started_at),
    ended_at         timestamptz,
    end_reason       text,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES access.account,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX session_by_token ON access.session (token_hash);
CREATE INDEX session_live ON access.session (organization_id, account_id) WHERE ended_at IS NULL;
CREATE INDEX session_by_end ON access.session (absolute_until);

-- One-time passwords. `proof` is SHA-256 of the code with the browser's secret.
CREATE TABLE access.code (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    proof           bytea       NOT NULL CHECK (length(proof) = 32),
    tries           int         NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
    issued_at       timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL CHECK (expires_at <= issued_at + interval '10 minutes'),
    used_at         timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES access.account
);
CREATE INDEX code_of_account ON access.code (organization_id, account_id, expires_at);
CREATE INDEX code_by_end ON access.code (expires_at);

-- A sign-in at the identity provider that is under way: it serves once, in the browser that began it.
CREATE TABLE access.sign_in (
    organization_id uuid        NOT NULL,
    state_hash      bytea       NOT NULL CHECK (length(state_hash) = 32),
    binding_hash    bytea       NOT NULL CHECK (length(binding_hash) = 32),
    nonce           text        NOT NULL,
    verifier        text        NOT NULL,
    next            text        NOT NULL,
    again           boolean     NOT NULL,
    started_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, state_hash)
);
CREATE INDEX sign_in_by_end ON access.sign_in (expires_at);

-- The glass is broken for a session and for 60 minutes at most; a review is closed once, and not by the same person.
CREATE TABLE access.break_glass (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    session_id      uuid        NOT NULL,
    role            text        NOT NULL,
    purpose         text        NOT NULL CHECK (purpose IN ('ETREAT', 'COVERAGE', 'SAFETY')),
    reason          text        NOT NULL CHECK (length(reason) BETWEEN 3 AND 500),
    started_at      timestamptz NOT NULL,
    until           timestamptz NOT NULL CHECK (until > started_at AND until <= started_at + interval '60 minutes'),
    closed_at       timestamptz,
    closed_by       uuid        CHECK (closed_by <> account_id),
    outcome         text        CHECK (outcome IN ('justified', 'not-justified')),
    finding         text        CHECK (length(finding) BETWEEN 3 AND 500),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, session_id) REFERENCES access.session,
    CHECK (num_nulls(closed_at, closed_by, outcome, finding) IN (0, 4))
);
CREATE INDEX break_glass_of_session ON access.break_glass (organization_id, session_id, until);
CREATE INDEX break_glass_open ON access.break_glass (organization_id, started_at) WHERE closed_at IS NULL;
