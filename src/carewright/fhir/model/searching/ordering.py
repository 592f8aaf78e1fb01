"""The order of what was found (R4, _sort): total, so that every page has its place, and the same whatever came in which order.

Where a resource has several values the lowest counts, backwards the highest. One without a value comes last either way; equals go by
their ids.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cmp_to_key, partial
from typing import Any

from carewright.fhir.model.searching import strings, tokens
from carewright.fhir.model.searching.definitions import Path
from carewright.fhir.model.searching.elements import Resource, identity, values_of
from carewright.fhir.model.searching.ranges import decimal_of, span_in
from carewright.fhir.model.searching.search import Search, Server, Sort

Key = str | float | None
Place = tuple[Key, ...]
"""A key for each `_sort`, None where there is no value, and `Type/id`. Keys of one `_sort` are of one type."""
NUMERIC = frozenset({"number", "quantity"})


def order(search: Search, resources: Iterable[Resource]) -> list[Resource]:
    """`resources` as the search wants them sorted."""
    return [resource for _, resource in ranked(search, resources)]


def ranked(search: Search, resources: Iterable[Resource]) -> list[tuple[Place, Resource]]:
    """Each resource with its place, in order."""
    placed = [(place(search, resource), resource) for resource in resources]
    by_place = cmp_to_key(partial(compared, search.sorts))
    return sorted(placed, key=lambda each: by_place(each[0]))


def place(search: Search, resource: Resource) -> Place:
    return (*(_key(search.server, sort, resource) for sort in search.sorts), identity(resource))


def compared(sorts: Sequence[Sort], one: Place, other: Place) -> int:
    """Below zero where `one` comes before `other`, above where after."""
    for sort, mine, theirs in zip(sorts, one, other, strict=False):
        if mine != theirs:
            if mine is None or theirs is None:
                return 1 if mine is None else -1
            return _sign(mine, theirs) * (-1 if sort.is_descending else 1)
    return _sign(one[-1], other[-1])


def _sign(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _key(server: Server, sort: Sort, resource: Resource) -> Key:
    keys: list[Any] = [key for path, held in values_of(sort.parameter, resource) for key in _keys(server, sort.parameter.type, path, held)]
    chosen: Key = (max if sort.is_descending else min)(keys, default=None)
    return chosen


def _keys(server: Server, kind: str, path: Path, held: Any) -> Iterator[Any]:
    """What one element is sorted by: text, or a number where the type is numeric."""
    if kind == "date":
        if span := span_in(held, server.zone):
            yield span.start.isoformat(timespec="microseconds")
    elif kind in NUMERIC:
        if (number := decimal_of(held.get("value") if isinstance(held, dict) else held)) is not None:
            yield float(number)
    elif kind == "token":
        yield from (each.code.casefold() for each in tokens.held_in(path, held))
    elif kind == "string":
        yield from filter(None, [strings.in_full(path, held)])
    elif isinstance(text := held.get("reference") if isinstance(held, dict) else held, str):
        yield text
