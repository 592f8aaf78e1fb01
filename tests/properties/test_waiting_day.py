"""The replay of many days at once, held against a plain simulation of each, event by event: every start is the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carewright.flow.model.waiting.demand import NEVER, Crowd, crowd_of, in_order
from carewright.flow.model.waiting.simulation import Lines, Order, Staff, replay
from tests.waiting_day import Day, Person

SEEDS = st.integers(0, 2**32)


@st.composite
def orders(draw: st.DrawFn, tiers: int) -> Order:
    values = st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0, 50.0, 1e6]), min_size=tiers, max_size=tiers)
    return Order(
        ageing=np.array(draw(values)) + 0.1, head_starts=np.array(draw(values)), first=frozenset(draw(st.sets(st.integers(0, tiers - 1))))
    )


@st.composite
def staffs(draw: st.DrawFn) -> Staff:
    minutes = sorted(draw(st.sets(st.integers(-20, 300), min_size=1, max_size=6)))
    counts = draw(st.lists(st.integers(0, 4), min_size=len(minutes), max_size=len(minutes)))
    return Staff(steps=tuple(zip(map(float, minutes), counts, strict=True)), kept=draw(st.integers(0, 3)))


def made_up(seed: int, days: int, tiers: int) -> Crowd:
    """Some who wait at minute 0, and some who come later, or not at all."""
    rng = np.random.default_rng(seed)
    line = []
    for _ in range(tiers):
        arrivals = rng.uniform(-60, 240, (days, int(rng.integers(0, 12))))
        line.append(in_order(np.where(rng.random(arrivals.shape) < 0.2, NEVER, arrivals), rng.exponential(15, arrivals.shape)))
    return crowd_of(line)


def day_of(crowd: Crowd, day: int, order: Order, staff: Staff, busy_until: list[float], among: Lines | None = None) -> list[list[float]]:
    """The starts in each tier by the plain simulation."""
    lines = []
    for tier in range(len(crowd.firsts)):
        places = crowd.tier(tier)
        came = zip(crowd.arrivals[day, places].tolist(), crowd.services[day, places].tolist(), strict=True)
        lines.append([Person(tier, arrival, service) for arrival, service in came if arrival < NEVER])
    Day([person for line in lines for person in line], order, staff, busy_until, among).run()
    return [[NEVER if person.start is None else person.start for person in line] for line in lines]


@given(data=st.data(), seed=SEEDS, tiers=st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_every_service_begins_when_it_does_event_by_event(data: st.DataObject, seed: int, tiers: int) -> None:
    crowd, order, staff = made_up(seed, 3, tiers), data.draw(orders(tiers)), data.draw(staffs())
    busy_until = np.random.default_rng(seed + 1).exponential(20, (3, staff.most))
    starts = replay(crowd, order, staff, busy_until)
    for day in range(3):
        expected = day_of(crowd, day, order, staff, busy_until[day].tolist())
        for tier, line in enumerate(expected):
            assert starts[day, crowd.tier(tier)][: len(line)].tolist() == pytest.approx(line)


@given(data=st.data(), seed=SEEDS, tiers=st.integers(1, 6), servers=st.integers(1, 4), kept=st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_with_practitioners_of_their_own_it_does_so_too(data: st.DataObject, seed: int, tiers: int, servers: int, kept: int) -> None:
    crowd, order, staff = made_up(seed, 3, tiers), data.draw(orders(tiers)), Staff(steps=((0.0, servers),), kept=kept)
    numbers = [data.draw(st.lists(st.integers(0, 3), min_size=length, max_size=length)) for length in (tiers, servers)]
    among = Lines(of_tier=sorted(numbers[0]), of_server=numbers[1])
    busy_until = np.random.default_rng(seed + 1).exponential(20, (3, servers))
    starts = replay(crowd, order, staff, busy_until, lines=among)
    for day in range(3):
        expected = day_of(crowd, day, order, staff, busy_until[day].tolist(), among)
        for tier, line in enumerate(expected):
            assert starts[day, crowd.tier(tier)][: len(line)].tolist() == pytest.approx(line)


@given(data=st.data(), seed=SEEDS, tiers=st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_a_replay_with_a_goal_serves_those_as_without(data: st.DataObject, seed: int, tiers: int) -> None:
    crowd, order, staff = made_up(seed, 3, tiers), data.draw(orders(tiers)), data.draw(staffs())
    goal = [2] * tiers
    full, some = replay(crowd, order, staff), replay(crowd, order, staff, goal=goal)
    for first in crowd.firsts:
        assert (full[:, first] == some[:, first]).all()


@given(seed=SEEDS, extra=st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_one_order_for_each_day_is_the_same_as_one_for_all(seed: int, extra: int) -> None:
    crowd, staff = made_up(seed, 4, 3), Staff(steps=((0.0, extra),))
    one = Order(ageing=np.array([5.0, 2.0, 1.0]), head_starts=np.array([0.0, 10.0, 0.0]))
    other = Order(ageing=np.array([1.0, 1.0, 1.0]), head_starts=np.array([0.0, 0.0, 0.0]))
    both = Order(ageing=np.array([one.ageing, other.ageing] * 2), head_starts=np.array([one.head_starts, other.head_starts] * 2))
    together = replay(crowd, both, staff)
    assert (together[::2] == replay(crowd, one, staff)[::2]).all()
    assert (together[1::2] == replay(crowd, other, staff)[1::2]).all()
