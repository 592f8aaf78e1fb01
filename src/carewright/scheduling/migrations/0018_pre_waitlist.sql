-- Who waits for a time. What an entry is waited for with stands in `wishes` (codes, dates, minutes and ids, no words). `given_up_id` is an
-- appointment that is moved when an earlier time is found. Whoever is offered a time waits still: that is an open offer of the entry.
CREATE TABLE scheduling.waiting (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('waiting', 'booked', 'withdrawn', 'expired')),
    patient_id      uuid        NOT NULL,
    visit_type_id   uuid        NOT NULL,
    site_ids        uuid[]      NOT NULL CHECK (cardinality(site_ids) >= 1),
    urgency         text        NOT NULL CHECK (urgency IN ('P0', 'P1', 'P2')),
    latest_on       date,
    wishes          jsonb       NOT NULL,
    given_up_id     uuid,
    since           timestamptz NOT NULL,
    passed_over     int         NOT NULL DEFAULT 0 CHECK (passed_over >= 0),
    ended_at        timestamptz,
    version         int         NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
-- Nobody waits twice for the same kind of visit.
CREATE UNIQUE INDEX waiting_once ON scheduling.waiting (organization_id, patient_id, visit_type_id) WHERE state = 'waiting';
CREATE INDEX waiting_of_patient ON scheduling.waiting (organization_id, patient_id);
CREATE INDEX waiting_at_site ON scheduling.waiting USING gin (site_ids) WHERE state = 'waiting';
CREATE INDEX waiting_until ON scheduling.waiting (latest_on) WHERE state = 'waiting';

-- How a site offers what falls free. Where there is no row, nothing is offered.
CREATE TABLE scheduling.waitlist_policy (
    organization_id uuid    NOT NULL,
    site_id         uuid    NOT NULL,
    way             text    NOT NULL CHECK (way IN ('off', 'cascade', 'race')),
    racers          int     NOT NULL CHECK (racers BETWEEN 2 AND 5),
    answer_minutes  int     NOT NULL CHECK (answer_minutes BETWEEN 5 AND 1440),
    notice_minutes  int     NOT NULL CHECK (notice_minutes BETWEEN 0 AND 10080),
    chains          boolean NOT NULL,
    version         int     NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, site_id)
);

-- Time that fell free: by which change of which appointment, and what became of it. While somebody is asked, its claims carry this id. `turn`
-- counts how often somebody was asked; `open` ends once.
CREATE TABLE scheduling.freed_time (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('open', 'taken', 'left')),
    site_id         uuid        NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    actor_ids       uuid[]      NOT NULL,
    cause_id        uuid        NOT NULL,
    cause_version   int         NOT NULL,
    freed_at        timestamptz NOT NULL,
    turn            int         NOT NULL DEFAULT 0 CHECK (turn >= 0),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, cause_id, cause_version)
);
CREATE INDEX freed_time_over ON scheduling.freed_time (ends_at);

ALTER TABLE scheduling.offer DROP CONSTRAINT offer_purpose_check,
    ADD CONSTRAINT offer_purpose_check CHECK (purpose IN ('moved', 'waitlist', 'earlier')),
    ADD COLUMN entry_id uuid, ADD COLUMN freed_id uuid, ADD COLUMN shared boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT offer_of_freed_time CHECK ((purpose = 'moved') = (freed_id IS NULL) AND (freed_id IS NULL) = (entry_id IS NULL));
-- Of those who are asked about the same time one gets it.
CREATE UNIQUE INDEX offer_taken ON scheduling.offer (organization_id, freed_id) WHERE status = 'accepted';
CREATE INDEX offer_of_freed ON scheduling.offer (organization_id, freed_id) WHERE freed_id IS NOT NULL;
CREATE INDEX offer_of_entry ON scheduling.offer (organization_id, entry_id) WHERE entry_id IS NOT NULL;
