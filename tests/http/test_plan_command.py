"""`carewright plan`, as somebody types it while a server runs beside it; and what the server plans by itself, by the API."""

import asyncio
import signal
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.at_work import command, said
from tests.clinic import ZONE, Clinic, Json, ok, open_clinic, refused, register
from tests.system import System

PLANS, RULES = "/api/v1/day-plans", "/api/v1/planning-rules"
FOLLOW_SECONDS_MAX = 60


@pytest.fixture
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


async def rule(clinic: Clinic, **rules: object) -> None:
    body = {"site_id": clinic.site_id, "proposes": False, "accepts": False, "moves_most": 10, "minutes_most": 480} | rules
    ok(await clinic.system.request("operations", "PUT", RULES, json=body))


async def away(clinic: Clinic) -> tuple[str, list[str]]:
    """The practitioner is away on a morning with two visits: which day that is, and the visits."""
    starts = (await clinic.free())[:2]
    visits = [ok(await clinic.book(await register(clinic.system), start), 201)["id"] for start in starts]
    first = datetime.fromisoformat(starts[0])
    out = {"schedule_id": clinic.practitioner_id, "start": starts[0], "end": (first + timedelta(hours=1)).isoformat(), "reason": "absent"}
    ok(await clinic.system.request("scheduler", "POST", "/api/v1/outages", json=out), 201)
    return first.astimezone(ZONE).date().isoformat(), visits


async def plans(clinic: Clinic) -> list[Json]:
    page = ok(await clinic.system.request("scheduler", "GET", PLANS, params={"site_id": clinic.site_id}))
    items: list[Json] = page["items"]
    return items


async def until(clinic: Clinic, state: str) -> Json:
    """The newest plan, once it stands so."""
    async with asyncio.timeout(FOLLOW_SECONDS_MAX):
        while True:
            if (found := await plans(clinic)) and found[0]["state"] == state:
                return found[0]
            await asyncio.sleep(0.1)


async def test_a_day_is_planned_and_accepted_in_part_and_then_as_a_whole(clinic: Clinic) -> None:
    await rule(clinic)
    day, (first, second) = await away(clinic)
    typed = ("plan", "--site", clinic.site_id, "--day", day, "--seconds", "0.5")
    looked = await said(clinic.system, *typed)
    assert "100 % of the time; the best plan so far is worth" in looked
    assert "As booked: 0 can take place" in looked
    assert "Proposed:  2 can take place" in looked
    (kept,) = await plans(clinic)
    assert f"Nothing was changed. The plan is kept as {kept['id']}" in looked
    assert (kept["state"], kept["moves"], kept["asked_by"]) == ("proposed", 2, "command-line")
    part = await said(clinic.system, *typed, "--accept", first)
    assert part.count("  moved") == 1
    before = await clinic.appointment(second)
    whole = await said(clinic.system, *typed, "--accept")
    assert f"{second} P2" in whole
    assert whole.count("  moved") == 1
    assert (await clinic.appointment(second))["start"] != before["start"]
    assert "Nobody needs to move." in await said(clinic.system, *typed)


async def test_ctrl_c_gives_the_search_up(clinic: Clinic) -> None:
    await rule(clinic)
    day, _ = await away(clinic)
    typing = await command(clinic.system, "plan", "--site", clinic.site_id, "--day", day, "--seconds", "100")
    running = await until(clinic, "searching")
    again = {"site_id": clinic.site_id, "seconds": 1}
    problem = refused(await clinic.system.request("scheduler", "POST", PLANS, json=again), 409, "planner.plan_runs")
    assert problem["plan_id"] == running["id"]
    typing.send_signal(signal.SIGINT)
    await typing.communicate()
    assert typing.returncode == 130
    (given_up,) = await plans(clinic)
    assert (given_up["id"], given_up["state"]) == (running["id"], "given-up")


async def test_what_cannot_be_planned_is_said_in_a_line(clinic: Clinic) -> None:
    unknown = await said(clinic.system, "plan", "--site", str(uuid4()), code=1)
    assert "There is no such site. These are known: " in unknown
    assert clinic.site_id in unknown
    assert "is not an id" in await said(clinic.system, "plan", "--site", clinic.site_id, "--accept", "first", code=1)
    assert "0 to 120 seconds can be searched" in await said(clinic.system, "plan", "--site", clinic.site_id, "--seconds", "500", code=2)
    far = (datetime.now(ZONE) + timedelta(days=4_000)).date().isoformat()
    assert "not kept so far ahead" in await said(clinic.system, "plan", "--site", clinic.site_id, "--day", far, code=1)


async def test_an_outage_is_planned_and_accepted_by_the_server_as_far_as_the_site_allows(clinic: Clinic) -> None:
    await rule(clinic, proposes=True, accepts=True, moves_most=1)
    _, visits = await away(clinic)
    kept = await until(clinic, "accepted")
    assert (kept["cause"], kept["moves"], kept["moved"], kept["refused"], kept["asked_by"]) == ("outage", 2, 1, 0, None)
    path = f"{PLANS}/{kept['id']}"
    read = ok(await clinic.system.request("scheduler", "GET", path))
    assert [(each["outcome"], each["by_itself"]) for each in read["made"]] == [("moved", True)]
    assert {each["appointment_id"] for each in read["plan"]["moves"]} == set(visits)
    unknown = {"appointment_ids": [str(uuid4())]}
    refused(await clinic.system.request("scheduler", "POST", f"{path}/accept", json=unknown), 422, "planner.no_such_move")
    done = ok(await clinic.system.request("scheduler", "POST", f"{path}/accept", json={}))
    assert (done["moved"], done["refused"]) == (2, 0)
    refused(await clinic.system.request("scheduler", "POST", f"{path}/give-up"), 409, "planner.plan_not_open")
