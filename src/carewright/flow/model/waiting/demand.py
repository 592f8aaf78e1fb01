"""Who comes to a queue, and how long each is served: drawn for many days at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import msgspec
import numpy as np

from carewright.flow.model.waiting.distribution import Distribution, Floats, always

NEVER = 1e15
"""The minute at which what never happens happens. Finite, so that differences stay numbers."""
MINUTES_PER_HOUR = 60.0
PUNCTUAL = always(0.0)


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment: when it is due, how likely nobody comes, and how long it takes."""

    due_minute: float
    no_show: float = 0.0
    service: Distribution


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who comes to one tier.

    `walk_ins_per_hour`: how many come without an appointment on average, for each hour from minute 0 on; none after the last hour.
    `service`: how long they are served. `lateness`: by how much those who have an appointment come too late, or, below zero, too early.
    `wait_until_due`: those who come too early are taken to come on time, where a queue counts their turn from then.
    `is_under_way`: minute 0 lies within the day, so that who has an appointment and is not here comes later, or not at all; otherwise
    whoever is early for minute 0 waits at the door.
    """

    walk_ins_per_hour: Sequence[float] = ()
    service: Distribution
    booked: Sequence[Booked] = ()
    lateness: Distribution = PUNCTUAL
    wait_until_due: bool = False
    is_under_way: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """The people of many days: arrays of shape `[days, places]`, in minutes.

    The places of a tier stand together, from `firsts[tier]` on, in order of arrival; those that nobody takes arrive at `NEVER`, as does
    the last of each tier.
    """

    arrivals: Floats
    services: Floats
    firsts: tuple[int, ...]

    @property
    def days(self) -> int:
        return len(self.arrivals)

    def tier(self, number: int) -> slice:
        """The places of one tier."""
        ends = (*self.firsts[1:], self.arrivals.shape[1])
        return slice(self.firsts[number], ends[number])

    def repeated(self, times: int) -> "Crowd":
        """The same days, all of them, one time after the other: for orders to be compared by what they make of the same people."""
        return Crowd(np.tile(self.arrivals, (times, 1)), np.tile(self.services, (times, 1)), self.firsts)


def draw_crowd(rng: np.random.Generator, streams: Iterable[Stream], days: int) -> Crowd:
    """Independent days of the same demand; one stream for each tier."""
    return crowd_of([in_order(*draw_stream(rng, stream, days)) for stream in streams])


def in_order(arrivals: Floats, services: Floats) -> tuple[Floats, Floats]:
    """The people of one tier, of shape `[days, people]`, by when they arrive; those who arrive together stay as they stand."""
    order = arrivals.argsort(axis=1, kind="stable")
    return np.take_along_axis(arrivals, order, axis=1), np.take_along_axis(services, order, axis=1)


def crowd_of(tiers: Sequence[tuple[Floats, Floats]]) -> Crowd:
    """Arrivals and services of each tier, in order of arrival, as one crowd."""
    nobody = np.full((len(tiers[0][0]), 1), NEVER)
    firsts = accumulate((arrivals.shape[1] + 1 for arrivals, _ in tiers[:-1]), initial=0)
    return Crowd(
        np.concatenate([part for arrivals, _ in tiers for part in (arrivals, nobody)], axis=1),
        np.concatenate([part for _, services in tiers for part in (services, nobody * 0)], axis=1),
        tuple(firsts),
    )


def draw_stream(rng: np.random.Generator, stream: Stream, days: int) -> tuple[Floats, Floats]:
    """Arrivals and services of one tier, of shape `[days, people]`; who does not come arrives at `NEVER`."""
    walk_ins = _walk_ins(rng, stream.walk_ins_per_hour, days)
    services = [stream.service.draw(rng, walk_ins.shape), *(each.service.draw(rng, (days, 1)) for each in stream.booked)]
    return np.concatenate([walk_ins, _booked(rng, stream, days)], axis=1), np.concatenate(services, axis=1)


def _walk_ins(rng: np.random.Generator, per_hour: Sequence[float], days: int) -> Floats:
    """A Poisson process with a rate for each hour: a Poisson number of people, and the hour of each by the share that falls into it."""
    expected = np.concatenate([[0.0], np.cumsum(per_hour)])
    people = rng.poisson(expected[-1], days)
    chances = rng.random((days, int(people.max(initial=0)))) * expected[-1]
    minutes: Floats = np.interp(chances, expected, np.arange(len(expected)) * MINUTES_PER_HOUR)
    minutes[np.arange(minutes.shape[1]) >= people[:, None]] = NEVER
    return minutes


def _booked(rng: np.random.Generator, stream: Stream, days: int) -> Floats:
    """When those with an appointment come, of shape `[days, appointments]`."""
    arrivals = np.full((days, len(stream.booked)), NEVER)
    late = stream.lateness.values
    for column, each in zip(arrivals.T, stream.booked, strict=True):
        missed = int(np.searchsorted(late, -each.due_minute)) if stream.is_under_way else 0
        come = (1 - each.no_show) * (1 - missed / len(late))
        if come > 0:
            comes = rng.random(days) < come / (come + each.no_show)
            minutes = each.due_minute + late[rng.integers(missed, len(late), days)]
            column[:] = np.where(comes, np.maximum(minutes, max(each.due_minute, 0.0) if stream.wait_until_due else 0.0), NEVER)
    return arrivals
