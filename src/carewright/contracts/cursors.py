"""Cursors that whoever knows a place may write, and not only whoever showed the page before."""

from uuid import UUID

from carewright.kernel.values import Instant


def cursor_behind(start: Instant, id_: UUID) -> str:
    """The cursor of a page that ended with the appointment of this start and id."""
    return f"{int(start.timestamp())}.{id_}"
