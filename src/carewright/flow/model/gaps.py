"""Who could be called into which gap of a practitioner's time. Pure rules."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.in_use import Gap
from carewright.contracts.queue import QueueEntry, QueuePolicy


def least_minutes(usual_minutes: float, policy: QueuePolicy) -> float:
    """How much of a usual service must fit before somebody who is booked, who may wait for the rest; nothing, where order alone decides."""
    return max(0.0, usual_minutes - policy.booked_may_wait_minutes) if policy.booked_may_wait_minutes is not None else 0.0


def proposed(
    gaps: Iterable[Gap], waiting: Sequence[QueueEntry], busy: Collection[UUID], least: float, now: datetime
) -> list[tuple[Gap, QueueEntry | None]]:
    """Each gap that is one, by its start, and the first of those who wait (given in order) who fits; nobody is proposed twice.

    A practitioner who sees somebody has no gap now, whatever the calendar says.
    """
    left = list(waiting)
    found: list[tuple[Gap, QueueEntry | None]] = []
    for gap in sorted(gaps, key=lambda each: (each.start, each.practitioner_id)):
        if gap.end <= now or (gap.start <= now and gap.practitioner_id in busy):
            continue
        fits = gap.end - max(gap.start, now) >= timedelta(minutes=least)
        first = next((each for each in left if fits and each.practitioner_id in (None, gap.practitioner_id)), None)
        if first is not None:
            left.remove(first)
        found.append((gap, first))
    return found
