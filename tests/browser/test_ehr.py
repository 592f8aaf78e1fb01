"""EHR connections in a real browser: what one could not be told is told again, and where the two differ is said in words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from playwright.async_api import expect

from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_messages import status_of
from tests.browser.test_staff import choose, sign_in
from tests.system import System

CONNECTION = """
    INSERT INTO ehr.connection
        (organization_id, id, name, profile, base, client_id, patient_system, masters, key, public_key, made_at, pulled_at, asking_until)
    VALUES ($1, $2, $3, 'epic', 'https://ehr.example.org/r4', 'us', '', '{}', 'x', '{}', now(), now(), now() + interval '1 day')
"""
"""One that nobody asks while the test runs."""
FAILED = """
    INSERT INTO kernel.job (id, name, unique_key, payload, run_at, created_at, attempts, failed, reason)
    VALUES (gen_random_uuid(), 'ehr.push', $1, $2, now(), now(), 8, true, 'Unavailable')
"""
DIFFERENCE = """
    INSERT INTO ehr.difference (organization_id, id, connection_id, kind, mark, reason, ours, elements, found_at)
    VALUES ($1, gen_random_uuid(), $2, 'Appointment', sha256($2::uuid::text::bytea), 'ehr.no_time_there', $3, '{}', now())
"""
SUBSCRIBED = """
    WITH own AS (UPDATE ehr.connection SET profile = 'r4', mode = 'subscription' WHERE id = $1 RETURNING organization_id)
    INSERT INTO ehr.subscription (organization_id, id, status, active_since, ends_at, woken_at, fault, fault_at, look_at)
    SELECT organization_id, $1, 'active', now(), now() + interval '1 day', now(), 'ehr.subscription_gone', now(), now() + interval '1 day'
    FROM own
"""
STOPPED = "UPDATE ehr.connection SET stopped_at = now(), untold_since = now() WHERE id = $1"
FORGET = (
    "DELETE FROM kernel.job WHERE name = 'ehr.push' AND starts_with(unique_key, $1::uuid::text)",
    "DELETE FROM ehr.difference WHERE connection_id = $1",
    "DELETE FROM ehr.connection WHERE id = $1",
)


@asynccontextmanager
async def connected(system: System) -> AsyncIterator[str]:
    """The name of an EHR that could not be told of an appointment, and has no time for it."""
    organization_id, connection_id, appointment_id = system.known.organization_id, uuid4(), uuid4()
    name = f"ehr-{connection_id.hex[:8]}"
    told = {"organization_id": organization_id, "name": name, "appointment_id": appointment_id}
    database = await asyncpg.connect(system.known.database_url)
    await database.execute(CONNECTION, organization_id, connection_id, name)
    await database.execute(FAILED, f"{connection_id}/{appointment_id}/1", msgspec.json.encode(told).decode())
    await database.execute(DIFFERENCE, organization_id, connection_id, appointment_id)
    try:
        yield name
    finally:
        for each in FORGET:
            await database.execute(each, connection_id)
        await database.close()


@pytest.mark.parametrize("viewport", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")])
async def test_a_scheduler_has_it_told_again_and_reads_what_differs(visits: Visits, one_process: System, viewport: Any) -> None:
    async with connected(one_process) as name:
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, one_process, "scheduler")
        await choose(page, "Health record")
        assert await problems_of(page) == []
        card = page.get_by_role("listitem").filter(has_text=name)
        await expect(card).to_contain_text("1 failed")
        await card.get_by_role("link", name="Look at it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(name)
        await expect(page.get_by_text("They have no free time then.").first).to_be_visible()
        await page.get_by_text("Appointment: 1").click()
        assert await problems_of(page) == []
        await expect(page.get_by_text("It could not be told")).to_have_count(1)
        await page.get_by_role("button", name="Tell it again").click()
        await expect(page.get_by_text("It could not be told")).to_have_count(0)
        await expect(page.get_by_role("button", name="Tell it again")).to_have_count(0)


@pytest.mark.parametrize("viewport", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")])
async def test_a_scheduler_reads_how_we_hear_of_changes_there(visits: Visits, one_process: System, viewport: Any) -> None:
    async with connected(one_process) as name:
        page = await visits.open(signed_in=False, viewport=viewport)
        await sign_in(page, one_process, "scheduler")
        await choose(page, "Health record")
        card = page.get_by_role("listitem").filter(has_text=name)
        await expect(card).to_contain_text("We ask again and again.")
        await changed(one_process, name, SUBSCRIBED)
        await page.reload()
        await expect(card).to_contain_text("It has told us of changes since")
        await expect(card).to_contain_text("It was gone from their system, and was made anew.")
        assert await problems_of(page) == []
        await card.get_by_role("link", name="Look at it").click()
        await expect(page.get_by_text("and is renewed before.")).to_be_visible()
        assert await problems_of(page) == []
        await changed(one_process, name, STOPPED)
        await page.reload()
        await expect(page.get_by_text("nothing is asked and nothing is told.")).to_be_visible()


async def changed(system: System, name: str, query: str) -> None:
    """The connection is another way in the database."""
    database = await asyncpg.connect(system.known.database_url)
    await database.execute(query, await database.fetchval("SELECT id FROM ehr.connection WHERE name = $1", name))
    await database.close()


async def test_ehr_connections_are_no_page_of_others(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "nurse")
    await expect(page.get_by_role("link", name="Health record")).to_have_count(0)
    assert await status_of(page, "/staff/ehr") == 403
    await page.context.clear_cookies()
    await sign_in(page, one_process, "scheduler")
    assert await status_of(page, f"/staff/ehr/{uuid4()}") == 404
