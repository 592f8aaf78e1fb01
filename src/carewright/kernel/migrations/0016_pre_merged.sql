-- Records that are of one person: what was kept of `patient_id` is `survivor_id`'s. Ids alone, and flat: of a record that was merged twice
-- over the last survivor stands here. Written by patients with the merge; every module asks the two functions below.
CREATE TABLE kernel.merged (
    organization_id uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    survivor_id     uuid        NOT NULL CHECK (survivor_id <> patient_id),
    merged_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, patient_id)
);
CREATE INDEX merged_into ON kernel.merged (organization_id, survivor_id);

-- Whose record a patient's things belong to: the survivor of a record that was merged, and of any other the record itself.
CREATE FUNCTION kernel.survivor_of(organization uuid, patient uuid) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((SELECT m.survivor_id FROM kernel.merged m WHERE m.organization_id = organization AND m.patient_id = patient), patient)
$$;

-- A record, and those that were merged into it.
CREATE FUNCTION kernel.records_of(organization uuid, patient uuid) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT patient || ARRAY(
        SELECT m.patient_id FROM kernel.merged m WHERE m.organization_id = organization AND m.survivor_id = patient ORDER BY m.patient_id)
$$;

-- As before, and a hold on any record of a person covers them all, whichever was named.
CREATE OR REPLACE FUNCTION kernel.is_held(organization uuid, patient uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM kernel.legal_hold h
        WHERE h.organization_id = organization AND h.lifted_at IS NULL
          AND (h.patient_id IS NULL OR h.patient_id = patient
            OR kernel.survivor_of(organization, h.patient_id) = kernel.survivor_of(organization, patient)))
$$;
