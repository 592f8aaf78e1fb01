"""Handing many things over at once, some of which may be refused."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from carewright.kernel.errors import Refusal

Item = TypeVar("Item")
ABOUT_WHAT_WAS_SENT = frozenset({400, 404, 409, 413, 422})
"""Statuses of refusals about what was sent. Others (no permission, not available) would meet every item, so they end the whole."""


async def in_halves(
    items: Sequence[Item], send: Callable[[Sequence[Item]], Awaitable[None]], refused: Callable[[Item, Refusal], None]
) -> None:
    """Send `items` together; what is refused is halved until the items at fault stand alone, and each is told to `refused`."""
    if not items:
        return
    try:
        await send(items)
    except Refusal as refusal:
        if refusal.status not in ABOUT_WHAT_WAS_SENT:
            raise
        if len(items) == 1:
            refused(items[0], refusal)
            return
        middle = len(items) // 2
        await in_halves(items[:middle], send, refused)
        await in_halves(items[middle:], send, refused)
