"""A queue as it is replayed, of those who wait elsewhere: by hand, with one who serves and ten minutes each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from carewright.contracts.queue import QueueEntry, QueuePolicy
from carewright.flow.model.waiting.estimates import estimate
from carewright.flow.model.waits import ELSEWHERE_MAX, Known, Served, live_queue
from tests.samples import known_id

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
POLICY = QueuePolicy(staff=1, head_start_minutes=(120, 30, 0, 0))
QUEUE = known_id(1)


def waits(number: int, waited: float, level: int = 4, **more: Any) -> QueueEntry:
    return QueueEntry(
        id=known_id(number), queue_id=QUEUE, site_id=QUEUE, service_id=QUEUE, encounter_id=QUEUE, patient_id=QUEUE, ticket="A001",
        status="waiting", level=level, ranked_from=NOW - timedelta(minutes=waited), updated_at=NOW, **more,
    )  # fmt: skip


def medians(*waiting: QueueEntry, elapsed: float = 10.0) -> list[int]:
    """Minutes until each is called, of those who wait in this order, while one is served who began `elapsed` minutes ago."""
    serving = [Served(practitioner_id=UUID(int=9), elapsed=elapsed)]
    known = Known(waiting=waiting, serving=serving, minutes_served=[10.0] * 100_000, minutes_planned=10.0, came={})
    told = estimate(np.random.default_rng(3), live_queue(known, POLICY, NOW))
    return [round(each.median or 0.0) for each in told]


def due(minutes: float) -> dict[str, Any]:
    return {"travel_minutes": 20, "come_at": NOW - timedelta(minutes=5), "due_at": NOW + timedelta(minutes=minutes)}


def test_who_is_elsewhere_is_passed_over_until_they_are_due_and_then_comes_first() -> None:
    assert medians(waits(2, 50), waits(3, 40), waits(4, 30), elapsed=0) == [10, 20, 30]
    assert medians(waits(2, 50, **due(15)), waits(3, 40), waits(4, 30), elapsed=0) == [20, 10, 30]
    assert medians(waits(2, 50, **due(95)), waits(3, 40), waits(4, 30), elapsed=0) == [95, 10, 20]


def test_who_was_due_by_now_is_called_in_their_place() -> None:
    assert medians(waits(2, 50, **due(-1)), waits(3, 40), elapsed=0) == [10, 20]


def test_who_was_not_told_to_come_yet_is_as_far_as_they_said() -> None:
    assert medians(waits(2, 50, travel_minutes=15), waits(3, 40), waits(4, 30), elapsed=0) == [20, 10, 30]


def test_a_place_in_the_order_is_that_of_all_that_was_waited() -> None:
    """After twenty minutes level 3 counts 75, half an hour of it a head start, and who is back has waited for 74 or 76."""
    for waited, expected in ((54, [30, 10, 20]), (56, [20, 10, 30])):
        first = waits(2, waited, **due(15))
        assert medians(first, waits(3, 90), waits(4, 25, level=3), elapsed=0) == expected


def test_a_crowd_elsewhere_costs_no_more_than_its_first() -> None:
    crowd = [waits(10 + number, 500 - number, **due(15)) for number in range(ELSEWHERE_MAX + 20)]
    known = Known(waiting=crowd, serving=[], minutes_served=[], minutes_planned=10.0, came={})
    queue = live_queue(known, POLICY, NOW)
    assert len(queue.coming) == ELSEWHERE_MAX + 5
    assert [each.waited_minutes > 0 for each in queue.waiting] == [False] * ELSEWHERE_MAX + [True] * 20
