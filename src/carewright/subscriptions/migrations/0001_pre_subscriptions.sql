-- Standing requests. `request` is what was asked for but its secrets; `target` (address, headers, secret, reason) is sealed for its row. `events` numbers
-- what it is to be told, `sent` says as far as what it was told. `due_at` is when to look at it next; `leased_until` who looks at it now.
CREATE TABLE subscriptions.subscription (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    client_id       uuid        NOT NULL,
    topic           text        NOT NULL CHECK (length(topic) BETWEEN 1 AND 200),
    request         jsonb       NOT NULL,
    target          bytea       NOT NULL,
    status          text        NOT NULL CHECK (status IN ('requested', 'active', 'error', 'off')),
    error           text        CHECK (length(error) BETWEEN 1 AND 100),
    is_confirmed    boolean     NOT NULL DEFAULT false,
    events          bigint      NOT NULL DEFAULT 0,
    sent            bigint      NOT NULL DEFAULT 0 CHECK (sent BETWEEN 0 AND events),
    failures        int         NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    due_at          timestamptz,
    leased_until    timestamptz,
    version         int         NOT NULL DEFAULT 1,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT subscription_error CHECK ((error IS NOT NULL) = (status IN ('error', 'off')))
);
CREATE INDEX subscription_of_client ON subscriptions.subscription (organization_id, client_id);
CREATE INDEX subscription_to_topic ON subscriptions.subscription (organization_id, topic) WHERE status <> 'off';
CREATE INDEX subscription_due ON subscriptions.subscription (due_at) WHERE due_at IS NOT NULL;

-- What a subscription is to be told, by its number there. Ids alone; those of a patient who was erased are cleared, and the number stays.
CREATE TABLE subscriptions.event (
    organization_id uuid        NOT NULL,
    subscription_id uuid        NOT NULL,
    number          bigint      NOT NULL,
    occurred_at     timestamptz NOT NULL,
    change          text        NOT NULL CHECK (change IN ('create', 'update', 'delete')),
    focus           text        NOT NULL CHECK (focus IN ('Appointment', 'Patient')),
    focus_id        uuid,
    patient_id      uuid,
    site_id         uuid,
    PRIMARY KEY (organization_id, subscription_id, number),
    FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions.subscription ON DELETE CASCADE
);
CREATE INDEX event_of_patient ON subscriptions.event (organization_id, patient_id) WHERE patient_id IS NOT NULL;
CREATE INDEX event_by_age ON subscriptions.event (occurred_at);
