-- Who and what can be booked. Each row keeps the whole entry in `value`, as the contract states it; the columns made from it are those
-- that keys, rules and searches need. They are generated, so a column can never say something else than the entry.
-- `search_key` is what people find and sort the entry by, without case and accents.

CREATE TABLE directory.organization (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    search_key      text    NOT NULL,
    value           jsonb   NOT NULL CHECK (value->>'id' = id::text),
    version         int     NOT NULL GENERATED ALWAYS AS ((value->>'version')::int) STORED,
    part_of_id      uuid    GENERATED ALWAYS AS ((value->>'part_of_id')::uuid) STORED,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, part_of_id) REFERENCES directory.organization,
    CHECK (part_of_id <> id)
);

CREATE TABLE directory.location (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    search_key      text    NOT NULL,
    value           jsonb   NOT NULL CHECK (value->>'id' = id::text),
    version         int     NOT NULL GENERATED ALWAYS AS ((value->>'version')::int) STORED,
    active          boolean NOT NULL GENERATED ALWAYS AS ((value->>'active')::boolean) STORED,
    kind            text    NOT NULL GENERATED ALWAYS AS (value->>'kind') STORED,
    site_id         uuid    NOT NULL GENERATED ALWAYS AS ((value->>'site_id')::uuid) STORED,
    part_of_id      uuid    GENERATED ALWAYS AS ((value->>'part_of_id')::uuid) STORED,
    managing_id     uuid    GENERATED ALWAYS AS ((value->>'managing_organization_id')::uuid) STORED,
    time_zone       text    GENERATED ALWAYS AS (value->>'time_zone') STORED,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, id, site_id),
    FOREIGN KEY (organization_id, site_id) REFERENCES directory.location,
    -- A place lies at the same site as the place it is part of.
    FOREIGN KEY (organization_id, part_of_id, site_id) REFERENCES directory.location (organization_id, id, site_id),
    FOREIGN KEY (organization_id, managing_id) REFERENCES directory.organization,
    CHECK (kind IN ('site', 'building', 'room', 'bed', 'lab-bench')),
    CHECK ((kind = 'site') = (site_id = id)),
    CHECK ((kind = 'site') = (time_zone IS NOT NULL)),
    CHECK (kind <> 'site' OR part_of_id IS NULL)
);
CREATE INDEX location_sites ON directory.location (organization_id, search_key) WHERE kind = 'site';

CREATE TABLE directory.practitioner (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    search_key      text    NOT NULL,
    value           jsonb   NOT NULL CHECK (value->>'id' = id::text),
    version         int     NOT NULL GENERATED ALWAYS AS ((value->>'version')::int) STORED,
    active          boolean NOT NULL GENERATED ALWAYS AS ((value->>'active')::boolean) STORED,
    kind            text    NOT NULL GENERATED ALWAYS AS (value->>'kind') STORED,
    PRIMARY KEY (organization_id, id),
    CHECK (kind IN ('practitioner', 'nurse', 'technician'))
);

CREATE TABLE directory.practitioner_role (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    search_key      text    NOT NULL,
    value           jsonb   NOT NULL CHECK (value->>'id' = id::text),
    version         int     NOT NULL GENERATED ALWAYS AS ((value->>'version')::int) STORED,
    active          boolean NOT NULL GENERATED ALWAYS AS ((value->>'active')::boolean) STORED,
    practitioner_id uuid    NOT NULL GENERATED ALWAYS AS ((value->>'practitioner_id')::uuid) STORED,
    for_id          uuid    GENERATED ALWAYS AS ((value->>'for_organization_id')::uuid) STORED,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, practitioner_id) REFERENCES directory.practitioner,
    FOREIGN KEY (organization_id, for_id) REFERENCES directory.organization
);
CREATE INDEX practitioner_role_of ON directory.practitioner_role (organization_id, practitioner_id);

CREATE TABLE directory.device (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    search_key      text    NOT NULL,
    value           jsonb   NOT NULL CHECK (value->>'id' = id::text),
    version         int     NOT NULL GENERATED ALWAYS AS ((value->>'version')::int) STORED,
    site_id         uuid    GENERATED ALWAYS AS ((value->>'site_id')::uuid) STORED,
    location_id     uuid    GENERATED ALWAYS AS ((value->>'location_id')::uuid) STORED,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, site_id) REFERENCES directory.location,
    FOREIGN KEY (organization_id, location_id) REFERENCES directory.location
);

CREATE TABLE directory.healthcare_service (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL,
    search_key      text    NOT NULL,
    value           jsonb   NOT NULL CHECK (value->>'id' = id::text),
    version         int     NOT NULL GENERATED ALWAYS AS ((value->>'version')::int) STORED,
    active          boolean NOT NULL GENERATED ALWAYS AS ((value->>'active')::boolean) STORED,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX healthcare_service_by_name ON directory.healthcare_service (organization_id, search_key);

CREATE TABLE directory.visit_type (
    organization_id       uuid    NOT NULL,
    id                    uuid    NOT NULL,
    search_key            text    NOT NULL,
    value                 jsonb   NOT NULL CHECK (value->>'id' = id::text),
    version               int     NOT NULL GENERATED ALWAYS AS ((value->>'version')::int) STORED,
    active                boolean NOT NULL GENERATED ALWAYS AS ((value->>'active')::boolean) STORED,
    healthcare_service_id uuid    NOT NULL GENERATED ALWAYS AS ((value->>'healthcare_service_id')::uuid) STORED,
    duration_minutes      int     NOT NULL GENERATED ALWAYS AS ((value->>'duration_minutes')::int) STORED,
    grid_minutes          int     NOT NULL GENERATED ALWAYS AS ((value->'rules'->>'grid_minutes')::int) STORED,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, healthcare_service_id) REFERENCES directory.healthcare_service,
    CHECK (duration_minutes BETWEEN 5 AND 1440 AND duration_minutes % 5 = 0),
    CHECK (grid_minutes BETWEEN 5 AND 240 AND grid_minutes % 5 = 0),
    CHECK (jsonb_array_length(value->'requirements') >= 1)
);
CREATE INDEX visit_type_of ON directory.visit_type (organization_id, healthcare_service_id);

-- Which of our ids carries a foreign identifier. An identifier names one entry of a type.
CREATE TABLE directory.identifier (
    organization_id uuid NOT NULL,
    resource_type   text NOT NULL,
    system          text NOT NULL,
    value           text NOT NULL,
    id              uuid NOT NULL,
    PRIMARY KEY (organization_id, resource_type, system, value)
);
CREATE INDEX identifier_of ON directory.identifier (organization_id, id);
