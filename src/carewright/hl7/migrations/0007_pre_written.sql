-- When a sender wrote a message (MSH-7), at the earliest, and a keyed hash of whose clock that is and what the message is about: one that was
-- written before another about the same, which is done, must not undo it.
ALTER TABLE hl7.message ADD COLUMN source_hash bytea CHECK (length(source_hash) = 32), ADD COLUMN written_at timestamptz;
CREATE INDEX message_written ON hl7.message (organization_id, source_hash, written_at) WHERE status = 'applied' AND source_hash IS NOT NULL;
