"""How whoever calls finds who comes first: by those few, however many are being seen."""

import re
from typing import Any

from carewright.kernel.sql import load
from tests.plans import explained

FILLED = """
WITH ground AS (
    SELECT '00000000-0000-4000-8000-000000000001'::uuid AS hospital, '00000000-0000-4000-8000-000000000002'::uuid AS queue
), who AS (
    SELECT g.*, gen_random_uuid() AS id, CASE WHEN n <= 2000 THEN 'called' ELSE 'waiting' END AS status, now() - n * interval '1 s' AS since
    FROM ground g, generate_series(1, 2050) AS n
), visit AS (
    INSERT INTO flow.encounter (organization_id, id, patient_id, status, site_id, starts_at, content, version, recorded_at, updated_at)
    SELECT hospital, id, id, 'arrived', queue, since, sha256(id::text::bytea), 1, now(), now() FROM who
), queue AS (
    INSERT INTO flow.queue (organization_id, id, site_id, service_id, name, letter, policy, version)
    SELECT hospital, queue, queue, queue, 'Queue', 'Q', '{}', 1 FROM ground
)
INSERT INTO flow.queue_entry (
    organization_id, id, queue_id, site_id, service_id, encounter_id, patient_id, practitioner_id, day, ticket, status, level, ranked_from,
    arrived_at, called_at, version, updated_at)
SELECT hospital, id, queue, queue, queue, id, id, '00000000-0000-0000-0000-000000000000', '2026-01-01', left(id::text, 8), status, 3, since,
    since, CASE status WHEN 'called' THEN since END, 1, now()
FROM who
"""
ASKED = """
'00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', ARRAY['00000000-0000-0000-0000-000000000000']::uuid[], 8,
NULL, NULL, now()
"""


async def test_who_calls_reads_nobody_of_those_who_are_being_seen(database: Any) -> None:
    types = "uuid, uuid, uuid[], int, bigint, timestamptz, timestamptz"
    plan = "\n".join(await explained(database, FILLED, load("carewright.flow").heads_for_caller, types, ASKED))
    (seen,) = re.findall(r"Scan .* on queue_entry s .*", plan)
    assert "rows=0.00 loops=8)" in seen, plan
    assert "Rows Removed by Filter" not in plan, plan
