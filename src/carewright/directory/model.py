"""What makes an entry of the directory sound: pure rules over the entries of one change and what their references lead to."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.directory import (
    BookingRules,
    Device,
    HealthcareService,
    Identifier,
    InvalidResource,
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    Prerequisite,
    PutResources,
    Requirement,
    Resource,
    VisitType,
)
from carewright.kernel.errors import BadInput
from carewright.kernel.folding import folded

RESOURCES_MAX = 5_000
"""Entries in one change. Larger loads come in batches."""
ENTRY_BYTES_MAX = 32 * 1024
IDENTIFIER_LENGTH_MAX = 255
"""Keeps the longest identifier of four-byte letters within one index row (2,704 bytes)."""
NAME_LENGTH_MAX = 200
IDENTIFIERS_ASKED_MAX = 1_000
REQUIREMENTS_MAX = 20
COUNT_MAX = 20
TICK_MINUTES = 5
VISIT_MINUTES_MAX = 24 * 60
BUFFER_MINUTES_MAX = 240
GRID_MINUTES_MAX = 240
LEAD_MINUTES_MAX = 365 * 24 * 60
HORIZON_DAYS_MAX = 730

LANGUAGE = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
CODE = re.compile(r"^[^|\s][^|]*\|[^|]+$")
CONTAINERS: dict[str, tuple[str, ...]] = {
    "site": (),
    "building": ("site", "building"),
    "room": ("site", "building"),
    "bed": ("site", "building", "room"),
    "lab-bench": ("site", "building", "room"),
}
"""What a place may be part of. A wing, a level or a ward is a building within a building."""

Broken = tuple[str, str]
"""The field that breaks a rule, and the rule as a sentence."""
R = TypeVar("R", bound=Resource)


class Target(NamedTuple):
    """What an id stands for. `home_id` is what the entry belongs to for good: a place's site, a role's practitioner, a visit's service."""

    resource_type: str
    kind: str = ""
    home_id: UUID | None = None

    def is_a(self, wanted: str) -> bool:
        """Whether it is of the wanted type ("Device") or type and kind ("Location/site")."""
        return wanted in (self.resource_type, f"{self.resource_type}/{self.kind}")


Targets = Mapping[UUID, Target]


class Reference(NamedTuple):
    """An entry's field that names another entry, which must be one of `wanted`."""

    field: str
    id: UUID
    wanted: tuple[str, ...]


SITE = ("Location/site",)
ACTORS: dict[str, tuple[str, ...]] = {
    "practitioner": ("Practitioner/practitioner",),
    "nurse": ("Practitioner/nurse",),
    "technician": ("Practitioner/technician",),
    "room": ("Location/room",),
    "bed": ("Location/bed",),
    "lab-bench": ("Location/lab-bench",),
    "device": ("Device",),
}


# --- the entries of a change --------------------------------------------------------------------------------------------------


def entries_of(put: PutResources) -> list[Resource]:
    """All entries of a change, each after those its type may refer to."""
    return [
        *put.organizations, *put.locations, *put.practitioners, *put.practitioner_roles, *put.devices, *put.healthcare_services,
        *put.visit_types,
    ]  # fmt: skip


def the_one(put: PutResources) -> Resource:
    """The only entry of a change. Raises `BadInput` where it has none, or several."""
    entries = entries_of(put)
    if len(entries) != 1:
        raise BadInput("One entry belongs here.", count=len(entries))
    return entries[0]


def under(id_: UUID, entry: Resource) -> Resource:
    """The entry under the id that it is given. A site stays its own site."""
    if isinstance(entry, Location) and entry.site_id == entry.id:
        return replace(entry, id=id_, site_id=id_)
    return replace(entry, id=id_)


def parts_of(put: PutResources) -> list[Organization | Location]:
    """The entries that may be part of another of their type."""
    return [*put.organizations, *put.locations]


def type_of(entry: Resource) -> str:
    """The FHIR name of the entry's type; a visit type, which FHIR lacks, is `VisitType`."""
    return type(entry).__name__


def identifiers_of(entry: Resource) -> tuple[Identifier, ...]:
    """An entry's identifiers, each once; services and visit types have none."""
    return tuple(dict.fromkeys(getattr(entry, "identifiers", ())))


def target_of(entry: Resource) -> Target:
    """What a reference to this entry would find."""
    match entry:
        case Location():
            return Target("Location", entry.kind, entry.site_id)
        case Practitioner():
            return Target("Practitioner", entry.kind)
        case PractitionerRole():
            return Target("PractitionerRole", home_id=entry.practitioner_id)
        case VisitType():
            return Target("VisitType", home_id=entry.healthcare_service_id)
        case _:
            return Target(type_of(entry))


