"""Plans of days through the staff's pages: asked for, followed, accepted part by part, given up; and what is done by itself."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.clinic import FOLLOW_SECONDS_MAX, ZONE, Clinic, Json, ok, open_clinic, open_now, register
from tests.plain_browser import Browser
from tests.staff_browser import staff_signed_in

PLAN_SECONDS_MAX = 120 + FOLLOW_SECONDS_MAX
"""The first plan on a machine has the planner compiled."""
RULES = "/api/v1/planning-rules"
USUAL = {"proposes": True, "accepts": False, "moves_most": 10, "minutes_most": 60}


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own, open at all hours."""
    made = await open_clinic(clinic.system)
    await open_now(made)
    return made


async def booked(clinic: Clinic, family: str) -> Json:
    """Somebody of that name, at the first free time tomorrow from ten o'clock on, so that the day has room behind it."""
    day = (datetime.now(ZONE) + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    made: Json = ok(await clinic.book(await register(clinic.system, family), (await clinic.free(from_at=day.isoformat()))[0]), 201)
    return made


async def away(clinic: Clinic, first: Json, last: Json) -> Json:
    """The practitioner is away while these are booked, and there again afterwards."""
    said = {"schedule_id": clinic.practitioner_id, "start": first["start"], "end": last["end"], "reason": "absent"}
    made: Json = ok(await clinic.system.request("front-desk", "POST", "/api/v1/outages", json=said), 201)
    return made


async def ended(browser: Browser, path: str) -> None:
    """The page of a plan, once its search has ended."""
    async with asyncio.timeout(PLAN_SECONDS_MAX):
        await browser.go(path)
        while "data-running" in browser.text:
            await asyncio.sleep(0.1)
            await browser.go(path)


async def planned_after(clinic: Clinic, browser: Browser, outage: Json) -> str:
    """Where the plan is that was made by itself, once it is ready."""
    async with asyncio.timeout(PLAN_SECONDS_MAX):
        while True:
            await browser.go(f"/staff/disruptions?place={clinic.site_id}")
            if "A proposal is ready" in browser.text:
                break
            await asyncio.sleep(0.2)
    return str(re.findall(r'href="(/staff/plans/[^"?]+)"', browser.text)[0])


async def test_after_an_outage_a_plan_is_ready_and_its_moves_are_accepted_one_by_one(clinic: Clinic, scheduler: Browser) -> None:
    first, second = await booked(clinic, "Erstmann"), await booked(clinic, "Zweitmann")
    page = await planned_after(clinic, scheduler, await away(clinic, first, second))
    assert "A proposal is ready: 2 visits can be kept." in scheduler.text
    await scheduler.go(page)
    assert "Cannot take place as booked (2)" in scheduler.text
    assert "Test Erstmann" in scheduler.text
    assert "Test Zweitmann" in scheduler.text
    form = scheduler.forms.found[f"{page}/accept"]
    assert {f"move-{each['id']}" for each in (first, second)} <= form.fields.keys(), "all are chosen at first"
    del form.fields[f"move-{second['id']}"]
    await scheduler.send(f"{page}/accept")
    assert "1 of 2 moves were made." in scheduler.text
    assert scheduler.text.count("Moved. The patient is told.") == 1
    moved, waits = await clinic.appointment(first["id"]), await clinic.appointment(second["id"])
    assert moved["start"] != first["start"]
    assert waits["start"] == second["start"], "what was not chosen stays"
    assert f"{page}/give-up" not in scheduler.forms.found
    await scheduler.send(f"{page}/accept")
    assert "2 of 2 moves were made." in scheduler.text
    assert 'type="checkbox"' not in scheduler.text
    await scheduler.go(f"/staff/plans?place={clinic.site_id}")
    assert "2 of 2 moves were made." in scheduler.text
    assert re.search(r"after [^<]*Testmann went out of service", scheduler.text)


async def test_what_has_changed_meanwhile_is_said_and_left_out(clinic: Clinic, scheduler: Browser) -> None:
    first, second = await booked(clinic, "Erstmann"), await booked(clinic, "Zweitmann")
    outage = await away(clinic, first, second)
    page = await planned_after(clinic, scheduler, outage)
    await scheduler.go(page)
    stale = dict(scheduler.forms.found[f"{page}/accept"].fields)
    ok(await clinic.step(first["id"], "cancel", {"reason": "pat"}))
    await scheduler.go(page)
    assert "Cancelled since this plan was made." in scheduler.text
    assert "1 move cannot be made any more" in scheduler.text
    assert f"move-{first['id']}" not in scheduler.forms.found[f"{page}/accept"].fields
    await scheduler.send(f"{page}/accept", **stale)  # both are named
    assert "1 of 2 moves were made. 1 could not be made." in scheduler.text
    assert (await clinic.appointment(second["id"]))["start"] != second["start"]
    assert (await clinic.appointment(first["id"]))["status"] == "cancelled"
    answer = await scheduler.answer_to(f"{page}/accept", **stale | {"once": "another"})
    assert (answer.status_code, "Somebody else did something with this plan" in answer.text) == (409, True)


async def test_a_plan_is_asked_for_followed_and_given_up(clinic: Clinic, scheduler: Browser) -> None:
    await booked(clinic, "Erstmann")
    await scheduler.go(f"/staff/plans?place={clinic.site_id}")
    assert "No plan was made here yet." in scheduler.text
    await scheduler.send("/staff/plans/start", what="tomorrow", how="thorough")
    page = scheduler.path
    assert "percent of the time is spent" in scheduler.text
    await scheduler.go(f"/staff/plans?place={clinic.site_id}")
    assert "asked for by you" in scheduler.text.lower()
    answer = await scheduler.answer_to("/staff/plans/start", what="rest", how="quick")
    assert (answer.status_code, "A plan is searched for at this site already" in answer.text) == (409, True)
    await scheduler.go(page)
    await scheduler.send(f"{page}/give-up")
    assert "Given up" in scheduler.text
    assert f"{page}/give-up" not in scheduler.forms.found
    await scheduler.go(f"/staff/plans?place={clinic.site_id}")
    await scheduler.send("/staff/plans/start", what="tomorrow", how="quick")
    page = scheduler.path
    await ended(scheduler, page)
    assert "Nobody needs to move." in scheduler.text
    assert "At most" in scheduler.text
    await scheduler.send(f"{page}/give-up")
    assert "Given up" in scheduler.text


@pytest.mark.parametrize(
    "said", [{"what": "yesterday", "how": "quick"}, {"what": "rest", "how": "slowly"}, {"what": "", "how": ""}], ids=str
)
async def test_a_form_that_says_nonsense_begins_no_search(clinic: Clinic, scheduler: Browser, said: dict[str, str]) -> None:
    await scheduler.go(f"/staff/plans?place={clinic.site_id}")
    answer = await scheduler.answer_to("/staff/plans/start", **said)
    assert (answer.status_code, "Choose for when to plan" in answer.text) == (422, True)
    answer = await scheduler.answer_to("/staff/plans/start", what="rest", how="quick", place=str(uuid4()))
    assert answer.status_code == 404
    await scheduler.go(f"/staff/plans?place={clinic.site_id}")
    assert "No plan was made here yet." in scheduler.text


async def test_without_a_move_chosen_nothing_is_accepted_and_an_unknown_plan_is_not_there(clinic: Clinic, scheduler: Browser) -> None:
    first = await booked(clinic, "Erstmann")
    page = await planned_after(clinic, scheduler, await away(clinic, first, first))
    await scheduler.go(page)
    del scheduler.forms.found[f"{page}/accept"].fields[f"move-{first['id']}"]
    answer = await scheduler.answer_to(f"{page}/accept")
    assert (answer.status_code, "Choose one move at least." in answer.text) == (422, True)
    answer = await scheduler.answer_to(f"{page}/accept", **{f"move-{uuid4()}": "yes"})
    assert answer.status_code == 422
    assert (await clinic.appointment(first["id"]))["start"] == first["start"]
    for where in (f"/staff/plans/{uuid4()}", "/staff/plans/nonsense", f"/staff/plans?place={uuid4()}"):
        assert (await scheduler.client.get(where)).status_code == 404


async def test_who_makes_no_plans_sees_none(clinic: Clinic) -> None:
    for role in ("front-desk", "operations"):
        browser = await staff_signed_in(clinic.system, role)
        await browser.go("/staff")
        assert "/staff/plans" not in browser.text
        assert (await browser.client.get(f"/staff/plans?place={clinic.site_id}")).status_code == 403
        await browser.client.aclose()


async def rules_of(clinic: Clinic) -> Any:
    found = ok(await clinic.system.request("operations", "GET", RULES, params={"site_id": clinic.site_id}))
    return {name: found[name] for name in (*USUAL, "weights")}


async def test_operations_say_on_the_overview_what_is_done_by_itself(clinic: Clinic) -> None:
    weights = (await rules_of(clinic))["weights"] | {"move": 20.0}
    said = USUAL | {"site_id": clinic.site_id, "weights": weights}
    ok(await clinic.system.request("operations", "PUT", RULES, json=said))
    operations = await staff_signed_in(clinic.system, "operations")
    await operations.go(f"/staff/overview?place={clinic.site_id}")
    await operations.send("/staff/overview/planning", accepts="yes", moves_most="7", minutes_most="45")
    assert await rules_of(clinic) == {"proposes": True, "accepts": True, "moves_most": 7, "minutes_most": 45, "weights": weights}
    answer = await operations.answer_to("/staff/overview/planning", moves_most="0", minutes_most="45")
    assert (answer.status_code, "Say a number of moves from 1 to 100" in answer.text) == (422, True)
    del operations.forms.found["/staff/overview/planning"].fields["accepts"]
    del operations.forms.found["/staff/overview/planning"].fields["proposes"]
    await operations.send("/staff/overview/planning", moves_most="7", minutes_most="45")
    assert (await rules_of(clinic))["proposes"] is False
    await operations.client.aclose()
    scheduler = await staff_signed_in(clinic.system, "scheduler")
    await scheduler.go(f"/staff/overview?place={clinic.site_id}")
    assert "nothing is planned by itself" in scheduler.text
    assert "/staff/overview/planning" not in scheduler.forms.found
    await scheduler.client.aclose()


async def test_a_plan_that_concerns_many_names_nobody(clinic: Clinic, scheduler: Browser) -> None:
    """Whoever opens the records of many at once is signed out, as somebody who takes them along."""
    visits = [await booked(clinic, "Vielmann") for _ in range(21)]
    page = await planned_after(clinic, scheduler, await away(clinic, visits[0], visits[-1]))
    await scheduler.go(page)
    assert "nobody is named here" in scheduler.text
    assert "Vielmann" not in scheduler.text
    assert all(f"/staff/board/visits/{each['id']}" in scheduler.text for each in visits)
    assert scheduler.text.count('type="checkbox"') > 0


async def test_what_if_is_only_a_question(clinic: Clinic, scheduler: Browser) -> None:
    visit = await booked(clinic, "Erstmann")
    await scheduler.go(f"/staff/plans/what-if?place={clinic.site_id}")
    supposed = {"what": "tomorrow", "without": clinic.practitioner_id, "emergencies": "3", "kind": clinic.visit_type_id}
    await scheduler.send("/staff/plans/what-if", **supposed)
    page = scheduler.path
    assert "3 emergencies come on top" in scheduler.text
    await ended(scheduler, page)
    assert "Nothing of it can be accepted." in scheduler.text
    assert "Emergencies (3)" in scheduler.text
    assert "Then, planned anew" in scheduler.text
    assert "Without a place (1)" in scheduler.text
    assert 'type="checkbox"' not in scheduler.text
    assert (await clinic.appointment(visit["id"]))["version"] == visit["version"], "nobody is moved"
    await scheduler.go(f"/staff/plans?place={clinic.site_id}")
    assert "Only a question: nothing of it can be accepted." in scheduler.text


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422), ({"emergencies": "3"}, 422), ({"emergencies": "101", "kind": str(uuid4())}, 422), ({"without": "nobody"}, 422),
        ({"what": "never", "emergencies": "0"}, 422), ({"without": str(uuid4())}, 404), ({"emergencies": "1", "kind": str(uuid4())}, 422),
    ],
    ids=str,
)  # fmt: skip
async def test_a_question_that_supposes_nonsense_is_refused_in_plain_words(
    clinic: Clinic, scheduler: Browser, said: dict[str, str], status: int
) -> None:
    await scheduler.go(f"/staff/plans/what-if?place={clinic.site_id}")
    answer = await scheduler.answer_to("/staff/plans/what-if", **{"what": "rest"} | said)
    assert (answer.status_code, "Please look again" in answer.text) == (status, True)
