"""How full a day is, by service and hour. Pure.

Of service `s` in hour `h`, with `C(s)` the calendars of whoever could serve it, utilisation is

    U(s, h) = sum over c in C(s) of |taken(c) and open(c) and h|  /  sum over c in C(s) of |open(c) and h|

in minutes, where `open(c)` is working time without blocks, and `taken(c)` what appointments of any service take of it, buffers included. So
somebody who serves two services and is booked for one is as busy for the other. What is taken outside working hours does not count, and
nothing is taken twice. Where nobody works in an hour there is no utilisation. The formula is our own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from carewright.scheduling.model.ticks import TICK_MINUTES

HOUR_TICKS = 60 // TICK_MINUTES
Spans = Sequence[tuple[datetime, datetime]]
Ticks = NDArray[np.bool_]


class HourMinutes(NamedTuple):
    """Minutes of an hour that are open, and of these those that are taken, of all calendars together."""

    open: int
    taken: int


class Busyness(NamedTuple):
    """One calendar's day: when it is open, blocked and taken."""

    openings: Spans
    blocks: Spans
    taken: Spans


def minutes_by_hour(
    calendars: Mapping[UUID, Busyness], pools: Mapping[UUID, Collection[UUID]], start: datetime, hours: int
) -> dict[UUID, list[HourMinutes]]:  # fmt: skip
    """For each service of `pools` (who could serve it), every hour from `start` on."""
    ticks = {each: _ticks_of(calendar, start, hours) for each, calendar in calendars.items()}
    return {service: _summed([ticks[each] for each in pool if each in ticks], hours) for service, pool in pools.items()}


def _ticks_of(calendar: Busyness, start: datetime, hours: int) -> tuple[Ticks, Ticks]:
    """When it is open, and when that is taken."""
    is_open = _marked(calendar.openings, start, hours) & ~_marked(calendar.blocks, start, hours)
    return is_open, is_open & _marked(calendar.taken, start, hours)


def _marked(spans: Spans, start: datetime, hours: int) -> Ticks:
    marks = np.zeros(hours * HOUR_TICKS, np.bool_)
    for begins, ends in spans:
        first, last = (max(0, (each - start) // timedelta(minutes=TICK_MINUTES)) for each in (begins, ends))
        marks[first:last] = True
    return marks


def _summed(calendars: Iterable[tuple[Ticks, Ticks]], hours: int) -> list[HourMinutes]:
    total = np.zeros((2, hours), np.int64)
    for both in calendars:
        total += np.array(both).reshape(2, hours, HOUR_TICKS).sum(axis=2)
    return [HourMinutes(int(open_) * TICK_MINUTES, int(taken) * TICK_MINUTES) for open_, taken in total.T]
