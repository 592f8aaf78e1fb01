"""Compiling the kernel before anybody asks: half a minute, once on a machine, in a process of its own behind everything else."""

from fcntl import LOCK_EX, flock

import msgspec
import numpy as np

from carewright.kernel import telemetry
from carewright.kernel.apart import Limits, RanOut, Say, reckon
from carewright.scheduling.engines.apart import plan_apart, question_of
from carewright.scheduling.engines.compiled import HERE, PLACE
from carewright.scheduling.model.planning import Plan, row_of_bits
from carewright.scheduling.model.posing import Need, Visit, Weights, pose

LIMITS = Limits(cpu_seconds=240, seconds=600, mebibytes=4_096)
"""By the wall for longer: others have the cores, or another process compiles first."""
TICKS = 12
MARK = "compiled"
"""A file beside the machine code that is there as soon as all of it is."""
log = telemetry.logger(__name__)


class WarmUp(msgspec.Struct, frozen=True):
    """Compile, unless that was done."""


def is_warm() -> bool:
    """Whether the machine code of this version is kept on this machine."""
    return PLACE is not None and (PLACE / MARK).exists()


async def warm_up() -> None:
    """Have it compiled and kept, if it is not yet. Where that cannot be done it is said, and the first who plans waits."""
    if PLACE is None:
        log.warning("planner.not_kept", folder=str(HERE / "__pycache__"))
    elif not is_warm():
        try:
            await reckon(warm, WarmUp(), WarmUp, LIMITS)
        except (RanOut, OSError) as fault:
            log.warning("planner.not_compiled", error=fault.why if isinstance(fault, RanOut) else type(fault).__name__)
        else:
            log.info("planner.compiled")


def warm(asked: WarmUp, say: Say) -> WarmUp:
    """What the process does: one process after another, a search of a day that takes no time once the code is there."""
    if PLACE is not None:
        with (PLACE / f"{MARK}.lock").open("w") as lock:
            flock(lock, LOCK_EX)
            if not is_warm():
                _search(say)
                (PLACE / MARK).touch()
    return asked


def _search(say: Say) -> None:
    """Of as many kinds of arrays as any search of a day has; and somebody is moved by it."""
    always = row_of_bits(range(TICKS), TICKS)
    visit = Visit(needs=(Need((0,), 0, 2),), allowed=always, minutes=10, tier=2, released=0)
    posed = pose([visit], np.array([always]), TICKS, Weights())
    late = Plan(np.array([TICKS - 2], np.int32), np.zeros(1, np.int32))
    plan_apart(question_of(posed.problem, late, seconds=0.0, seed=1, chains=1), say)