def search_key(entry: Resource) -> str:
    """What people find and sort an entry by, folded; what it is sorted by comes first."""
    return "\n".join(folded(text) for text in _search_texts(entry))


def _search_texts(entry: Resource) -> list[str]:
    match entry:
        case Practitioner():
            return [f"{entry.family}, {' '.join(entry.given)}"]
        case PractitionerRole():
            return [coding.display for coding in entry.specialties]
        case HealthcareService():
            return [entry.name, entry.specialty.display]
        case _:
            return [entry.name]


def references_of(entry: Resource) -> Iterator[Reference]:
    """Every reference the entry makes."""
    yield from _REFERENCES[type(entry)](entry)


def mentioned_ids(put: PutResources) -> set[UUID]:
    """Ids of the entries themselves and of everything they refer to."""
    entries = entries_of(put)
    return {entry.id for entry in entries} | {reference.id for entry in entries for reference in references_of(entry)}


def _organization_references(entry: Organization) -> Iterator[Reference]:
    yield from _one("part_of_id", entry.part_of_id, "Organization")


def _location_references(entry: Location) -> Iterator[Reference]:
    yield Reference("site_id", entry.site_id, SITE)
    yield from _one("part_of_id", entry.part_of_id, *(f"Location/{kind}" for kind in CONTAINERS[entry.kind]))
    yield from _one("managing_organization_id", entry.managing_organization_id, "Organization")


def _role_references(entry: PractitionerRole) -> Iterator[Reference]:
    yield Reference("practitioner_id", entry.practitioner_id, ("Practitioner",))
    yield from _one("for_organization_id", entry.for_organization_id, "Organization")
    yield from _sites("site_ids", entry.site_ids)


def _device_references(entry: Device) -> Iterator[Reference]:
    yield from _one("site_id", entry.site_id, *SITE)
    yield from _one("location_id", entry.location_id, "Location")


def _service_references(entry: HealthcareService) -> Iterator[Reference]:
    yield from _sites("site_ids", entry.site_ids)


def _visit_type_references(entry: VisitType) -> Iterator[Reference]:
    yield Reference("healthcare_service_id", entry.healthcare_service_id, ("HealthcareService",))
    yield from _sites("rules.site_ids", entry.rules.site_ids)
    for requirement in entry.requirements:
        yield from _one("requirements.actor_id", requirement.actor_id, *ACTORS[requirement.kind])
    for prerequisite in entry.rules.prerequisites:
        yield from _one("rules.prerequisites.visit_type_id", prerequisite.visit_type_id, "VisitType")


def _one(field: str, target_id: UUID | None, *wanted: str) -> Iterator[Reference]:
    if target_id is not None:
        yield Reference(field, target_id, wanted)


def _sites(field: str, ids: Iterable[UUID]) -> Iterator[Reference]:
    return (Reference(field, site_id, SITE) for site_id in ids)


_REFERENCES: dict[type[Any], Callable[[Any], Iterator[Reference]]] = {
    Organization: _organization_references,
    Location: _location_references,
    Practitioner: lambda _: iter(()),
    PractitionerRole: _role_references,
    Device: _device_references,
    HealthcareService: _service_references,
    VisitType: _visit_type_references,
}


# --- checking a change --------------------------------------------------------------------------------------------------------


def ensure_sound(put: PutResources, stored: Targets) -> None:
    """Raise `InvalidResource` for the first entry that breaks a rule. `stored` says what the mentioned ids stand for by now."""
    entries = entries_of(put)
    _ensure_each_once(entries)
    known = {**stored, **{entry.id: target_of(entry) for entry in entries}}
    for entry in entries:
        for field, rule in _broken_rules(entry, stored, known):
            raise InvalidResource(rule, **_facts(entry, field))


def ensure_within_limit(put: PutResources) -> None:
    """Raise `BadInput` for a change of more than `RESOURCES_MAX` entries."""
    count = len(entries_of(put))
    if count > RESOURCES_MAX:
        raise BadInput(f"One change may hold {RESOURCES_MAX} entries at most. Send the rest in another.", count=count, limit=RESOURCES_MAX)


def ensure_no_circle(put: PutResources, above: Mapping[UUID, UUID]) -> None:
    """Raise `InvalidResource` for an entry that is part of itself. `above` holds the stored `part_of_id` of what lies above."""
    entries = parts_of(put)
    given = {entry.id: entry.part_of_id for entry in entries}
    for entry in entries:
        seen = {entry.id}
        whole = entry.part_of_id
        while whole is not None:
            if whole in seen:
                raise InvalidResource("Something cannot be part of itself.", **_facts(entry, "part_of_id"))
            seen.add(whole)
            whole = given[whole] if whole in given else above.get(whole)


