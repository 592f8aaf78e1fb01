"""What belongs to a page besides its matches (R4, _include and _revinclude).

A rim asks both functions of the matches, fetches, and asks again of what it fetched with `is_iterated`, `INCLUDE_ROUNDS_MAX` times at most.
"""

from collections.abc import Iterable, Iterator, Sequence

from carewright.fhir.model.searching.addresses import Address
from carewright.fhir.model.searching.deciding import pointed_at
from carewright.fhir.model.searching.definitions import ANY_TYPE
from carewright.fhir.model.searching.elements import Resource, identity
from carewright.fhir.model.searching.search import Criterion, Include, Search


def references_of(search: Search, resources: Iterable[Resource], *, is_iterated: bool = False) -> frozenset[str]:
    """`Type/id` of what `_include` wants of `resources`; of what was included itself only what is iterated."""
    includes = list(_of(search, is_reverse=False, is_iterated=is_iterated))
    return frozenset(
        place
        for resource in resources
        for include in includes
        if include.source == resource.get("resourceType")
        for parameter in include.parameters
        for place in pointed_at(search.server, parameter, resource)
        if include.target in (None, place.partition("/")[0])
    )


def referring(search: Search, resources: Sequence[Resource], *, is_iterated: bool = False) -> tuple[Search, ...]:
    """The searches that find what `_revinclude` wants: everything that refers to any of `resources`."""
    made = (
        _referring(search, include, resources) for include in _of(search, is_reverse=True, is_iterated=is_iterated)
    )  # fmt: skip
    return tuple(each for searches in made for each in searches)


def _of(search: Search, *, is_reverse: bool, is_iterated: bool) -> Iterator[Include]:
    return (each for each in search.includes if each.is_reverse == is_reverse and (each.is_iterated or not is_iterated))


def _referring(search: Search, include: Include, resources: Sequence[Resource]) -> Iterator[Search]:
    for parameter in include.parameters:
        meant = [each for each in resources if include.target in (None, each.get("resourceType"))]
        places = frozenset(
            identity(each) for each in meant if ANY_TYPE in parameter.targets or each.get("resourceType") in parameter.targets
        )  # fmt: skip
        if places:
            yield Search(type=include.source, server=search.server, criteria=(Criterion(parameter, "", (Address(places),)),))
