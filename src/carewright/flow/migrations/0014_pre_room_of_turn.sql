-- Whether who waits does so in the room of the turn already: a queue may choose one when they come.
ALTER TABLE flow.queue_entry ADD COLUMN in_room boolean NOT NULL DEFAULT false;

-- Which precautions a patient needs against what they may pass on, until somebody says otherwise: sealed for its row, since it tells of an
-- illness. A row with none in it says that they need none any more.
CREATE TABLE flow.patient_precautions (
    organization_id uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    needed          bytea       NOT NULL,
    recorded_at     timestamptz NOT NULL,
    recorded_by     text        NOT NULL,
    version         int         NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, patient_id)
);
CREATE INDEX patient_precautions_by_age ON flow.patient_precautions (organization_id, recorded_at);
