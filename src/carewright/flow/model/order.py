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
from datetime import datetime
from uuid import UUID

from carewright.contracts.queue import QueuePolicy

Rank = tuple[bool, float, datetime, UUID]
FIRST_LEVEL = 1


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


def head_start_seconds(policy: QueuePolicy, level: int) -> float:
    return 60.0 * (policy.head_start_minutes[level - 2] if level > FIRST_LEVEL else 0)


def rate(policy: QueuePolicy, level: int) -> float:
    return policy.rates[level - 2] if level > FIRST_LEVEL else 1.0
