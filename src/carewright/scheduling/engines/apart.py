"""A search in a process of its own: it holds up no request, and ends when nobody wants to know any more."""

from typing import Any

import msgspec
import numpy as np

from carewright.kernel.apart import Say
from carewright.kernel.clock import SystemClock
from carewright.scheduling.engines.chains import Effort, Progress, search
from carewright.scheduling.model.planning import Plan, Problem


class Array(msgspec.Struct, frozen=True):
    """An array as it is sent."""

    kind: str
    shape: tuple[int, ...]
    data: bytes


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A problem, the plan that there is, and how long to look for a better one; `chains` at once."""

    arrays: dict[str, Array]
    first: int
    start: Array
    chosen: Array
    seconds: float
    seed: int
    chains: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The best plan, and after how many steps."""

    start: tuple[int, ...]
    chosen: tuple[int, ...]
    steps: int

    @property
    def plan(self) -> Plan:
        return Plan(np.array(self.start, np.int32), np.array(self.chosen, np.int32))


def question_of(problem: Problem, start: Plan, *, seconds: float, seed: int, chains: int) -> Question:
    """What the process is handed."""
    arrays = {name: _sent(value) for name, value in problem._asdict().items() if name != "first"}
    return Question(
        arrays=arrays, first=problem.first, start=_sent(start.start), chosen=_sent(start.chosen), seconds=seconds, seed=seed, chains=chains
    )


def plan_apart(question: Question, say: Say) -> Answer:
    """What the process does: it begins with the plan that there is, and says after each part how far it is."""
    problem = Problem(**{name: _got(each) for name, each in question.arrays.items()}, first=question.first)
    start = Plan(_got(question.start), _got(question.chosen))

    def told(progress: Progress) -> bool:
        say(round(progress.share * 100))
        return True

    clock = SystemClock().monotonic_seconds
    search(problem, Effort(steps=0), clock, start)  # compiled, or read from the disk, before the time begins
    found = search(problem, Effort(seconds=question.seconds, seed=question.seed, chains=question.chains), clock, start, told)
    return Answer(start=tuple(found.plan.start.tolist()), chosen=tuple(found.plan.chosen.tolist()), steps=found.steps)


def _sent(array: "np.ndarray[Any, Any]") -> Array:
    return Array(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())


def _got(sent: Array) -> Any:
    return np.frombuffer(sent.data, sent.kind).reshape(sent.shape).copy()
