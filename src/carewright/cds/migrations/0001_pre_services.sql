-- A service of others that is asked before a booking, at some sites or, without any, at all. `prefetch` names what it asks to be sent with a
-- call, of what we send. `key` is our private key there, sealed; `public_key` is what it knows us by.
CREATE TABLE cds.service (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    name            text        NOT NULL CHECK (name ~ '^[a-z0-9-]{1,40}$'),
    address         text        NOT NULL CHECK (length(address) BETWEEN 8 AND 700),
    site_ids        uuid[]      NOT NULL,
    prefetch        text[]      NOT NULL CHECK (cardinality(prefetch) <= 10),
    key             bytea       NOT NULL,
    public_key      jsonb       NOT NULL,
    added_at        timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT service_name UNIQUE (organization_id, name)
);
-- Its key is published before anybody knows whose service it is: the id is unique by itself, across tenants.
CREATE UNIQUE INDEX service_by_id ON cds.service (id);
