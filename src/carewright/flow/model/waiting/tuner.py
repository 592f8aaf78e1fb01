"""Finds the order in which a site's targets are met, by simulating its days; and says which cannot be, and what staff would do it.

Every order is tried on the same people (common random numbers), so that what differs is the order. What is reported of the best was
measured on other days than it was chosen by: a search that reports its own days flatters itself.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import Literal

import msgspec
import numpy as np

from carewright.contracts import tuning
from carewright.flow.model.waiting.demand import NEVER, Crowd, Stream, draw_crowd
from carewright.flow.model.waiting.distribution import Floats
from carewright.flow.model.waiting.simulation import Order, Staff, accumulating, head_start, replay

Rule = Literal["accumulating", "head_start"]

POPULATION = 12
"""Orders that are tried at once."""
SHRINKAGE = 0.8
"""By what the steps of the search get shorter with each population."""
STEP = {"accumulating": 1.0, "head_start": 30.0}
"""The first steps of the search: ratios by a factor of e, or half an hour."""
WIDEST = {"accumulating": log(1_000), "head_start": 24 * 60.0}
"""All steps together: the most urgent age a thousand times as fast as the least, or are a day ahead. More is strict priority."""
DECIMALS = {"accumulating": 2, "head_start": 0}
"""To what values are rounded before they are tried: people read them."""
PREFERRED = 1e9
"""Ageing so fast that a tier is called before the others whenever somebody of it waits."""
EXTRA_MAX = 20
"""How many more are tried before it is said that staff alone is no answer."""
EXTRA_STEPS = (1, 2, 4, 8, 16, EXTRA_MAX)
"""What is tried, until so many do; what lies between is halved then."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """At least `share` of a tier wait `minutes` at most."""

    minutes: float
    share: float


CTAS_TARGETS = tuple(Target(minutes=each.minutes, share=each.share) for each in tuning.CTAS_TARGETS)
"""Levels 2 to 5 of the Canadian Triage and Acuity Scale."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What the tuner needs to know; tiers stand in order of urgency, one stream and one target (or none) for each.

    Who arrives before `counted_from_minute` does not count: there the simulated queue has not filled yet.
    """

    streams: Sequence[Stream]
    staff: Staff
    targets: Sequence[Target | None]
    first: frozenset[int] = frozenset()
    counted_from_minute: float = 0.0


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """The best order found: `values` per tier are the ageing rates (the slowest is 1) or the head starts in minutes.

    `shares`: what part of each tier waits no longer than its target. `unmet`: tiers that miss their target under this order.
    `unreachable`: tiers that would miss it even if they were called before all others that are not always first.
    """

    rule: Rule
    values: tuple[float, ...]
    shares: tuple[float, ...]
    unmet: tuple[int, ...]
    unreachable: tuple[int, ...]


def nothing() -> None:
    """Whoever waits for nothing is told nothing."""


def tune(
    rng: np.random.Generator, site: Site, rule: Rule, days: int = 100, simulations: int = 120, went_on: Callable[[], None] = nothing
) -> Tuned:
    """Search by at most about `simulations` orders, each tried on `days` days; `went_on` is called after each dozen.

    An elitist evolution strategy on the steps between neighbouring tiers, none below zero: a less urgent tier never ages faster, nor
    starts farther ahead, than a more urgent one. While a target is missed, a miss counts twice as much as the same miss one tier down.
    """
    crowd = draw_crowd(rng, site.streams, days)
    steps = _starting_points(site, rule)
    best, best_score, size = steps[0], -np.inf, STEP[rule]
    for _ in range(max(1, simulations // POPULATION)):
        scores = [_score(site, shares) for shares in _shares(site, crowd, _orders(site, rule, steps))]
        winner = int(np.argmax(scores))
        if scores[winner] > best_score:
            best, best_score = steps[winner], scores[winner]
        steps = _bounded(rule, best + rng.normal(0.0, size, (POPULATION, len(best))))
        size *= SHRINKAGE
        went_on()
    return _reported(site, rule, best, draw_crowd(rng, site.streams, days))


def shares_within(rng: np.random.Generator, site: Site, order: Order, days: int = 100) -> tuple[float, ...]:
    """What part of each tier waits no longer than its target under an order that is given; 1 where there is no target."""
    single = msgspec.structs.replace(order, ageing=order.ageing[None, :], head_starts=order.head_starts[None, :])
    return tuple(_shares(site, draw_crowd(rng, site.streams, days), single)[0].tolist())


def waits_under(site: Site, crowd: Crowd, order: Order) -> list[Floats]:
    """How long those of each tier who count wait under an order that is given, in minutes; `NEVER` and more is not at all."""
    starts = replay(crowd, order, site.staff)
    waits = []
    for tier in range(len(site.streams)):
        came = crowd.arrivals[:, crowd.tier(tier)]
        waits.append((starts[:, crowd.tier(tier)] - came)[(came >= site.counted_from_minute) & (came < NEVER)])
    return waits


def extra_staff(
    rng: np.random.Generator, site: Site, rule: Rule, days: int = 100, simulations: int = 60, went_on: Callable[[], None] = nothing
) -> int | None:
    """How many people more, one at least, at every hour that is staffed, meet all targets, where one fewer does not.

    None where not even `EXTRA_MAX` do.
    """

    def do(extra: int) -> bool:
        larger = msgspec.structs.replace(site, staff=site.staff.with_more(extra))
        return not tune(rng, larger, rule, days, simulations, went_on).unmet

    enough = next((extra for extra in EXTRA_STEPS if do(extra)), None)
    if enough is None:
        return None
    below = max((extra for extra in EXTRA_STEPS if extra < enough), default=0)
    while enough - below > 1:
        middle = (below + enough) // 2
        below, enough = (below, middle) if do(middle) else (middle, enough)
    return enough


def order_of(rule: Rule, values: Floats | Sequence[float], first: frozenset[int] = frozenset()) -> Order:
    """The order that `Tuned.values` describe."""
    return (accumulating if rule == "accumulating" else head_start)(values, first)


def _starting_points(site: Site, rule: Rule) -> Floats:
    """First come, first served; ageing in proportion to the targets; and steeper and steeper, up to almost strict priority."""
    wanted = [each and each.minutes for tier, each in enumerate(site.targets) if tier not in site.first]
    known = np.array([minutes or np.nan for minutes in wanted])
    apart = np.nan_to_num(np.diff(np.log(known) if rule == "accumulating" else known)).clip(0.0)
    steep = np.full(len(apart), STEP[rule])
    return _bounded(rule, np.array([steep * 0, apart, 1.5 * apart, 2 * apart, steep, 2 * steep, 5 * steep]))


def _bounded(rule: Rule, steps: Floats) -> Floats:
    """None below zero, and together no wider than they may be."""
    steps = steps.clip(0.0)
    bounded: Floats = steps * np.minimum(1.0, WIDEST[rule] / np.maximum(steps.sum(axis=1, keepdims=True), 1e-9))
    return bounded


def _orders(site: Site, rule: Rule, steps: Floats) -> Order:
    """One order for each row of `steps`; tiers that are always first are compared with one another as equals."""
    ordinary = [tier for tier in range(len(site.streams)) if tier not in site.first]
    points = np.zeros((len(steps), len(site.streams)))
    points[:, ordinary[:-1]] = steps[:, ::-1].cumsum(axis=1)[:, ::-1]
    return order_of(rule, np.round(np.exp(points) if rule == "accumulating" else points, DECIMALS[rule]), site.first)


def _shares(site: Site, crowd: Crowd, orders: Order) -> Floats:
    """What part of each tier waits no longer than its target, of shape `[orders, tiers]`; 1 where nobody came or nothing is wanted."""
    count = len(orders.ageing)
    crowds = crowd.repeated(count)
    ageing, head_starts = (np.repeat(each, crowd.days, axis=0) for each in (orders.ageing, orders.head_starts))
    starts = replay(crowds, Order(ageing=ageing, head_starts=head_starts, first=orders.first), site.staff)
    shares = np.ones(orders.ageing.shape)
    for tier, target in enumerate(site.targets):
        came = crowds.arrivals[:, crowds.tier(tier)]
        counted = (came >= site.counted_from_minute) & (came < NEVER)
        if target is not None and counted.any():
            kept = counted & (starts[:, crowds.tier(tier)] - came <= target.minutes)
            shares[:, tier] = kept.reshape(count, -1).sum(axis=1) / counted.reshape(count, -1).sum(axis=1)
    return shares


def _score(site: Site, shares: Floats) -> float:
    """The smallest margin where every target is met; else what is missed, as a negative number."""
    wanted = [(tier, target.share) for tier, target in enumerate(site.targets) if target and tier not in site.first]
    margins = np.array([shares[tier] - share for tier, share in wanted])
    missed = np.minimum(margins, 0.0) @ 2.0 ** np.arange(len(wanted))[::-1]
    return float(missed or margins.min(initial=1.0))


def _reported(site: Site, rule: Rule, steps: Floats, crowd: Crowd) -> Tuned:
    order = _orders(site, rule, steps[None, :])
    shares = _shares(site, crowd, order)[0]
    each_before_all = accumulating(1.0 + PREFERRED * np.eye(len(site.streams)), site.first)
    alone = np.diagonal(_shares(site, crowd, each_before_all))
    return Tuned(
        rule=rule,
        values=tuple((order.ageing if rule == "accumulating" else order.head_starts)[0].tolist()),
        shares=tuple(shares.tolist()),
        unmet=_missed(site, shares),
        unreachable=_missed(site, alone),
    )


def _missed(site: Site, shares: Floats) -> tuple[int, ...]:
    return tuple(tier for tier, target in enumerate(site.targets) if target and shares[tier] < target.share)
