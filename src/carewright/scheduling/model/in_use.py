"""Which time a turn in a queue takes: from now on, until somebody has it who is to be expected. Pure rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec

from carewright.contracts.scheduling import AppointmentStatus, ClaimedTime
from carewright.scheduling.model.ticks import EPOCH, TICK, BitRow, range_is_set

LANES = range(8)
OVER: frozenset[AppointmentStatus] = frozenset({"fulfilled", "cancelled", "noshow", "entered-in-error"})
GAP_MIN = timedelta(minutes=10)
"""Less is not worth calling somebody for."""
ASIDE_AFTER = timedelta(minutes=15)
"""Who is booked and did not come is waited for so long, where nobody says how long."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Time that somebody else holds: the claim, and the state of the appointment; None where another turn has it."""

    lane: int
    start: datetime
    end: datetime
    status: AppointmentStatus | None = None
    booked_at: datetime | None = None


def from_tick(now: datetime) -> datetime:
    """The beginning of the 5 minutes in which `now` lies: the index knows no less."""
    return EPOCH + (now - EPOCH) // TICK * TICK


def until_tick(end: datetime) -> datetime:
    """The end of the 5 minutes in which `end` lies."""
    return EPOCH + -((EPOCH - end) // TICK) * TICK


def is_expected(held: Held, now: datetime, grace: timedelta) -> bool:
    """Whether whoever holds it is to be reckoned with: not who is done, nor who is booked and did not come."""
    if held.status in OVER:
        return False
    return held.status != "booked" or held.booked_at is None or now <= held.booked_at + grace


def free_until(others: Iterable[Held], start: datetime, end: datetime, now: datetime, grace: timedelta) -> datetime:
    """How far the time from `start` to `end` is nobody's who is to be expected."""
    return max(start, min((each.start for each in others if is_expected(each, now, grace)), default=end))


def parts(schedule_id: UUID, start: datetime, end: datetime, others: Sequence[Held]) -> list[ClaimedTime]:
    """Claims of the time from `start` to `end`: in the first lane, and beside those who are not expected in the next that is free."""
    bounds = sorted({start, end, *(at for each in others for at in (each.start, each.end) if start < at < end)})
    claims: list[ClaimedTime] = []
    for first, last in pairwise(bounds):
        taken = {each.lane for each in others if each.start < last and each.end > first}
        lane = next((each for each in LANES if each not in taken), None)
        if lane is None:
            return claims
        if claims and claims[-1].lane == lane:
            claims[-1] = msgspec.structs.replace(claims[-1], end=last)
        else:
            claims.append(ClaimedTime(schedule_id=schedule_id, lane=lane, start=first, end=last))
    return claims


def free_runs(free: BitRow, first: int, last: int) -> list[tuple[int, int]]:
    """The stretches of ticks from `first` until before `last` that are free."""
    runs: list[tuple[int, int]] = []
    for tick in range(first, last):
        if not range_is_set(free, tick, tick + 1):
            continue
        if runs and runs[-1][1] == tick:
            runs[-1] = (runs[-1][0], tick + 1)
        else:
            runs.append((tick, tick + 1))
    return runs
