"""What searches share: every page of an answer, and the ids that can be ours."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.fhir.refusals import SearchTooWide
from carewright.fhir.model.pointing import uuid_or_none
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.searching.ranges import FIRST, LAST, Span

CANDIDATES_MAX = 5_000
"""What one search may go through. A department's month of appointments is fewer."""


async def every_page(ask: Callable[[Any], Awaitable[Any]], query: Any, plural: str = "items") -> list[Any]:
    """What all pages of a search have as `plural`. Raises `SearchTooWide` where there is too much."""
    found: list[Any] = []
    while True:
        page = await ask(query)
        found += getattr(page, plural)
        if page.next is None:
            return found
        ensure_not_too_many(len(found))
        query = msgspec.structs.replace(query, after=page.next)


def ensure_not_too_many(found: int) -> None:
    if found >= CANDIDATES_MAX:
        raise SearchTooWide(f"This search would go through more than {CANDIDATES_MAX:,} resources. Narrow it.")


def ends(starts: Span | None) -> tuple[datetime | None, datetime | None]:
    """From when and until when; None where a side is open."""
    if starts is None:
        return None, None
    return starts.start if starts.start > FIRST else None, starts.end if starts.end < LAST else None


def uuids(ids: Iterable[str] | None) -> tuple[UUID, ...] | None:
    """The ids that any of ours can be; None where none were named."""
    return None if ids is None else tuple(found for each in sorted(ids) if (found := uuid_or_none(each)))


def named(bounds: Narrowing, code: str) -> frozenset[str] | None:
    """The bare ids that a reference parameter names."""
    places = bounds.references.get(code)
    return None if places is None else frozenset(place.partition("/")[2] for place in places)
