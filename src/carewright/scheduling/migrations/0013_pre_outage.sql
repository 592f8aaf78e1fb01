-- A block that says by a code why something is out of service is an outage. It needs no words, and so has nothing that is sealed.
ALTER TABLE scheduling.block ALTER COLUMN reason DROP NOT NULL;
ALTER TABLE scheduling.block ADD COLUMN outage text CHECK (outage IN ('equipment', 'room', 'emergency', 'absent', 'other'));
ALTER TABLE scheduling.block ADD CHECK ((outage IS NULL) = (reason IS NOT NULL));
CREATE INDEX block_outage ON scheduling.block (organization_id, ends_at) WHERE outage IS NOT NULL;
