-- Records that were merged into others. `kept` is both as they were, so that a merge can be understood, and taken back by hand; `reason` is
-- somebody's own words: both sealed for their row, and NULL once the person was erased. Where the record's things are now, kernel.merged says.
CREATE TABLE patients.merge (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    into_id         uuid        NOT NULL CHECK (into_id <> id),
    kept            bytea,
    reason          bytea,
    merged_by       text        NOT NULL CHECK (length(merged_by) BETWEEN 1 AND 200),
    merged_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE TRIGGER merge_stays BEFORE DELETE ON patients.merge FOR EACH ROW EXECUTE FUNCTION kernel.refuse_change();
