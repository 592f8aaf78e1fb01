"""What may match a search: fetched from the use cases by whatever they can look up, rendered, and decided elsewhere.

Never less than the search would find. What would go through too much is refused (`SearchTooWide`), never cut short.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import get_args
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts import smart
from carewright.contracts.directory import FindEntries, FindServices, Identifier, Location, ServiceSummary
from carewright.contracts.encounters import SearchEncounters
from carewright.contracts.fhir import directory, flow, people, scheduling
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import SearchTooWide
from carewright.contracts.patients import Patient, SearchPatients
from carewright.contracts.schedules import GetCalendar, ListSchedules
from carewright.contracts.scheduling import AppointmentStatus, SearchAppointments
from carewright.fhir.context import FhirContext
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.searching.ranges import FIRST, LAST, Span
from carewright.fhir.model.searching.search import Search
from carewright.fhir.model.slots import slots_of
from carewright.fhir.service import (
    communications,
    coverages,
    eligibilities,
    groups,
    listing,
    observations,
    orders,
    referrals,
    relating,
    responding,
    subscribing,
    tasks,
)
from carewright.fhir.service.gathering import ends, ensure_not_too_many, every_page, named, uuids
from carewright.fhir.service.trail import audit_events, provenances
from carewright.kernel.values import EARLIEST, LATEST

PAGE = 1_000
PATIENT_PAGE = 200
SERVICE_PAGE = 200
PATIENT_QUESTIONS_MAX = 10
CALENDARS_MAX = 50
SLOT_DAYS_MAX = 31
"""What a calendar shows at a time."""
Candidates = Callable[[FhirContext, Search, Narrowing], Awaitable[list[Resource]]]


async def services(ctx: FhirContext, _: Search, bounds: Narrowing) -> list[Resource]:
    """Healthcare services with their kinds of visits."""
    return [
        directory.healthcare_service(one.service, one.visit_types)
        for one in await all_services(ctx)
        if bounds.ids is None or str(one.service.id) in bounds.ids
    ]


async def all_services(ctx: FhirContext) -> list[ServiceSummary]:
    """Every service with its kinds of visits."""
    found: list[ServiceSummary] = []
    while True:
        page = await ctx.directory.find_services(ctx.actor, FindServices(limit=SERVICE_PAGE, offset=len(found)))
        found += page.items
        if len(found) >= page.total or not page.items:
            return found
        ensure_not_too_many(len(found))


async def patients(ctx: FhirContext, search: Search, bounds: Narrowing) -> list[Resource]:
    """By id, by identifier, or by the family name or the birth date; a patient finds nobody but themselves."""
    if (own := smart.bound_to(ctx.actor, "Patient")) is not None:
        return [people.patient(await ctx.patients.get_patient(ctx.actor, own))]
    if bounds.ids is not None:
        ids = uuids(bounds.ids) or ()
        return [people.patient(one) for one in await ctx.patients.get_patients(ctx.actor, ids)] if ids else []
    found: dict[UUID, Patient] = {}
    for query in _patient_questions(search, bounds):
        page = await ctx.patients.search_patients(ctx.actor, query)
        if page.more:
            raise SearchTooWide("More patients fit than are shown at a time. Narrow the search, by a birth date for example.")
        found |= {one.id: one for one in page.items}
    return [people.patient(one) for one in found.values()]


def _patient_questions(search: Search, bounds: Narrowing) -> list[SearchPatients]:
    """Raises `SearchTooWide` for what no index of patients answers."""
    if named := _identifiers(bounds):
        return [SearchPatients(identifiers=named, limit=PATIENT_PAGE)]
    families = _texts(search, "family")
    if not families and not bounds.born_on:
        raise SearchTooWide("Patients are found by _id, identifier (system|value), family, or birthdate, and whatever narrows that.")
    pairs = [(family, born_on) for family in families or (None,) for born_on in bounds.born_on or (None,)]
    if len(pairs) > PATIENT_QUESTIONS_MAX:
        raise SearchTooWide("Ask for fewer patients at a time.")
    return [SearchPatients(family=family, birth_on=born_on, limit=PATIENT_PAGE) for family, born_on in pairs]


def _texts(search: Search, code: str) -> list[str]:
    """The alternatives of the first criterion of this name that asks for a beginning, or the whole, of a text."""
    for criterion in search.criteria:
        if criterion.parameter.code == code and criterion.modifier in ("", "exact"):
            texts = [value for value in criterion.values if isinstance(value, str)]
            return texts if all(len(text) > 1 for text in texts) else []
    return []


async def schedules(ctx: FhirContext, _: Search, bounds: Narrowing) -> list[Resource]:
    """Calendars, by their own id or their actor's, which is the same; or all."""
    ids = uuids(named(bounds, "actor") if bounds.ids is None else bounds.ids)
    if ids == ():
        return []
    query = ListSchedules(ids=ids or (), limit=PAGE)
    return [scheduling.schedule(one) for one in await every_page(partial(ctx.scheduling.list_schedules, ctx.actor), query)]


