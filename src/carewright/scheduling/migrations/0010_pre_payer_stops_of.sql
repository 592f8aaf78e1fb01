-- Why what a payer said stops a visit of a patient then and there. `site` is NULL for a visit that nothing of the kind stops.
-- A set of one plain SELECT, which PostgreSQL plans as a part of the statement that asks: it costs no call.
CREATE FUNCTION scheduling.payer_stops_of(tenant uuid, patient uuid, site uuid, kind uuid, start timestamptz, at timestamptz) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT s.why FROM scheduling.payer_stop s
    WHERE s.organization_id = tenant AND s.patient_id = patient AND s.site_id = site AND s.counts_until > at
      AND start >= s.starts_from AND (s.starts_before IS NULL OR start < s.starts_before) AND (kind = ANY(s.visit_type_ids)) <> s.all_but
$$;
