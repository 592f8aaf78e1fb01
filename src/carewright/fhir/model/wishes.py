"""What a `$find` asks for (IHE ITI-115, its OperationDefinition): its parameters understood, and the order in which they are preferred."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.directory import Location, PostalAddress, ServiceSummary
from carewright.contracts.fhir.basics import VISIT_TYPES
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement, SearchTooWide
from carewright.fhir.model.parameters import Given, Parameters, pointer_to, reference_of, token_of
from carewright.fhir.model.pointing import uuid_or_none
from carewright.kernel.values import Instant

MEDPLUM = ("schedule", "service-type-reference")
"""Parameters by which we know who asks as Medplum's clients do."""
BY_SERVICE = ("specialty", "service-type-reference")
"""Parameters by which kinds of visits are looked up through their services."""
COUNT, COUNT_MAX = 50, 200
SEARCHES_MAX = 24
"""Kinds of visits times practitioners times places of one `$find`: each is a search of its own."""
UNHEEDED = ("patient-resource", "reason", "referral-identifier", "insurance-reference", "ignore-appointment", "occurrence-count")
"""Parameters of ITI-115, and two of Medplum's, that make no difference to what is found here."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYTIMES: Mapping[str, tuple[int, int]] = {"MORN": (0, 720), "AFT": (720, 1080), "EVE": (1080, 1440)}
"""Timing.repeat.when by minutes of the site's day. R4's event-timing says no hours; these are ours."""
HEEDED = frozenset({"dayOfWeek", "when", "boundsPeriod"})
Key = tuple[str, str]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What names are looked up in: services with their kinds of visits, sites, practitioners by identifier (system, value)."""

    services: tuple[ServiceSummary, ...]
    sites: tuple[Location, ...]
    practitioners: Mapping[Key, UUID] = {}


class Preferred(msgspec.Struct, frozen=True, kw_only=True):
    """When within the span: days of the week (0 is Monday), and minutes of the site's day."""

    weekdays: tuple[int, ...] = ()
    earliest_minute: int | None = None
    latest_minute: int | None = None


class Choice(NamedTuple):
    """One search: a kind of visit, with somebody in particular or anybody, at one site or any. A lower `rank` is preferred."""

    rank: int
    visit_type_id: UUID
    practitioner_id: UUID | None
    site_id: UUID | None


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """A `$find`, understood. `shows_slots` is Medplum's way: the slots that would be taken are contained."""

    start: datetime
    end: datetime
    choices: tuple[Choice, ...]
    preferred: Preferred = Preferred()
    patient_id: UUID | None = None
    shows_slots: bool = False
    count: int = COUNT
    unheeded: tuple[str, ...] = ()


def read_wishes(given: Parameters, known: Known, base: str) -> Wishes:
    """Raises `MissingElement`, `InvalidElement`, `SearchTooWide`."""
    timing = _timing(given)
    start, end = _span(given, timing)
    choices = _choices(_visit_types(given, known.services, base), _practitioners(given, known, base), _sites(given, known.sites, base))
    return Wishes(
        start=start, end=end, preferred=_preferred(timing), choices=choices if start < end else (),
        patient_id=_patient(given, base),
        shows_slots=any(given.many(name) for name in MEDPLUM),
        count=_count(given), unheeded=tuple(_unheeded(given, timing)),
    )  # fmt: skip


def own_ids(given: Parameters) -> list[UUID] | None:
    """The kinds of visits where all that are asked for are named by ids of ours; None where they have to be looked up by something else."""
    ids = [_own_id(each) for each in given.many("visit-type")]
    if not ids or any(given.many(name) for name in BY_SERVICE):
        return None
    return [each for each in ids if each] if None not in ids else None


def identifiers_of(given: Parameters) -> list[Key]:
    """Practitioners who are named by an identifier, as ITI-115's example does."""
    return [found for each in given.many("practitioner") if (found := _identifier(reference_of(each)))]


