"""How whoever calls finds who comes first: by those few, however many are being seen."""

import re
from typing import Any

from carewright.kernel.sql import load
from tests.plans import explained

ORGANIZATION, QUEUE, NOBODY = (f"'00000000-0000-4000-8000-00000000000{n}'::uuid" for n in (1, 2, 0))
SEEN, WAITING = 2_000, 50
FILLED = f"""
WITH who AS (
    SELECT gen_random_uuid() AS id, CASE WHEN n <= {SEEN} THEN 'called' ELSE 'waiting' END AS status, now() - n * interval '1 second' AS since
    FROM generate_series(1, {SEEN + WAITING}) AS n
), visit AS (
    INSERT INTO flow.encounter (organization_id, id, patient_id, status, site_id, starts_at, content, version, recorded_at, updated_at)
    SELECT {ORGANIZATION}, id, id, 'arrived', {QUEUE}, since, sha256(id::text::bytea), 1, now(), now() FROM who
), queue AS (
    INSERT INTO flow.queue (organization_id, id, site_id, service_id, name, letter, policy, version)
    VALUES ({ORGANIZATION}, {QUEUE}, {QUEUE}, {QUEUE}, 'Queue', 'Q', '{{}}', 1)
)
INSERT INTO flow.queue_entry (
    organization_id, id, queue_id, site_id, service_id, encounter_id, patient_id, practitioner_id, day, ticket, status, level, ranked_from,
    arrived_at, called_at, version, updated_at)
SELECT {ORGANIZATION}, id, {QUEUE}, {QUEUE}, {QUEUE}, id, id, {NOBODY}, '2026-01-01', left(id::text, 8), status, 3, since, since,
    CASE status WHEN 'called' THEN since END, 1, now()
FROM who
"""


async def test_who_calls_reads_nobody_of_those_who_are_being_seen(database: Any) -> None:
    types, asked = "uuid, uuid, uuid[], int, bigint, timestamptz, timestamptz", f"{ORGANIZATION}, {QUEUE}, ARRAY[{NOBODY}], 8, NULL, NULL, now()"
    plan = "\n".join(await explained(database, FILLED, load("carewright.flow").heads_for_caller, types, asked))
    (seen,) = re.findall(r"Scan .* on queue_entry s .*", plan)
    assert "rows=0.00 loops=8)" in seen, plan
    assert "Rows Removed by Filter" not in plan, plan
