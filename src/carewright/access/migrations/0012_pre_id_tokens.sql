-- Apps are told who signed in (OpenID Connect): by keys of each organization, whose private part is sealed. `public_key` is a JWK.
CREATE TABLE access.id_key (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    private_key     bytea       NOT NULL,
    public_key      bytea       NOT NULL,
    signs_until     timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX id_key_by_end ON access.id_key (signs_until);

-- What the app said that it must find in the token again.
ALTER TABLE access.app_grant ADD COLUMN nonce text NOT NULL DEFAULT '' CHECK (length(nonce) <= 500);

-- Which entry of the directory a member of staff is, as their identity provider says it.
ALTER TABLE access.account ADD COLUMN practitioner_id uuid;
