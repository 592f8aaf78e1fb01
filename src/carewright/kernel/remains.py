"""What a process leaves when it dies: the kind of fault and its place, and never what it was working on.

A traceback quotes messages, and messages quote what a person typed. An image of the memory holds all of it, and the keys besides.
"""

import ctypes
import resource
import sys
import threading
from types import TracebackType

from carewright.kernel.telemetry import where

PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def leave_little() -> None:
    """From now on no image of this process or of its children is written, and what nobody caught is told without its message.

    The limit is inherited. It does not hold where images are piped to a program (core(5)), so Linux is told besides not to make any of this
    process; with that, nobody but root may look into its memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    sys.excepthook = _tell_of_fault
    threading.excepthook = _tell_of_thread
    sys.unraisablehook = _tell_of_unraisable


def _tell_of_fault(kind: type[BaseException], fault: BaseException, _: TracebackType | None) -> None:
    _tell(kind, fault)


def _tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    _tell(ended.exc_type, ended.exc_value)


def _tell_of_unraisable(ended: "sys.UnraisableHookArgs") -> None:
    _tell(ended.exc_type, ended.exc_value)


def _tell(kind: type[BaseException] | None, fault: BaseException | None) -> None:
    if sys.stderr is not None:
        place = where(fault) if fault else ""
        print(
            f"carewright: broke off: {kind.__name__ if kind else 'unknown'} at {place or 'an unknown place'}", file=sys.stderr, flush=True
        )
