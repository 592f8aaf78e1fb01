"""The tuner on an emergency department with five levels, as steady as formulas want it, and on a day with hours of its own."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest

from carewright.flow.model.waiting.demand import Stream
from carewright.flow.model.waiting.distribution import exponential, lognormal
from carewright.flow.model.waiting.simulation import Order, Staff, accumulating, strict
from carewright.flow.model.waiting.tuner import CTAS_TARGETS, Rule, Site, Target, Tuned, extra_staff, order_of, shares_within, tune

FIRST = frozenset({0})
LEVELS = (0.02, 0.13, 0.35, 0.38, 0.12)
"""The share of each level among all who come."""
PHYSICIANS, MINUTES = 13, 30.0
HOURS, WARM_UP_HOURS = 200, 24


def department(load: float) -> Site:
    """Steady for days, services without memory; level 1 is always first."""
    per_hour = load * PHYSICIANS / MINUTES * 60
    return Site(
        streams=[Stream(walk_ins_per_hour=[share * per_hour] * HOURS, service=exponential(MINUTES)) for share in LEVELS],
        staff=Staff(steps=((0, PHYSICIANS),)),
        targets=(None, *CTAS_TARGETS),
        first=FIRST,
        counted_from_minute=WARM_UP_HOURS * 60,
    )


def kept(load: float, order: Order) -> tuple[bool, ...]:
    """Which levels meet their targets under an order that is given."""
    site = department(load)
    shares = shares_within(np.random.default_rng(20261126), site, order, 100)
    return tuple(target is None or share >= target.share for share, target in zip(shares, site.targets, strict=True))


def tuned(site: Site, rule: Rule = "accumulating", days: int = 40) -> Tuned:
    return tune(np.random.default_rng(3), site, rule, days, simulations=60)


def test_at_a_load_of_92_percent_strict_priority_fails_level_5() -> None:
    assert kept(0.92, strict(5, FIRST)) == (True, True, True, True, False)
    shares = shares_within(np.random.default_rng(20261126), department(0.92), strict(5, FIRST), 100)
    assert shares[4] == pytest.approx(0.726, abs=0.02)


def test_at_a_load_of_92_percent_ageing_in_proportion_to_the_targets_fails_levels_2_and_3() -> None:
    assert kept(0.92, accumulating([8, 8, 4, 2, 1], FIRST)) == (True, False, False, True, True)


def test_at_a_load_of_92_percent_the_published_rates_meet_all_targets() -> None:
    assert kept(0.92, accumulating([81, 81, 29, 3.3, 1], FIRST)) == (True,) * 5


def test_the_tuner_finds_rates_that_meet_all_targets_at_a_load_of_92_percent() -> None:
    found = tuned(department(0.92))
    assert found.unmet == found.unreachable == ()
    assert found.values[-1] == 1
    assert all(urgent >= other for urgent, other in pairwise(found.values[1:]))
    assert all(kept(0.92, order_of("accumulating", found.values, FIRST))), "on days that the tuner has not seen"


def test_at_a_load_of_95_percent_nothing_meets_all_targets() -> None:
    found = tuned(department(0.95))
    assert found.unmet
    assert 1 not in found.unmet, "what is missed is missed at the less urgent end"
    assert found.unreachable == (), "each alone could be met, at the cost of the others"


def evening(physicians: int, minutes: float = 15.0) -> Site:
    """A clinic of one day, busier in the evening, with two tiers beside emergencies."""
    service = lognormal(minutes, 0.6)
    return Site(
        streams=[Stream(walk_ins_per_hour=each, service=service) for each in ([0.2] * 12, [3.0] * 8 + [6.0] * 4, [4.0] * 8 + [8.0] * 4)],
        staff=Staff(steps=((0, physicians), (480, physicians + 1), (900, 1)), kept=1),
        targets=(Target(minutes=10, share=0.9), Target(minutes=30, share=0.9), Target(minutes=90, share=0.8)),
        first=FIRST,
    )


def test_head_starts_are_tuned_as_well() -> None:
    found = tuned(evening(4), "head_start")
    assert found.unmet == ()
    assert found.values[-1] == 0
    assert 0 <= found.values[1] <= 24 * 60


def test_a_site_with_too_few_is_told_the_smallest_number_that_would_do() -> None:
    assert tuned(evening(2)).unmet
    extra = extra_staff(np.random.default_rng(3), evening(2), "accumulating", 40)
    assert extra is not None
    assert extra > 0
    fewer = msgspec.structs.replace(evening(2), staff=evening(2).staff.with_more(extra - 1))
    assert tuned(fewer).unmet


def test_a_target_that_no_order_meets_is_named_as_such() -> None:
    site = evening(4)
    hopeless = msgspec.structs.replace(site, targets=(None, Target(minutes=0.01, share=0.99), site.targets[2]))
    found = tuned(hopeless)
    assert found.unreachable == (1,)
    assert 1 in found.unmet
    assert extra_staff(np.random.default_rng(3), unmanned(hopeless), "accumulating", 5, 12) is None


def unmanned(site: Site) -> Site:
    """Nobody serves: more at every hour at which somebody does is nobody."""
    return msgspec.structs.replace(site, staff=Staff(steps=((0, 0),)))


def test_a_site_without_targets_or_without_patients_misses_nothing() -> None:
    site = evening(4)
    assert tuned(msgspec.structs.replace(site, targets=(None,) * 3), days=5).unmet == ()
    closed = [msgspec.structs.replace(each, walk_ins_per_hour=[0.0]) for each in site.streams]
    assert tuned(msgspec.structs.replace(site, streams=closed), days=5).shares == (1.0, 1.0, 1.0)


def test_who_comes_while_the_queue_still_fills_does_not_count() -> None:
    site = msgspec.structs.replace(evening(4), targets=(None, None, Target(minutes=0.01, share=0.5)))
    late = msgspec.structs.replace(site, counted_from_minute=8 * 60.0)
    all_day, evening_only = (shares_within(np.random.default_rng(3), each, accumulating([1, 1, 1], FIRST))[2] for each in (site, late))
    assert evening_only < all_day - 0.1, "in the evening more people wait"


def test_one_tier_alone_has_one_order() -> None:
    site = evening(4)
    alone = msgspec.structs.replace(site, streams=site.streams[:2], targets=site.targets[:2])
    assert tuned(alone, days=5).values == (1.0, 1.0)


def test_the_same_seed_finds_the_same_order() -> None:
    assert tuned(evening(4), days=5) == tuned(evening(4), days=5)
