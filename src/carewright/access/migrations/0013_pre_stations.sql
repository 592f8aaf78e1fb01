-- Screens on walls and kiosks: each is an account of its own, signed in by a code that staff were shown. `code_hash` is SHA-256 of it.
CREATE TABLE access.station (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('screen', 'kiosk')),
    site_id         uuid        NOT NULL,
    languages       text[]      NOT NULL CHECK (cardinality(languages) BETWEEN 1 AND 6),
    queue_ids       uuid[]      NOT NULL CHECK (cardinality(queue_ids) <= 50),
    created_at      timestamptz NOT NULL,
    enrolled_at     timestamptz,
    code_hash       bytea       CHECK (length(code_hash) = 32),
    code_until      timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, id) REFERENCES access.account,
    CHECK ((code_hash IS NULL) = (code_until IS NULL))
);
-- Looked up before anybody knows whose station it is: a code's hash is unique by itself, across tenants.
CREATE UNIQUE INDEX station_by_code ON access.station (code_hash) WHERE code_hash IS NOT NULL;

ALTER TABLE access.session DROP CONSTRAINT session_method_check;
ALTER TABLE access.session ADD CHECK (method IN ('oidc', 'otp', 'passkey', 'private_key_jwt', 'app', 'station'));
