-- Visits move and end: what was asked counts for the day and the kind of visit that it was asked about, and `is_asked` says whether that is
-- so now. Those that were there already were asked about, or there was nobody to ask.
ALTER TABLE coverage.visit
    ADD COLUMN visit_type_id uuid,
    ADD COLUMN is_asked      boolean NOT NULL DEFAULT true,
    ADD COLUMN has_ended     boolean NOT NULL DEFAULT false;
ALTER TABLE coverage.visit ALTER COLUMN is_asked SET DEFAULT false;
CREATE INDEX visit_of_site ON coverage.visit (organization_id, site_id, starts_at, id);

-- About what payers are asked where it is not a visit to an office (X12 1365).
CREATE TABLE coverage.service_type (
    organization_id uuid NOT NULL,
    visit_type_id   uuid NOT NULL,
    code            text NOT NULL CHECK (code ~ '^[A-Z0-9]{1,2}$'),
    PRIMARY KEY (organization_id, visit_type_id)
);
