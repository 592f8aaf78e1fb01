-- Tickets that kiosks gave to people of whom nobody knows yet who they are. Not turns: nobody is called to be seen by one. `station` is the
-- account of the kiosk. What is open is never forgotten.
CREATE TABLE flow.walk_in (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    queue_id        uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    station         text        NOT NULL,
    day             date        NOT NULL,
    ticket          text        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('waiting', 'called', 'registered', 'ended')),
    taken_at        timestamptz NOT NULL,
    called_at       timestamptz,
    ended_at        timestamptz,
    end_reason      text        CHECK (end_reason IN ('left', 'has-turn', 'mistake')),
    entry_id        uuid,
    version         int         NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, queue_id, day, ticket),
    FOREIGN KEY (organization_id, queue_id) REFERENCES flow.queue ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (status IN ('waiting', 'called'))),
    CHECK ((status = 'registered') = (entry_id IS NOT NULL)),
    CHECK ((status = 'ended') = (end_reason IS NOT NULL)),
    CHECK (status <> 'called' OR called_at IS NOT NULL)
);
CREATE INDEX walk_in_open ON flow.walk_in (organization_id, queue_id, taken_at, id) WHERE ended_at IS NULL;
CREATE INDEX walk_in_past ON flow.walk_in (ended_at) WHERE ended_at IS NOT NULL;

-- Somebody at a kiosk needs somebody of the staff, now. `station_name` is where it stands; `answered_by` who of the staff went there.
CREATE TABLE flow.help_call (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    station         text        NOT NULL,
    station_name    text        NOT NULL,
    reason          text        NOT NULL CHECK (reason IN ('ill', 'codes')),
    raised_at       timestamptz NOT NULL,
    answered_at     timestamptz,
    answered_by     text,
    version         int         NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    CHECK ((answered_at IS NULL) = (answered_by IS NULL))
);
-- However often it is touched, one call is open.
CREATE UNIQUE INDEX help_call_open ON flow.help_call (organization_id, station, reason) WHERE answered_at IS NULL;
CREATE INDEX help_call_at ON flow.help_call (organization_id, site_id, raised_at) WHERE answered_at IS NULL;
CREATE INDEX help_call_past ON flow.help_call (answered_at) WHERE answered_at IS NOT NULL;

-- How many codes were typed at a kiosk, since when, that were none. The row is locked by whoever tries, so that tries at once are counted.
CREATE TABLE flow.code_tries (
    organization_id uuid        NOT NULL,
    station         text        NOT NULL,
    since           timestamptz NOT NULL,
    wrong           int         NOT NULL CHECK (wrong >= 0),
    PRIMARY KEY (organization_id, station)
);
