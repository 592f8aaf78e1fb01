-- From which IP address a deed was asked for, where somebody asked.
ALTER TABLE audit.event ADD COLUMN address text;
CREATE INDEX event_refused_from ON audit.event (recorded_at) WHERE outcome = 'refused' AND address IS NOT NULL;
CREATE INDEX event_of_address ON audit.event (organization_id, address, number) WHERE address IS NOT NULL;