def taken_identifier(entry: Resource) -> InvalidResource:
    """The refusal of an entry whose identifier another entry carries."""
    return InvalidResource("Another entry of this type carries the identifier.", **_facts(entry, "identifiers"))


def _facts(entry: Resource, field: str) -> dict[str, str]:
    return {"resource_type": type_of(entry), "id": str(entry.id), "field": field}


def _ensure_each_once(entries: Iterable[Resource]) -> None:
    ids: set[UUID] = set()
    carriers: set[tuple[str, Identifier]] = set()
    for entry in entries:
        if entry.id in ids:
            raise InvalidResource("An id may appear once in a change.", **_facts(entry, "id"))
        ids.add(entry.id)
        carried = {(type_of(entry), identifier) for identifier in identifiers_of(entry)}
        if carried & carriers:
            raise taken_identifier(entry)
        carriers |= carried


def _broken_rules(entry: Resource, stored: Targets, known: Targets) -> Iterator[Broken]:
    yield from _misshapen(entry)
    if entry.id in stored:
        yield from _became_something_else(entry, stored[entry.id])
    for reference in references_of(entry):
        target = known.get(reference.id)
        if target is None or not any(target.is_a(wanted) for wanted in reference.wanted):
            yield reference.field, _missing(reference.wanted)
    yield from _RULES[type(entry)](entry, known)


def _became_something_else(entry: Resource, stored: Target) -> Iterator[Broken]:
    """A practitioner may become a nurse; nothing else changes its kind, and nothing changes hands."""
    now = target_of(entry)
    if now.resource_type != stored.resource_type:
        yield "id", f"This id belongs to a {stored.resource_type}."
    elif now.kind != stored.kind and stored.resource_type == "Location":
        yield "kind", "A place keeps its kind. Make it inactive and add a new one."
    elif now.home_id != stored.home_id:
        yield _HOME_FIELD[stored.resource_type], "This stays as it was. Make the entry inactive and add a new one."


_HOME_FIELD = {"Location": "site_id", "PractitionerRole": "practitioner_id", "VisitType": "healthcare_service_id"}


def _misshapen(entry: Resource) -> Iterator[Broken]:
    """What holds for entries of every type."""
    raw = msgspec.json.encode(entry)
    if len(raw) > ENTRY_BYTES_MAX:
        yield "id", f"An entry may have {ENTRY_BYTES_MAX} bytes at most."
    if b"\\u0000" in raw:
        yield "id", "An entry may not hold a NUL character."
    name = entry.family if isinstance(entry, Practitioner) else getattr(entry, "name", None)
    if name is not None and not (name.strip() and len(name) <= NAME_LENGTH_MAX):
        yield "family" if isinstance(entry, Practitioner) else "name", f"A name has 1 to {NAME_LENGTH_MAX} letters."
    for identifier in identifiers_of(entry):
        if not (identifier.value.strip() and max(len(identifier.system), len(identifier.value)) <= IDENTIFIER_LENGTH_MAX):
            yield "identifiers", f"An identifier has a value; system and value have {IDENTIFIER_LENGTH_MAX} letters at most."


def _missing(wanted: Iterable[str]) -> str:
    kinds = [name.rpartition("/")[2] for name in wanted]
    return f"The directory has no {' or '.join(kinds)} with this id." if kinds else "A site is part of nothing."


# --- rules of each type -------------------------------------------------------------------------------------------------------


def _location_rules(place: Location, known: Targets) -> Iterator[Broken]:
    if place.kind == "site":
        yield from _site_rules(place)
        return
    if place.time_zone is not None:
        yield "time_zone", "Only a site has a time zone; what lies at it shares it."
    if place.site_id == place.id:
        yield "site_id", "Only a site is its own site."
    whole = known[place.part_of_id] if place.part_of_id else None
    if whole and whole.home_id != place.site_id:
        yield "part_of_id", "A place lies at the same site as the place it is part of."


def _site_rules(site: Location) -> Iterator[Broken]:
    if site.site_id != site.id:
        yield "site_id", "A site is its own site."
    if site.time_zone not in time_zones():
        yield "time_zone", "A site needs the IANA name of its time zone, such as Europe/Paris."


def _practitioner_rules(practitioner: Practitioner, _: Targets) -> Iterator[Broken]:
    if not all(LANGUAGE.match(tag) and len(tag) <= 35 for tag in practitioner.languages):
        yield "languages", "Languages are BCP 47 tags, such as en or pt-BR."


def _device_rules(device: Device, known: Targets) -> Iterator[Broken]:
    if device.location_id and device.site_id and known[device.location_id].home_id != device.site_id:
        yield "location_id", "A device stands at its site."


