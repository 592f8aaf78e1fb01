-- Coverage is linked as the other kinds are. `payers_asked_at` is when it was last asked who pays for a linked patient.
ALTER TABLE ehr.link DROP CONSTRAINT link_kind_check,
    ADD CONSTRAINT link_kind_check CHECK (kind IN ('Practitioner', 'Location', 'Patient', 'Appointment', 'Coverage')),
    ADD COLUMN payers_asked_at timestamptz;
ALTER TABLE ehr.difference DROP CONSTRAINT difference_kind_check,
    ADD CONSTRAINT difference_kind_check CHECK (kind IN ('Practitioner', 'Location', 'Patient', 'Appointment', 'Coverage'));
CREATE INDEX link_payers_asked ON ehr.link (organization_id, connection_id, payers_asked_at NULLS FIRST) WHERE kind = 'Patient';
