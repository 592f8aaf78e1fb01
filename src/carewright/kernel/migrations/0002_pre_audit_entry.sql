-- The audit journal: written by every module in its own transactions, changed by nobody. `body` is text, because its bytes are sealed.
CREATE TABLE kernel.audit_entry (
    xid             xid8   NOT NULL DEFAULT pg_current_xact_id(),
    position        bigint GENERATED ALWAYS AS IDENTITY (CACHE 32),
    organization_id uuid   NOT NULL,
    id              uuid   NOT NULL,
    patient_id      uuid,
    body            text   NOT NULL,
    PRIMARY KEY (xid, position)
);
CREATE INDEX audit_entry_of_patient ON kernel.audit_entry (organization_id, patient_id, id) WHERE patient_id IS NOT NULL;

CREATE FUNCTION kernel.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was recorded stays as it is' USING ERRCODE = 'CW002';
END $$;
CREATE TRIGGER audit_entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kernel.audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change();
