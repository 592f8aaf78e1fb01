"""What another policy would make of who waits, and what of it is remarked upon."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.queue import QueueEntry, QueuePolicy
from carewright.contracts.relief import ReliefRule
from carewright.flow.model.preview import placed, remarks
from tests.samples import known_id

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def turn(number: int, level: int, minutes: int) -> QueueEntry:
    since = NOON - timedelta(minutes=minutes)
    return QueueEntry(
        id=known_id(number), queue_id=known_id(91), site_id=known_id(92), service_id=known_id(93), encounter_id=known_id(94),
        patient_id=known_id(95), ticket=f"A{number:03}", status="waiting", level=level, ranked_from=since, updated_at=since,
    )  # fmt: skip


def test_each_is_told_its_place_now_and_then() -> None:
    waiting = [turn(1, 1, 2), turn(2, 3, 10), turn(3, 4, 20)]
    first_come = QueuePolicy(head_start_minutes=(0, 0, 0, 0))
    assert [(each.ticket, each.was, each.place) for each in placed(waiting, first_come, NOON)] == [
        ("A001", 1, 1), ("A003", 3, 2), ("A002", 2, 3)
    ]  # fmt: skip
    assert placed([], first_come, NOON) == ()


def test_who_is_elsewhere_keeps_a_place_and_is_said_to_be_passed_over() -> None:
    gone = replace(turn(2, 4, 10), travel_minutes=20)
    due = replace(turn(3, 4, 5), travel_minutes=20, come_at=NOON, due_at=NOON)
    assert [each.is_elsewhere for each in placed([turn(1, 4, 20), gone, due], QueuePolicy(), NOON)] == [False, True, False]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"head_start_minutes": (10, 20, 0, 0)}, "Level 3 has a longer head start than level 2"),
        ({"order": "accumulating", "rates": (9.0, 3.0, 1.0, 2.0)}, "Level 5 gathers priority faster than level 4"),
        ({"head_start_minutes": (1440, 0, 0, 0)}, "The longest head start is a day"),
        ({"kept_for_emergencies": 1}, "unless you say how many of you serve"),
        ({"kept_for_emergencies": 2, "staff": 2}, "Everybody who serves is kept"), ({"no_show_share": 0.95}, "hardly anybody"),
        ({"walk_in_may_wait_minutes": 0}, "nobody's time is kept"),
        ({"relief": (ReliefRule(what="pause-walk-ins", from_waiting=1),)}, "turned away as soon as 1 wait"),
        ({"relief": (ReliefRule(what="pause-walk-ins", from_minutes=5),)}, "as soon as the wait is 5 minutes"),
    ],
)  # fmt: skip
def test_what_may_not_have_been_meant_is_remarked_upon(policy: dict[str, Any], told: str) -> None:
    (said,) = remarks(QueuePolicy(**policy))
    assert told in said


def test_a_sensible_policy_is_not_remarked_upon() -> None:
    assert remarks(QueuePolicy()) == ()
    assert remarks(QueuePolicy(relief=(ReliefRule(what="extra-staff", from_waiting=1),))) == ()
