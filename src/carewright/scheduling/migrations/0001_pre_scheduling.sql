-- Calendars, claims on time, appointments; and small copies of what scheduling must know of others.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Copies, fed by events. `source_version` makes late and repeated events harmless.
CREATE TABLE scheduling.site (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    name            text    NOT NULL,
    time_zone       text    NOT NULL,
    active          boolean NOT NULL,
    source_version  int     NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE scheduling.visit_type (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    service_name    text    NOT NULL,
    value           jsonb   NOT NULL,
    active          boolean NOT NULL,
    source_version  int     NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE scheduling.patient (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    active          boolean NOT NULL,
    source_version  int     NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- One bookable actor's calendar. Bookings lock the row FOR KEY SHARE and name the calendar_version they were decided on;
-- calendar changes lock it FOR UPDATE and raise the version: no booking commits against hours that no longer hold.
CREATE TABLE scheduling.schedule (
    organization_id  uuid    NOT NULL,
    id               uuid    NOT NULL,
    kind             text    NOT NULL,
    display          text    NOT NULL,
    codes            text[]  NOT NULL,
    languages        text[]  NOT NULL,
    site_ids         uuid[]  NOT NULL,
    active           boolean NOT NULL,
    source_version   int     NOT NULL,
    calendar_version bigint  NOT NULL DEFAULT 1,
    hours            jsonb   NOT NULL,
    materialised_on  date    NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- Working time over the horizon, made from `schedule.hours` in each site's zone.
CREATE TABLE scheduling.opening (
    organization_id uuid        NOT NULL,
    schedule_id     uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    PRIMARY KEY (organization_id, schedule_id, starts_at, site_id)
);

CREATE TABLE scheduling.block (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    schedule_id     uuid        NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    reason          text        NOT NULL,
    created_by      text        NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX block_by_schedule ON scheduling.block (organization_id, schedule_id, ends_at);

-- The ledger: who holds which time. The exclusion constraint decides every race. Holds the horizon only; the past is archived.
-- A patient's time is claimed like any actor's (schedule_id is the patient's id), so nobody is expected in two places at once.
CREATE TABLE scheduling.claim (
    organization_id uuid        NOT NULL,
    schedule_id     uuid        NOT NULL,
    lane            smallint    NOT NULL DEFAULT 0 CHECK (lane BETWEEN 0 AND 7),
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    appointment_id  uuid        NOT NULL,
    expires_at      timestamptz,
    PRIMARY KEY (organization_id, appointment_id, schedule_id, starts_at),
    CONSTRAINT claim_excludes EXCLUDE USING gist
        (schedule_id WITH =, tstzrange(starts_at, ends_at) WITH &&, lane WITH =, organization_id WITH =)
) WITH (fillfactor = 90);

CREATE TABLE scheduling.appointment (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('proposed', 'pending', 'booked', 'arrived', 'checked-in', 'fulfilled',
                                                           'cancelled', 'noshow', 'waitlist', 'entered-in-error')),
    patient_id      uuid        NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    expires_at      timestamptz,
    series_id       uuid,
    visit_type_id   uuid        NOT NULL,
    version         int         NOT NULL CHECK (version >= 1),
    value           jsonb       NOT NULL,
    note            text,
    PRIMARY KEY (organization_id, id),
    CHECK (expires_at IS NULL OR status = 'pending')
) WITH (fillfactor = 85);
CREATE INDEX appointment_by_patient ON scheduling.appointment (organization_id, patient_id, starts_at);
CREATE INDEX appointment_expiring ON scheduling.appointment (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX appointment_past ON scheduling.appointment USING brin (ends_at);

-- What is over: the same rows, partitioned by the month in which the id (UUIDv7) was made.
CREATE TABLE scheduling.appointment_history (LIKE scheduling.appointment INCLUDING CONSTRAINTS, PRIMARY KEY (organization_id, id))
    PARTITION BY RANGE (id);
CREATE INDEX appointment_history_by_patient ON scheduling.appointment_history (organization_id, patient_id, starts_at);

-- The first UUIDv7 of an instant: 48 bits of milliseconds, then zeros (RFC 9562 section 5.7).
CREATE FUNCTION scheduling.first_id_at(instant timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM instant) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Runs as the owner of the tables: the module's role may not create any.
CREATE FUNCTION scheduling.ensure_history_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name  text := 'appointment_history_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass('scheduling.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE scheduling.%I PARTITION OF scheduling.appointment_history FOR VALUES FROM (%L) TO (%L)',
            name, scheduling.first_id_at(first::timestamp AT TIME ZONE 'UTC'),
            scheduling.first_id_at((first + interval '1 month')::timestamp AT TIME ZONE 'UTC'));
    END IF;
EXCEPTION WHEN duplicate_table THEN
    NULL;
END $$;
