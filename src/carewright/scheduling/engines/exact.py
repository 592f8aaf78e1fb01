"""Small repairs exactly: OR-Tools in a process of its own, and the plan that there is outside of it, so that nothing it does loses that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from carewright.kernel.apart import Limits, RanOut, reckon
from carewright.scheduling.engines import children
from carewright.scheduling.engines.asked import Asked, AskedWhy, Reasons, ReasonsEach, Solved, received_plan, sent, sent_plan
from carewright.scheduling.engines.chains import Effort
from carewright.scheduling.engines.part import dependents, joined, part_of, taken
from carewright.scheduling.model.planning import Plan, Problem, Value, faults, value_of

VISITS_MAX = 30
"""Free visits at most: beyond it the chains are better in the same time (REFERENCE section 8 has it measured)."""
STEPS_OF_WORK = 350_000
"""Steps of a chain that stand for one unit of the solver's measure of work: each is about a second of one core."""
SECONDS_TO_START = 5
"""For the child to begin, beside what it is given to search."""
PATIENCE = 10
"""Whoever asks by steps has the same answer on a machine that is busy with other things: the child may take so many times its work."""
MEBIBYTES = 2_048
TOO_MANY = "TooMany"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """The best plan known, whether none is worth more (as long as all others stay), and why the solver was of no help."""

    plan: Plan
    value: Value
    proved: bool = False
    fell: str | None = None


async def exactly(problem: Problem, start: Plan, effort: Effort, free: Iterable[int] | None = None) -> Exact:
    """The best plan in which everybody but `free` (and who depends on them) stays where a sound plan has them; all are free by default.

    `effort` limits the child's search: by seconds; or by steps, with which the same seed has the same answer.
    """
    visits = dependents(problem, range(problem.visits) if free is None else free)
    stands = Exact(plan=start, value=value_of(problem, start))
    if len(visits) > VISITS_MAX:
        return replace(stands, fell=TOO_MANY)
    part = part_of(problem, start, visits)
    asked = Asked(
        problem=sent(part.problem), start=sent_plan(taken(start, part)), seconds=effort.seconds, seed=effort.seed,
        work=None if effort.steps is None else effort.steps / STEPS_OF_WORK,
    )  # fmt: skip
    seconds = ceil((asked.seconds or 0) + 2 * (asked.work or 0)) + SECONDS_TO_START
    limits = Limits(cpu_seconds=seconds, seconds=seconds * (1 if effort.steps is None else PATIENCE), mebibytes=MEBIBYTES)
    try:
        solved = await reckon(children.solve, asked, Solved, limits)
    except RanOut as ended:
        return replace(stands, fell=ended.why)
    if solved is None or solved.plan is None:
        return stands
    found = received_plan(solved.plan)
    whole = joined(start, part, found)
    if faults(part.problem, found) or (value := value_of(problem, whole)) < stands.value:
        return replace(stands, fell="Unsound")
    return Exact(plan=whole, value=value, proved=solved.proved)


async def reasons(problem: Problem, plan: Plan, must: Iterable[int], seconds: int) -> Reasons:
    """Which rules cannot hold together when all of `must` are to have a place; none where they can.

    Everybody else who has a place stays where a sound plan has them.
    """
    asked = AskedWhy(problem=sent(problem), plan=sent_plan(plan), must=sorted({int(visit) for visit in must}), seconds=float(seconds))
    try:
        found = await reckon(children.explain, asked, Reasons, _why_limits(seconds))
    except RanOut as ended:
        return Reasons(rules=[], minimal=False, fell=ended.why)
    return found or Reasons(rules=[], minimal=False)


async def reasons_each(problem: Problem, plan: Plan, visits: Sequence[int], seconds: int) -> list[Reasons]:
    """The same for each of these visits by itself, in one process and all of them within `seconds`."""
    asked = AskedWhy(problem=sent(problem), plan=sent_plan(plan), must=list(visits), seconds=float(seconds))
    try:
        found = await reckon(children.explain_each, asked, ReasonsEach, _why_limits(seconds))
    except RanOut as ended:
        return [Reasons(rules=[], minimal=False, fell=ended.why)] * len(visits)
    return found.each if found else []


def _why_limits(seconds: int) -> Limits:
    return Limits(cpu_seconds=seconds + SECONDS_TO_START, seconds=seconds + SECONDS_TO_START, mebibytes=MEBIBYTES)
