-- A person's data is sealed: `person` holds names and birth date, `reach` contacts and identifiers. People are found by keyed hashes of
-- few bits, which many share; whoever searches opens what they find and keeps what fits. Nothing was released: no record is carried over.
TRUNCATE patients.patient, patients.identifier;
DROP INDEX patients.patient_by_name, patients.patient_by_birth;
ALTER TABLE patients.patient
    DROP COLUMN name_key, DROP COLUMN family, DROP COLUMN given, DROP COLUMN birth_on, DROP COLUMN telecom, DROP COLUMN identifiers,
    ADD COLUMN person bytea NOT NULL,
    ADD COLUMN reach bytea NOT NULL,
    ADD COLUMN content bytea NOT NULL CHECK (length(content) = 32),
    ADD COLUMN family_index int NOT NULL,
    ADD COLUMN given_index int NOT NULL,
    ADD COLUMN family_sound int NOT NULL,
    ADD COLUMN given_sound int NOT NULL,
    ADD COLUMN birth_index int;
-- All of plain comparisons of integers, which row-level security lets an index answer.
CREATE INDEX patient_by_name ON patients.patient (organization_id, family_index, given_index) WHERE active;
CREATE INDEX patient_by_sound ON patients.patient (organization_id, family_sound, given_sound, given_index) WHERE active;
CREATE INDEX patient_by_birth ON patients.patient (organization_id, birth_index) WHERE active;

-- `mark` is a keyed hash of system and value at full length: an identifier names one patient, and nobody can read it here.
ALTER TABLE patients.identifier DROP COLUMN system, DROP COLUMN value, ADD COLUMN mark bytea NOT NULL CHECK (length(mark) = 32);
ALTER TABLE patients.identifier ADD PRIMARY KEY (organization_id, mark);
