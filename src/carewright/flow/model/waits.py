"""What is known of a queue, as the live queue that is replayed (`waiting.estimates`): a line for each who may call, and what it serves.

Who wants one practitioner waits in that practitioner's line, which one person serves; all others wait in the line of everybody, which the
queue's staff serves.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.queue import QueueEntry, QueuePolicy
from carewright.flow.model.waiting.demand import Stream
from carewright.flow.model.waiting.distribution import Distribution, lognormal, observed
from carewright.flow.model.waiting.estimates import LiveQueue, Serving, Waiting
from carewright.flow.model.waiting.policy import LEVELS, order_of_policy
from carewright.flow.model.waiting.simulation import Staff

MINUTES_USUAL = 15.0
VARIATION = 0.6
"""Standard deviation by mean of a consultation: between 0.4 and 0.9 in what has been measured (Cayirli and Veral, Production and Operations
Management 12, 2003, table 4)."""
DAYS_SEEN, HOURS_AHEAD = 14, 12


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was called or is being seen, for so many minutes."""

    practitioner_id: UUID | None
    elapsed: float


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a queue is told by: who waits in order, who is served, how long services took, who came in which hour from now on."""

    waiting: Sequence[QueueEntry]
    serving: Sequence[Served]
    minutes_served: Sequence[float]
    minutes_planned: float | None
    came: Mapping[tuple[int, int], int]


def lines_of(known: Known, policy: QueuePolicy, now: datetime) -> list[tuple[list[QueueEntry], LiveQueue]]:
    """Each line with who waits in it."""
    service = service_of(known)
    lines: dict[UUID | None, list[QueueEntry]] = {}
    for each in known.waiting:
        lines.setdefault(each.practitioner_id, []).append(each)
    return [(line, _live(line, who, known, policy, service, now)) for who, line in lines.items()]


def service_of(known: Known) -> Distribution:
    """How long one is served: as seen, and while little was seen, as planned."""
    return observed(known.minutes_served, lognormal(known.minutes_planned or MINUTES_USUAL, VARIATION))


def _live(
    line: Sequence[QueueEntry], who: UUID | None, known: Known, policy: QueuePolicy, service: Distribution, now: datetime
) -> LiveQueue:
    serving = [each for each in known.serving if who is None or each.practitioner_id == who]
    return LiveQueue(
        waiting=[Waiting(tier=each.level - 1, waited_minutes=_minutes(now, each.ranked_from), service=service) for each in line],
        serving=[Serving(elapsed_minutes=max(0.0, each.elapsed), service=service) for each in serving],
        coming=[_coming(level, known, service) if who is None else Stream(service=service) for level in LEVELS],
        staff=_staff(who, policy, len(serving)),
        order=order_of_policy(policy),
    )  # fmt: skip


def _coming(level: int, known: Known, service: Distribution) -> Stream:
    per_hour = [known.came.get((level, hour), 0) / DAYS_SEEN for hour in range(HOURS_AHEAD)]
    return Stream(walk_ins_per_hour=per_hour, service=service)


def _staff(who: UUID | None, policy: QueuePolicy, busy: int) -> Staff:
    """One practitioner serves their own; of the others nobody knows more than the policy says, or than who is at it."""
    if who is not None:
        return Staff(steps=((0.0, 1),))
    return Staff(steps=((0.0, policy.staff or max(1, busy)),), kept=policy.kept_for_emergencies if policy.staff else 0)


def _minutes(now: datetime, since: datetime) -> float:
    return max(0.0, (now - since).total_seconds() / 60)


def ahead_of(waiting: Iterable[QueueEntry]) -> dict[UUID, int]:
    """How many are called before each, of those whom the same may call."""
    counted: dict[UUID | None, int] = {}
    ahead = {}
    for each in waiting:
        ahead[each.id] = counted.get(each.practitioner_id, 0)
        counted[each.practitioner_id] = ahead[each.id] + 1
    return ahead
