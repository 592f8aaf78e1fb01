-- Who waits for a service at a site. `policy` says how it orders.
CREATE TABLE flow.queue (
    organization_id uuid  NOT NULL,
    id              uuid  NOT NULL,
    site_id         uuid  NOT NULL,
    service_id      uuid  NOT NULL,
    name            text  NOT NULL,
    letter          text  NOT NULL CHECK (letter ~ '^[A-Z]{1,2}$'),
    policy          jsonb NOT NULL,
    version         int   NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, site_id, service_id)
);

-- How many tickets a queue gave out on a day. The row is locked for the moment in which somebody draws one.
CREATE TABLE flow.ticket_roll (
    organization_id uuid NOT NULL,
    queue_id        uuid NOT NULL,
    day             date NOT NULL,
    last_number     int  NOT NULL,
    PRIMARY KEY (organization_id, queue_id, day)
);

-- One patient's turn in one queue. Nothing here says why they are here: that lies sealed in the encounter. `practitioner_id` is the nil id
-- where anybody may call. `ranked_from` orders within a level; what levels are worth against each other is the queue's policy, which may
-- change without a row here changing.
CREATE TABLE flow.queue_entry (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    queue_id        uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    service_id      uuid        NOT NULL,
    encounter_id    uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    appointment_id  uuid,
    practitioner_id uuid        NOT NULL,
    location_id     uuid,
    day             date        NOT NULL,
    ticket          text        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('expected', 'waiting', 'called', 'in-service', 'on-hold', 'skipped',
                                                           'completed', 'left', 'transferred', 'cancelled')),
    level           smallint    NOT NULL CHECK (level BETWEEN 1 AND 5),
    ranked_from     timestamptz NOT NULL,
    expected_at     timestamptz,
    arrived_at      timestamptz,
    triaged_at      timestamptz,
    called_at       timestamptz,
    started_at      timestamptz,
    ended_at        timestamptz,
    skipped         smallint    NOT NULL DEFAULT 0,
    version         int         NOT NULL CHECK (version >= 1),
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, queue_id, day, ticket),
    FOREIGN KEY (organization_id, queue_id) REFERENCES flow.queue,
    FOREIGN KEY (organization_id, encounter_id) REFERENCES flow.encounter ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (status NOT IN ('completed', 'left', 'transferred', 'cancelled'))),
    CHECK (status NOT IN ('called', 'in-service') OR called_at IS NOT NULL OR started_at IS NOT NULL),
    CHECK (status = 'expected' OR arrived_at IS NOT NULL OR ended_at IS NOT NULL)
) WITH (fillfactor = 80);
-- The order is read from these: the first of each level, for whoever calls, and for whoever looks.
CREATE INDEX queue_entry_in_order ON flow.queue_entry (organization_id, queue_id, level, ranked_from, id) WHERE status = 'waiting';
CREATE INDEX queue_entry_waiting ON flow.queue_entry (organization_id, queue_id, practitioner_id, level, ranked_from, id)
    WHERE status = 'waiting';
CREATE INDEX queue_entry_open ON flow.queue_entry (organization_id, queue_id)
    WHERE status IN ('expected', 'called', 'in-service', 'on-hold', 'skipped');
-- Whoever comes twice has one turn.
CREATE UNIQUE INDEX queue_entry_once ON flow.queue_entry (organization_id, queue_id, patient_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX queue_entry_of_appointment ON flow.queue_entry (organization_id, appointment_id, queue_id)
    WHERE appointment_id IS NOT NULL AND status <> 'cancelled';
CREATE INDEX queue_entry_of_encounter ON flow.queue_entry (organization_id, encounter_id);
CREATE INDEX queue_entry_of_patient ON flow.queue_entry (organization_id, patient_id);

-- Every step, with how the entry was before it: what is taken back is put back from here, and waits are learnt from it.
CREATE TABLE flow.queue_step (
    organization_id uuid        NOT NULL,
    entry_id        uuid        NOT NULL,
    version         int         NOT NULL,
    action          text        NOT NULL,
    at              timestamptz NOT NULL,
    by              text        NOT NULL,
    before          jsonb,
    PRIMARY KEY (organization_id, entry_id, version),
    FOREIGN KEY (organization_id, entry_id) REFERENCES flow.queue_entry ON DELETE CASCADE
);

-- Flow's own copies: which day it is at a site, and which service a kind of visit belongs to. Where one is stale, a ticket's number begins
-- anew at another hour, and somebody who checks in waits in the queue of the service as it was.
CREATE TABLE flow.site (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    name            text NOT NULL,
    time_zone       text NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE flow.visit_type (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    service_id      uuid NOT NULL,
    service_name    text NOT NULL,
    minutes         int  NOT NULL,
    PRIMARY KEY (organization_id, id)
);