async def slots(ctx: FhirContext, search: Search, bounds: Narrowing) -> list[Resource]:
    """The calendars named by `schedule`, over the time named by `start`: at most 31 days, from now on unless told otherwise."""
    calendars = uuids(named(bounds, "schedule"))
    if not calendars or len(calendars) > CALENDARS_MAX:
        raise SearchTooWide(f"Slots are those of a calendar: name 1 to {CALENDARS_MAX} by `schedule`, or by `schedule.actor`.")
    begin, end = _slot_window(search.server.now, bounds.starts)
    known = await ctx.scheduling.list_schedules(ctx.actor, ListSchedules(ids=calendars, limit=PAGE))
    found: list[Resource] = []
    for each in known.items:
        calendar = await ctx.scheduling.get_calendar(ctx.actor, GetCalendar(schedule_id=each.id, from_at=begin, until_at=end))
        found += slots_of(calendar)
    return found


def _slot_window(now: datetime, starts: Span | None) -> tuple[datetime, datetime]:
    begin = max(starts.start, EARLIEST) if starts and starts.start > FIRST else now
    end = min(starts.end, LATEST) if starts and starts.end < LAST else begin + timedelta(days=SLOT_DAYS_MAX)
    if end - begin > timedelta(days=SLOT_DAYS_MAX):
        raise SearchTooWide(f"Slots are shown for {SLOT_DAYS_MAX} days at a time: narrow `start`.")
    return begin, max(begin, end)


async def appointments(ctx: FhirContext, _: Search, bounds: Narrowing) -> list[Resource]:
    """By id, patient, start, who takes part, or the order that they are based on."""
    if bounds.patient_ids is None and (places := bounds.references.get("based-on")):
        bounds = replace(bounds, patient_ids=await referrals.patients_of(ctx, places))
    if (query := await appointment_question(ctx, bounds)) is None:
        return []
    return await referrals.shown(ctx, await every_page(partial(ctx.scheduling.search_appointments, ctx.actor), query))


async def appointment_question(ctx: FhirContext, bounds: Narrowing) -> SearchAppointments | None:
    """None where nothing can match. Raises `SearchTooWide` where nothing narrows the search at all."""
    ids, patient_ids = uuids(bounds.ids), uuids(bounds.patient_ids)
    statuses = _statuses(bounds.statuses)
    actors = uuids({place.partition("/")[2] for place in _actors(bounds.references)})
    sites, rooms = await _places(ctx, bounds.references.get("location"))
    if () in (ids, patient_ids, statuses) or not all(bounds.references.values()):
        return None
    if not any((ids, patient_ids, actors, sites, rooms, bounds.starts, smart.bound_to(ctx.actor, "Appointment"))):
        if bounds.identifiers is not None:
            return None  # no appointment has one
        raise SearchTooWide("Appointments are found by _id, patient, date, practitioner, actor or location, and whatever narrows that.")
    start_from, start_until = ends(bounds.starts)
    return SearchAppointments(
        ids=ids or (), patient_ids=patient_ids or (), statuses=statuses or (), actor_ids=actors or rooms or (), site_ids=sites or (),
        start_from=start_from, start_until=start_until, limit=PAGE,
    )  # fmt: skip


