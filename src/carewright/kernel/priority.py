"""How urgent a request is when not all can be answered: the classes P0 to P4, and the one that this piece of work belongs to.

It is a property of the address that is asked, never of who asks. A patient's urgency is something else (`flow`, triage).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum


class Priority(IntEnum):
    """The lower the number, the longer a request is answered. The numbers are those of docs/concepts/overload.md."""

    EMERGENCY = 0
    """Emergency alerts and arrivals, acknowledgements, what is done at an incident."""
    PRESENCE = 1
    """Who is here or just coming: check-in, the queue, joining a virtual visit."""
    CHANGE = 2
    """Writes: bookings above all. Work that nobody waits for at a screen counts as this, too."""
    LOOK = 3
    """Browsing and searching."""
    REPORT = 4
    """Reports, exports, feeds: programs, which come again."""

    @property
    def label(self) -> str:
        """`P0` to `P4`."""
        return f"P{self.value}"


_current: ContextVar[Priority | None] = ContextVar("priority", default=None)


def current() -> Priority | None:
    """The priority of the request that the caller works for; None for work that no request asked for."""
    return _current.get()


@contextmanager
def working_as(priority: Priority | None) -> Iterator[None]:
    """Have the caller, and the tasks that it starts, work for a request of this priority until the block ends."""
    before = _current.set(priority)
    try:
        yield
    finally:
        _current.reset(before)
