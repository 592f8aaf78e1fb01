-- That an appointment depends on another of its patient: how near and how far, whether it is worth anything without it, and what is done
-- where that does not hold any more. `site_id` is where the dependent one is: somebody there sees to what is broken.
CREATE TABLE scheduling.link (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    appointment_id  uuid        NOT NULL,
    depends_on_id   uuid        NOT NULL CHECK (depends_on_id <> appointment_id),
    kind            text        NOT NULL CHECK (kind IN ('before', 'after', 'concurrent')),
    why             text        NOT NULL CHECK (why IN ('lab', 'imaging', 'interpreter', 'transport', 'bed', 'other')),
    needs           boolean     NOT NULL,
    least_minutes   int         NOT NULL CHECK (least_minutes >= 0),
    most_minutes    int         CHECK (most_minutes >= least_minutes),
    otherwise       text        NOT NULL CHECK (otherwise IN ('ask', 'move', 'flag')),
    status           text        NOT NULL CHECK (status IN ('holds', 'broken', 'seen', 'ended')),
    cause           text        CHECK (cause IN ('cancelled', 'missed', 'moved', 'back')),
    attempt         text        CHECK (attempt IN ('due', 'asked', 'none-free')),
    made_at         timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    version         int         NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    CHECK ((status = 'holds') = (cause IS NULL)),
    CHECK (attempt IS NULL OR status IN ('broken', 'seen'))
);
-- One of two depends on the other, once: whichever way round.
CREATE UNIQUE INDEX link_of_two ON scheduling.link
    (organization_id, least(appointment_id, depends_on_id), greatest(appointment_id, depends_on_id));
CREATE INDEX link_of_appointment ON scheduling.link (organization_id, appointment_id);
CREATE INDEX link_of_other ON scheduling.link (organization_id, depends_on_id);
CREATE INDEX link_of_patient ON scheduling.link (organization_id, patient_id);
CREATE INDEX link_broken ON scheduling.link (organization_id, site_id, id) WHERE status = 'broken';
