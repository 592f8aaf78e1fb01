-- Apps that the staff start themselves, in the context of a patient (SMART App Launch 2.2, EHR launch): where such an app begins.
ALTER TABLE access.client ADD COLUMN launch_uri text
    CHECK (launch_uri IS NULL OR (length(launch_uri) <= 500 AND redirect_uris <> '{}'));

-- What somebody started, until its app asks for it: once, within minutes, in the session in which it was started.
CREATE TABLE access.launch (
    organization_id uuid        NOT NULL,
    launch_hash     bytea       NOT NULL CHECK (length(launch_hash) = 32),
    client_id       uuid        NOT NULL,
    session_id      uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    encounter_id    uuid,
    appointment_id  uuid,
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, launch_hash),
    FOREIGN KEY (organization_id, client_id) REFERENCES access.client
);
CREATE INDEX launch_of_patient ON access.launch (organization_id, patient_id);
CREATE INDEX launch_by_end ON access.launch (expires_at);

-- What a launch was in the context of goes with what its app may do.
ALTER TABLE access.app_grant ADD COLUMN encounter_id uuid, ADD COLUMN appointment_id uuid;
CREATE INDEX app_grant_by_early_end ON access.app_grant (ended_at) WHERE ended_at IS NOT NULL;
