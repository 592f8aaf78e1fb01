"""`carewright legacy`, as somebody types it, while a server runs beside it: what it switches, the server knows a moment later."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.at_work import said
from tests.clinic import Clinic, ok, open_clinic, register
from tests.plain_browser import browser
from tests.store.test_migration import VISITS, wall
from tests.system import System

BOOK_AT = "the old system, or 030 1234567"
FOLLOW_SECONDS_MAX = 15


@pytest.fixture
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


async def until(clinic: Clinic, status: int) -> str:
    """What the server says of the clinic's free times, once it says it with this status."""
    query = {"visit_type_id": clinic.visit_type_id}
    async with asyncio.timeout(FOLLOW_SECONDS_MAX):
        while True:
            answer = await clinic.system.request("front-desk", "GET", "/api/v1/availability", params=query)
            if answer.status_code == status:
                return answer.text
            await asyncio.sleep(0.05)


async def test_a_service_moves_by_commands_and_a_running_server_follows(one_process: System, clinic: Clinic, tmp_path: Path) -> None:
    start = (await clinic.free())[0]
    patient = await register(one_process)
    reason = ("--reason", "Podiatry goes first")
    begun = await said(one_process, "legacy", "begin", clinic.service_id, "--source", "urn:test:command", "--book-at", BOOK_AT, *reason)
    assert "mirrored, urn:test:command" in begun
    assert BOOK_AT in await until(clinic, 409)
    async with browser(one_process) as client:
        client.cookies["carewright_session"] = await one_process.session(patient)
        page = await client.get(f"/visits/{clinic.visit_type_id}/times")
    assert (page.status_code, BOOK_AT in page.text, "This visit is booked elsewhere" in page.text) == (409, True, True)
    assert "NO REPORT" in await said(one_process, "legacy", "report", code=1)
    assert "no report" in await said(one_process, "legacy", "switch", clinic.service_id, *reason, code=1)
    rows, mapping, written = tmp_path / "visits.csv", tmp_path / "visits.toml", tmp_path / "differences.json"
    rows.write_text(f"visit,nr,at,state,what\nA,1,{wall(start)},ok,FOOT\n", "utf-8")
    mapping.write_text(VISITS.format(source="command", site=clinic.site_id, visit_type=clinic.visit_type_id), "utf-8")
    mirrored = await said(one_process, "legacy", "mirror", str(rows), "--mapping", str(mapping))
    assert "1 theirs, 0 ours, 0 the same; 1 theirs only" in mirrored
    assert "theirs-only line 2 migration.import.unknown_patient" in mirrored
    assert "differences" in await said(one_process, "legacy", "switch", clinic.service_id, *reason, code=1)
    assert "theirs-only line 2" in await said(one_process, "legacy", "report", "--json", str(written), code=1)
    assert [each["theirs_only"] for each in json.loads(written.read_text("utf-8")) if each["service_id"] == clinic.service_id] == [1]
    assert "switched" in await said(one_process, "legacy", "switch", clinic.service_id, *reason, "--despite-differences")
    await until(clinic, 200)
    ok(await clinic.book(patient, start), 201)
    assert "mirrored" in await said(one_process, "legacy", "back", clinic.service_id, *reason)
    assert BOOK_AT in await until(clinic, 409)


async def test_what_cannot_be_done_is_said_in_a_sentence(one_process: System, clinic: Clinic) -> None:
    assert "not an id" in await said(one_process, "legacy", "back", "podiatry", "--reason", "a reason", code=1)
    assert "no service" in await said(one_process, "legacy", "back", clinic.service_id, "--reason", "a reason", code=1)
    assert "This cannot be done" in await said(one_process, "legacy", "back", clinic.service_id, "--reason", "x", code=1)
