-- What an appointment was before each change, from its booking on: `said` is all of it, sealed for its row. A booking writes none; a change
-- writes what it replaces. `made_at` is when that version came to be.
CREATE TABLE scheduling.appointment_version (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    appointment_id  uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    version         int         NOT NULL CHECK (version >= 1),
    made_at         timestamptz NOT NULL,
    said            bytea       NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, appointment_id, version)
);
CREATE INDEX appointment_version_of_patient ON scheduling.appointment_version (organization_id, patient_id);
