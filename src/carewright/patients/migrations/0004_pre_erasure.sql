-- Who was erased, by id alone: the record is gone, and does not come back under its id. Why is in people's own words: sealed.
CREATE TABLE patients.erasure (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    reason          bytea       NOT NULL,
    erased_by       text        NOT NULL CHECK (length(erased_by) BETWEEN 1 AND 200),
    erased_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE TRIGGER erasure_stays BEFORE DELETE ON patients.erasure FOR EACH ROW EXECUTE FUNCTION kernel.refuse_change();
