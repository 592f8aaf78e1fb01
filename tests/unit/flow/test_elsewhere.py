"""When who waits is asked to do so elsewhere, and when they are told to come. Pure rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carewright.contracts.elsewhere import NoMoreTime, SayWhere, StayNear
from carewright.contracts.flow import StepNotAllowed
from carewright.contracts.queue import QueueEntry, WaitEstimate
from carewright.flow.model import elsewhere as rules
from tests.samples import known_id

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
TURN = QueueEntry(
    id=known_id(1), queue_id=known_id(2), site_id=known_id(3), service_id=known_id(4), encounter_id=known_id(5), patient_id=known_id(6),
    ticket="A017", status="waiting", level=4, ranked_from=NINE, arrived_at=NINE, updated_at=NINE,
)  # fmt: skip
AWAY = replace(TURN, travel_minutes=20)


def told(low: int | None, ahead: int = 9) -> WaitEstimate:
    return WaitEstimate(entry_id=TURN.id, ahead=ahead, as_of=NINE, low_minutes=low, median_minutes=low, high_minutes=low)


def due(entry: QueueEntry, estimate: WaitEstimate | None, *, offers: bool = True) -> list[str]:
    return [what for _, what in rules.due([entry], {entry.id: estimate} if estimate else {}, offers=offers)]


@pytest.mark.parametrize(
    ("changes", "low", "offers", "found"),
    [({}, 20, True, ["offer"]), ({}, 19, True, []), ({}, None, True, []), ({}, 20, False, []), ({"level": 3}, 90, True, []),
     ({"level": 5}, 90, True, ["offer"]), ({"offered_at": NINE}, 90, True, []), ({"come_at": NINE}, 90, True, [])],
)  # fmt: skip
def test_who_waits_long_enough_and_is_not_urgent_is_asked_once(
    changes: dict[str, Any], low: int | None, offers: bool, found: list[str]
) -> None:  # fmt: skip
    assert due(replace(TURN, **changes), told(low), offers=offers) == found
    assert due(TURN, None) == [], "of whom nothing can be told, nothing is promised"


@pytest.mark.parametrize(
    ("entry", "estimate", "found"),
    [(AWAY, told(26), []), (AWAY, told(25), ["come"]), (AWAY, told(0), ["come"]), (AWAY, told(None, ahead=3), []),
     (AWAY, told(None, ahead=2), ["come"]), (replace(AWAY, level=3), told(200), ["come"]), (AWAY, None, ["come"]),
     (replace(AWAY, come_at=NINE, due_at=NINE), told(0), [])],
)  # fmt: skip
def test_who_is_elsewhere_is_told_once_when_their_way_is_as_long_as_their_wait(
    entry: QueueEntry, estimate: WaitEstimate | None, found: list[str]
) -> None:
    assert due(entry, estimate, offers=False) == found


@given(st.integers(1, 60), st.lists(st.tuples(st.integers(0, 100), st.sampled_from(["more-time", "back", "away"])), max_size=8))
def test_whatever_is_said_nobody_is_passed_over_for_longer_than_their_way_and_twice_ten_minutes(
    minutes: int, says: list[tuple[int, Any]]
) -> None:
    """The second more time may begin when the first has passed: what is passed over is that much at the most, not the clock."""
    entry, now, passed = rules.told_to_come(replace(TURN, travel_minutes=minutes), NINE), NINE, timedelta(0)
    for later, say in says:
        until = now + timedelta(minutes=later)
        passed += min(until, entry.due_at or now) - now if not rules.is_callable(entry, now) else timedelta(0)
        now = until
        try:
            command = SayWhere(entry_id=TURN.id, say=say, travel_minutes=30 if say == "away" else None)
            _, entry = rules.said(entry, command, now, by_patient=True)
        except (StepNotAllowed, NoMoreTime, StayNear):
            continue
    assert passed <= timedelta(minutes=minutes + 2 * 10)


def test_who_is_told_to_come_is_due_after_their_way() -> None:
    come = rules.told_to_come(AWAY, NINE)
    assert come.due_at == NINE + timedelta(minutes=20)
    assert not rules.is_callable(come, NINE + timedelta(minutes=19))
    assert rules.is_callable(come, NINE + timedelta(minutes=20))
    for entry in (TURN, come, replace(AWAY, status="called")):
        with pytest.raises(StepNotAllowed):
            rules.told_to_come(entry, NINE)


def test_nobody_says_how_far_somebody_is_who_is_back() -> None:
    for says in ({"say": "away"}, {"say": "back", "travel_minutes": 5}):
        with pytest.raises(ValueError, match="how many minutes"):
            SayWhere(entry_id=TURN.id, **says)
