"""Seconds that other programs on the machine do not count against us."""

import threading
import time
from collections.abc import Callable

THREADS = 2


def own_seconds() -> Callable[[], float]:
    """A clock of processor time: this thread's as it is, what other threads work at the same time divided by how many they are.

    On a machine with two idle cores it goes as the clock on the wall does; on a busy one it stands still while others have the core.
    """
    mine = time.pthread_getcpuclockid(threading.get_ident())

    def seconds() -> float:
        alone = time.clock_gettime(mine)
        return alone + (time.process_time() - alone) / THREADS

    return seconds
