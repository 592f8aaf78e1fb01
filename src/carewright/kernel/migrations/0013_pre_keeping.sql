-- How long an organization keeps what, where it belongs, and what must not be disposed of. Every module asks here before it disposes.

-- What an organization chose for itself; whatever has no row is kept as the table in contracts/records.py says.
CREATE TABLE kernel.retention (
    organization_id uuid        NOT NULL,
    what            text        NOT NULL CHECK (length(what) BETWEEN 1 AND 100),
    days            int         NOT NULL CHECK (days >= 1),
    set_at          timestamptz NOT NULL,
    PRIMARY KEY (organization_id, what)
);

-- Where an organization's records may lie (`region`), and whose law its retention follows (`state`: ISO 3166-2 without the country).
CREATE TABLE kernel.jurisdiction (
    organization_id uuid        PRIMARY KEY,
    region          text        NOT NULL CHECK (length(region) BETWEEN 2 AND 40),
    state           text        CHECK (length(state) = 2),
    set_at          timestamptz NOT NULL
);

-- A legal hold on one patient, or without one on all of the organization. Reasons are people's own words: sealed.
CREATE TABLE kernel.legal_hold (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid,
    reason          bytea       NOT NULL,
    set_by          text        NOT NULL CHECK (length(set_by) BETWEEN 1 AND 200),
    set_at          timestamptz NOT NULL,
    lifted_at       timestamptz,
    lifted_by       text        CHECK (length(lifted_by) BETWEEN 1 AND 200),
    lift_reason     bytea,
    PRIMARY KEY (organization_id, id),
    CHECK (num_nulls(lifted_at, lifted_by, lift_reason) IN (0, 3))
);
CREATE INDEX legal_hold_standing ON kernel.legal_hold (organization_id, patient_id) WHERE lifted_at IS NULL;
CREATE TRIGGER legal_hold_stays BEFORE DELETE ON kernel.legal_hold FOR EACH ROW EXECUTE FUNCTION kernel.refuse_change();

-- Whether something of this patient, or of the organization alone where there is none, must stay. Part of every statement that disposes.
CREATE FUNCTION kernel.is_held(organization uuid, patient uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM kernel.legal_hold h
        WHERE h.organization_id = organization AND h.lifted_at IS NULL AND (h.patient_id IS NULL OR h.patient_id = patient))
$$;

-- For what may be about any patient.
CREATE FUNCTION kernel.is_anything_held(organization uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM kernel.legal_hold h WHERE h.organization_id = organization AND h.lifted_at IS NULL)
$$;