def _choices(groups: Sequence[Sequence[UUID]], practitioners: Sequence[UUID | None], sites: Sequence[UUID | None]) -> tuple[Choice, ...]:
    """By kind of visit first, then by who, then by where. Kinds of one group are liked alike."""
    ranks: dict[tuple[UUID, UUID | None, UUID | None], int] = {}
    for rank, (group, who, where) in enumerate(product(groups, practitioners, sites)):
        for each in group:
            ranks.setdefault((each, who, where), rank)
    choices = tuple(Choice(rank, *what) for what, rank in ranks.items())
    if len(choices) > SEARCHES_MAX:
        raise SearchTooWide("Name fewer kinds of visits, practitioners or places at a time.", expression="visit-type")
    return choices


def _span(given: Parameters, timing: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = given.instant("start"), given.instant("end")
    if end <= start:
        raise InvalidElement("The end comes after the start.", expression="end")
    bounds = timing.get("boundsPeriod") or {}
    return max(start, _edge(bounds, "start") or start), min(end, _edge(bounds, "end") or end)


def _edge(bounds: Mapping[str, Any], side: str) -> datetime | None:
    if bounds.get(side) is None:
        return None
    try:
        return msgspec.convert(bounds[side], Instant)
    except msgspec.ValidationError:
        raise InvalidElement("An instant with its offset belongs here.", expression=f"timing.repeat.boundsPeriod.{side}") from None


def _visit_types(given: Parameters, services: Sequence[ServiceSummary], base: str) -> list[list[UUID]]:
    """In groups of equal preference: by `visit-type`, our code or the name of one; by a service (Medplum's way); by `specialty`."""
    named = [*_of_services(given, services, base), *([each] for each in _named(given, services))]
    specialties = [_of_specialty(token_of(each), services) for each in given.many("specialty")]
    if not named and not specialties:
        raise MissingElement("Name a visit-type or a specialty.", expression="visit-type")
    if not named:
        return specialties
    within = {each for group in specialties for each in group}
    return [[each for each in group if each in within] for group in named] if specialties else named


def _of_services(given: Parameters, services: Iterable[ServiceSummary], base: str) -> list[list[UUID]]:
    asked = given.many("service-type-reference")
    offered = {pointer_to("HealthcareService", each, base) for each in asked}
    found = [[each.id for each in one.visit_types] for one in services if one.service.id in offered]
    if asked and not any(found):
        raise InvalidElement("We do not know this HealthcareService.", expression="service-type-reference")
    return found


def _named(given: Parameters, services: Iterable[ServiceSummary]) -> list[UUID]:
    known = {each.id: each.name.casefold() for one in services for each in one.visit_types if each.active}
    found: dict[UUID | None, None] = {}
    for each in given.many("visit-type"):
        by_id, name = _own_id(each), token_of(each)[1].casefold()
        matching = [by_id] if by_id in known else [id_ for id_, called in known.items() if called == name]
        if not matching:
            raise InvalidElement(
                "We offer no such kind of visit. HealthcareService.type names those there are.", expression=each.expression
            )
        found |= dict.fromkeys(matching)
    return [each for each in found if each]


def _own_id(visit_type: Given) -> UUID | None:
    """The id that a kind of visit is named by, if it is named by one of ours."""
    system, code = token_of(visit_type)
    return uuid_or_none(code) if system in (None, VISIT_TYPES) else None


def _of_specialty(asked: tuple[str | None, str], services: Iterable[ServiceSummary]) -> list[UUID]:
    system, code = asked
    fitting = [one for one in services if one.service.specialty.code == code and system in (None, one.service.specialty.system)]
    return [each.id for one in fitting for each in one.visit_types if each.active]


def _practitioners(given: Parameters, known: Known, base: str) -> tuple[UUID | None, ...]:
    """Those named as `practitioner`, or by their calendars as Medplum's `schedule` does: ours have the ids of their actors."""
    named = [_practitioner(each, known, base) for each in given.many("practitioner")]
    return (*named, *(pointer_to("Schedule", each, base) for each in given.many("schedule"))) or (None,)


def _practitioner(each: Given, known: Known, base: str) -> UUID:
    identifier = _identifier(reference_of(each))
    if identifier is None:
        return pointer_to("Practitioner", each, base)
    if identifier not in known.practitioners:
        raise InvalidElement("We know nobody by this identifier.", expression=each.expression)
    return known.practitioners[identifier]


def _identifier(reference: Mapping[str, Any]) -> Key | None:
    one = reference.get("identifier")
    if reference.get("reference") is not None or not isinstance(one, dict):
        return None
    system, value = one.get("system"), one.get("value")
    return (system, value) if isinstance(system, str) and isinstance(value, str) else None


def _sites(given: Parameters, sites: Iterable[Location], base: str) -> tuple[UUID | None, ...]:
    """The sites that are asked for by reference, by a part of their address, by their organization; by preference. None is any."""
    ways = [
        [[pointer_to("Location", each, base)] for each in given.many("location-reference")],
        [[one.id for one in sites if _lies_in(one, each)] for each in given.many("location-string")],
        [[one.id for one in sites if one.managing_organization_id == pointer_to("Organization", each, base)]
         for each in given.many("organization")],
    ]  # fmt: skip
    asked = [dict.fromkeys(each for group in way for each in group) for way in ways if way]
    if not asked:
        return (None,)
    return tuple(each for each in asked[0] if all(each in other for other in asked[1:]))


def _lies_in(site: Location, place: Given) -> bool:
    """FHIR's string search of an Address: some part begins with what was said, whatever its case."""
    if not isinstance(place.value, str) or not place.value.strip():
        raise InvalidElement("A part of an address belongs here.", expression=place.expression)
    begins = place.value.strip().casefold()
    postal = site.postal or PostalAddress()
    parts = (site.address or "", *postal.lines, postal.city, postal.district, postal.state, postal.postal_code, postal.country)
    return any(each.casefold().startswith(begins) for each in parts)


def _patient(given: Parameters, base: str) -> UUID | None:
    who = given.one("patient-reference")
    return pointer_to("Patient", who, base) if who else None


def _count(given: Parameters) -> int:
    text = given.one("_count")
    if text is None:
        return COUNT
    if not str(text.value).isascii() or not str(text.value).isdigit():
        raise InvalidElement("_count is a number.", expression="_count")
    return min(int(str(text.value)[:6]), COUNT_MAX)


def _timing(given: Parameters) -> Mapping[str, Any]:
    """Timing.repeat, if there is one."""
    timing = given.one("timing")
    repeat = timing.value.get("repeat") if timing and isinstance(timing.value, dict) else None
    return repeat if isinstance(repeat, dict) else {}


def _preferred(timing: Mapping[str, Any]) -> Preferred:
    days = [each for each in timing.get("dayOfWeek", ()) if each in WEEKDAYS]
    earliest, latest = _daytime(timing) or (None, None)
    return Preferred(weekdays=tuple(WEEKDAYS.index(each) for each in days), earliest_minute=earliest, latest_minute=latest)


def _daytime(timing: Mapping[str, Any]) -> tuple[int, int] | None:
    """One part of the day; several would not always be one stretch."""
    when = timing.get("when", ())
    return DAYTIMES.get(when[0]) if len(when) == 1 and isinstance(when[0], str) else None


def _unheeded(given: Parameters, timing: Mapping[str, Any]) -> Iterator[str]:
    """What was asked and makes no difference to what is found."""
    yield from (name for name in UNHEEDED if given.many(name))
    if given.many("timing") and (not timing or not timing.keys() <= HEEDED or ("when" in timing and not _daytime(timing))):
        yield "timing"
