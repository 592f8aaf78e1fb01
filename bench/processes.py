"""What processes take of the machine, as Linux counts it."""

import os
from contextlib import suppress
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def family(parent: int) -> list[int]:
    """The process, its children, theirs, and so on."""
    children = [int(pid) for task in Path(f"/proc/{parent}/task").iterdir() for pid in (task / "children").read_text().split()]
    return [parent, *(member for child in children for member in family(child))]


def pss(pids: list[int]) -> float:
    """Proportional set sizes (shared pages counted once), from smaps_rollup, in MB."""
    kilobytes = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1000


def cpu_seconds(parents: list[int]) -> float:
    """What these, their families, and those of their families who have ended ran on a processor (utime to cstime, proc_pid_stat(5))."""
    while True:
        with suppress(FileNotFoundError, ProcessLookupError):  # one ended while they were counted: count anew
            members = [member for parent in parents for member in family(parent)]
            return sum(sum(map(int, _fields(pid)[11:15])) for pid in members) / TICKS_A_SECOND


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
