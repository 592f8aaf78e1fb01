"""A search in a process of its own: it holds up no request, and ends when nobody wants to know any more."""

import asyncio

import msgspec

from carewright.kernel.apart import Say
from carewright.kernel.clock import SystemClock
from carewright.scheduling.engines.asked import Sent, SentPlan, received, received_plan, sent, sent_plan
from carewright.scheduling.engines.chains import Effort, Progress, search
from carewright.scheduling.engines.port import plan_day
from carewright.scheduling.model.planning import Plan, Problem


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A problem, the plan that there is, and how long to look for a better one; `chains` at once."""

    problem: Sent
    start: SentPlan
    seconds: float
    seed: int
    chains: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The best plan, and after how many steps."""

    found: SentPlan
    steps: int

    @property
    def plan(self) -> Plan:
        return received_plan(self.found)


def question_of(problem: Problem, start: Plan, *, seconds: float, seed: int, chains: int) -> Question:
    """What the process is handed."""
    return Question(problem=sent(problem), start=sent_plan(start), seconds=seconds, seed=seed, chains=chains)


def plan_apart(question: Question, say: Say) -> Answer:
    """What the process does: it begins with the plan that there is, and says after each part how far it is."""
    problem, start = received(question.problem), received_plan(question.start)

    def told(progress: Progress) -> bool:
        say(round(progress.share * 100))
        return True

    clock = SystemClock().monotonic_seconds
    search(problem, Effort(steps=0), clock, start)  # compiled, or read from the disk, before the time begins
    effort = Effort(seconds=question.seconds, seed=question.seed, chains=question.chains)
    found = asyncio.run(plan_day(problem, effort, clock, start=start, told=told))
    return Answer(found=sent_plan(found.plan), steps=found.steps)
