"""Long sums in a process of their own: bounded in time and memory, behind everything else, and ended when nobody wants them any more.

A thread would not do: many short steps of arithmetic hold the interpreter's lock, so that requests wait. The child is handed the question
on its standard input and nothing else: no settings, no secrets, no connection. It answers in lines of JSON: how far it is, and at last the
answer.
"""

import asyncio
import importlib
import os
import resource
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_type_hints

import msgspec

A = TypeVar("A")
NICENESS = 10
MEBIBYTE = 2**20
ANSWER_BYTES_MAX = 64 * MEBIBYTE
"""An answer is one line: the plan of a hospital's day takes some hundred kilobytes."""
ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""One core, and no more."""


class Say(Protocol):
    """Say how far it is, in percent, and how good what was found so far is, in whatever the task measures that."""

    def __call__(self, percent: int, value: float | None = None, /) -> None: ...


Heard = Callable[[int, float | None], Awaitable[bool]]
"""Hears what is said, and answers whether it is wanted still."""


class RanOut(Exception):
    """The child ended without an answer: by its limits, or by a fault of which `why` is the type."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a child may take: `cpu_seconds` of its own, `seconds` by the wall, and memory."""

    cpu_seconds: int
    seconds: int
    mebibytes: int


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a child says."""

    percent: int | None = None
    value: float | None = None
    answer: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    fault: str | None = None


_line = msgspec.json.Decoder(Line).decode


async def wanted(_percent: int, _value: float | None) -> bool:
    """It is, whatever is heard."""
    return True


async def reckon(
    task: Callable[[Any, Say], A], question: msgspec.Struct, answer: type[A], limits: Limits,
    heard: Heard = wanted,
) -> A | None:  # fmt: skip
    """What `task(question, say)` returns, reckoned apart; None where `heard` said that it is wanted no more.

    `task` is a function of a module's own, and the first of its arguments is annotated with the question's type. Raises `RanOut`.
    """
    place = f"{task.__module__}:{task.__qualname__}"
    args = (str(limits.cpu_seconds), str(limits.mebibytes), place)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", __name__, *args, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=ALONE, limit=ANSWER_BYTES_MAX
    )
    try:
        async with asyncio.timeout(limits.seconds):
            last = await _followed(process, msgspec.json.encode(question), heard)
    except TimeoutError:
        raise RanOut("TimeoutError") from None
    except ValueError:  # how a line is refused that is longer than `ANSWER_BYTES_MAX`
        raise RanOut("TooLong") from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    if last is None:
        return None
    if last.answer is msgspec.UNSET:
        raise RanOut(last.fault or "Killed")
    return msgspec.json.decode(last.answer, type=answer)


async def _followed(process: Process, question: bytes, heard: Heard) -> Line | None:
    """The child's last line; None where nobody wants to hear it."""
    if process.stdin is None or process.stdout is None:
        raise RanOut("NoPipe")
    with suppress(BrokenPipeError, ConnectionResetError):  # a child that could not begin says so by saying nothing
        process.stdin.write(question)
        await process.stdin.drain()
        process.stdin.close()
    async for text in process.stdout:
        line = _line(text)
        if line.percent is None:
            return line
        if not await heard(line.percent, line.value):
            return None
    return Line()


def main(cpu_seconds: str, mebibytes: str, place: str) -> None:
    """The child: limit itself, read the question, say how far it is, and answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asked, and they end the child
    os.nice(NICENESS)
    limit(resource.RLIMIT_CPU, int(cpu_seconds))
    limit(resource.RLIMIT_AS, int(mebibytes) * MEBIBYTE)
    limit(resource.RLIMIT_CORE, 0)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers, Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())  # what a library prints is no answer

        def tell(line: Line) -> None:
            answers.write(msgspec.json.encode(line) + b"\n")
            answers.flush()

        _answered(place, sys.stdin.buffer.read(), tell)


def limit(what: int, most: int) -> None:
    """No more than that of one resource, and no way back."""
    with suppress(ValueError):  # macOS takes no limit on address space
        resource.setrlimit(what, (most, most))


def _answered(place: str, question: bytes, tell: Callable[[Line], None]) -> None:
    module, _, name = place.partition(":")
    try:
        task = getattr(importlib.import_module(module), name)
        asked = msgspec.json.decode(question, type=next(iter(get_type_hints(task).values())))
        answer = task(asked, lambda percent, value=None: tell(Line(percent=percent, value=value)))
        tell(Line(answer=msgspec.Raw(msgspec.json.encode(answer))))
    except Exception as fault:  # noqa: BLE001  # whatever it is, its type is told to whoever asked
        tell(Line(fault=type(fault).__name__))


if __name__ == "__main__":
    main(*sys.argv[1:])
