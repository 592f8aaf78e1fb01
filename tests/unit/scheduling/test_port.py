"""One port for all engines, and what becomes of the answer when an engine breaks."""

import asyncio
from threading import Event
from time import perf_counter
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest

from carewright.scheduling.engines import children, port
from carewright.scheduling.engines.chains import Cancelled, Clock, Effort, Progress, Told
from carewright.scheduling.engines.greedy import most_urgent_first, next_available
from carewright.scheduling.engines.part import dependents
from carewright.scheduling.engines.port import Answer, Engine, Fall, gap_of, plan_day
from carewright.scheduling.model.planning import Plan, Problem, Value, faults, value_of
from tests.unit.scheduling.days import day

MISSING = SimpleNamespace(__module__="no_such_solver", __qualname__="solve")
FEW = Effort(steps=1_000)


def breaks(*_args: object) -> Any:
    raise ZeroDivisionError


async def ask(problem: Problem, effort: Effort = FEW, **how: Any) -> Answer:
    return await plan_day(problem, effort, perf_counter, **how)


@pytest.mark.parametrize("engine", get_args(Engine))
@pytest.mark.parametrize("seed", range(3))
async def test_whoever_is_asked_answers_with_a_sound_plan_and_what_it_is_worth(engine: Engine, seed: int) -> None:
    problem = day(seed, visits=20)
    answer = await ask(problem, engine=engine)
    assert faults(problem, answer.plan) == []
    assert answer.value == value_of(problem, answer.plan)
    assert (answer.engine, answer.fell) == (engine, ())


@pytest.mark.parametrize("engine", get_args(Engine))
async def test_no_engine_makes_a_plan_worse(engine: Engine) -> None:
    problem = day(1, visits=20)
    good = (await ask(problem, Effort(steps=20_000), engine="chains")).plan
    assert (await ask(problem, Effort(steps=1), engine=engine, start=good)).value >= value_of(problem, good)


@pytest.mark.parametrize("engine", get_args(Engine))
async def test_the_same_question_has_the_same_answer(engine: Engine) -> None:
    problem = day(2, visits=16)
    first, second = [await ask(problem, engine=engine) for _ in range(2)]
    assert np.array_equal(first.plan.start, second.plan.start)
    assert np.array_equal(first.plan.chosen, second.plan.chosen)


async def test_the_usual_rule_takes_visits_in_the_order_of_the_problem() -> None:
    problem = day(3)
    assert np.array_equal((await ask(problem, engine="usual")).plan.start, next_available(problem, range(problem.visits)).start)


async def test_a_solver_that_is_missing_falls_back_to_the_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "solve", MISSING)
    problem = day(4, visits=20)
    chains = await ask(problem, engine="chains")
    alone, best = await ask(problem, engine="exact"), await ask(problem)
    assert (alone.engine, alone.fell, alone.value) == ("chains", (Fall("exact", "ModuleNotFoundError"),), chains.value)
    assert (best.engine, best.fell, best.value) == ("best", (Fall("exact", "ModuleNotFoundError"),), chains.value)


async def test_too_many_visits_for_the_solver_fall_back_to_the_chains() -> None:
    answer = await ask(day(4, visits=40), engine="exact")
    assert (answer.engine, answer.fell) == ("chains", (Fall("exact", "TooMany"),))


async def test_chains_that_break_fall_back_to_greedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "search", breaks)
    problem = day(5)
    answer = await ask(problem)
    broken = Fall("best", "ZeroDivisionError"), Fall("chains", "ZeroDivisionError")
    assert (answer.engine, answer.fell, answer.value) == ("greedy", broken, value_of(problem, most_urgent_first(problem)))


async def test_a_plan_that_breaks_a_rule_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def everybody_at_once(problem: Problem, *_args: object) -> Any:
        plan = Plan(np.zeros(problem.visits, np.int32), problem.option_from[:-1].copy())
        return SimpleNamespace(plan=plan, steps=1)

    monkeypatch.setattr(port, "search", everybody_at_once)
    answer = await ask(day(5), engine="chains")
    assert (answer.engine, answer.fell) == ("greedy", (Fall("chains", "Unsound"),))


async def test_what_breaks_the_simplest_engine_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "most_urgent_first", breaks)
    with pytest.raises(ZeroDivisionError):
        await ask(day(5), engine="greedy")


async def test_no_time_is_the_greedy_plan() -> None:
    problem = day(6)
    answer = await ask(problem, Effort(seconds=0.0))
    assert (answer.value, answer.steps) == (value_of(problem, most_urgent_first(problem)), 0)


async def test_nobody_who_is_not_free_is_moved() -> None:
    problem = day(7, visits=40)
    start = most_urgent_first(problem)
    free = dependents(problem, range(10))
    stays = [visit for visit in range(40) if visit not in free]
    for engine in get_args(Engine):
        answer = await ask(problem, engine=engine, start=start, free=range(10))
        assert faults(problem, answer.plan) == []
        assert answer.value == value_of(problem, answer.plan) >= value_of(problem, start)
        assert (answer.plan.start[stays] == start.start[stays]).all()


async def test_a_bound_is_told_with_the_gap_and_proof_makes_it_nothing() -> None:
    problem = day(8, visits=14)
    chains, exact = await ask(problem, engine="chains", bound_seconds=30), await ask(problem, Effort(steps=500_000), engine="exact")
    assert chains.bound is not None
    assert chains.bound >= exact.value
    assert chains.gap == gap_of(chains.value, chains.bound)
    assert (exact.gap, exact.bound) == (0.0, exact.value)


async def test_the_bound_of_a_repair_is_that_of_all_plans_in_which_the_others_stay() -> None:
    problem = day(9, visits=40)
    start = most_urgent_first(problem)
    answer = await ask(problem, Effort(steps=500_000), engine="exact", start=start, free=range(8))
    other = await ask(problem, engine="chains", start=start, free=range(8), bound_seconds=30)
    assert (answer.gap, answer.bound) == (0.0, answer.value)
    assert other.bound is not None
    assert other.bound >= answer.value


async def test_a_bound_that_fails_is_said_and_the_plan_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "price", MISSING)
    answer = await ask(day(8), engine="chains", bound_seconds=30)
    assert (answer.bound, answer.gap, answer.fell) == (None, None, (Fall("bound", "ModuleNotFoundError"),))


def test_an_emergency_that_might_find_room_leaves_the_gap_open() -> None:
    assert gap_of(Value(1, 90), Value(2, 100)) is None
    assert gap_of(Value(2, 90), Value(2, 100)) == 0.1


async def test_nobody_goes_on_when_nobody_wants_to_know() -> None:
    with pytest.raises(Cancelled):
        await ask(day(5), told=lambda _progress: False)


async def test_who_stops_waiting_stops_the_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, cancelled, answered = Event(), Event(), Event()
    goes_on: list[bool] = []

    def meets_when_cancelled(_problem: Problem, _effort: Effort, _clock: Clock, _start: Plan | None, told: Told) -> None:
        begun.set()
        cancelled.wait()
        goes_on.append(told(Progress(0.1, Value(0, 0))))
        answered.set()

    monkeypatch.setattr(port, "search", meets_when_cancelled)
    asked = asyncio.create_task(ask(day(5), engine="chains"))
    await asyncio.to_thread(begun.wait)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    cancelled.set()
    await asyncio.to_thread(answered.wait)
    assert goes_on == [False]
