"""How long each of those who wait now may still wait: a median, and a range that is kept in four cases of five.

The queue as it stands is replayed forward many times: what is left of each service that has begun, how long the next take, who with an
appointment comes, who walks in and overtakes. One replay says something about everybody who waits, so all are answered at once.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from carewright.flow.model.waiting.demand import MINUTES_PER_HOUR, Stream, crowd_of, draw_stream, in_order
from carewright.flow.model.waiting.distribution import Distribution, Floats, always
from carewright.flow.model.waiting.groups import grouped, groups_of, starts_of
from carewright.flow.model.waiting.simulation import Lines, Order, Staff, replay

REPLAYS = 200
REPLAYS_MIN = 40
CELLS_MAX = 2_000_000
"""Times that one question may reckon with: replays times people. Longer queues are replayed less often, and their ranges are rougher."""
PERCENTILES = (10.0, 50.0, 90.0)
"""The range and its middle: four of five fall between the first and the last."""
HORIZON_HOURS_MAX = 24
"""How far is looked: whoever waits longer is told so, and no minutes."""
MARGIN = 1.5
"""They are drawn for so much more work than those who wait are expected to be."""
NOBODY = Stream(service=always(0.0))


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who waits. Their place in the order counts from `waited_minutes` ago; less than none is how long they are not here yet."""

    tier: int
    waited_minutes: float
    service: Distribution


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is being served; by server number `server`, where there are lines."""

    elapsed_minutes: float
    service: Distribution
    server: int = 0


class LiveQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue now, which is minute 0: `coming` is who is still expected, one stream for each tier; `staff` begins now.

    `lines` says who serves whom, where not everybody serves everybody.
    """

    waiting: Sequence[Waiting]
    serving: Sequence[Serving]
    coming: Sequence[Stream]
    staff: Staff
    order: Order
    lines: Lines | None = None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes from now: one in ten waits less than `low`, one in ten more than `high`.

    None is longer than a day, or than anybody is known to serve.
    """

    low: float | None
    median: float | None
    high: float | None


def estimate(rng: np.random.Generator, queue: LiveQueue, replays: int = REPLAYS) -> list[Estimate]:
    """How long each of `queue.waiting` still waits, in their order.

    To ask for somebody who has not joined yet, put them among those who wait, with no minute waited.
    """
    if not queue.waiting:
        return []
    waits = _waits(rng, queue, max(REPLAYS_MIN, min(replays, CELLS_MAX // len(queue.waiting))))
    horizon = HORIZON_HOURS_MAX * MINUTES_PER_HOUR
    bounds = np.percentile(waits, PERCENTILES, axis=0, method="inverted_cdf").T.tolist()
    return [
        Estimate(low=low, median=median, high=high)
        for low, median, high in ((minutes if minutes < horizon else None for minutes in each) for each in bounds)
    ]


def _waits(rng: np.random.Generator, queue: LiveQueue, replays: int) -> Floats:
    """Minutes from now until each is served, of shape `[replays, waiting]`."""
    lines = [_line(queue.waiting, tier) for tier in range(len(queue.coming))]
    tiers = [_tier(rng, queue, line, stream, replays) for line, stream in zip(lines, _overtaking(queue), strict=True)]
    groups = [groups_of(arrivals.shape[1]) for arrivals, _ in tiers]
    crowd = crowd_of([grouped(*tier, firsts) for tier, firsts in zip(tiers, groups, strict=True)])
    goal = [int(np.searchsorted(firsts, len(line))) for firsts, line in zip(groups, lines, strict=True)]
    starts = replay(crowd, queue.order, queue.staff, _busy_until(rng, queue, replays), goal, queue.lines)
    waits = np.empty((replays, len(queue.waiting)))
    for tier, line in enumerate(lines):
        places = crowd.tier(tier)
        waits[:, line] = starts_of(starts[:, places], crowd.services[:, places], groups[tier], len(line), queue.staff.most)
    return waits


def _line(waiting: Sequence[Waiting], tier: int) -> list[int]:
    """Who waits in one tier, by their numbers: those who came first, first."""
    return sorted((number for number, each in enumerate(waiting) if each.tier == tier), key=lambda number: -waiting[number].waited_minutes)


def _tier(rng: np.random.Generator, queue: LiveQueue, line: Sequence[int], coming: Stream, replays: int) -> tuple[Floats, Floats]:
    """Those who wait in one tier and those who come, in order of arrival."""
    waiting = [queue.waiting[number] for number in line]
    since = np.broadcast_to(np.array([-each.waited_minutes for each in waiting]), (replays, len(line)))
    arrivals, services = draw_stream(rng, coming, replays)
    return in_order(np.concatenate([since, arrivals], axis=1), np.concatenate([_services(rng, waiting, replays), services], axis=1))


def _services(rng: np.random.Generator, line: Sequence[Waiting], replays: int) -> Floats:
    services = np.empty((replays, len(line)))
    for kind in {id(each.service): each.service for each in line}.values():
        columns = [number for number, each in enumerate(line) if each.service is kind]
        services[:, columns] = kind.draw(rng, (replays, len(columns)))
    return services


def _busy_until(rng: np.random.Generator, queue: LiveQueue, replays: int) -> Floats:
    """When each server is done with whom it serves. Nothing tells who leaves when fewer serve: in each replay it may be another."""
    if queue.lines is not None:
        return _busy_in_lines(rng, queue, replays)
    servers = max(queue.staff.on_duty(0.0), len(queue.serving))
    busy = np.zeros((replays, max(queue.staff.most, servers)))
    for server, each in enumerate(queue.serving):
        busy[:, server] = each.service.draw_left(rng, each.elapsed_minutes, replays)
    busy[:, :servers] = rng.permuted(busy[:, :servers], axis=1)
    return busy[:, : queue.staff.most]


def _busy_in_lines(rng: np.random.Generator, queue: LiveQueue, replays: int) -> Floats:
    """As `_busy_until`, where it is known who serves whom. Who serves two is done with both before the next."""
    busy = np.zeros((replays, queue.staff.most))
    for each in queue.serving:
        busy[:, each.server] += each.service.draw_left(rng, each.elapsed_minutes, replays)
    return busy


def _overtaking(queue: LiveQueue) -> list[Stream]:
    """Of those still expected, who may come before one of those who wait; nobody else makes them wait longer."""
    newest: dict[int, float] = {}
    for each in queue.waiting:
        newest[each.tier] = min(each.waited_minutes, newest.get(each.tier, each.waited_minutes))
    tiers = range(len(queue.coming))
    some = [any(_may_overtake(queue.order, tier, other, waited) for other, waited in newest.items()) for tier in tiers]
    streams = [stream if may else NOBODY for stream, may in zip(queue.coming, some, strict=True)]
    hours = _horizon_hours(queue, streams)
    return [
        msgspec.structs.replace(
            stream,
            is_under_way=True,
            walk_ins_per_hour=stream.walk_ins_per_hour[:hours],
            booked=[one for one in stream.booked if one.due_minute < hours * MINUTES_PER_HOUR],
        )
        for stream in streams
    ]


def _may_overtake(order: Order, tier: int, other: int, waited: float) -> bool:
    """Whether somebody of `tier` who comes now can ever have more points than somebody of `other` who has `waited`."""
    if (tier in order.first) != (other in order.first):
        return tier in order.first
    head = order.head_starts[tier] * order.ageing[tier] > (waited + order.head_starts[other]) * order.ageing[other]
    return bool(head or order.ageing[tier] > order.ageing[other])


def _horizon_hours(queue: LiveQueue, coming: Sequence[Stream]) -> int:
    """The hours until everybody who waits is served, and some more."""
    work = MARGIN * (sum(each.service.mean for each in queue.waiting) + sum(each.service.mean for each in queue.serving))
    for hour in range(1, HORIZON_HOURS_MAX):
        work += sum(_work(stream, hour - 1) for stream in coming)
        if queue.staff.person_minutes(hour * MINUTES_PER_HOUR) >= work:
            return hour + 1
    return HORIZON_HOURS_MAX


def _work(stream: Stream, hour: int) -> float:
    """Minutes of service that come in one hour, on average."""
    start = hour * MINUTES_PER_HOUR
    booked = sum(each.service.mean * (1 - each.no_show) for each in stream.booked if start <= each.due_minute < start + MINUTES_PER_HOUR)
    return booked + sum(stream.walk_ins_per_hour[hour : hour + 1]) * stream.service.mean
