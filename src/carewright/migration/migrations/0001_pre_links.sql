-- Which appointment of ours is which of an older system's: `mark` is a keyed hash of the source's name and its id there.
CREATE TABLE migration.link (
    organization_id uuid        NOT NULL,
    mark            bytea       NOT NULL CHECK (length(mark) = 32),
    appointment_id  uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    linked_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, mark)
);
CREATE INDEX link_of_patient ON migration.link (organization_id, patient_id);
