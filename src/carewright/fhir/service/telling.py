"""What a use case refuses, told with the element that its sender wrote."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from carewright.kernel.errors import Refusal

Answer = TypeVar("Answer")


async def told(work: Awaitable[Answer], kind: type[Refusal], expression_of: Callable[[str], str]) -> Answer:
    """What the use case answers. A refusal of this kind, which names one of our fields, gets the FHIRPath of the element besides."""
    try:
        return await work
    except kind as refusal:
        place = expression_of(str(refusal.facts.get("field", "")))
        raise kind(refusal.detail, **refusal.facts | {"expression": place}) from None
