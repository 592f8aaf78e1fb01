"""Days on which not everybody can have a place, or nothing works: the process apart answers in time, and says what became of it."""

from types import SimpleNamespace

import numpy as np
import pytest

from carewright.scheduling.engines import apart, bound, children
from carewright.scheduling.engines.apart import Answer, plan_apart, question_of
from carewright.scheduling.engines.port import Fall
from carewright.scheduling.model.planning import Bits, faults, row_of_bits, value_of
from carewright.scheduling.model.posing import Need, Posed, Visit, Weights, pose

TICKS = 96
MISSING = SimpleNamespace(__module__="no_such_solver", __qualname__="solve")


def open_for(calendars: int, ticks: int) -> Bits:
    return np.array([row_of_bits(range(ticks), TICKS) for _ in range(calendars)])


def alike(count: int, *, starts: range = range(91), tier: int = 2) -> list[Visit]:
    """Visits of half an hour to any of two physicians, in any of two rooms."""
    needs = (Need((0, 1), 0, 6), Need((2, 3), 0, 6))
    allowed = row_of_bits(starts, TICKS)
    return [Visit(needs=needs, allowed=allowed, minutes=30, tier=tier, released=0, patient=number) for number in range(count)]


def answered(posed: Posed, seconds: float = 0.1, why_seconds: int = 2) -> Answer:
    before = posed.booked()
    answer = plan_apart(
        question_of(posed.problem, before, seconds=seconds, seed=1, chains=2, why_seconds=why_seconds), lambda *_: None
    )  # fmt: skip
    assert faults(posed.problem, answer.plan) == []
    assert value_of(posed.problem, answer.plan) >= value_of(posed.problem, before)
    return answer


def test_thousands_of_identical_requests_are_served_as_far_as_there_is_time() -> None:
    answer = answered(pose(alike(3_000), open_for(4, TICKS), TICKS, Weights()))
    assert (answer.plan.start >= 0).sum() == 32
    assert len(answer.why) == apart.WHY_MAX
    assert all(each.reasons.rules or each.reasons.fell == "TimeoutError" for each in answer.why)


def test_the_most_urgent_are_looked_into_first() -> None:
    posed = pose([*alike(20), *alike(3, starts=range(0), tier=1)], open_for(4, 12), TICKS, Weights())
    answer = answered(posed)
    assert [each.visit for each in answer.why[:3]] == [20, 21, 22]
    assert [[rule.kind for rule in each.reasons.rules] for each in answer.why[:3]] == [["placed", "starts"]] * 3


def test_without_anybody_nobody_has_a_place_and_each_is_told_why() -> None:
    answer = answered(pose(alike(4), open_for(4, 0), TICKS, Weights()))
    assert (answer.plan.start < 0).all()
    assert [each.visit for each in answer.why] == [0, 1, 2, 3]
    assert {rule.kind for each in answer.why for rule in each.reasons.rules} <= {"placed", "units", "fewer"}


def test_nobody_who_can_is_a_reason_too() -> None:
    visits = [Visit(needs=(Need((), 0, 6),), allowed=row_of_bits(range(90), TICKS), minutes=30, tier=2, released=0, patient=1)]
    answer = answered(pose(visits, open_for(0, 0).reshape(0, 2), TICKS, Weights()))
    assert [[rule.kind for rule in each.reasons.rules] for each in answer.why] == [["placed", "able"]]


def test_an_empty_day_is_planned() -> None:
    answer = answered(pose([], open_for(0, 0).reshape(0, 2), TICKS, Weights()))
    assert (len(answer.plan.start), answer.why) == (0, [])


def test_no_time_at_all_is_the_greedy_plan() -> None:
    answer = answered(pose(alike(40), open_for(4, TICKS), TICKS, Weights()), seconds=0.0, why_seconds=0)
    assert (answer.engine, answer.steps, answer.why, answer.bound) == ("greedy", 0, [], None)
    assert (answer.plan.start >= 0).sum() == 32


def test_without_solvers_the_search_answers_and_says_what_it_did_without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("solve", "explain_each", "price"):
        monkeypatch.setattr(children, name, MISSING)
    answer = answered(pose(alike(16), open_for(4, 24), TICKS, Weights()), seconds=1.3)
    assert answer.fell == [Fall("exact", "ModuleNotFoundError"), Fall("bound", "ModuleNotFoundError")]
    assert (answer.bound, answer.gap) == (None, None)
    assert {each.reasons.fell for each in answer.why} == {"ModuleNotFoundError"}
    assert len(answer.why) == (answer.plan.start < 0).sum()


def test_a_bound_is_looked_for_where_that_takes_no_longer_than_somebody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "BOUND_FROM", 0.05)
    answer = answered(pose(alike(40), open_for(4, 24), TICKS, Weights()))
    assert answer.bound is not None
    assert answer.gap is not None
    assert 0 <= answer.gap < 0.2
    assert bound.SECONDS > apart.BOUND_SECONDS
