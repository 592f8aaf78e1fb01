-- How a client names itself where it signs every request. Looked up before anybody knows whose client it is: unique across tenants.
ALTER TABLE access.client ADD COLUMN issuer text CHECK (length(issuer) <= 2000);
CREATE UNIQUE INDEX client_by_issuer ON access.client (issuer);
