"""Runs programs in the order of their needs, starts those again that die, and stops all of them in reverse.

A program is anything that can be started and ended: an embedded server, a server process of ours, or a step such as the
migrations, which is done once it has returned. The supervisor knows nothing else about them. When a program dies, the
programs that need it go on: they find it again by themselves.
"""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from carewright.roles.child import Child, StartFailed, finished, say, signal_name, spawn

START_TRIES = 3
PAUSE_SECONDS_MIN = 0.1
PAUSE_SECONDS_MAX = 5.0
STEADY_SECONDS = 2.0
"""A program that was ready for this long had started well: the next pause is short again."""
PROBE_SECONDS = 0.05
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Running(Protocol):
    """A started program."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """The exit code, once it has ended."""

    async def stop(self, hurry: asyncio.Event | None = None) -> int:
        """End it; `hurry` may be set while this waits."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """`start` returns when the program is ready, or None for a step that is done. `after` names what must be ready before.

    `start` raises `StartFailed`; at the first start a transient one is tried again, `START_TRIES` times in all.
    """

    name: str
    start: Callable[[], Awaitable[Running | None]]
    after: tuple[str, ...] = ()


@dataclass
class _Post:
    """What the supervisor knows of one program."""

    program: Program
    running: Running | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    keeper: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps programs running from `start` until `stop`."""

    def __init__(self, programs: Sequence[Program], tell: Callable[[str], None] = say) -> None:
        _check(programs)
        self._posts = {program.name: _Post(program) for program in programs}
        self._tell = tell
        self._told = ""
        self._hurry = asyncio.Event()
        self._stop_asked = asyncio.Event()
        self._fault: BaseException | None = None

    def pid(self, name: str) -> int | None:
        """The process of a program; None while it is not running."""
        running = self._posts[name].running
        return running.pid if running else None

    async def run(self, when_ready: Callable[[], None] = lambda: None) -> int:
        """Start everything, keep it running until SIGINT, SIGTERM or SIGHUP, stop everything; the exit code for the shell.

        A second signal makes haste.
        """
        with self._signals():
            try:
                if await self._start_unless_stopped():
                    when_ready()
                    await self._stop_asked.wait()
                    self._say("stopping; press Ctrl-C again to make haste")
            except StartFailed as failure:
                self._say(failure.message)
                return 1
            finally:
                await self.stop()
        if self._fault is not None:
            raise self._fault
        return 0

    async def start(self) -> None:
        """Start every program as soon as those it comes after are ready. Raises the first `StartFailed`; `stop` cleans up."""
        starting = [asyncio.ensure_future(self._start_first(post)) for post in self._posts.values()]
        try:
            await asyncio.gather(*starting)
        finally:
            for task in starting:
                task.cancel()
            await finished(asyncio.gather(*starting, return_exceptions=True))

    async def stop(self) -> None:
        """Stop every program after those that need it. Finishes even when cancelled."""
        await finished(asyncio.gather(*(self._stop_one(post) for post in self._posts.values())))

    def ask_to_stop(self) -> None:
        """End `run`; asked a second time, make haste."""
        if self._stop_asked.is_set():
            self._say("making haste")
            self._hurry.set()
        self._stop_asked.set()

    async def _start_unless_stopped(self) -> bool:
        """Whether all programs started before somebody asked to stop."""
        start = asyncio.ensure_future(self.start())
        asked = asyncio.ensure_future(self._stop_asked.wait())
        try:
            await asyncio.wait({start, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            if not start.done():
                start.cancel()
                await finished(asyncio.gather(start, return_exceptions=True))
        if start.cancelled():
            return False
        start.result()
        return not self._stop_asked.is_set()

    async def _start_first(self, post: _Post) -> None:
        for name in post.program.after:
            await self._posts[name].ready.wait()
        pauses = _pauses()
        for left in reversed(range(START_TRIES)):
            try:
                post.running = await post.program.start()
                break
            except StartFailed as failure:
                if not failure.transient or not left:
                    raise
                self._say(f"{failure.message} Trying again.")
                await asyncio.sleep(next(pauses))
        post.ready.set()
        if post.running is not None:
            post.keeper = asyncio.ensure_future(self._keep(post))
            post.keeper.add_done_callback(self._keeper_ended)

    async def _keep(self, post: _Post) -> None:
        """Start a program again whenever it ends, after a pause that grows while it keeps failing."""
        clock, pauses = asyncio.get_running_loop().time, _pauses()
        while True:
            began = clock()
            if post.running is not None:
                code = await post.running.wait()
                post.running = None
                self._say(f"{post.program.name} ended ({signal_name(code)}); starting it again")
            if clock() - began > STEADY_SECONDS:
                pauses = _pauses()
            await asyncio.sleep(next(pauses))
            try:
                post.running = await post.program.start()
                self._say(f"{post.program.name} is running again")
            except StartFailed as failure:
                self._say(failure.message)

    def _keeper_ended(self, keeper: asyncio.Task[None]) -> None:
        """A program that nobody keeps is worse than none: a fault of ours ends `run`, which raises it."""
        if not keeper.cancelled() and (fault := keeper.exception()):
            self._fault = fault
            self.ask_to_stop()

    async def _stop_one(self, post: _Post) -> None:
        for other in self._posts.values():
            if post.program.name in other.program.after:
                await other.stopped.wait()
        try:
            if post.keeper is not None:
                post.keeper.cancel()
                await asyncio.gather(post.keeper, return_exceptions=True)
            if post.running is not None:
                await post.running.stop(self._hurry)
                post.running = None
        finally:
            post.stopped.set()

    def _say(self, line: str) -> None:
        """Tell it, unless it was the last thing told: a server that cannot start says the same every few seconds."""
        if line != self._told:
            self._told = line
            self._tell(line)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        heard = [number for number in STOP_SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
        for number in heard:  # under nohup, losing the terminal is no reason to stop
            loop.add_signal_handler(number, self.ask_to_stop)
        try:
            yield
        finally:
            for number in heard:
                loop.remove_signal_handler(number)


def _pauses() -> Iterator[float]:
    pause = PAUSE_SECONDS_MIN
    while True:
        yield pause
        pause = min(2 * pause, PAUSE_SECONDS_MAX)


def _check(programs: Sequence[Program]) -> None:
    """Every program comes after programs before it in the list, so that there is no circle."""
    known: set[str] = set()
    for program in programs:
        if program.name in known or not known.issuperset(program.after):
            raise ValueError(f"'{program.name}' is named twice, or comes after a program that is not before it in the list")
        known.add(program.name)


async def start_command(
    name: str,
    argv: Sequence[str | Path],
    *,
    ready: Callable[[], Awaitable[bool]],
    env: Mapping[str, str] | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 30.0,
    ready_seconds_max: float = 60.0,
) -> Child:
    """Start a command and return when `ready` says so. `env` is added to ours; its output goes where ours goes.

    Raises a transient `StartFailed` when it ends before or takes too long. `ready` may raise `OSError` for "not yet".
    """
    try:
        process = await spawn(argv, env=os.environ | dict(env or {}), death_signal=stop_signal)
    except OSError as fault:
        raise StartFailed("supervisor.not_executable", f"{name} did not start: {fault}.") from fault
    child = Child(process, stop_signal=stop_signal, grace_seconds=grace_seconds)
    try:
        async with asyncio.timeout(ready_seconds_max):
            await _until_ready(name, process, ready)
    except TimeoutError as fault:
        await child.stop()
        raise StartFailed("supervisor.start_slow", f"{name} was not ready after {ready_seconds_max:.0f} s.", transient=True) from fault
    except BaseException:
        await child.stop()
        raise
    return child


async def _until_ready(name: str, process: Process, ready: Callable[[], Awaitable[bool]]) -> None:
    while True:
        with contextlib.suppress(OSError):
            if await ready():
                return
        if process.returncode is not None:
            reason = signal_name(process.returncode)
            raise StartFailed("supervisor.ended_early", f"{name} ended before it was ready ({reason}).", transient=True)
        await asyncio.sleep(PROBE_SECONDS)
