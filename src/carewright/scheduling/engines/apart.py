"""A search in a process of its own: it holds up no request, and ends when nobody wants to know any more."""

import asyncio

import msgspec
import numpy as np

from carewright.kernel.apart import Say
from carewright.kernel.clock import SystemClock
from carewright.scheduling.engines.asked import Reasons, Sent, SentPlan, received, received_plan, sent, sent_plan
from carewright.scheduling.engines.chains import Effort, Progress, Told, search
from carewright.scheduling.engines.exact import reasons_each
from carewright.scheduling.engines.port import Engine, Fall, gap_of, plan_day
from carewright.scheduling.engines.settle import settled
from carewright.scheduling.model.planning import Plan, Problem, Value, value_of
from carewright.scheduling.model.posing import UNIT

CLOCK = SystemClock().monotonic_seconds
BOUND_FROM = 1.0
"""Whoever looks for fewer seconds does not want to wait for a bound."""
BOUND_SECONDS, BOUND_VISITS_MAX = 5, 150
"""How long a bound may take, and for how many visits it is tried: 220 are about five seconds of one core."""
WHY_MAX = 10
"""Of those without a place, so many are looked into, the most urgent first."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A problem, the plan that there is, and how long to look for a better one; `chains` at once.

    `why_seconds`: and how long to look into why visits have no place in it.
    """

    problem: Sent
    start: SentPlan
    seconds: float
    seed: int
    chains: int
    why_seconds: int


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a visit has no place while everybody else stays where the plan says."""

    visit: int
    reasons: Reasons


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The best plan, by which engine and after how many steps; and what is known of it. `why` is of some of those without a place."""

    found: SentPlan
    engine: Engine
    steps: int
    bound: Value | None
    gap: float | None
    fell: list[Fall]
    why: list[Why]

    @property
    def plan(self) -> Plan:
        return received_plan(self.found)


def question_of(problem: Problem, start: Plan, *, seconds: float, seed: int, chains: int, why_seconds: int = 0) -> Question:
    """What the process is handed."""
    return Question(
        problem=sent(problem), start=sent_plan(start), seconds=seconds, seed=seed, chains=chains, why_seconds=why_seconds
    )  # fmt: skip


def plan_apart(question: Question, say: Say) -> Answer:
    """What the process does: it begins with the plan that there is, and says after each part how far it is.

    It says what the best plan so far is worth, too, in minutes.
    """
    problem, start = received(question.problem), received_plan(question.start)

    def told(progress: Progress) -> bool:
        say(round(progress.share * 100), progress.value[1] / UNIT)
        return True

    search(problem, Effort(steps=0), CLOCK, start)  # compiled, or read from the disk, before the time begins
    return asyncio.run(_answered(question, problem, start, told))


async def _answered(question: Question, problem: Problem, start: Plan, told: Told) -> Answer:
    effort = Effort(seconds=question.seconds, seed=question.seed, chains=question.chains)
    bounds = question.seconds >= BOUND_FROM and problem.visits <= BOUND_VISITS_MAX
    found = await plan_day(problem, effort, CLOCK, start=start, told=told, bound_seconds=BOUND_SECONDS if bounds else None)
    plan = settled(problem, start, found.plan, keep=True)
    left = _most_urgent(problem, plan)[:WHY_MAX] if question.why_seconds else []
    why = await reasons_each(problem, plan, left, question.why_seconds) if left else []
    return Answer(
        found=sent_plan(plan), engine=found.engine if question.seconds else "greedy", steps=found.steps,
        bound=found.bound, gap=gap_of(value_of(problem, plan), found.bound), fell=list(found.fell),
        why=[Why(visit=visit, reasons=reasons) for visit, reasons in zip(left, why, strict=False)],
    )  # fmt: skip


def _most_urgent(problem: Problem, plan: Plan) -> list[int]:
    """The visits without a place, those first whom it concerns most."""
    left = np.flatnonzero(plan.start < 0)
    return [int(visit) for visit in left[np.argsort(problem.tier[left], kind="stable")]]
