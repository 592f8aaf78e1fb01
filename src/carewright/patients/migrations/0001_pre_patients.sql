-- People who receive care. `name_key` is "family, given" without case and accents, compared byte by byte whatever the database's locale:
-- the front desk finds people by its beginning.
CREATE TABLE patients.patient (
    organization_id uuid     NOT NULL,
    id              uuid     NOT NULL,
    name_key        text     COLLATE "C" NOT NULL CHECK (name_key <> ''),
    family          text     NOT NULL CHECK (length(family) BETWEEN 1 AND 100),
    given           text[]   NOT NULL,
    birth_on        date     CHECK (birth_on >= '1880-01-01'),
    gender          text     CHECK (gender IN ('male', 'female', 'other', 'unknown')),
    language        text,
    telecom         jsonb    NOT NULL,
    identifiers     jsonb    NOT NULL,
    active          boolean  NOT NULL,
    version         int      NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, id)
);
-- Ends with the id, so that a page comes out of the index in order; a birth date narrows a search within it.
CREATE INDEX patient_by_name ON patients.patient (organization_id, name_key, id) INCLUDE (birth_on) WHERE active;

-- Which patient carries a foreign identifier. An identifier names one patient. There is no foreign key: these rows are written in one
-- transaction with their patient and by nothing else, patients are never deleted, and the check would cost a fifth of a bulk load.
CREATE TABLE patients.identifier (
    organization_id uuid NOT NULL,
    system          text NOT NULL,
    value           text NOT NULL,
    patient_id      uuid NOT NULL,
    PRIMARY KEY (organization_id, system, value)
);
CREATE INDEX identifier_of ON patients.identifier (organization_id, patient_id);
