-- What a partner over HTTPS is shown: a bearer token that it gave us, sealed for its row.
ALTER TABLE hl7.partner ADD COLUMN token bytea;
