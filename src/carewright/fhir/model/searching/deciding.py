"""Whether a resource is what a search asks for. R4 leaves servers some room; here every answer is exact."""

from typing import Any

from carewright.fhir.model.searching import addresses, nearby, quantities, strings, tokens
from carewright.fhir.model.searching.definitions import Parameter, Part, Path
from carewright.fhir.model.searching.elements import Resource, elements, found, identity, local, values_of
from carewright.fhir.model.searching.ranges import date_matches, span_in
from carewright.fhir.model.searching.search import Composite, Criterion, Linked, Moment, Search, Server, Value
from carewright.kernel.invariants import invariant


def matches(search: Search, resource: Resource) -> bool:
    """Whether `resource` meets every criterion and every link of `search`, whose links are resolved."""
    return (
        resource.get("resourceType") == search.type
        and all(meets(search.server, criterion, resource) for criterion in search.criteria)
        and all(_is_linked(search.server, linked, resource) for linked in search.links)
    )


def meets(server: Server, criterion: Criterion, resource: Resource) -> bool:
    """Whether any value of `resource` is any alternative of `criterion`. `:not` asks for none, so that who has no value is found too."""
    parameter = criterion.parameter
    if criterion.modifier == "missing":
        return (next(values_of(parameter, resource), None) is None) in criterion.values
    if parameter.type == "composite":
        return any(_has_composite(server, parameter, value, resource) for value in criterion.values)
    held = list(values_of(parameter, resource))
    hit = any(_is(server, parameter, criterion.modifier, value, path, inner) for value in criterion.values for path, inner in held)
    return hit != (criterion.modifier == "not")


def _has_composite(server: Server, parameter: Parameter, value: Value, resource: Resource) -> bool:
    """R4, composite: one element has all the parts."""
    if not isinstance(value, Composite):
        return False
    return any(
        all(_has_part(server, part, inner, root, resource) for part, inner in zip(parameter.parts, value.values, strict=True))
        for at in parameter.on
        for root in elements(at, resource)
    )


def _has_part(server: Server, part: Part, value: Value, root: object, resource: Resource) -> bool:
    parameter = Parameter(part.type)
    return any(_is(server, parameter, "", value, path, inner) for path, inner in found(part.paths, root, resource))


def _is(server: Server, parameter: Parameter, modifier: str, value: Value, path: Path, held: Any) -> bool:
    """Whether one element `held` is what one alternative `value` means."""
    match value:
        case tokens.Token():
            return _is_token(modifier, value, path, held)
        case tokens.TypedIdentifier():
            return tokens.is_typed(value, held)
        case Moment(prefix, span):
            held_span = span_in(held, server.zone)
            return held_span is not None and date_matches(prefix, span, held_span, server.now)
        case quantities.Quantity():
            return quantities.matches(value, held)
        case addresses.Address():
            return addresses.matches(value, held, server.base)
        case nearby.Circle():
            return nearby.matches(value, held)
        case str():
            return _is_text(parameter, modifier, value, path, held)
        case _:
            return False


def _is_token(modifier: str, value: tokens.Token, path: Path, held: Any) -> bool:
    if modifier == "identifier":
        inner = held.get("identifier") if isinstance(held, dict) else None
        return inner is not None and tokens.matches(value, Path("identifier", "Identifier"), inner)
    return tokens.matches(value, path, held)


def _is_text(parameter: Parameter, modifier: str, value: str, path: Path, held: Any) -> bool:
    if parameter.type == "uri":
        return addresses.uri_matches(value, modifier, held)
    if modifier == "text":
        return tokens.has_text(value, path, held)
    return strings.matches(value, modifier or ("phonetic" if parameter.code == "phonetic" else ""), path, held)


def _is_linked(server: Server, linked: Linked, resource: Resource) -> bool:
    invariant(linked.found is not None, "a search is decided after its chains")
    reached = linked.found or frozenset()
    if linked.steps[0].is_reverse:
        return identity(resource) in reached
    return not reached.isdisjoint(pointed_at(server, linked.steps[0].parameter, resource))


def pointed_at(server: Server, parameter: Parameter, resource: Resource) -> frozenset[str]:
    """`Type/id` of every resource of this server that `resource` refers to by `parameter`."""
    places = (local(held["reference"], server.base) for _, held in values_of(parameter, resource) if _has_address(held))
    return frozenset(place for place in places if place)


def _has_address(held: Any) -> bool:
    return isinstance(held, dict) and isinstance(held.get("reference"), str)
