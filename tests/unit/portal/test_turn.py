"""The page of a patient's turn, with scripts off."""

import re
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.delays import ExpectedStart
from carewright.contracts.elsewhere import NoMoreTime, SayWhere, StayNear, TellTheDesk
from carewright.contracts.flow import StepNotAllowed, UnknownEntry
from carewright.contracts.notifications import Moment, TemplateName
from carewright.contracts.queue import QueueEntry, WaitEstimate
from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.kernel.values import utc
from carewright.portal.model.jobs import DelayHeard, TurnCalled, TurnSoonHeard, TurnTold
from carewright.portal.service import telling
from tests.samples import known_id
from tests.unit.portal import double
from tests.unit.portal.double import MORNING, Hospital
from tests.unit.portal.double_queues import TOKEN
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
    hospital.delays.late = [replace(late, by_emergency=True)]
    await browser.get(PLACE)
    assert "An emergency came first, and we are running late. Your appointment of 2:00 AM begins at about 2:25 AM." in browser.page
    hospital.queues.turns = [replace(TURN, appointment_id=known_id(9), status="called")]
    await browser.get(PLACE)
    assert "emergency" not in browser.page.split("<main")[1].split("</main")[0]
    assert "late" not in browser.page.split("<main")[1].split("</main")[0]


ASKED = replace(TURN, offered_at=CAME)
AWAY = replace(ASKED, travel_minutes=20)
COMES = replace(AWAY, come_at=CAME, due_at=utc(MORNING + timedelta(minutes=40)))
MISSED = replace(AWAY, status="skipped", skipped=1)


@pytest.mark.parametrize(
    ("turn", "said", "offered"),
    [(TURN, "You are waiting.", []), (ASKED, "How far away will you be?", ["away"] * 5),
     (AWAY, "You are waiting somewhere else, 20 minutes away.", ["back"]), (COMES, "We expect you by 2:47 AM.", ["back", "more-time"]),
     (replace(COMES, more_times=2), "Please come now.", ["back"]), (MISSED, "Tell us when you are here.", ["back"]),
     (replace(MISSED, skipped=2), "please tell the desk", []), (replace(AWAY, status="called"), "It is your turn.", []),
     (replace(ASKED, come_at=CAME), "You are waiting.", [])],
)  # fmt: skip
async def test_what_one_tap_can_say_is_what_makes_sense_now(
    browser: Browser, hospital: Hospital, turn: QueueEntry, said: str, offered: list[str]
) -> None:
    hospital.queues.turns = [turn]
    await browser.get(PLACE)
    assert said in browser.page
    assert re.findall(r'name="say" value="([a-z-]+)"', browser.page) == [*offered, "leave"]


async def test_one_tap_says_it(browser: Browser, hospital: Hospital) -> None:
    hospital.queues.turns = [ASKED]
    await browser.get(PLACE)
    await browser.post(f"{PLACE}/{TURN.id}/where", say="away", minutes="20", version="1")
    assert hospital.queues.said == [SayWhere(entry_id=TURN.id, say="away", travel_minutes=20, expected_version=1)]
    assert "Thank you, we have noted that" in browser.page
    await browser.post(f"{PLACE}/{TURN.id}/where", say="leave", version="1")
    assert "You do not wait any more" in browser.page


@pytest.mark.parametrize(("say", "minutes"), [("dance", ""), ("away", ""), ("away", "999"), ("away", "ten"), ("back", "5"), ("", "")])
async def test_what_is_nonsense_changes_nothing(browser: Browser, hospital: Hospital, say: str, minutes: str) -> None:
    hospital.queues.turns = [ASKED]
    await browser.get(PLACE)
    await browser.post(f"{PLACE}/{TURN.id}/where", version="1", say=say, minutes=minutes)
    assert "We did not understand that" in browser.page
    assert hospital.queues.said == []


@pytest.mark.parametrize(
    ("refusal", "said"),
    [(StepNotAllowed(), "That is not possible any more"), (StayNear(why="soon"), "Please stay near"),
     (NoMoreTime(), "We cannot give you more time"), (TellTheDesk(), "Please tell the desk that you are here"),
     (PreconditionFailed(version=3), "Something has changed in the meantime"), (UnknownEntry(), "Something has changed in the meantime")],
)  # fmt: skip
async def test_what_cannot_be_any_more_is_told_kindly(browser: Browser, hospital: Hospital, refusal: Refusal, said: str) -> None:
    hospital.queues.turns, hospital.queues.refusal = [COMES], refusal
    await browser.get(PLACE)
    await browser.post(f"{PLACE}/{TURN.id}/where", say="more-time", version="1")
    assert said in browser.page


@pytest.mark.parametrize("template", ["turn_elsewhere", "turn_come"])
async def test_who_waits_elsewhere_is_told_or_shown_to_the_desk(hospital: Hospital, template: TemplateName) -> None:
    ctx = double.context(hospital)
    about = TurnTold(double.ORGANIZATION_ID, double.MARGARET.id, TURN.id, 4, "A017", MORNING, template)
    await telling.tell_elsewhere(ctx, about)
    [said] = hospital.said
    assert (said.template, said.values["ticket"], said.about_id) == (template, "A017", TURN.id)
    assert hospital.calls[-1] == ("notify", f"portal.tell_elsewhere:{TURN.id}:4")
    assert hospital.queues.unreached == []
    await telling.tell_elsewhere(ctx, replace(about, patient_id=known_id(404)))
    assert hospital.queues.unreached == [TURN.id], "nobody can be told: the desk sees it"


async def test_a_message_leads_to_the_turns_own_page_where_there_is_an_address(hospital: Hospital) -> None:
    ctx = double.context(hospital, public_url="https://lakeside.example/")
    about = TurnTold(double.ORGANIZATION_ID, double.MARGARET.id, TURN.id, 4, "A017", MORNING, "turn_come")
    await telling.tell_elsewhere(ctx, about)
    [said] = hospital.said
    assert (said.template, said.values["link"]) == ("turn_come_link", f"https://lakeside.example/answer/turn/{TOKEN}")
    assert hospital.queues.linked == TURN.id


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
