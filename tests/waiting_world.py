"""A clinic of which the truth is known: the queue at one moment of many simulated days, and how long those who wait then do wait."""

from collections.abc import Sequence

import msgspec
import numpy as np

from carewright.flow.model.waiting.demand import Booked, Stream, crowd_of, draw_stream, in_order
from carewright.flow.model.waiting.distribution import lognormal, normal
from carewright.flow.model.waiting.estimates import Estimate, LiveQueue, Serving, Waiting, estimate
from carewright.flow.model.waiting.learning import Correction, Outcome, corrected
from carewright.flow.model.waiting.simulation import Order, Staff, accumulating, head_start, replay

HOURS, NOW_HOUR = 12, 6
NOW = NOW_HOUR * 60.0
SERVICES = (lognormal(25, 0.8), lognormal(18, 0.6), lognormal(12, 0.9))
EMERGENCIES_FIRST = frozenset({0})
ORDERS = {"accumulating": accumulating([1, 4, 1], EMERGENCIES_FIRST), "head_start": head_start([0, 40, 0], EMERGENCIES_FIRST)}
STAFF = Staff(steps=((0, 4), (240, 6), (420, 5), (660, 4)), kept=1)
APPOINTMENTS = 4 * HOURS
BUSY, QUIET = 1.25, 0.85


def streams_of(load: float, slower: float = 1.0) -> list[Stream]:
    """Emergencies; acute ones and those with appointments; the rest. They are served `slower` times as long as is known."""
    services = [each.scaled(slower) for each in SERVICES]
    booked = [Booked(due_minute=15.0 * each, no_show=0.2, service=services[1]) for each in range(APPOINTMENTS)]
    return [
        Stream(walk_ins_per_hour=[0.5 * load] * HOURS, service=services[0]),
        Stream(walk_ins_per_hour=[4.0 * load] * HOURS, service=services[1], booked=booked, lateness=normal(-4, 12)),
        Stream(walk_ins_per_hour=[8.0 * load] * HOURS, service=services[2]),
    ]


def asked_and_true(order: Order, load: float, days: int, seed: int, slower: float = 1.0) -> list[tuple[LiveQueue, list[float]]]:
    """The queue at `NOW` on many days, as is known then, and how long each who waits does wait from then on."""
    rng = np.random.default_rng(seed)
    drawn = [draw_stream(rng, stream, days) for stream in streams_of(load, slower)]
    crowd = crowd_of([in_order(*each) for each in drawn])
    starts = replay(crowd, order, STAFF)
    tier_of = np.searchsorted(crowd.firsts, np.arange(starts.shape[1]), "right") - 1
    asked = []
    for day in range(days):
        came, began, lasts = crowd.arrivals[day], starts[day], crowd.services[day]
        waiting = np.flatnonzero((came <= NOW) & (began > NOW))
        serving = np.flatnonzero((began <= NOW) & (began + lasts > NOW))
        here = drawn[1][0][day, -APPOINTMENTS:] <= NOW
        queue = LiveQueue(
            waiting=[Waiting(tier=tier, waited_minutes=NOW - came[place], service=SERVICES[tier])
                     for place, tier in zip(waiting, tier_of[waiting].tolist(), strict=True)],
            serving=[Serving(elapsed_minutes=NOW - began[place], service=SERVICES[tier])
                     for place, tier in zip(serving, tier_of[serving].tolist(), strict=True)],
            coming=[expected(stream, here) for stream in streams_of(load)],
            staff=Staff(steps=[(minute - NOW, count) for minute, count in STAFF.steps], kept=STAFF.kept),
            order=order,
        )  # fmt: skip
        asked.append((queue, (began[waiting] - NOW).tolist()))
    return asked


def expected(stream: Stream, here: np.ndarray) -> Stream:
    """Who of a day is still to come at `NOW`."""
    booked = [
        msgspec.structs.replace(each, due_minute=each.due_minute - NOW)
        for each, is_here in zip(stream.booked, here.tolist(), strict=False)
        if not is_here
    ]
    return msgspec.structs.replace(stream, walk_ins_per_hour=stream.walk_ins_per_hour[NOW_HOUR:], booked=booked)


def outcomes_of(order: Order, load: float, days: int, seed: int, slower: float = 1.0) -> dict[int, list[Outcome]]:
    """What all of them are told, and how long it was, by tier; emergencies hardly wait, and are left out."""
    rng = np.random.default_rng(seed + 1)
    outcomes: dict[int, list[Outcome]] = {1: [], 2: []}
    for queue, actual in asked_and_true(order, load, days, seed, slower):
        for who, each, minutes in zip(queue.waiting, estimate(rng, queue), actual, strict=True):
            assert each.low is not None
            assert each.median is not None
            assert each.high is not None
            if who.tier in outcomes:
                outcomes[who.tier].append(Outcome(low=each.low, median=each.median, high=each.high, actual=minutes))
    return outcomes


def coverage(outcomes: Sequence[Outcome], correction: Correction | None = None) -> float:
    """The share of waits that lie in the range told."""
    told = [corrected(Estimate(low=each.low, median=each.median, high=each.high), correction or Correction()) for each in outcomes]
    return float(np.mean([(shown.low or 0.0) <= each.actual <= (shown.high or 0.0) for shown, each in zip(told, outcomes, strict=True)]))
