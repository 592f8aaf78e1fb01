"""A child process that does not outlive us.

Every child leads a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone and the supervisor
decides the order. On Linux the kernel also sends the child its stop signal when we die without saying goodbye
(prctl(2), PR_SET_PDEATHSIG). It does so when the *thread* that started the child ends: start children from the main thread.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

Output = int | IO[bytes] | None
Result = TypeVar("Result")

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
ORPHANED_EXIT = 113  # our parent died between fork and exec

_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


class StartFailed(Exception):
    """A server could not be started.

    `code` is stable. `message` is one line that says what to do next. `transient` means that another try may succeed.
    """

    def __init__(self, code: str, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.transient = transient


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system user that a child becomes before it runs."""

    name: str
    uid: int
    gid: int


def say(line: str) -> None:
    """Tell the person at the terminal."""
    print(f"carewright: {line}", file=sys.stderr, flush=True)


def signal_name(code: int) -> str:
    """What an exit code means, in words: "exit status 1" or "SIGKILL"."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class Child:
    """A running child process and how to end it.

    `stop_signal` asks for a clean end. `hurry_signal` follows after `grace_seconds`, or at once when told to hurry.
    """

    def __init__(
        self,
        process: Process,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        hurry_signal: signal.Signals = signal.SIGKILL,
        grace_seconds: float = 10.0,
    ) -> None:
        self._process = process
        self._stop_signal = stop_signal
        self._hurry_signal = hurry_signal
        self._grace_seconds = grace_seconds

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        return await self._process.wait()

    def ask_to_stop(self, *, hurry: bool = False) -> None:
        """Send the stop signal, or the one for haste. Harmless when the child has ended."""
        if self.exit_code is None:
            # Not Process.send_signal: it polls, which can take the exit code away from the event loop.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self._hurry_signal if hurry else self._stop_signal)

    async def stop(self, hurry: asyncio.Event | None = None) -> int:
        """End the child and return its exit code. Setting `hurry` cuts the grace short.

        Finishes its work even when cancelled, so that a cancelled start leaves nothing behind.
        """
        ending = asyncio.ensure_future(self._end(hurry or asyncio.Event()))
        return await finished(ending)

    async def _end(self, hurry: asyncio.Event) -> int:
        self.ask_to_stop(hurry=hurry.is_set())
        ended = asyncio.ensure_future(self.wait())
        hurried = asyncio.ensure_future(hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=self._grace_seconds, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ended.done():
            self.ask_to_stop(hurry=True)
        return await ended


async def finished(work: "asyncio.Future[Result]") -> Result:
    """The result of `work`, waited for to the end; a cancellation that arrives meanwhile is raised afterwards."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return work.result()


async def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    stdin: Output = subprocess.DEVNULL,
    stdout: Output = None,
    stderr: Output = None,
) -> Process:
    """Start `argv` in a session of its own, as `account` if given; `death_signal` reaches it when we die.

    Raises `OSError` when the program cannot be executed, `StartFailed` when we may not become `account`.
    """
    try:
        return await asyncio.create_subprocess_exec(
            *(str(word) for word in argv), env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr,
            start_new_session=True, preexec_fn=_before_exec(account, death_signal, os.getpid()),
        )  # fmt: skip
    except subprocess.SubprocessError as fault:
        name = account.name if account else "?"
        raise StartFailed(
            "embedded.account_refused", f"This process may not become the user '{name}'. Start as an ordinary user instead of root."
        ) from fault


def _before_exec(account: Account | None, death_signal: signal.Signals, parent: int) -> Callable[[], None]:
    """What the child does between fork and exec. The order matters: changing the user clears the death signal."""

    def prepare() -> None:
        if account is not None:
            os.setgroups([account.gid])
            os.setgid(account.gid)
            os.setuid(account.uid)
        if _prctl is not None:
            _prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(ORPHANED_EXIT)

    return prepare


async def run_tool(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    text: str = "",
) -> tuple[int, str]:
    """Run a short program to its end with `text` on its standard input; its exit code and everything it printed."""
    with tempfile.TemporaryFile() as source:
        source.write(text.encode())
        source.seek(0)
        process = await spawn(argv, env=env, cwd=Path("/"), account=account, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        printed, _ = await process.communicate()
    except BaseException:
        await Child(process).stop()
        raise
    return await process.wait(), printed.decode(errors="replace")
