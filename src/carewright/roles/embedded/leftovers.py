"""Servers that an earlier supervisor left running, for instance where the kernel cannot end them together with it.

They are known by their command lines, which every user may read; the working directory of another user's process is
closed even to root in a container without CAP_SYS_PTRACE.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from carewright.roles.child import StartFailed

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 0.5


def running(tag: str, programs: tuple[str, ...]) -> list[int]:
    """The processes that carry `tag` and run one of `programs`, in order of their ids.

    A server names itself anew once it runs: "/usr/bin/postgres" becomes "postgres: tag: checkpointer".
    """
    name = re.compile(rf"(?:.*/)?(?:{'|'.join(programs)})(?:[: ]|$)")
    lines = _from_proc() if sys.platform == "linux" else _from_ps()
    return sorted(pid for pid, words in lines if name.match(words[0]) and any(tag in word for word in words))


def _from_proc() -> list[tuple[int, list[str]]]:
    lines = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal() and entry.name != str(os.getpid()):
            with contextlib.suppress(OSError):
                words = Path(entry.path, "cmdline").read_bytes().decode(errors="replace")
                lines.append((int(entry.name), words.rstrip("\0").split("\0")))
    return lines


def _from_ps() -> list[tuple[int, list[str]]]:
    printed = subprocess.run(["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in printed.splitlines())
    return [(int(row[0]), row[1:]) for row in rows if len(row) > 1]


async def end_leftovers(tag: str, programs: tuple[str, ...], signals: tuple[signal.Signals, ...], seconds_each: float) -> list[int]:
    """End what an earlier supervisor left running: each of `signals` in turn, until none is left.

    Returns the processes that had to be ended; those that end by themselves, because their parent was killed a moment ago,
    do not count. Raises `StartFailed` when some do not end.
    """
    if await _gone(tag, programs, PATIENCE_SECONDS):
        return []
    found = running(tag, programs)
    for sent in signals:
        for pid in running(tag, programs):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, sent)
        if await _gone(tag, programs, seconds_each):
            return found
    left = ", ".join(str(pid) for pid in running(tag, programs))
    raise StartFailed(
        "embedded.still_running", f"An earlier {programs[0]} of this data directory is still running. End process {left}, then try again."
    )


async def _gone(tag: str, programs: tuple[str, ...], seconds: float) -> bool:
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while running(tag, programs):
        if clock() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
