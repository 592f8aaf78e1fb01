-- Time that an appointment takes of a calendar: that of a practitioner, a room or a device. Of the same copy as `flow.coming`, and as stale.
CREATE TABLE flow.coming_time (
    organization_id uuid        NOT NULL,
    calendar_id     uuid        NOT NULL,
    appointment_id  uuid        NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    PRIMARY KEY (organization_id, calendar_id, starts_at, appointment_id),
    FOREIGN KEY (organization_id, appointment_id) REFERENCES flow.coming ON DELETE CASCADE
);
CREATE INDEX coming_time_of ON flow.coming_time (organization_id, appointment_id);

-- How late an appointment is expected to begin, and what of that the patient heard. `version` rises whenever something else is expected.
CREATE TABLE flow.expected (
    organization_id uuid NOT NULL,
    appointment_id  uuid NOT NULL,
    patient_id      uuid NOT NULL,
    late_minutes    int  NOT NULL DEFAULT 0 CHECK (late_minutes >= 0),
    told_minutes    int  NOT NULL DEFAULT 0 CHECK (told_minutes >= 0),
    version         int  NOT NULL DEFAULT 0 CHECK (version >= 0),
    PRIMARY KEY (organization_id, appointment_id),
    FOREIGN KEY (organization_id, appointment_id) REFERENCES flow.coming ON DELETE CASCADE
);
CREATE INDEX expected_of ON flow.expected (organization_id, patient_id);
CREATE INDEX expected_late ON flow.expected (organization_id, appointment_id) WHERE late_minutes > 0;

-- How late a calendar runs: one value a calendar and day of the site, and all that it was. Codes, ids and times alone. What was booked
-- `from_at` was to begin next when it was said.
CREATE TABLE flow.delay (
    organization_id uuid        NOT NULL,
    calendar_id     uuid        NOT NULL,
    day             date        NOT NULL,
    site_id         uuid        NOT NULL,
    minutes         int         NOT NULL CHECK (minutes BETWEEN 0 AND 2880),
    source          text        NOT NULL CHECK (source IN ('entered', 'detected')),
    reason          text,
    said_at         timestamptz NOT NULL,
    from_at         timestamptz NOT NULL,
    version         int         NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, calendar_id, day),
    CHECK ((source = 'entered') = (reason IS NOT NULL))
);
CREATE INDEX delay_past ON flow.delay (day);
CREATE INDEX delay_said ON flow.delay (organization_id, site_id, said_at);

CREATE TABLE flow.delay_step (
    organization_id uuid        NOT NULL,
    calendar_id     uuid        NOT NULL,
    day             date        NOT NULL,
    version         int         NOT NULL,
    minutes         int         NOT NULL,
    source          text        NOT NULL,
    reason          text,
    said_at         timestamptz NOT NULL,
    by              text        NOT NULL,
    PRIMARY KEY (organization_id, calendar_id, day, version),
    FOREIGN KEY (organization_id, calendar_id, day) REFERENCES flow.delay ON DELETE CASCADE
);

-- From how many minutes on the patients of a site are told of a delay.
ALTER TABLE flow.site ADD COLUMN tell_minutes int NOT NULL DEFAULT 15 CHECK (tell_minutes BETWEEN 5 AND 240);
