-- Rooms, beds and benches: what the directory says of them (flow's own copy), and how each stands. Where the copy is stale, somebody may be
-- put into a room that was just closed for good, or a new one is not yet found. Who is in it is the encounter's id alone.
CREATE TABLE flow.place (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('room', 'bed', 'lab-bench')),
    name            text        NOT NULL,
    part_of_id      uuid,
    room_type       text,
    active          boolean     NOT NULL,
    status          text        NOT NULL DEFAULT 'free' CHECK (status IN ('free', 'occupied', 'turnover', 'closed')),
    precautions     text[]      NOT NULL DEFAULT '{}',
    encounter_id    uuid,
    since           timestamptz,
    last_used_at    timestamptz,
    reason          text,
    version         int         NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (organization_id, id),
    CHECK ((status = 'occupied') = (encounter_id IS NOT NULL)),
    CHECK ((status = 'closed') = (reason IS NOT NULL))
);
CREATE INDEX place_at ON flow.place (organization_id, site_id, id);
CREATE INDEX place_of ON flow.place (organization_id, encounter_id) WHERE encounter_id IS NOT NULL;
-- One row is one bed, so two are never in one; and one is never in two.
CREATE UNIQUE INDEX place_bed_once ON flow.place (organization_id, encounter_id) WHERE encounter_id IS NOT NULL AND kind = 'bed';

-- Which equipment stands where: flow's own copy. Where it is stale, a room is chosen for what was carried away.
CREATE TABLE flow.device (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    location_id     uuid,
    device_type     text NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX device_in ON flow.device (organization_id, location_id);
