-- A time that is kept for a patient until they say whether they want it. Its claims carry the offer's id where those of an appointment carry
-- the appointment's, and run out with it; the patient's own time is not claimed before they accept. `booked_at` is when the appointment was
-- booked for as the offer was made, with whom, and in which version.
CREATE TABLE scheduling.offer (
    organization_id     uuid        NOT NULL,
    id                  uuid        NOT NULL,
    purpose             text        NOT NULL CHECK (purpose IN ('moved')),
    status              text        NOT NULL CHECK (status IN ('open', 'accepted', 'declined', 'expired', 'withdrawn')),
    appointment_id      uuid        NOT NULL,
    appointment_version int         NOT NULL CHECK (appointment_version >= 1),
    patient_id          uuid        NOT NULL,
    site_id             uuid        NOT NULL,
    booked_at           timestamptz NOT NULL,
    booked_actor_ids    uuid[]      NOT NULL,
    starts_at           timestamptz NOT NULL,
    ends_at             timestamptz NOT NULL CHECK (ends_at > starts_at),
    actor_ids           uuid[]      NOT NULL,
    made_at             timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL CHECK (expires_at > made_at),
    ended_at            timestamptz,
    unreached           boolean     NOT NULL DEFAULT false,
    version             int         NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    CHECK ((status = 'open') = (ended_at IS NULL))
);
-- Nobody is asked two things about one appointment.
CREATE UNIQUE INDEX offer_open ON scheduling.offer (organization_id, appointment_id) WHERE status = 'open';
CREATE INDEX offer_of_appointment ON scheduling.offer (organization_id, appointment_id);
CREATE INDEX offer_of_patient ON scheduling.offer (organization_id, patient_id);
CREATE INDEX offer_by_start ON scheduling.offer (organization_id, booked_at);
CREATE INDEX offer_expiring ON scheduling.offer (expires_at) WHERE status = 'open';
