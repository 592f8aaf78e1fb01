"""What searches share: every page of an answer, and the ids that can be ours."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.fhir.refusals import SearchTooWide
from carewright.fhir.model.pointing import uuid_or_none
from carewright.fhir.model.searching.narrowing import Narrowing

CANDIDATES_MAX = 5_000
"""What one search may go through. A department's month of appointments is fewer."""


async def every_page(ask: Callable[[Any], Awaitable[Any]], query: Any) -> list[Any]:
    """The items of all pages of a search. Raises `SearchTooWide` where there are too many."""
    found: list[Any] = []
    while True:
        page = await ask(query)
        found += page.items
        if page.next is None:
            return found
        ensure_not_too_many(len(found))
        query = msgspec.structs.replace(query, after=page.next)


def ensure_not_too_many(found: int) -> None:
    if found >= CANDIDATES_MAX:
        raise SearchTooWide(f"This search would go through more than {CANDIDATES_MAX:,} resources. Narrow it.")


def uuids(ids: Iterable[str] | None) -> tuple[UUID, ...] | None:
    """The ids that any of ours can be; None where none were named."""
    return None if ids is None else tuple(found for each in sorted(ids) if (found := uuid_or_none(each)))


def named(bounds: Narrowing, code: str) -> frozenset[str] | None:
    """The bare ids that a reference parameter names."""
    places = bounds.references.get(code)
    return None if places is None else frozenset(place.partition("/")[2] for place in places)
