-- The organizations' keys, wrapped by the key service. Nobody deletes one: a destroyed key leaves its row, so that no new key takes its
-- place unnoticed while there may be data that it sealed.
CREATE TABLE kernel.keyset (
    organization_id uuid        NOT NULL,
    purpose         text        NOT NULL CHECK (purpose IN ('field', 'index')),
    version         int         NOT NULL CHECK (version BETWEEN 1 AND 65535),
    wrapped         bytea,
    kek_id          text        NOT NULL,
    created_at      timestamptz NOT NULL,
    seals_from      timestamptz NOT NULL,
    retired_at      timestamptz,
    destroyed_at    timestamptz,
    PRIMARY KEY (organization_id, purpose, version),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE TRIGGER keyset_stays BEFORE DELETE ON kernel.keyset FOR EACH ROW EXECUTE FUNCTION kernel.refuse_change();

-- An answer may hold a person's data, so answers are sealed; and its fingerprint is a keyed hash. Answers live for days: none is carried over.
TRUNCATE kernel.idempotency;
ALTER TABLE kernel.idempotency DROP COLUMN answer, ADD COLUMN answer bytea NOT NULL;
