"""Visits that are linked: as arrays, in every engine's plan, and among moves that are accepted."""

from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, get_args
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carewright.contracts.links import AppointmentLink, LinkKind
from carewright.scheduling.engines.chains import Effort, search
from carewright.scheduling.engines.genetic import evolve, search_crossing
from carewright.scheduling.engines.greedy import most_urgent_first, next_available
from carewright.scheduling.model.links import Bond, Lying, fits, window_of_other
from carewright.scheduling.model.moves import breaking, together
from carewright.scheduling.model.planning import Plan, Problem, faults
from carewright.scheduling.model.posing import Need, Placed, Tie, Weights, pose
from tests.unit.scheduling.test_posing import TICKS, booked, free, planned, visit

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MINUTES = st.integers(0, 40).map(lambda number: 5 * number)
KINDS = st.sampled_from(get_args(LinkKind))
EFFORT = Effort(steps=300, chains=2)


def tied(number: int, other: int, kind: LinkKind = "before", least: int = 0, most: int | None = None) -> AppointmentLink:
    return AppointmentLink(
        id=UUID(int=900 + 10 * number + other), patient_id=UUID(int=1), site_id=UUID(int=2), appointment_id=UUID(int=number),
        depends_on_id=UUID(int=other), kind=kind, why="lab", needs=True, least_minutes=least, most_minutes=most, otherwise="ask",
        made_at=NOON, changed_at=NOON,
    )  # fmt: skip


def lying(hours: float, minutes: int = 30) -> Lying:
    start = NOON + timedelta(hours=hours)
    return Lying(start, start + timedelta(minutes=minutes))


def engines(problem: Problem, start: Plan) -> list[Plan]:
    return [
        next_available(problem, range(problem.visits)), most_urgent_first(problem), search(problem, EFFORT, perf_counter, start).plan,
        evolve(problem, EFFORT, perf_counter, start).plan, search_crossing(problem, EFFORT, perf_counter, start).plan,
    ]  # fmt: skip


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_no_engine_breaks_a_tie_of_chains_three_deep(seed: int) -> None:
    """By a checker that shares no line with the engines."""
    rng = np.random.default_rng(seed)
    visits = [visit(int(rng.integers(3, 9)), patient=number, **_booked(rng)) for number in range(12)]
    ties = [
        Tie(first + step, first + step + 1, -int(rng.integers(20, 40)), -int(rng.integers(9, 15)), bool(rng.integers(0, 2)))
        for first in (0, 4, 8) for step in range(3)
    ]  # fmt: skip
    posed = pose(visits, free(), TICKS, Weights(), ties=ties)
    start = posed.booked()
    assert faults(posed.problem, start) == []
    for plan in engines(posed.problem, start):
        assert faults(posed.problem, plan) == []


def _booked(rng: np.random.Generator) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {}
    return {"booked": int(rng.integers(0, 80)), "served_by": ((int(rng.integers(0, 2)),), (int(rng.integers(2, 5)),))}


def test_a_test_moves_along_with_the_visit_that_cannot_be_seen_as_booked() -> None:
    visits = [booked(10, 0, 2, patient=1), booked(20, 1, 3, patient=1)]
    shut = free(busy=[(1, 0, 40), (0, 0, 10), (0, 18, 40)])
    (lab, one) = planned(pose(visits, shut, TICKS, Weights(split=0)))
    assert lab == Placed(10, ((0,), (2,)))
    assert one is not None
    assert one.start - lab.start > 20, "nothing binds them"
    posed = pose(visits, shut, TICKS, Weights(split=0), ties=[Tie(0, 1, -20, -8, needs=True)])
    (lab, one) = posed.placements(search(posed.problem, Effort(steps=20_000), perf_counter, posed.booked()).plan)
    assert lab is not None
    assert one is not None
    assert 8 <= one.start - lab.start <= 20


def test_who_has_more_who_depend_on_them_than_a_step_moves_stays() -> None:
    visits = [visit(1, needs=(Need((0,), 0, 1),), patient=number) for number in range(70)]
    ties = [Tie(number, 0, -95, 95, needs=True) for number in range(1, 70)]
    posed = pose(visits, free(), TICKS, Weights(), ties=ties)
    plan = search(posed.problem, Effort(steps=500), perf_counter).plan
    assert faults(posed.problem, plan) == []
    assert (plan.start >= 0).all()


def test_what_is_booked_too_far_from_what_it_needs_is_no_plan_to_begin_with() -> None:
    visits = [booked(0, 0, 2, patient=1), booked(60, 1, 3, patient=1), booked(80, 1, 4, patient=1)]
    posed = pose(visits, free(), TICKS, Weights(), ties=[Tie(0, 1, -20, -8, needs=True), Tie(2, 1, 8, 30, needs=False)])
    assert posed.booked().start.tolist() == [-1, 60, 80]
    without = pose([visits[0], visit(6, patient=1)], free(), TICKS, Weights(), ties=[Tie(0, 1, -20, -8, needs=True)])
    assert without.booked().start.tolist() == [-1, -1], "what it needs has no place"


@given(KINDS, MINUTES, st.none() | MINUTES, MINUTES, MINUTES, st.integers(-100, 100))
def test_a_link_bounds_either_of_its_two_alike(kind: LinkKind, least: int, more: int | None, length: int, other: int, apart: int) -> None:
    link = tied(1, 2, kind, least, None if more is None else least + more)
    one, two = lying(0, length + 5), lying(5 * apart / 60, other + 5)
    assert fits(link, one, two) == (two.start in window_of_other(link, one, two.end - two.start))


def test_a_move_that_would_break_a_link_is_none_unless_its_partner_goes_along() -> None:
    lab, visit_, after = (UUID(int=number) for number in (1, 2, 3))
    bonds = [
        Bond(tied(1, 2, most=60), lying(0), lying(1)),
        Bond(tied(3, 2, "after", most=60), lying(2), lying(1)),
    ]  # fmt: skip
    moves = {visit_: lying(5)}
    assert breaking(moves, bonds).keys() == {visit_}
    assert breaking(moves | {lab: lying(4)}, bonds).keys() == {visit_, lab}, "the third would be left behind, and then so would the first"
    along = moves | {lab: lying(4), after: lying(6)}
    assert breaking(along, bonds) == {}
    assert together(along, bonds) == [frozenset((lab, visit_, after))]


def test_moves_that_no_order_breaks_are_made_one_by_one() -> None:
    bonds = [Bond(tied(1, 2, most=240), lying(0), lying(2))]
    moves = {UUID(int=1): lying(0.5), UUID(int=2): lying(2.5), UUID(int=7): lying(4)}
    assert breaking(moves, bonds) == {}
    assert sorted(map(len, together(moves, bonds))) == [1, 1, 1]


@pytest.mark.parametrize("least", [0, 30])
def test_what_is_concurrent_lasts_into_the_other(least: int) -> None:
    link = tied(1, 2, "concurrent", least)
    assert fits(link, lying(-least / 60, 60), lying(0))
    assert not fits(link, lying(-1, 60), lying(0)), "it is over when the other begins"
    assert not fits(link, lying(0.5), lying(0)), "it begins after the other"
