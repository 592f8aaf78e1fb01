-- Who pays for whom. `content` (payer's name, member, plan, group, the people) is sealed for its row; `mark` is a keyed hash of patient,
-- payer and member. What was entered in error does not stand in the way of the right one.
CREATE TABLE coverage.coverage (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('active', 'cancelled', 'draft', 'entered-in-error')),
    content         bytea       NOT NULL,
    mark            bytea       NOT NULL CHECK (length(mark) = 32),
    starts_on       date,
    ends_on         date,
    pays_as         int         NOT NULL CHECK (pays_as BETWEEN 1 AND 9),
    version         int         NOT NULL CHECK (version >= 1),
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT coverage_period CHECK (starts_on <= ends_on)
);
CREATE UNIQUE INDEX coverage_once ON coverage.coverage (organization_id, mark) WHERE status <> 'entered-in-error';
CREATE INDEX coverage_of_patient ON coverage.coverage (organization_id, patient_id, id);

-- Whose coverages there are, or were: changes about one patient go one after another by this row's lock. Of who was erased it is all that
-- is left, and what comes late about them is not kept.
CREATE TABLE coverage.patient (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    erased_at       timestamptz,
    PRIMARY KEY (organization_id, id)
);
