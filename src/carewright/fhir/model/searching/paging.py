"""Pages of what was found, and the links between them.

A cursor is the place of the last resource shown, not a number of resources to pass over: what is added or taken away meanwhile moves
nothing. It holds what the search sorts by, which may be a person's, so a caller seals it before it goes into an address.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from carewright.fhir.model.searching.elements import Resource
from carewright.fhir.model.searching.ordering import NUMERIC, Place, compared, place, ranked
from carewright.fhir.model.searching.refusals import BadCursor
from carewright.fhir.model.searching.results import CURSOR, SHAPING
from carewright.fhir.model.searching.search import Pairs, Search

Relation = Literal["self", "first", "previous", "next"]
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/,*@")
"""What RFC 3986 lets stand in a query and no form decoder takes for anything else."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The page after `place`, or the one before it. `digest` is of the search that it belongs to."""

    digest: str
    place: tuple[str | float | None, ...]
    is_backward: bool = False


class Page(msgspec.Struct, frozen=True):
    """One page of matches, in order, and where the ones beside it begin; None where there is nothing more."""

    resources: tuple[Resource, ...]
    previous: Cursor | None
    next: Cursor | None


NOTHING = Page((), None, None)


def page(search: Search, resources: Iterable[Resource], cursor: Cursor | None = None) -> Page:
    """The page of `search` at `cursor` among all of its matches, or its first."""
    places = ranked(search, resources)
    if cursor is None:
        first = 0
    elif cursor.is_backward:
        first = max(0, sum(compared(search.sorts, each, cursor.place) < 0 for each, _ in places) - search.count)
    else:
        first = sum(compared(search.sorts, each, cursor.place) <= 0 for each, _ in places)
    shown = places[first : _end(search, places, first, cursor)]
    return page_of(search, [resource for _, resource in shown], is_first=first == 0, is_last=first + len(shown) >= len(places))


def page_of(search: Search, shown: Sequence[Resource], *, is_first: bool, is_last: bool) -> Page:
    """The page that shows these, in their order."""
    if not shown:
        return NOTHING
    return Page(
        tuple(shown),
        None if is_first else Cursor(_digest(search), place(search, shown[0]), is_backward=True),
        None if is_last else Cursor(_digest(search), place(search, shown[-1])),
    )


def _end(search: Search, places: list[tuple[Place, Resource]], first: int, cursor: Cursor | None) -> int:
    """Where a page ends. A page backwards never shows again what it came from."""
    end = first + search.count
    if cursor and cursor.is_backward:
        end = min(end, sum(compared(search.sorts, each, cursor.place) < 0 for each, _ in places))
    return end


def _digest(search: Search) -> str:
    """Of what decides matches and order; what only shapes the answer may change between pages."""
    deciding = [pair for pair in search.used if pair[0].partition(":")[0] not in SHAPING or pair[0] == "_sort"]
    return hashlib.sha256(msgspec.json.encode((search.type, deciding))).hexdigest()[:16]


def encoded(cursor: Cursor) -> bytes:
    """A cursor as bytes, to be sealed."""
    return msgspec.json.encode(cursor)


def decoded(search: Search, data: bytes) -> Cursor:
    """The cursor in the bytes that `encoded` made for the same search. Raises `BadCursor` for any other."""
    try:
        cursor = msgspec.json.decode(data, type=Cursor)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadCursor.of(CURSOR) from None
    kinds = (*(float if sort.parameter.type in NUMERIC else str for sort in search.sorts), str)
    fits = len(cursor.place) == len(kinds) and all(
        key is None or isinstance(key, kind) for key, kind in zip(cursor.place, kinds, strict=True)
    )  # fmt: skip
    if cursor.digest != _digest(search) or not fits or cursor.place[-1] is None:
        raise BadCursor.of(CURSOR)
    return cursor


def links(search: Search, shown: Page, seal: Callable[[bytes], str]) -> dict[Relation, str]:
    """The addresses of this page and those beside it. The one of itself shows what was understood, with the count that was applied."""
    pairs = (*(pair for pair in search.used if pair[0] not in ("_count", CURSOR)), ("_count", str(search.count)))
    here = ((CURSOR, search.cursor),) if search.cursor else ()
    made: dict[Relation, str] = {"self": _address(search, (*pairs, *here)), "first": _address(search, pairs)}
    if shown.previous:
        made["previous"] = _address(search, (*pairs, (CURSOR, seal(encoded(shown.previous)))))
    if shown.next:
        made["next"] = _address(search, (*pairs, (CURSOR, seal(encoded(shown.next)))))
    return made


def _address(search: Search, pairs: Pairs) -> str:
    return f"{search.server.base.rstrip('/')}/{search.type}?{query_of(pairs)}"


def query_of(pairs: Pairs) -> str:
    """The pairs as the query of an address."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def _quoted(text: str) -> str:
    return "".join(chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in text.encode())
