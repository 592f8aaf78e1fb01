-- Lists of patients that other systems keep here. `detail` is sealed for its row: the name and by which numbers others know the group, for
-- either may tell what its members have in common.
CREATE TABLE patients.patient_group (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    active          boolean     NOT NULL,
    detail          bytea       NOT NULL,
    version         int         NOT NULL CHECK (version >= 1),
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- Which group carries an identifier: `mark` is a keyed hash of system and value at full length.
CREATE TABLE patients.group_identifier (
    organization_id uuid  NOT NULL,
    mark            bytea NOT NULL CHECK (length(mark) = 32),
    group_id        uuid  NOT NULL,
    PRIMARY KEY (organization_id, mark),
    FOREIGN KEY (organization_id, group_id) REFERENCES patients.patient_group ON DELETE CASCADE
);
CREATE INDEX group_identifier_of ON patients.group_identifier (organization_id, group_id);

-- A member is a patient of the same organization who is there: nobody erased stays in a group, whoever forgets to take them out.
CREATE TABLE patients.group_member (
    organization_id uuid NOT NULL,
    group_id        uuid NOT NULL,
    patient_id      uuid NOT NULL,
    PRIMARY KEY (organization_id, group_id, patient_id),
    FOREIGN KEY (organization_id, group_id) REFERENCES patients.patient_group ON DELETE CASCADE,
    FOREIGN KEY (organization_id, patient_id) REFERENCES patients.patient
);
CREATE INDEX group_of_patient ON patients.group_member (organization_id, patient_id, group_id);
