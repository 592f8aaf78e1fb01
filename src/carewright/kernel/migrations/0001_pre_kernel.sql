-- The system's own tables: log, consumers, jobs, idempotency.
-- kernel.outbox is the system's log, not a tenant's table: its key is its order. Tenancy is a column.

-- Ends the statement, and with it the transaction, when a code is given. SQLSTATE CW001 tells the application that it is an answer.
CREATE FUNCTION kernel.refuse(code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF code IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'CW001', MESSAGE = code;
    END IF;
END $$;

CREATE TABLE kernel.outbox (
    xid             xid8        NOT NULL DEFAULT pg_current_xact_id(),
    position        bigint      GENERATED ALWAYS AS IDENTITY (CACHE 32),
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    topic           text        NOT NULL,
    subject         uuid        NOT NULL,
    payload         jsonb       NOT NULL,
    occurred_at     timestamptz NOT NULL,
    origin          uuid        NOT NULL,
    actor           text        NOT NULL,
    trace           text,
    PRIMARY KEY (xid, position)
);

CREATE TABLE kernel.consumer (
    name     text        PRIMARY KEY,
    xid      xid8        NOT NULL,
    position bigint      NOT NULL,
    moved_at timestamptz NOT NULL
);

CREATE TABLE kernel.inbox (
    consumer   text        NOT NULL,
    event_id   uuid        NOT NULL,
    handled_at timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

CREATE TABLE kernel.dead_letter (
    consumer  text        NOT NULL,
    event_id  uuid        NOT NULL,
    xid       xid8        NOT NULL,
    position  bigint      NOT NULL,
    topic     text        NOT NULL,
    subject   uuid        NOT NULL,
    reason    text        NOT NULL,
    attempts  int         NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

CREATE TABLE kernel.idempotency (
    organization_id uuid        NOT NULL,
    subject         text        NOT NULL,
    key             text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint     bytea       NOT NULL CHECK (length(fingerprint) = 32),
    answer          jsonb       NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, subject, key)
);
CREATE INDEX idempotency_by_age ON kernel.idempotency USING brin (created_at);

CREATE TABLE kernel.job (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL,
    unique_key   text        NOT NULL,
    payload      jsonb       NOT NULL,
    run_at       timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    leased_until timestamptz,
    attempts     int         NOT NULL DEFAULT 0,
    failed       boolean     NOT NULL DEFAULT false,
    reason       text,
    UNIQUE (name, unique_key)
);
CREATE INDEX job_due ON kernel.job (run_at) WHERE NOT failed;

CREATE TABLE kernel.timer (
    name    text        PRIMARY KEY,
    next_at timestamptz NOT NULL
);
