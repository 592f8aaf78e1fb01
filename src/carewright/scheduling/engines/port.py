"""One question for all engines: a problem, how much to spend, and which engine; one answer, whatever becomes of the engine.

An engine that breaks, is missing, or answers with a plan that is not sound falls back to the next simpler one, and the answer says so.
Nothing is ever worth less than the plan that there was.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Literal

from carewright.scheduling.engines.bound import Bounded, bound
from carewright.scheduling.engines.chains import Cancelled, Clock, Effort, Found, Progress, Told, search
from carewright.scheduling.engines.exact import VISITS_MAX, exactly
from carewright.scheduling.engines.genetic import evolve, search_crossing
from carewright.scheduling.engines.greedy import most_urgent_first, next_available
from carewright.scheduling.engines.part import joined, part_of, taken
from carewright.scheduling.engines.settle import settled
from carewright.scheduling.model.planning import Plan, Problem, Value, faults, value_of

Engine = Literal["usual", "greedy", "keys", "chains", "crossing", "exact", "best"]
"""The next available time in call order; the most urgent first; orders bred from random keys; chains of annealing; chains whose plans are
crossed; the solver; and what is best for its size: chains, and after them the solver where the visits are few."""
THEN: dict[Engine, Engine] = {
    "best": "chains", "exact": "chains", "crossing": "chains", "keys": "chains", "chains": "greedy", "usual": "greedy"
}  # fmt: skip
"""What is asked when an engine has no answer."""
CHILD_STARTS = 0.6
"""Seconds until a child of ours has loaded OR-Tools, of which less is left for it to search."""
UNSOUND = "Unsound"


@dataclass(frozen=True, slots=True)
class Fall:
    """An engine, or the bound, that had no answer, and why: the type of its fault, or a word."""

    what: Engine | Literal["bound"]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The best plan, by which engine and after how many steps of chains."""

    plan: Plan
    value: Value
    engine: Engine
    steps: int
    bound: Value | None
    """What no plan can be worth more than; with `free`, none in which all others stay. None where it is not known."""
    gap: float | None
    """How far below the bound the plan is at most, as a part of the bound. None where that is not known."""
    fell: tuple[Fall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an engine is handed."""

    problem: Problem
    effort: Effort
    clock: Clock
    start: Plan | None
    told: Told | None


@dataclass(slots=True, kw_only=True)
class Ran:
    """What an engine found. `proved`: nothing is worth more."""

    plan: Plan
    steps: int = 0
    proved: bool = False
    fell: list[Fall] = field(default_factory=list)


Search = Callable[[Problem, Effort, Clock, Plan | None, Told | None], Found]


class _Fell(Exception):
    """An engine has no answer."""


async def plan_day(  # all that can be asked; what is said by name may be left out
    problem: Problem, effort: Effort, clock: Clock, *, engine: Engine = "best", start: Plan | None = None,
    free: Iterable[int] | None = None, told: Told | None = None, bound_seconds: int | None = None,
) -> Answer:  # fmt: skip
    """The best plan that an engine finds.

    `start` is the plan that there is, and sound; with `free`, all others stay where it has them. `bound_seconds` is how long a bound may
    take, beside the search. Raises `Cancelled` where `told` answers that nobody wants to know any more.
    """
    part = part_of(problem, start, free) if start is not None and free is not None else None
    small, before = (part.problem, taken(start, part)) if part and start is not None else (problem, start)
    bounding = asyncio.create_task(_bounded(small, bound_seconds)) if bound_seconds else None
    try:
        ran, by = await _ran(Asked(problem=small, effort=effort, clock=clock, start=before, told=told), engine)
        best, most = value_of(small, ran.plan), None
        if ran.proved:
            most = best
        elif bounding:
            bounded = await bounding
            most = bounded.value
            ran.fell += [Fall("bound", bounded.fell)] if bounded.fell else []
    finally:
        if bounding:
            bounding.cancel()
            await asyncio.wait([bounding])  # its child has ended, too
    whole = joined(start, part, ran.plan) if part and start is not None else ran.plan
    value = value_of(problem, whole) if part else best
    if most:
        most = Value(most.urgent + value.urgent - best.urgent, most.rest + value.rest - best.rest)
    return Answer(plan=whole, value=value, engine=by, steps=ran.steps, bound=most, gap=gap_of(value, most), fell=tuple(ran.fell))


async def _bounded(problem: Problem, seconds: int) -> Bounded:
    """The bound, whatever breaks it."""
    try:
        return await bound(problem, seconds)
    except Exception as fault:  # noqa: BLE001  # a plan without a bound is a plan
        return Bounded(value=None, fell=type(fault).__name__)


def gap_of(value: Value, most: Value | None) -> float | None:
    """How far a value is below its bound; None where an emergency is left that might find room, since that counts before all else."""
    if most is None or most.urgent > value.urgent or most.rest <= 0:
        return None
    return max(0.0, (most.rest - value.rest) / most.rest)


async def _ran(asked: Asked, engine: Engine) -> tuple[Ran, Engine]:
    """What the engine finds, or the next simpler one that finds anything."""
    fell = list[Fall]()
    while True:
        try:
            ran = await _checked(asked, ENGINES[engine])
        except Cancelled:
            raise
        except Exception as fault:  # whatever breaks an engine, there is a simpler one; the simplest one's fault is raised
            if engine not in THEN:
                raise
            fell.append(Fall(engine, str(fault) if isinstance(fault, _Fell) else type(fault).__name__))
            engine = THEN[engine]
        else:
            ran.fell = fell + ran.fell
            return ran, engine


async def _checked(asked: Asked, engine: Callable[[Asked], Awaitable[Ran]]) -> Ran:
    """What it finds, if that is sound, with nobody moved for nothing; the plan that there was where it is worth more."""
    ran = await engine(asked)
    await _ensure_sound(asked.problem, ran.plan)
    if asked.start is not None:
        ran.plan = await asyncio.to_thread(settled, asked.problem, asked.start, ran.plan)
        await _ensure_sound(asked.problem, ran.plan)
        if value_of(asked.problem, asked.start) > value_of(asked.problem, ran.plan):
            ran.plan = asked.start
    return ran


async def _ensure_sound(problem: Problem, plan: Plan) -> None:
    if await asyncio.to_thread(faults, problem, plan):
        raise _Fell(UNSOUND)


async def _usual(asked: Asked) -> Ran:
    return Ran(plan=await asyncio.to_thread(next_available, asked.problem, range(asked.problem.visits)))


async def _greedy(asked: Asked) -> Ran:
    return Ran(plan=await asyncio.to_thread(most_urgent_first, asked.problem))


async def _chains(asked: Asked) -> Ran:
    return await _in_threads(asked, search)


async def _keys(asked: Asked) -> Ran:
    return await _in_threads(asked, evolve)


async def _crossing(asked: Asked) -> Ran:
    return await _in_threads(asked, search_crossing)


async def _in_threads(asked: Asked, engine: Search) -> Ran:
    """In threads of this process: compiled code holds no lock. It ends at its next meeting when nobody waits any more."""
    gone = Event()

    def goes_on(progress: Progress) -> bool:
        return not gone.is_set() and (asked.told is None or asked.told(progress))

    try:
        found = await asyncio.to_thread(engine, asked.problem, asked.effort, asked.clock, asked.start, goes_on)
    finally:
        gone.set()
    return Ran(plan=found.plan, steps=found.steps)


async def _exact(asked: Asked) -> Ran:
    start = asked.start if asked.start is not None else (await _greedy(asked)).plan
    exact = await exactly(asked.problem, start, asked.effort)
    if exact.fell:
        raise _Fell(exact.fell)
    return Ran(plan=exact.plan, proved=exact.proved)


async def _best(asked: Asked) -> Ran:
    seconds, steps = asked.effort.seconds, asked.effort.steps
    small = asked.problem.visits <= VISITS_MAX
    if not small or (seconds is not None and seconds / 2 <= CHILD_STARTS) or (seconds is None and not steps):
        return await _chains(asked)
    if seconds is not None:
        asked = replace(asked, effort=replace(asked.effort, seconds=seconds / 2))
    ran = await _chains(asked)
    rest = asked.effort if seconds is None else replace(asked.effort, seconds=seconds / 2 - CHILD_STARTS)
    exact = await exactly(asked.problem, ran.plan, rest)
    fell = [Fall("exact", exact.fell)] if exact.fell else []
    return Ran(plan=exact.plan, steps=ran.steps, proved=exact.proved, fell=fell)


ENGINES: dict[Engine, Callable[[Asked], Awaitable[Ran]]] = {
    "usual": _usual, "greedy": _greedy, "keys": _keys, "chains": _chains, "crossing": _crossing, "exact": _exact, "best": _best,
}  # fmt: skip
