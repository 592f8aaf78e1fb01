"""Chains and `_has` (R4, Chained Parameters and Reverse Chaining) as a plan: searches to answer first, and what their answers mean."""

from collections.abc import Iterable, Sequence

import msgspec

from carewright.fhir.model.searching.deciding import pointed_at
from carewright.fhir.model.searching.elements import Resource, identity
from carewright.fhir.model.searching.search import Linked, Search, Step


def chains(search: Search) -> tuple[Step, ...]:
    """The searches (`inner` of each) whose results `resolved` wants, in its order; each may have chains of its own."""
    return tuple(step for linked in search.links if linked.found is None for step in linked.steps)


def resolved(search: Search, answers: Sequence[Iterable[Resource]]) -> Search:
    """`search` with the results of its `chains` put in. For a chain `resourceType` and `id` of each result are enough."""
    rest = iter(zip(chains(search), answers, strict=True))
    links = tuple(linked if linked.found is not None else _answered(search, linked, rest) for linked in search.links)
    return msgspec.structs.replace(search, links=links)


def _answered(search: Search, linked: Linked, rest: Iterable[tuple[Step, Iterable[Resource]]]) -> Linked:
    pairs = (pair for pair, _ in zip(rest, linked.steps, strict=False))
    reached = frozenset(place for step, results in pairs for place in _reached(search, step, results))
    return msgspec.structs.replace(linked, found=reached)


def _reached(search: Search, step: Step, results: Iterable[Resource]) -> Iterable[str]:
    for result in results:
        if step.is_reverse:
            yield from pointed_at(search.server, step.parameter, result)
        else:
            yield identity(result)