async def encounters(ctx: FhirContext, _: Search, bounds: Narrowing) -> list[Resource]:
    """By id, patient, appointment, identifier, time, or who or which place takes part."""
    if (query := _encounter_question(ctx, bounds)) is None:
        return []
    return [flow.encounter(one) for one in await every_page(partial(ctx.flow.search_encounters, ctx.actor), query)]


def _encounter_question(ctx: FhirContext, bounds: Narrowing) -> SearchEncounters | None:
    """None where nothing can match. Raises `SearchTooWide` where nothing narrows the search at all."""
    ids, patient_ids, appointment_ids = (uuids(each) for each in (bounds.ids, bounds.patient_ids, named(bounds, "appointment")))
    actor_ids = next((uuids(places) for code in ("practitioner", "participant", "location") if (places := named(bounds, code))), None)
    identifiers = _identifiers(bounds) or ()
    if () in (ids, patient_ids, appointment_ids, actor_ids):
        return None
    if not any((ids, patient_ids, appointment_ids, actor_ids, identifiers, bounds.starts, smart.bound_to(ctx.actor, "Encounter"))):
        raise SearchTooWide("Encounters are found by _id, patient, appointment, identifier (system|value), date, practitioner or location.")
    from_at, until_at = ends(bounds.starts)
    return SearchEncounters(
        ids=ids or (), patient_ids=patient_ids or (), appointment_ids=appointment_ids or (), actor_ids=actor_ids or (),
        identifiers=identifiers, from_at=from_at, until_at=until_at, limit=PAGE,
    )  # fmt: skip


def _identifiers(bounds: Narrowing) -> tuple[Identifier, ...] | None:
    """Those asked for, where each has its system: only so are they indexed."""
    if bounds.identifiers is None or not all(each.system and each.code for each in bounds.identifiers):
        return None
    return tuple(Identifier(system=each.system or "", value=each.code or "") for each in bounds.identifiers)


def _statuses(asked: frozenset[str] | None) -> tuple[AppointmentStatus, ...] | None:
    """Those that there are; none is nothing to be found."""
    return None if asked is None else tuple(status for status in get_args(AppointmentStatus) if status in asked)


def _actors(references: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Practitioners and devices that a search names and nobody else: a place may be a site, which is no actor."""
    for code in ("practitioner", "actor"):
        places = references.get(code, frozenset())
        if places and all(place.startswith(("Practitioner/", "Device/")) for place in places):
            return places
    return ()


async def _places(ctx: FhirContext, places: frozenset[str] | None) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """Of the places named, the sites or the rooms, where they are of one kind."""
    ids = uuids({place.partition("/")[2] for place in places}) if places else None
    if not ids:
        return (), ()
    page = await ctx.directory.find_entries(ctx.actor, FindEntries(resource_type="Location", ids=ids, limit=PAGE))
    known: tuple[Location, ...] = page.locations
    sites = tuple(place.id for place in known if place.kind == "site")
    rooms = tuple(place.id for place in known if place.kind != "site")
    return (sites, rooms) if not (sites and rooms) else ((), ())


CANDIDATES: Mapping[str, Candidates] = {
    "Appointment": appointments,
    "AppointmentResponse": responding.candidates,
    "AuditEvent": audit_events,
    "Communication": communications.candidates,
    "Coverage": coverages.candidates,
    "CoverageEligibilityRequest": eligibilities.requests,
    "CoverageEligibilityResponse": eligibilities.responses,
    "Encounter": encounters,
    "Group": groups.candidates,
    "HealthcareService": services,
    "Observation": observations.candidates,
    "Patient": patients,
    "Provenance": provenances,
    "RelatedPerson": relating.candidates,
    "Schedule": schedules,
    "ServiceRequest": orders.candidates,
    "Slot": slots,
    "Subscription": subscribing.candidates,
    "Task": tasks.candidates,
} | {kind: partial(listing.candidates, kind) for kind in listing.ENTRIES}
