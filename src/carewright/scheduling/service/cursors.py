"""Where a page ends: of appointments by start, then by id, so that it stays where it is while others book; of all else by id alone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from carewright.contracts.cursors import cursor_behind
from carewright.contracts.scheduling import Appointment
from carewright.kernel.errors import BadInput
from carewright.kernel.values import EARLIEST

NO_ID = UUID(int=0)
"""Before every id."""
Place = tuple[datetime, UUID]


class Known(Protocol):
    """Something with an id."""

    @property
    def id(self) -> UUID: ...


T = TypeVar("T", bound=Known)


def page_of(found: Sequence[T], limit: int) -> tuple[tuple[T, ...], UUID | None]:
    """The page, and behind which id the next begins. `found` is one more where there is a next."""
    items = tuple(found[:limit])
    return items, items[-1].id if len(found) > len(items) else None


def cursor_of(last: Appointment) -> str:
    """The cursor of a page that ends with this appointment."""
    return cursor_behind(last.start, last.id)


def place_after(cursor: str | None) -> Place:
    """Where the page begins: (start, id) of the last one shown before. Raises `BadInput`."""
    if cursor is None:
        return EARLIEST, NO_ID
    seconds, _, text = cursor.partition(".")
    try:
        return datetime.fromtimestamp(int(seconds), UTC), UUID(text)
    except (ValueError, OverflowError, OSError) as fault:
        raise BadInput("`after` is not a cursor of an earlier page.", parameter="after") from fault
