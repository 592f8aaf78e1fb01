"""Searches: which parameters go together, and what each asks of a resource."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from carewright.mock.ehr.answers import Resource, Wrong
from carewright.mock.ehr.profile import Search
from carewright.mock.ehr.records import Records

DATES = ("date", "start")
ALWAYS = frozenset({"_count", "_format", "_include"})
PREFIXES: Mapping[str, Callable[[datetime, datetime], bool]] = {
    "ge": lambda at, bound: at >= bound,
    "gt": lambda at, bound: at > bound,
    "le": lambda at, bound: at <= bound,
    "lt": lambda at, bound: at < bound,
}
Query = Sequence[tuple[str, str]]
NOBODY: Resource = {"reference": ""}


def ensure_allowed(search: Search, query: Query) -> list[str]:
    """The parameters that are not known. Raises `Wrong` where what a search needs is not there, is there together, or is no date."""
    given = [name for name, _ in query]
    if not any(set(needed) <= set(given) for needed in search.needs):
        ways = " or ".join(" with ".join(needed) for needed in search.needs)
        raise Wrong(400, "required", f"This search needs {ways}.")
    if sum(name in search.apart for name in given) > 1:
        raise Wrong(400, "invalid", f"Only one of {', '.join(search.apart)} may be given, and once.")
    for name, value in query:
        if name in DATES:
            _bound(value)
    return [name for name in dict.fromkeys(given) if name not in search.parameters | ALWAYS]


def found(records: Records, kind: str, search: Search, query: Query) -> list[Resource]:
    """What meets every parameter that is known, in the order of its start or its id."""
    wanted = [(name, value.split(",")) for name, value in query if name in search.parameters]
    by_id = any(name == "_id" for name, _ in wanted)
    matched = [
        each for each in records.all(kind)
        if all(any(MATCHES[name](records, each, value) for value in values) for name, values in wanted)
        and (kind != "Slot" or by_id or each["status"] == "free")
    ]  # fmt: skip
    return sorted(matched, key=lambda each: (each.get("start", ""), each["id"]))


def _is_token(tokens: Iterable[Resource], value: str, part: str) -> bool:
    """Whether one of identifiers (`part` value) or codings (`part` code) is `system|value`, or the value alone."""
    system, bar, code = value.rpartition("|")
    return any(each.get(part) == code and (not bar or each.get("system", "") == system) for each in tokens)


def _identified(_: Records, resource: Resource, value: str) -> bool:
    return _is_token(resource.get("identifier", ()), value, "value")


def _coded(element: str) -> Callable[[Records, Resource, str], bool]:
    def matches(_: Records, resource: Resource, value: str) -> bool:
        concepts = resource.get(element, ())
        listed = concepts if isinstance(concepts, list) else [concepts]
        return any(_is_token(concept.get("coding", ()), value, "code") for concept in listed)

    return matches


def _named(*parts: str) -> Callable[[Records, Resource, str], bool]:
    """Names are asked by their beginning."""

    def matches(_: Records, resource: Resource, value: str) -> bool:
        names = resource.get("name", ())
        if isinstance(names, str):
            return names.casefold().startswith(value.casefold())
        said = (text for name in names for part in parts for text in _listed(name.get(part)))
        return any(text.casefold().startswith(value.casefold()) for text in said)

    return matches


def _says(element: str) -> Callable[[Records, Resource, str], bool]:
    return lambda _, resource, value: str(resource.get(element)).casefold() == value.casefold()


def _takes_part(kind: str) -> Callable[[Records, Resource, str], bool]:
    def matches(_: Records, resource: Resource, value: str) -> bool:
        asked = value if "/" in value else f"{kind}/{value}"
        actors = [part["actor"] for part in resource.get("participant", ())]
        return any(actor["reference"] == asked for actor in (*actors, resource.get("beneficiary", NOBODY)))

    return matches


def _of_schedule(kind: str) -> Callable[[Records, Resource, str], bool]:
    def matches(records: Records, resource: Resource, value: str) -> bool:
        schedule = records.get("Schedule", resource["schedule"]["reference"].partition("/")[2])
        asked = value if "/" in value else f"{kind}/{value}"
        return any(actor["reference"] == asked for actor in schedule["actor"])

    return matches


def _starts(_: Records, resource: Resource, value: str) -> bool:
    at = datetime.fromisoformat(resource["start"])
    compare, bound = PREFIXES.get(value[:2]), _bound(value)
    return compare(at, bound) if compare else bound <= at < bound + timedelta(days=1)


def _bound(value: str) -> datetime:
    """The instant behind the prefix. Raises `Wrong` for what is none."""
    text = value[2:] if value[:2] in PREFIXES else value
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(400, "value", "A date is written as 2026-11-26 or 2026-11-26T08:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _listed(value: object) -> list[str]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


MATCHES: Mapping[str, Callable[[Records, Resource, str], bool]] = {
    "_id": lambda _, resource, value: resource["id"] == value,
    "identifier": _identified,
    "family": _named("family"),
    "given": _named("given"),
    "name": _named("family", "given"),
    "birthdate": _says("birthDate"),
    "gender": _says("gender"),
    "active": _says("active"),
    "status": _says("status"),
    "url": lambda _, resource, value: resource["channel"]["endpoint"] == value,
    "telecom": lambda _, resource, value: any(each["value"] == value for each in resource.get("telecom", ())),
    "-physicalType": _coded("physicalType"),
    "service-type": _coded("serviceType"),
    "patient": _takes_part("Patient"),
    "beneficiary": _takes_part("Patient"),
    "practitioner": _takes_part("Practitioner"),
    "location": _takes_part("Location"),
    "schedule.actor": _of_schedule("Practitioner"),
    "-location": _of_schedule("Location"),
    "date": _starts,
    "start": _starts,
}
