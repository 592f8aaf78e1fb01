"""In which order a queue calls. Two rules, of which the first is exact with one number for each turn, and the second never is.

Level 1 comes before all others, in order of arrival: under a static head start an emergency may wait for hours behind those who came long
before (measured by simulation: 139 minutes at a load of 0.90).

*Head start*: who counts as having come `c(level)` minutes earlier is called in order of `since - c(level)`. Everybody's priority grows at
the same speed, so who is before whom never changes, and one sorted number is exact.

*Accumulating priority* (Kleinrock 1964; Stanford, Taylor, Ziedins 2014): the priority of who waits is `rate(level) * (now - since)`. Rates
differ, so order changes with time alone, and no number that was computed once is exact. Within a level it never changes: the first of each
level are compared when somebody is called.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.queue import QueuePolicy

Rank = tuple[bool, float, datetime, UUID]
FIRST_LEVEL, LEVELS = 1, 5
END = datetime(9000, 1, 1, tzinfo=UTC)
LONGEST_SECONDS = 1e9
"""Longer than anybody waits, and within what an instant can say."""


def rank(policy: QueuePolicy, level: int, since: datetime, entry_id: UUID, now: datetime) -> Rank:
    """What a turn is ordered by at `now`: the smaller, the earlier. Of two alike, who came first; of those, who was written down first."""
    if level == FIRST_LEVEL:
        return (False, 0.0, since, entry_id)
    if policy.order == "head-start":
        return (True, since.timestamp() - head_start_seconds(policy, level), since, entry_id)
    return (True, -rate(policy, level) * max(0.0, (now - since).total_seconds()), since, entry_id)


def in_order(policy: QueuePolicy, waiting: Iterable[tuple[int, datetime, UUID]], now: datetime) -> list[UUID]:
    """Those who wait, given as (level, since, id), in the order in which they would be called at `now`."""
    return [entry_id for *_, entry_id in sorted(rank(policy, level, since, entry_id, now) for level, since, entry_id in waiting)]


class Before(NamedTuple):
    """Who of a level is before somebody: whoever counts since before `since`, and of those up to `ties_until` who came before them."""

    level: int
    since: datetime
    ties_until: datetime


def before(policy: QueuePolicy, level: int, since: datetime, now: datetime) -> list[Before]:
    """The levels of which anybody may be before a turn of `level` that counts since `since`: `rank`, solved for when the other came."""
    first = Before(FIRST_LEVEL, since, since) if level == FIRST_LEVEL else Before(FIRST_LEVEL, END, END)
    return [first] if level == FIRST_LEVEL else [first, *(_before(policy, each, level, since, now) for each in range(2, LEVELS + 1))]


def _before(policy: QueuePolicy, other: int, level: int, since: datetime, now: datetime) -> Before:
    if policy.order == "head-start":
        at = since + timedelta(seconds=head_start_seconds(policy, other) - head_start_seconds(policy, level))
        return Before(other, at, at)
    worth = rate(policy, level) * max(0.0, (now - since).total_seconds())
    at = now - timedelta(seconds=min(worth / rate(policy, other), LONGEST_SECONDS))
    return Before(other, at, at if worth else END)


def head_start_seconds(policy: QueuePolicy, level: int) -> float:
    return 60.0 * (policy.head_start_minutes[level - 2] if level > FIRST_LEVEL else 0)


def rate(policy: QueuePolicy, level: int) -> float:
    return policy.rates[level - 2] if level > FIRST_LEVEL else 1.0
