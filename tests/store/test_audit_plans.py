"""How searches of the journal are carried out: by the page that is shown, however much the journal holds."""

from typing import Any

import pytest

from carewright.kernel.sql import Query, load
from tests.plans import explained

Q = load("carewright.audit")
FILLED = """
WITH entry AS (
    INSERT INTO kernel.audit_entry (organization_id, id, body)
    SELECT '5f0d6b1e-0000-4000-8000-000000000001', gen_random_uuid(), repeat('x', 300) FROM generate_series(1, 20000)
    RETURNING organization_id, id, xid, position
)
INSERT INTO audit.event (organization_id, number, xid, position, id, recorded_at, event, action, agent, role, purpose, outcome, entity_ids)
SELECT organization_id, row_number() OVER (), xid, position, id, now(), 'patient.read', 'R', 'desk', 'front-desk', 'TREAT', 'success', '{}'
FROM entry
"""
COUNTED = "ANALYZE kernel.audit_entry, audit.event"
ELEMENTS = "uuid, uuid, text, text, text, text, text, text, text, uuid, timestamptz, timestamptz, text[]"
NARROWED_BY_NOTHING = "'5f0d6b1e-0000-4000-8000-000000000001', " + "NULL, " * 11 + "'{}'"
NEWEST = (f"{ELEMENTS}, int, bigint, text", f"{NARROWED_BY_NOTHING}, 51, 9223372036854775807, NULL")
SORTED = (f"{ELEMENTS}, int, text, text, bigint, text", f"{NARROWED_BY_NOTHING}, 51, 'agent', '', 0, NULL")


@pytest.mark.parametrize(("query", "asked"), [(Q.find_newest_events, NEWEST), (Q.find_events, SORTED)], ids=["newest", "sorted"])
@pytest.mark.parametrize("cache", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("counted", [(), (COUNTED,)], ids=["not counted", "counted"])
async def test_no_search_reads_entries_beside_its_page(
    database: Any, query: Query, asked: tuple[str, str], cache: str, counted: tuple[str, ...]
) -> None:
    """Whatever PostgreSQL believes of the tables: a journal grows by thousands before anybody counts it anew."""
    plan = await explained(database, FILLED, query, *asked, [*counted, f"SET LOCAL plan_cache_mode = {cache}"])
    (read,) = [line for line in plan if "on audit_entry" in line]
    assert "Index Scan" in read, "\n".join(plan)
    assert "loops=51" in read, "\n".join(plan)
