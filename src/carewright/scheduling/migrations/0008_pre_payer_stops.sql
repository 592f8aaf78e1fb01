-- A small copy of what coverage says: visits of a patient that are not to be booked now, because of what the payer said. Of the types that
-- are named, or with `all_but` of all others. Booking reads it, and only coverage's event changes it.
CREATE TABLE scheduling.payer_stop (
    organization_id uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    number          int         NOT NULL CHECK (number >= 0),
    site_id         uuid        NOT NULL,
    why             text        NOT NULL CHECK (why IN ('not-covered', 'not-authorised')),
    visit_type_ids  uuid[]      NOT NULL,
    all_but         boolean     NOT NULL,
    starts_from     timestamptz NOT NULL,
    starts_before   timestamptz,
    counts_until    timestamptz NOT NULL,
    PRIMARY KEY (organization_id, patient_id, number)
);
