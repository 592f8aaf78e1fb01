-- Somebody who signs in says a contact and a birth date. Few were born on one day, so the contacts of those few are looked through.
CREATE INDEX patient_by_birth ON patients.patient (organization_id, birth_on) WHERE active;