def _visit_type_rules(visit: VisitType, _: Targets) -> Iterator[Broken]:
    if not _on_ticks(visit.duration_minutes, TICK_MINUTES, VISIT_MINUTES_MAX):
        yield "duration_minutes", f"A visit lasts {TICK_MINUTES} to {VISIT_MINUTES_MAX} minutes, a multiple of {TICK_MINUTES}."
    if not 1 <= len(visit.requirements) <= REQUIREMENTS_MAX:
        yield "requirements", f"A visit needs 1 to {REQUIREMENTS_MAX} requirements."
    for requirement in visit.requirements:
        yield from _requirement_rules(requirement, visit.duration_minutes)
    yield from _booking_rules(visit.rules)
    for prerequisite in visit.rules.prerequisites:
        yield from _prerequisite_rules(prerequisite, visit.id)
    if not all(LANGUAGE.match(tag) for tag in visit.instructions):
        yield "instructions", "Instructions are named by BCP 47 tags, such as en or pt-BR."
    if visit.published and not visit.rules.patient_bookable:
        yield "published", "Only what patients may book themselves is shown to everybody."


def _requirement_rules(requirement: Requirement, visit_minutes: int) -> Iterator[Broken]:
    if not 1 <= requirement.count <= COUNT_MAX:
        yield "requirements.count", f"A requirement asks for 1 to {COUNT_MAX} actors."
    if requirement.actor_id is not None and requirement.count != 1:
        yield "requirements.count", "A named actor is one."
    if not _on_ticks(requirement.duration_minutes, TICK_MINUTES, VISIT_MINUTES_MAX):
        yield "requirements.duration_minutes", f"A requirement lasts {TICK_MINUTES} minutes or a multiple of it."
    if not _on_ticks(requirement.offset_minutes, 0, VISIT_MINUTES_MAX):
        yield "requirements.offset_minutes", f"A requirement begins with the visit or a multiple of {TICK_MINUTES} minutes later."
    if requirement.offset_minutes + requirement.duration_minutes > visit_minutes:
        yield "requirements.duration_minutes", "A requirement ends with its visit at the latest; what comes after it is a buffer."
    for field in ("buffer_before_minutes", "buffer_after_minutes"):
        if not _on_ticks(getattr(requirement, field), 0, BUFFER_MINUTES_MAX):
            yield f"requirements.{field}", f"A buffer has 0 to {BUFFER_MINUTES_MAX} minutes, a multiple of {TICK_MINUTES}."
    if not all(CODE.match(code) for code in requirement.codes):
        yield "requirements.codes", "A code is written system|code."


def _booking_rules(rules: BookingRules) -> Iterator[Broken]:
    if not _on_ticks(rules.grid_minutes, TICK_MINUTES, GRID_MINUTES_MAX):
        yield "rules.grid_minutes", f"The grid has {TICK_MINUTES} to {GRID_MINUTES_MAX} minutes, a multiple of {TICK_MINUTES}."
    if not 0 <= rules.lead_minutes <= LEAD_MINUTES_MAX:
        yield "rules.lead_minutes", f"The lead time has 0 to {LEAD_MINUTES_MAX} minutes."
    if not 1 <= rules.horizon_days <= HORIZON_DAYS_MAX:
        yield "rules.horizon_days", f"The horizon has 1 to {HORIZON_DAYS_MAX} days."
    if not rules.urgency_tiers or len(set(rules.urgency_tiers)) != len(rules.urgency_tiers):
        yield "rules.urgency_tiers", "A visit type has one urgency tier at least, and each once."


def _prerequisite_rules(prerequisite: Prerequisite, visit_type_id: UUID) -> Iterator[Broken]:
    if (prerequisite.kind == "earlier-visit") != (prerequisite.visit_type_id is not None):
        yield "rules.prerequisites.visit_type_id", "An earlier visit names its visit type, and a referral does not."
    if prerequisite.visit_type_id == visit_type_id:
        yield "rules.prerequisites.visit_type_id", "A visit cannot be its own prerequisite: nobody could have the first."


def _on_ticks(minutes: int, least: int, most: int) -> bool:
    return least <= minutes <= most and minutes % TICK_MINUTES == 0


_RULES: dict[type[Any], Callable[[Any, Targets], Iterator[Broken]]] = {
    Organization: lambda _, __: iter(()),
    Location: _location_rules,
    Practitioner: _practitioner_rules,
    PractitionerRole: lambda _, __: iter(()),
    Device: _device_rules,
    HealthcareService: lambda _, __: iter(()),
    VisitType: _visit_type_rules,
}


@lru_cache
def time_zones() -> frozenset[str]:
    """The names of the IANA time zone database, as the `tzdata` package lists them: the same on every machine."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())
