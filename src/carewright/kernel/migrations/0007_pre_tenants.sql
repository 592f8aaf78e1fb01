-- Tenants are kept apart by policies on every table that has organization_id, whoever owns the table: see docs/concepts/tenants.md.

-- The tenant in which a connection stands; null in none, and then no row is equal to it. Inlined by the planner, so that it is an index
-- condition like any other.
CREATE FUNCTION kernel.tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('carewright.organization_id', true), '')::uuid
$$;

-- What the migrator does to each table with organization_id before it grants anybody anything, and what makes a part of a table at run
-- time must do to it. FORCE, because the owner would be exempt otherwise.
CREATE FUNCTION kernel.keep_tenants_apart(kept regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', kept);
    EXECUTE format('DROP POLICY IF EXISTS own_tenant ON %s', kept);
    EXECUTE format('DROP POLICY IF EXISTS every_tenant ON %s', kept);
    EXECUTE format('CREATE POLICY own_tenant ON %s USING (organization_id = kernel.tenant()) WITH CHECK (organization_id = kernel.tenant())', kept);
    EXECUTE format('CREATE POLICY every_tenant ON %s TO carewright_system USING (true) WITH CHECK (true)', kept);
END $$;

-- Which tables of a schema are not kept apart yet. Looking takes no lock; keeping apart takes one that stops everybody.
CREATE FUNCTION kernel.not_kept_apart(schemas text[]) RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT c.oid::regclass FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
    WHERE c.relnamespace::regnamespace::text = ANY(schemas) AND c.relkind IN ('r', 'p') AND NOT (
        c.relrowsecurity AND c.relforcerowsecurity
        AND (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname IN ('own_tenant', 'every_tenant')) = 2)
    ORDER BY c.oid
$$;

-- PostgreSQL has no COPY into a table with row-level security. Many rows go by COPY into a temporary table of the same columns, and on
-- from there by one INSERT, which the policies check row by row. Both run with the caller's own rights.
CREATE FUNCTION kernel.open_stage(to_schema text, to_table text, to_columns text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE stage ON COMMIT DROP AS SELECT %s FROM %I.%I WITH NO DATA',
        (SELECT string_agg(quote_ident(name), ', ' ORDER BY number) FROM unnest(to_columns) WITH ORDINALITY AS c(name, number)),
        to_schema, to_table);
END $$;

CREATE FUNCTION kernel.empty_stage(to_schema text, to_table text, to_columns text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    names text := (SELECT string_agg(quote_ident(name), ', ' ORDER BY number) FROM unnest(to_columns) WITH ORDINALITY AS c(name, number));
BEGIN
    EXECUTE format('INSERT INTO %I.%I (%s) SELECT %s FROM pg_temp.stage', to_schema, to_table, names, names);
    DROP TABLE pg_temp.stage;
END $$;
