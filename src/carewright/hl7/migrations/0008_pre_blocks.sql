-- What a partner is to be told of a calendar: of a block, which is nobody's. Its version is that of the calendar.
ALTER TABLE hl7.outgoing
    ALTER COLUMN appointment_id DROP NOT NULL,
    ALTER COLUMN patient_id DROP NOT NULL,
    ADD COLUMN block_id uuid,
    ADD CONSTRAINT outgoing_about_one CHECK (num_nonnulls(appointment_id, block_id) = 1 AND (appointment_id IS NULL) = (patient_id IS NULL)),
    ADD CONSTRAINT outgoing_of_block UNIQUE (organization_id, partner_id, block_id, version);
