-- As in 0001, and a part made at run time keeps tenants apart as the whole does: whoever names it goes past the policies of the whole.
CREATE OR REPLACE FUNCTION scheduling.ensure_history_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name  text := 'appointment_history_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass('scheduling.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE scheduling.%I PARTITION OF scheduling.appointment_history FOR VALUES FROM (%L) TO (%L)',
            name, scheduling.first_id_at(first::timestamp AT TIME ZONE 'UTC'),
            scheduling.first_id_at((first + interval '1 month')::timestamp AT TIME ZONE 'UTC'));
        PERFORM kernel.keep_tenants_apart(format('scheduling.%I', name)::regclass);
    END IF;
EXCEPTION WHEN duplicate_table THEN
    NULL;
END $$;
