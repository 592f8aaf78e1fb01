"""The page of a patient's turn, with scripts off."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.delays import ExpectedStart
from carewright.contracts.notifications import Moment
from carewright.contracts.queue import QueueEntry, WaitEstimate
from carewright.kernel.values import utc
from carewright.portal.model.jobs import DelayHeard, TurnCalled, TurnSoonHeard
from carewright.portal.service import telling
from tests.samples import known_id
from tests.unit.portal import double
from tests.unit.portal.double import MORNING, Hospital
from tests.unit.portal.test_pages import Browser, browser, hospital, opened

__all__ = ("browser", "hospital", "opened")
PLACE = "/my-turn"
CAME = utc(MORNING - timedelta(minutes=20))
TURN = QueueEntry(
    id=known_id(1), queue_id=known_id(2), site_id=known_id(3), service_id=known_id(4), encounter_id=known_id(5), patient_id=known_id(6),
    ticket="A017", status="waiting", level=4, ranked_from=CAME, arrived_at=CAME, updated_at=CAME,
)  # fmt: skip
TOLD = WaitEstimate(entry_id=TURN.id, ahead=3, low_minutes=12, median_minutes=21, high_minutes=33, as_of=CAME)


async def test_who_is_in_no_queue_is_told_what_to_do(browser: Browser) -> None:
    await browser.get(PLACE)
    assert "You are in no queue just now." in browser.page


@pytest.mark.parametrize(
    ("told", "said"),
    [({}, ("3 people are before you.", "Most likely between 10 and 35 minutes.")),
     ({"ahead": 1, "low_minutes": 3, "high_minutes": 9}, ("One person is before you.", "Most likely within 10 minutes.")),
     ({"ahead": 0, "low_minutes": 0, "high_minutes": 0}, ("You are next.", "Most likely within 5 minutes.")),
     ({"low_minutes": None, "high_minutes": None}, ("We cannot say yet how long it takes.",))],
)  # fmt: skip
async def test_who_waits_is_told_a_range_in_words(
    browser: Browser, hospital: Hospital, told: dict[str, Any], said: tuple[str, ...]
) -> None:
    hospital.queues.turns, hospital.queues.told = [TURN], {TURN.id: replace(TOLD, **told)}
    await browser.get(PLACE)
    for words in ("A017", "You are waiting.", *said):
        assert words in browser.page


async def test_who_is_called_is_asked_to_come(browser: Browser, hospital: Hospital) -> None:
    hospital.queues.turns = [replace(TURN, status="called")]
    await browser.get(PLACE)
    assert "It is your turn. Please come now." in browser.page
    assert "before you" not in browser.page


async def test_who_waits_for_somebody_who_is_late_is_told_when_it_begins(browser: Browser, hospital: Hospital) -> None:
    """In steps of five minutes: 23 minutes are about 25."""
    start = utc(MORNING.replace(minute=0))
    hospital.queues.turns = [replace(TURN, appointment_id=known_id(9))]
    expected = start + timedelta(minutes=23)
    late = ExpectedStart(appointment_id=known_id(9), site_id=TURN.site_id, start=start, expected_at=expected, late_minutes=23, version=1)
    hospital.delays.late = [late]
    await browser.get(PLACE)
    assert "We are running late today. Your appointment of 2:00 AM begins at about 2:25 AM." in browser.page
    hospital.queues.turns = [replace(TURN, appointment_id=known_id(9), status="called")]
    await browser.get(PLACE)
    assert "late" not in browser.page.split("<main")[1].split("</main")[0]


async def test_who_is_called_hears_of_it_for_ten_minutes(hospital: Hospital) -> None:
    """Wherever in the house they wait; and whoever was erased hears nothing."""
    ctx = double.context(hospital)
    called = TurnCalled(double.ORGANIZATION_ID, double.MARGARET.id, TURN.id, 2, "A017", MORNING)
    await telling.call_in(ctx, called)
    [said] = hospital.said
    assert (said.template, said.values["ticket"], said.until_at) == ("turn_called", "A017", MORNING + timedelta(minutes=10))
    assert hospital.calls[-1] == ("notify", f"portal.call_in:{TURN.id}:2")
    await telling.call_in(ctx, replace(called, patient_id=known_id(404)))
    assert len(hospital.said) == 1


async def test_whose_turn_is_soon_hears_of_it_once(hospital: Hospital) -> None:
    ctx = double.context(hospital)
    near = TurnSoonHeard(double.ORGANIZATION_ID, double.MARGARET.id, TURN.id, "A017", MORNING)
    await telling.ask_near(ctx, near)
    [said] = hospital.said
    assert (said.template, said.values["ticket"], said.until_at) == ("turn_soon", "A017", MORNING + timedelta(minutes=10))
    assert hospital.calls[-1] == ("notify", f"portal.ask_near:{TURN.id}")


async def test_a_delay_is_told_in_steps_of_five_minutes_until_the_visit_begins(hospital: Hospital) -> None:
    ctx, kind = double.context(hospital), hospital.visit_named("Cardiology", "Follow-up visit")
    one = replace(hospital.take(kind.id, hospital.sites[0].id, MORNING + timedelta(hours=3)), patient_id=double.MARGARET.id)
    hospital.appointments[one.id] = one
    late = DelayHeard(double.ORGANIZATION_ID, one.id, 3, one.start, 22, "later")
    await telling.tell_of_delay(ctx, late)
    [said] = hospital.said
    assert (said.template, said.values["minutes"], said.until_at) == ("appointment_later", "25", one.start + timedelta(minutes=22))
    assert said.values["when"] == Moment(at=one.start, zone=one.time_zone)
    assert hospital.calls[-1] == ("notify", f"portal.tell_of_delay:{one.id}:3")
    await telling.tell_of_delay(ctx, replace(late, version=4, minutes=0, tell="as-booked"))
    assert [each.template for each in hospital.said] == ["appointment_later", "appointment_as_booked"]
    assert "minutes" not in hospital.said[-1].values
    for nothing in (replace(late, start=one.start + timedelta(hours=1)), replace(late, minutes=-10_000)):
        await telling.tell_of_delay(ctx, nothing)
    hospital.appointments[one.id] = replace(one, status="cancelled")
    await telling.tell_of_delay(ctx, late)
    assert len(hospital.said) == 2
