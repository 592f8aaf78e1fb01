-- Which visits payers want to be asked about before, as JSON of the contract's AuthorisationNeed; null for none.
ALTER TABLE coverage.service_type ADD COLUMN needs jsonb;
-- A site's rule about visits that nobody authorised; null is its rule about those that nobody pays for.
ALTER TABLE coverage.policy ADD COLUMN authorisation text CHECK (authorisation IN ('allow', 'warn', 'require'));
-- Whether scheduling was told of anything that stops bookings for them, so that it is told when nothing does any more.
ALTER TABLE coverage.patient ADD COLUMN has_stops boolean NOT NULL DEFAULT false;

-- What payers said about visits that they want to be asked about first. `content` (payer, member, number, days, what is missing) is sealed
-- for its row. `trace` goes out with the question; what the desk wrote down was asked by nobody here.
CREATE TABLE coverage.authorisation (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    appointment_id  uuid        NOT NULL,
    coverage_id     uuid        NOT NULL,
    visit_type_id   uuid,
    serviced_on     date        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('pended', 'certified', 'partial', 'denied', 'unknown')),
    by_desk         boolean     NOT NULL,
    content         bytea       NOT NULL,
    asked_at        timestamptz NOT NULL,
    answered_at     timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX authorisation_of_patient ON coverage.authorisation (organization_id, patient_id, id);
ALTER TABLE coverage.visit ADD COLUMN authorisation_id uuid;
