-- What was said to whom. `content` (contact, title, text) is sealed for its row, and NULL once it is forgotten. Messages are few (some a
-- patient and month) and looked at by recipient or by age: a plain table with two indexes carries a hospital for years.
CREATE TABLE notifications.communication (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('preparation', 'in-progress', 'completed', 'not-done')),
    status_reason   text        CHECK (status_reason IN ('expired', 'no-sender', 'refused', 'gave-up')),
    template        text        NOT NULL CHECK (length(template) BETWEEN 1 AND 100),
    language        text        NOT NULL,
    channel         text        NOT NULL CHECK (channel IN ('sms', 'email', 'inbox')),
    recipient_kind  text        NOT NULL CHECK (recipient_kind IN ('patient', 'role', 'account')),
    recipient       text        NOT NULL CHECK (length(recipient) BETWEEN 1 AND 200),
    content         bytea,
    deliveries      int         NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    until_at        timestamptz,
    forget_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT communication_sent CHECK ((status = 'completed') = (sent_at IS NOT NULL)),
    CONSTRAINT communication_reason CHECK ((status = 'not-done') = (status_reason IS NOT NULL)),
    CONSTRAINT communication_forgets CHECK (until_at IS NULL OR forget_at <= until_at)
);
-- Ends with the id (a UUIDv7): a page of somebody's messages comes out of the index newest first.
CREATE INDEX communication_of ON notifications.communication (organization_id, recipient_kind, recipient, id);
CREATE INDEX communication_to_forget ON notifications.communication (forget_at) WHERE content IS NOT NULL;
