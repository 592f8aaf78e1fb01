"""A queue's policy and its tuning on the staff's pages: tried on who waits, saved, refused in plain words; searched for, and taken back."""

import asyncio

import pytest

from tests.clinic import FOLLOW_SECONDS_MAX, Clinic, Json, ok, open_clinic, refused, register
from tests.plain_browser import Browser, Form
from tests.staff_browser import staff_signed_in

FIELDS = {
    "order": "head-start", "scale": "esi", "start-2": "120", "start-3": "45", "start-4": "15", "start-5": "0", "rate-2": "81",
    "rate-3": "29", "rate-4": "3.3", "rate-5": "1", "booked_head_start_minutes": "15", "grace_minutes": "15", "no_show": "30",
    "booked_may_wait_minutes": "", "walk_in_may_wait_minutes": "90", "staff": "3", "kept_for_emergencies": "1", "soon_ahead": "2",
    "soon_minutes": "",
    "extra-staff-from_waiting": "25",
}  # fmt: skip
HOURS = range(24)
SEARCH = {
    **{f"staff-{hour}": "2" if 8 <= hour < 20 else "0" for hour in HOURS},
    **{f"come-{hour}": "4" if 8 <= hour < 18 else "0" for hour in HOURS},
    **{f"share-{level}": share for level, share in zip(range(1, 6), ("0", "10", "30", "40", "20"), strict=True)},
    "minutes-2": "15", "percent-2": "95", "minutes-4": "60", "percent-4": "85",
    "service": "12", "source": "entered", "order": "accumulating",
}  # fmt: skip


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own."""
    return await open_clinic(clinic.system)


@pytest.fixture
async def queue(clinic: Clinic) -> Json:
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "letter": "P"}
    made: Json = ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted))
    return made


async def opened(clinic: Clinic, queue: Json, what: str, role: str = "operations") -> tuple[Browser, str]:
    office, page = await staff_signed_in(clinic.system, role), f"/staff/queues/{queue['id']}/{what}"
    await office.go(page)
    office.forms.found[f"{page}/preview"] = office.forms.found.get(page, Form("", {}))  # the other button of the same form
    return office, page


async def arrive(clinic: Clinic, queue: Json, tier: str) -> Json:
    came = {"patient_id": str(await register(clinic.system)), "tier": tier}
    turn: Json = ok(await clinic.system.request("nurse", "POST", f"/api/v1/queues/{queue['id']}/entries", json=came), 201)
    return turn


async def policy_of(clinic: Clinic, queue: Json) -> Json:
    (found,) = ok(await clinic.system.request("operations", "GET", f"/api/v1/queues?queue_id={queue['id']}"))["items"]
    policy: Json = found["queue"]["policy"]
    return policy


async def test_a_policy_is_tried_on_who_waits_and_saved(clinic: Clinic, queue: Json) -> None:
    await arrive(clinic, queue, "P2")
    await arrive(clinic, queue, "P1")
    office, page = await opened(clinic, queue, "policy")
    first_come = FIELDS | {f"start-{level}": "0" for level in range(2, 6)}
    await office.send(f"{page}/preview", **first_come)
    assert "P001" in office.text
    assert "1 earlier than now" in office.text
    assert "Nothing is saved yet." in office.text
    assert (await policy_of(clinic, queue))["no_show_share"] == 0.23
    await office.send(page, **first_come, waits_at="Waiting area 2", at_kiosks="no", room_at="check-in", room_type="urn:test:room|exam")
    assert "Saved." in office.text
    policy = await policy_of(clinic, queue)
    assert (policy["waits_at"], policy["at_kiosks"]) == ("Waiting area 2", False)
    assert policy["room"] == {"at": "check-in", "room_type": "urn:test:room|exam", "devices": [], "near_id": None}
    assert (policy["head_start_minutes"], policy["scale"], policy["no_show_share"]) == ([0, 0, 0, 0], "esi", 0.3)
    assert (policy["booked_may_wait_minutes"], policy["staff"], policy["shows_wait"]) == (None, 3, True)
    assert policy["relief"] == [
        {"what": "extra-staff", "from_waiting": 25, "from_minutes": None, "below_waiting": None, "below_minutes": None}
    ]
    await office.client.aclose()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"start-2": "100000"}, "Head start of level 2: 0 to 1440 minutes."),
        ({"start-3": "soon"}, "Head start of level 3: 0 to 1440"),
        ({"rate-4": "0"}, "What a minute counts at level 4: 0.001 to 1000."),
        ({"rate-2": "inf"}, "What a minute counts at level 2"),
        ({"staff": "0"}, "How many of you serve: 1 to 500."),
        ({"no_show": "140"}, "Percent of those who are booked and do not come: 0 to 100."),
        ({"extra-staff-from_waiting": "0"}, "begins when so many wait: 1 to 10000."),
        ({"extra-staff-below_waiting": "50"}, "ends no later than it begins"),
        ({"grace_minutes": ""}, "Minutes until who is booked is late"),
        ({"scale": "celsius"}, "Choose one of what is offered."),
        ({"room_at": "never"}, "Choose one of what is offered."),
    ],
    ids=str,
)  # fmt: skip
async def test_absurd_limits_are_refused_in_plain_words(clinic: Clinic, queue: Json, typed: dict[str, str], told: str) -> None:
    office, page = await opened(clinic, queue, "policy")
    answer = await office.answer_to(page, **FIELDS | typed)
    assert answer.status_code == 422
    assert told in answer.text
    assert (await policy_of(clinic, queue))["staff"] is None
    await office.client.aclose()


async def test_what_may_not_have_been_meant_is_said_before_it_is_saved(clinic: Clinic, queue: Json) -> None:
    office, page = await opened(clinic, queue, "policy")
    await office.send(f"{page}/preview", **FIELDS | {"start-5": "200", "kept_for_emergencies": "3"})
    assert "Level 5 has a longer head start than level 4" in office.text
    assert "Everybody who serves is kept for emergencies" in office.text
    await office.client.aclose()


async def test_of_two_who_change_it_the_second_is_told(clinic: Clinic, queue: Json) -> None:
    office, page = await opened(clinic, queue, "policy")
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "policy": {"staff": 9}}
    ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted))
    answer = await office.answer_to(page, **FIELDS)
    assert answer.status_code == 409
    assert "Somebody else changed this queue a moment ago." in answer.text
    assert (await policy_of(clinic, queue))["staff"] == 9
    await office.client.aclose()


async def test_who_may_not_change_queues_has_no_such_page(clinic: Clinic, queue: Json) -> None:
    desk = await staff_signed_in(clinic.system, "nurse")
    for what in ("policy", "tuning"):
        assert (await desk.client.get(f"/staff/queues/{queue['id']}/{what}")).status_code == 403
    await desk.client.aclose()


async def test_nurses_triage_by_the_scale_of_the_queue(clinic: Clinic, queue: Json) -> None:
    turn = await arrive(clinic, queue, "P2")
    nurse, page = await opened(clinic, queue, "", "nurse")
    page = page.rstrip("/")
    await nurse.go(page)
    assert "P1, follow-up" in nurse.text
    assert "2, emergent" not in nurse.text
    nurse.forms.found[f"{page}/triage"].fields["level"] = "3"
    await nurse.send(f"{page}/triage")
    assert "Follow-up" in nurse.text
    wanted = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry", "letter": "P", "policy": {"scale": "ctas"}}
    ok(await clinic.system.request("operations", "PUT", "/api/v1/queues", json=wanted))
    await nurse.go(page)
    assert "1, resuscitation" in nurse.text
    address = f"/api/v1/queue-entries/{turn['id']}/triage"
    told = refused(await clinic.system.request("nurse", "POST", address, json={"scale": "esi", "level": 2}), 409, "flow.other_scale")
    assert told["scale"] == "ctas"
    assert ok(await clinic.system.request("nurse", "POST", address, json={"scale": "ctas", "level": 2}))["level"] == 2
    refused(await clinic.system.request("nurse", "POST", address, json={"scale": "tier", "level": 2}), 400, "kernel.bad_input")
    await nurse.client.aclose()


async def test_an_order_is_searched_for_put_in_force_and_taken_back_on_the_page(clinic: Clinic, queue: Json) -> None:
    office, page = await opened(clinic, queue, "tuning")
    assert "That is too little to go by" in office.text
    await office.send(f"{page}/start", **SEARCH)
    assert "Searching:" in office.text
    async with asyncio.timeout(60 + FOLLOW_SECONDS_MAX):
        while "Searching:" in office.text:
            await office.go(page)
    assert "With the staff on duty every target is met by this order." in office.text
    assert "95% within 15 minutes" in office.text
    office.forms.found[f"{page}/step"].fields["action"] = "apply"
    await office.send(f"{page}/step")
    assert "In force" in office.text
    assert (await policy_of(clinic, queue))["order"] == "accumulating"
    office.forms.found[f"{page}/step"].fields["action"] = "take-back"
    await office.send(f"{page}/step")
    assert (await policy_of(clinic, queue))["order"] == "head-start"
    assert "Put this order in force" in office.text
    await office.client.aclose()


@pytest.mark.parametrize(
    ("typed", "status", "told"),
    [
        ({"staff-9": "many"}, 422, "Something in the form is not a number"),
        ({"percent-2": "100"}, 422, "1 to 99 percent"),
        ({"source": "seen"}, 422, "Too little is known of who comes"),
        ({"come-9": "-3"}, 422, "Something in the form"),
        ({f"staff-{hour}": "0" for hour in HOURS}, 422, "Nobody is on duty at any hour."),
        ({"service": "nan"}, 422, "Something in the form"),
    ],
    ids=str,
)  # fmt: skip
async def test_a_search_for_nonsense_is_refused_in_plain_words(
    clinic: Clinic, queue: Json, typed: dict[str, str], status: int, told: str
) -> None:
    office, page = await opened(clinic, queue, "tuning")
    answer = await office.answer_to(f"{page}/start", **SEARCH | typed)
    assert answer.status_code == status
    assert told in answer.text
    await office.client.aclose()
