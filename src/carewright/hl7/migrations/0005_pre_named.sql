-- Whom a message names of whom we know nobody: a keyed hash of each identifier, the one by which patients' identifiers are unique, so that an
-- erasure finds what was said of somebody before their record was there, or beside it.
CREATE TABLE hl7.named (
    organization_id uuid  NOT NULL,
    identifier_hash bytea NOT NULL CHECK (length(identifier_hash) = 32),
    message_id      uuid  NOT NULL,
    PRIMARY KEY (organization_id, identifier_hash, message_id),
    FOREIGN KEY (organization_id, message_id) REFERENCES hl7.message (organization_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX named_by_message ON hl7.named (organization_id, message_id);
