"""What a use case may leave out before anything is decided: never more than the search itself would.

Every field is a bound that each match keeps. None says nothing; an empty set says that there can be no match.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

import msgspec

from carewright.fhir.model.searching.addresses import Address
from carewright.fhir.model.searching.ranges import FIRST, LAST, Span, span_of
from carewright.fhir.model.searching.search import Criterion, Linked, Moment, Search, Server
from carewright.fhir.model.searching.strings import folded
from carewright.fhir.model.searching.tokens import Token

STARTS = frozenset({
    ("Appointment", "date"), ("AuditEvent", "date"), ("Encounter", "date"), ("Observation", "date"), ("Provenance", "recorded"),
    ("ServiceRequest", "authored"), ("Slot", "start"), ("Task", "authored-on"),
})  # fmt: skip
"""The date parameters that look at one instant alone; those of encounters and observations look at a period."""
NAMES = frozenset({"name", "family", "given"})
PATIENTS = frozenset({"patient", "subject", "beneficiary", "actor"})
INSTANT = timedelta(seconds=1)
"""An instant in a resource stands for a second at most, so that it may begin that much before a fraction that it is later than."""
EXACT_PREFIXES = frozenset({"eq", "gt", "ge", "sa", "lt", "eb", "le"})
EXACT_REFERENCES = {"patient": "Patient/", "practitioner": "Practitioner/"}
"""References of appointments that are looked up as they are asked for."""

Meant = TypeVar("Meant")


class Narrowing(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a search.

    `ids` and `patient_ids` are bare ids; `references` are `Type/id` by the code of the parameter, of which a resource has one at least; so
    it has an identifier of `identifiers`, and a text in its name that begins, folded, with one of `names`. Status, birthday and start are
    among `statuses`, on one of `born_on`, within `starts`; a period has a part of it there at least.
    """

    ids: frozenset[str] | None = None
    patient_ids: frozenset[str] | None = None
    references: Mapping[str, frozenset[str]] = {}
    statuses: frozenset[str] | None = None
    identifiers: frozenset[Token] | None = None
    names: frozenset[str] | None = None
    born_on: frozenset[date] | None = None
    starts: Span | None = None


def narrowing(search: Search) -> Narrowing:
    """The bounds of everything that `search` can find."""
    references = _references(search)
    return Narrowing(
        ids=_all_of([*_sets(search, _id), *_reverse(search)]),
        patient_ids=_first(_patients(references)),
        references=references,
        statuses=_all_of(_sets(search, _status)),
        identifiers=_first(_sets(search, _identifier)),
        names=_first(_sets(search, _name)),
        born_on=_all_of(_sets(search, lambda criterion, value: _birthday(search.server, criterion, value))),
        starts=_starts(search),
    )


def is_exact(search: Search) -> bool:
    """Whether every appointment within the bounds of `search` is a match, if all begin on whole seconds: nothing is left to decide."""
    codes = [criterion.parameter.code for criterion in search.criteria]
    return (
        search.type == "Appointment"
        and not search.links
        and all(codes.count(code) == 1 for code in codes if code != "date")
        and all(not criterion.modifier and all(_is_held(criterion, value) for value in criterion.values) for criterion in search.criteria)
    )


def _is_held(criterion: Criterion, value: object) -> bool:
    """Whether the bounds say everything that this alternative does."""
    code = criterion.parameter.code
    match value:
        case Moment():
            is_whole = not any(end.microsecond for end in value.span)
            return code == "date" and len(criterion.values) == 1 and value.prefix in EXACT_PREFIXES and is_whole
        case Token(system=None):
            return code in ("_id", "status")
        case Address() if code in EXACT_REFERENCES:
            return bool(value.locals) and all(place.startswith(EXACT_REFERENCES[code]) for place in value.locals)
        case _:
            return False


def _sets(search: Search, meant: Callable[[Criterion, object], Meant | None]) -> Iterator[frozenset[Meant]]:
    """For each criterion the set of what its alternatives mean, where all of them mean something."""
    for criterion in search.criteria:
        values = [meant(criterion, value) for value in criterion.values] if not criterion.modifier else [None]
        if None not in values:
            yield frozenset(value for value in values if value is not None)


