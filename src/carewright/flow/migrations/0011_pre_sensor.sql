-- Sensors: what watches which place, or the area of which queues, and when what it says counts. `secret_hash` is SHA-256 of its secret.
CREATE TABLE flow.sensor (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    name            text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    transport       text        NOT NULL CHECK (transport IN ('http', 'mqtt')),
    place_id        uuid,
    queue_ids       uuid[]      NOT NULL DEFAULT '{}',
    hold_seconds    int         NOT NULL CHECK (hold_seconds BETWEEN 0 AND 600),
    readings_least  int         NOT NULL CHECK (readings_least BETWEEN 1 AND 20),
    silent_seconds  int         NOT NULL CHECK (silent_seconds BETWEEN 10 AND 86400),
    count_most      int         NOT NULL CHECK (count_most BETWEEN 1 AND 5000),
    secret_hash     bytea       CHECK (length(secret_hash) = 32),
    enrolled_at     timestamptz NOT NULL,
    stopped_at      timestamptz,
    version         int         NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    CHECK ((place_id IS NULL) = (cardinality(queue_ids) > 0)),
    CHECK ((secret_hash IS NULL) = (transport = 'mqtt' OR stopped_at IS NOT NULL))
);
CREATE UNIQUE INDEX sensor_by_secret ON flow.sensor (secret_hash);
CREATE INDEX sensor_at ON flow.sensor (organization_id, site_id, id) WHERE stopped_at IS NULL;
CREATE INDEX sensor_stopped ON flow.sensor (stopped_at) WHERE stopped_at IS NOT NULL;
-- However many are enrolled at once, a place has one.
CREATE UNIQUE INDEX sensor_of_place ON flow.sensor (organization_id, place_id) WHERE stopped_at IS NULL AND place_id IS NOT NULL;

-- What each sees, one row a sensor however often it speaks: numbers and times, and nothing of whom it sees. It has no index but its key and
-- pages that are half empty, so that a change of it writes one page (HOT).
CREATE TABLE flow.sensing (
    organization_id uuid        NOT NULL,
    sensor_id       uuid        NOT NULL,
    value           int         CHECK (value >= 0),
    since           timestamptz,
    run_value       int         CHECK (run_value >= 0),
    run_from        timestamptz,
    run_readings    int         NOT NULL DEFAULT 0 CHECK (run_readings >= 0),
    read_at         timestamptz,
    sequence        bigint,
    is_silent       boolean     NOT NULL DEFAULT false,
    fault           text,
    fault_at        timestamptz,
    version         int         NOT NULL DEFAULT 0 CHECK (version >= 0),
    PRIMARY KEY (organization_id, sensor_id),
    FOREIGN KEY (organization_id, sensor_id) REFERENCES flow.sensor ON DELETE CASCADE,
    CHECK ((value IS NULL) = (since IS NULL)),
    CHECK ((run_value IS NULL) = (run_from IS NULL)),
    CHECK (NOT is_silent OR value IS NULL)
) WITH (fillfactor = 50);
