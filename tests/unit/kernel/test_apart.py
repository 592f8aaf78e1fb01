"""A process of its own for long sums: it answers, says how far it is, and ends by its limits or because nobody wants it any more."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from carewright.contracts.queue import QueuePolicy
from carewright.contracts.tuning import CTAS_TARGETS, Found
from carewright.flow.model import tuning
from carewright.kernel import apart
from carewright.kernel.apart import Limits, Line, RanOut, Say

ROOM = Limits(cpu_seconds=60, seconds=120, mebibytes=1_024)


def question(people_an_hour: float = 0.5) -> tuning.Question:
    return tuning.Question(
        arrivals=((people_an_hour,) * 24,) * 5, services=(), service_minutes=10.0, service_variation=0.5, staff=(2,) * 24,
        targets=CTAS_TARGETS, order="accumulating", policy=QueuePolicy(), seed=5,
    )  # fmt: skip


class Ear:
    """Hears how far it is, and wants to hear no more after `most` times."""

    def __init__(self, most: int = 1_000) -> None:
        self.heard: list[int] = []
        self.most = most

    async def __call__(self, percent: int, _: float | None) -> bool:
        self.heard.append(percent)
        return len(self.heard) < self.most


async def test_the_answer_is_that_of_the_same_function_here() -> None:
    ear = Ear()
    found = await apart.reckon(tuning.reckon, question(), Found, ROOM, ear)
    assert found == tuning.reckon(question(), lambda _: None)
    assert len(ear.heard) > 5
    assert ear.heard == sorted(ear.heard)


async def test_what_nobody_wants_any_more_is_given_up() -> None:
    ear = Ear(most=2)
    assert await apart.reckon(tuning.reckon, question(), Found, ROOM, ear) is None
    assert len(ear.heard) == 2


async def test_a_child_that_takes_too_much_memory_says_so() -> None:
    with pytest.raises(RanOut):
        await apart.reckon(tuning.reckon, question(), Found, Limits(cpu_seconds=60, seconds=120, mebibytes=60), Ear())


async def test_a_child_that_takes_too_much_time_of_its_own_is_ended() -> None:
    with pytest.raises(RanOut, match="Killed"):
        await apart.reckon(tuning.reckon, question(120.0), Found, Limits(cpu_seconds=1, seconds=120, mebibytes=1_024), Ear())


async def test_a_child_that_takes_too_long_by_the_wall_is_ended() -> None:
    with pytest.raises(RanOut, match="TimeoutError"):
        await apart.reckon(tuning.reckon, question(), Found, Limits(cpu_seconds=60, seconds=0, mebibytes=1_024), Ear())


async def test_an_answer_may_be_as_long_as_is_allowed_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert apart.ANSWER_BYTES_MAX > 100 * 2**16, "the plan of a hospital's day is longer than what asyncio takes by itself"
    monkeypatch.setattr(apart, "ANSWER_BYTES_MAX", 100)
    with pytest.raises(RanOut, match="TooLong"):
        await apart.reckon(tuning.reckon, question(), Found, ROOM, Ear())


class Asked(msgspec.Struct):
    what: str


def broken(question: Asked, say: Callable[[int], None]) -> timedelta:
    say(3)
    raise ZeroDivisionError(question.what)


def measured(_: Asked, say: Say) -> timedelta:
    say(50, 2.5)
    return timedelta(1)


def told(place: str, asked: msgspec.Struct) -> list[Line]:
    lines: list[Line] = []
    apart._answered(place, msgspec.json.encode(asked), lines.append)  # the child's half
    return lines


def test_a_fault_is_told_by_its_type_and_nothing_of_the_question() -> None:
    assert told(f"{__name__}:broken", Asked(what="secret")) == [Line(percent=3), Line(fault="ZeroDivisionError")]
    assert told("no.such.module:broken", Asked(what="secret")) == [Line(fault="ModuleNotFoundError")]


def test_how_good_it_is_so_far_is_told_with_how_far_it_is() -> None:
    assert told(f"{__name__}:measured", Asked(what="x"))[0] == Line(percent=50, value=2.5)


def test_a_child_that_could_not_begin_has_no_answer() -> None:
    assert told(f"{__name__}:absent", Asked(what="x")) == [Line(fault="AttributeError")]


LOUD = """
import os, sys, types, msgspec
from carewright.kernel import apart

class Asked(msgspec.Struct):
    what: str

def task(asked: Asked, say):
    os.write(1, b"Welcome to the solver")
    return asked.what

sys.modules["loud"] = types.SimpleNamespace(task=task)
apart.main("60", "1024", "loud:task")
"""


def test_what_a_library_prints_is_no_answer() -> None:
    child = subprocess.run([sys.executable, "-c", LOUD], input=b'{"what": "x"}', capture_output=True, check=True)
    assert child.stdout == b'{"answer":"x"}\n'
