-- What a patient calls a passkey is their own words: sealed. Nothing was released, and no page offered passkeys: none is carried over.
DELETE FROM access.passkey;
ALTER TABLE access.passkey ADD COLUMN name bytea NOT NULL;