def _all_of(sets: Iterable[frozenset[Meant]]) -> frozenset[Meant] | None:
    """What is in each of the sets; None where there are none."""
    held = list(sets)
    return frozenset.intersection(*held) if held else None


def _first(sets: Iterable[frozenset[Meant]]) -> frozenset[Meant] | None:
    """One of the sets: of several that may be met by different values, none narrows the other."""
    return next(iter(sets), None)


def _id(criterion: Criterion, value: object) -> str | None:
    return value.code if criterion.parameter.code == "_id" and isinstance(value, Token) else None


def _status(criterion: Criterion, value: object) -> str | None:
    return value.code.lower() if criterion.parameter.code == "status" and isinstance(value, Token) and value.code else None


def _identifier(criterion: Criterion, value: object) -> Token | None:
    return value if criterion.parameter.code == "identifier" and isinstance(value, Token) else None


def _name(criterion: Criterion, value: object) -> str | None:
    return folded(value) if criterion.parameter.code in NAMES and isinstance(value, str) else None


def _birthday(server: Server, criterion: Criterion, value: object) -> date | None:
    if criterion.parameter.code != "birthdate" or not isinstance(value, Moment) or value.prefix != "eq":
        return None
    day = value.span.start.astimezone(server.zone).date()
    return day if span_of(day.isoformat(), server.zone) == value.span else None


def _reverse(search: Search) -> Iterator[frozenset[str]]:
    """The ids of our type that the results of `_has` refer to."""
    for linked in search.links:
        if linked.found is not None and linked.steps[0].is_reverse:
            yield _bare(search.type, linked.found)


def _bare(resource_type: str, places: Iterable[str]) -> frozenset[str]:
    return frozenset(place.partition("/")[2] for place in places if place.startswith(f"{resource_type}/"))


def _references(search: Search) -> dict[str, frozenset[str]]:
    """By the code of a parameter, what a criterion or an answered chain asks of it: the first, since each may mean another reference."""
    return dict(reversed([*_asked(search.criteria), *_chained(search.links)]))


def _asked(criteria: Iterable[Criterion]) -> Iterator[tuple[str, frozenset[str]]]:
    for criterion in criteria:
        values = [value for value in criterion.values if isinstance(value, Address) and value.locals]
        if len(values) == len(criterion.values):
            yield criterion.parameter.code, frozenset(place for value in values for place in value.locals)


def _chained(links: Iterable[Linked]) -> Iterator[tuple[str, frozenset[str]]]:
    for linked in links:
        if linked.found is not None and not linked.steps[0].is_reverse:
            yield linked.steps[0].parameter.code, linked.found


def _patients(references: Mapping[str, frozenset[str]]) -> Iterator[frozenset[str]]:
    """The patients that references name, where they name nobody else."""
    for code, places in references.items():
        if code in PATIENTS and all(place.startswith("Patient/") for place in places):
            yield _bare("Patient", places)


def _starts(search: Search) -> Span | None:
    """Within which time every match begins."""
    hulls = [
        _hull([_bounds(value) for value in criterion.values if isinstance(value, Moment)])
        for criterion in search.criteria
        if (search.type, criterion.parameter.code) in STARTS and not criterion.modifier
    ]
    return Span(max(hull.start for hull in hulls), min(hull.end for hull in hulls)) if hulls else None


def _hull(spans: list[Span]) -> Span:
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _bounds(moment: Moment) -> Span:
    start, end = moment.span
    match moment.prefix:
        case "eq":
            return moment.span
        case "gt":
            return Span(_earliest(end), LAST)
        case "ge":
            return Span(_earliest(start), LAST)
        case "sa":
            return Span(end, LAST)
        case "lt" | "eb":
            return Span(FIRST, start)
        case "le":
            return Span(FIRST, end)
        case _:
            return Span(FIRST, LAST)


def _earliest(after: datetime) -> datetime:
    """When something begins that ends after `after`, at the earliest."""
    return max(after, FIRST + INSTANT) - INSTANT if after.microsecond else after
