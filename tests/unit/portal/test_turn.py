"""The page of a patient's turn, with scripts off."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.queue import QueueEntry, WaitEstimate
from carewright.kernel.values import utc
from carewright.portal import service
from carewright.portal.model.jobs import TurnCalled
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


async def test_who_is_called_hears_of_it_for_ten_minutes(hospital: Hospital) -> None:
    """Wherever in the house they wait; and whoever was erased hears nothing."""
    ctx = double.context(hospital)
    called = TurnCalled(double.ORGANIZATION_ID, double.MARGARET.id, TURN.id, 2, "A017", MORNING)
    await service.call_in(ctx, called)
    [said] = hospital.said
    assert (said.template, said.values["ticket"], said.until_at) == ("turn_called", "A017", MORNING + timedelta(minutes=10))
    assert hospital.calls[-1] == ("notify", f"portal.call_in:{TURN.id}:2")
    await service.call_in(ctx, replace(called, patient_id=known_id(404)))
    assert len(hospital.said) == 1
