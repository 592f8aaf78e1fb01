-- Who is master of a service's appointments at a site while a hospital changes its system. No row: nobody began to move it, it is ours.
-- `source` names the older system, `book_at` says to people where to book instead. `step_id` is the last step taken.
CREATE TABLE scheduling.master (
    organization_id uuid        NOT NULL,
    service_id      uuid        NOT NULL,
    site_id         uuid        NOT NULL,
    stage           text        NOT NULL CHECK (stage IN ('mirrored', 'switched')),
    source          text        NOT NULL CHECK (source <> ''),
    book_at         text        NOT NULL,
    step_id         uuid        NOT NULL,
    PRIMARY KEY (organization_id, service_id, site_id)
);

-- Each step that was taken, by whom and why. `id` is that of its entry in the journal; `reason` is sealed for the row.
CREATE TABLE scheduling.master_step (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL,
    service_id      uuid        NOT NULL,
    site_ids        uuid[]      NOT NULL,
    step            text        NOT NULL CHECK (step IN ('begin', 'switch', 'back')),
    reason          bytea       NOT NULL,
    taken_by        text        NOT NULL,
    taken_at        timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- The system that is master of this kind of visit at this site; nothing where we are. Whoever asks keeps every step (`lock_masters`) out
-- until their transaction ends: FOR KEY SHARE locks the table ROW SHARE before it reads, even where there is no row. What is mirrored alone
-- locks a row. VOLATILE, so that it sees what was committed while it waited, and not what its caller's statement saw when it began.
CREATE FUNCTION scheduling.master_of(tenant uuid, kind uuid, site uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    found_source text;
BEGIN
    SELECT m.source INTO found_source FROM scheduling.master m
    WHERE m.organization_id = tenant AND m.site_id = site AND m.stage = 'mirrored' AND m.service_id = (
        SELECT (v.value->>'healthcare_service_id')::uuid FROM scheduling.visit_type v WHERE v.organization_id = tenant AND v.id = kind)
    FOR KEY SHARE;
    RETURN found_source;
END
$$;
