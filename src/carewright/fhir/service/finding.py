"""`Appointment/$find` (IHE ITI-115): times that could be had, as proposed Appointments."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product
from uuid import UUID

import msgspec

from carewright.contracts.directory import ServiceSummary, SitesPage, UnknownResource
from carewright.contracts.fhir import scheduling
from carewright.contracts.fhir.basics import VISIT_TYPES, Resource
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement, SearchTooWide, TimeGone, UnknownId
from carewright.contracts.scheduling import FindTimes, PickedTime, Slot
from carewright.fhir.context import FhirContext
from carewright.fhir.model.ids import ProposalId, digest_of, read_proposal, write_proposal
from carewright.fhir.model.parameters import Given, Parameters, reference_of, token_of
from carewright.fhir.model.pointing import pointer, uuid_or_none
from carewright.fhir.model.slots import slots_taken
from carewright.fhir.service.candidates import all_services
from carewright.kernel import audit
from carewright.kernel.errors import Forbidden

MEDPLUM = ("schedule", "service-type-reference")
"""Parameters by which we know who asks as Medplum's clients do."""
BY_SERVICE = ("specialty", "service-type-reference")
"""Parameters by which kinds of visits are looked up through their services."""
COUNT, COUNT_MAX = 50, 200
SEARCHES_MAX = 24
"""Kinds of visits times practitioners of one `$find`: each pair is a search of its own."""
UNHEEDED = (
    "organization", "location-string", "patient-resource", "reason", "referral-identifier", "timing", "insurance-reference",
)  # fmt: skip
"""Parameters of ITI-115 that do not narrow what is found here."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """A `$find`, understood. `visit_types` and `practitioners` are in the order of preference; no practitioner means anybody.

    `shows_slots` is Medplum's way: the slots that would be taken are contained.
    """

    start: datetime
    end: datetime
    visit_types: tuple[UUID, ...]
    practitioners: tuple[UUID, ...] = ()
    site_id: UUID | None = None
    patient_id: UUID | None = None
    shows_slots: bool = False
    count: int = COUNT


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Proposed Appointments, earliest first, how many there are in all, and what was asked that made no difference."""

    items: tuple[Resource, ...]
    total: int
    unheeded: tuple[str, ...] = ()


async def find_appointments(ctx: FhirContext, given: Parameters, base: str) -> Found:
    """Free times for what is asked for. Held times are not among them, since they are not free.

    Raises `MissingElement`, `InvalidElement`, `SearchTooWide`, `Forbidden`, and what `find_times` refuses.
    """
    services, sites = await asyncio.gather(_services(ctx, given), ctx.directory.find_sites(ctx.actor))
    wishes = read_wishes(given, services, base)
    if wishes.patient_id:
        await _note(ctx, wishes.patient_id)
    pairs = list(product(wishes.visit_types, wishes.practitioners or (None,)))
    if len(pairs) > SEARCHES_MAX:
        raise SearchTooWide("Name fewer kinds of visits or practitioners at a time.", expression="visit-type")
    pages = await asyncio.gather(*(ctx.scheduling.find_times(ctx.actor, _times(wishes, *pair)) for pair in pairs))
    slots = sorted(
        ((slot.start, number, slot, pair[1]) for number, (pair, page) in enumerate(zip(pairs, pages, strict=True)) for slot in page.items),
        key=lambda one: one[:2],
    )
    names = _names(services, sites)
    shown = tuple(_proposal(slot, names, wishes) for _, _, slot, _ in slots[: wishes.count])
    unheeded = tuple(f"{name}: what is found does not depend on it" for name in UNHEEDED if given.many(name))
    return Found(items=shown, total=sum(page.total or 0 for page in pages), unheeded=unheeded)


def read_wishes(given: Parameters, services: Sequence[ServiceSummary], base: str) -> Wishes:
    """The input parameters of ITI-115. Raises `MissingElement`, `InvalidElement`."""
    start, end = given.instant("start"), given.instant("end")
    if end <= start:
        raise InvalidElement("The end comes after the start.", expression="end")
    return Wishes(
        start=start, end=end,
        visit_types=_visit_types(given, services, base),
        practitioners=_practitioners(given, base),
        site_id=_site(given, base),
        patient_id=_patient(given, base),
        shows_slots=any(given.many(name) for name in MEDPLUM),
        count=_count(given),
    )  # fmt: skip


def _times(wishes: Wishes, visit_type_id: UUID, practitioner_id: UUID | None) -> FindTimes:
    return FindTimes(
        visit_type_id=visit_type_id, site_id=wishes.site_id, from_at=wishes.start, until_at=wishes.end, practitioner_id=practitioner_id,
        limit=max(wishes.count, 1), count=True,
    )  # fmt: skip


def _practitioners(given: Parameters, base: str) -> tuple[UUID, ...]:
    """Those named as `practitioner`, or by their calendars as Medplum's `schedule` does: ours have the ids of their actors."""
    named = (pointer_to("Practitioner", each, base) for each in given.many("practitioner"))
    return (*named, *(pointer_to("Schedule", each, base) for each in given.many("schedule")))


def _visit_types(given: Parameters, services: Sequence[ServiceSummary], base: str) -> tuple[UUID, ...]:
    """Those named by `visit-type`, our code or the name of one, or by a service (Medplum's way); else all that a `specialty` has."""
    known = {each.id: each.name for one in services for each in one.visit_types if each.active}
    offered = {pointer_to("HealthcareService", each, base) for each in given.many("service-type-reference")}
    found: dict[UUID, None] = dict.fromkeys(each.id for one in services if one.service.id in offered for each in one.visit_types)
    if offered and not found:
        raise InvalidElement("We do not know this HealthcareService.", expression="service-type-reference")
    for each in given.many("visit-type"):
        by_id, code = _own_id(each), token_of(each)[1]
        matching = [by_id] if by_id in known else [id_ for id_, name in known.items() if name.casefold() == code.casefold()]
        if not matching:
            raise InvalidElement(
                "We offer no such kind of visit. HealthcareService.type names those there are.", expression=each.expression
            )
        found |= dict.fromkeys(matching)
    specialties = [token_of(each) for each in given.many("specialty")]
    of_specialty = {
        each.id
        for one in services
        for each in one.visit_types
        if any(code == one.service.specialty.code and system in (None, one.service.specialty.system) for system, code in specialties)
    }
    if found and specialties:
        return tuple(each for each in found if each in of_specialty)
    if not found and not specialties:
        raise MissingElement("Name a visit-type or a specialty.", expression="visit-type")
    return tuple(found) or tuple(each for each in known if each in of_specialty)


def _own_id(visit_type: Given) -> UUID | None:
    """The id that a kind of visit is named by, if it is named by one of ours."""
    system, code = token_of(visit_type)
    return uuid_or_none(code) if system in (None, VISIT_TYPES) else None


def pointer_to(kind: str, given: Given, base: str) -> UUID:
    """The id a parameter refers to. Raises `InvalidElement` unless it is of this type."""
    found = pointer(reference_of(given), given.expression, base)
    if found is None or found.kind != kind:
        raise InvalidElement(f"A reference to a {kind} belongs here.", expression=given.expression)
    return found.uuid


def _site(given: Parameters, base: str) -> UUID | None:
    place = given.one("location-reference")
    return pointer_to("Location", place, base) if place else None


def _patient(given: Parameters, base: str) -> UUID | None:
    who = given.one("patient-reference")
    return pointer_to("Patient", who, base) if who else None


async def _note(ctx: FhirContext, patient_id: UUID) -> None:
    """Record for whom times are looked for (IHE ITI-115, Security Audit Considerations). Raises `Forbidden`."""
    if ctx.actor.patient_id not in (None, patient_id):
        raise Forbidden("You can act for yourself only.")
    async with ctx.db.transaction() as tx:
        await audit.record(tx, audit.entry(ctx, "fhir.appointment.find", "E", patient_id=patient_id))


def _count(given: Parameters) -> int:
    text = given.one("_count")
    if text is None:
        return COUNT
    if not str(text.value).isascii() or not str(text.value).isdigit():
        raise InvalidElement("_count is a number.", expression="_count")
    return min(int(str(text.value)[:6]), COUNT_MAX)


class Names(msgspec.Struct, frozen=True):
    """What kinds of visits and sites are called: (kind of visit, service) by id, site by id."""

    visit_types: dict[UUID, tuple[str, str]]
    sites: dict[UUID, str]


async def _services(ctx: FhirContext, given: Parameters) -> list[ServiceSummary]:
    """The services among which what is asked for is looked up: those of the kinds of visits, where each is named by its id, else all."""
    ids = [_own_id(each) for each in given.many("visit-type")]
    if not ids or None in ids or any(given.many(name) for name in BY_SERVICE):
        return await all_services(ctx)
    found = await asyncio.gather(*(_service_of(ctx, each) for each in ids if each))
    return [each for each in found if each]


async def _service_of(ctx: FhirContext, visit_type_id: UUID) -> ServiceSummary | None:
    """The service that has this kind of visit, if it is offered."""
    try:
        visit_type = await ctx.directory.get_visit_type(ctx.actor, visit_type_id)
    except UnknownResource:
        return None
    found = await ctx.directory.get_service(ctx.actor, visit_type.healthcare_service_id)
    return found if found.service.active else None


def _names(services: Iterable[ServiceSummary], sites: SitesPage) -> Names:
    return Names(
        {each.id: (each.name, one.service.name) for one in services for each in one.visit_types},
        {site.id: site.name for site in sites.items},
    )


def _proposal(slot: Slot, names: Names, wishes: Wishes | None = None) -> Resource:
    name, service = names.visit_types[slot.visit_type_id]
    made = scheduling.proposed(slot, write_proposal(proposal_of(slot)), name, service, names.sites.get(slot.site_id, ""))
    if wishes and wishes.patient_id:
        made["participant"].append({"actor": {"reference": f"Patient/{wishes.patient_id}"}, "status": "needs-action"})
    if wishes and wishes.shows_slots:
        made["contained"] = [each | {"id": f"slot-{number}"} for number, each in enumerate(slots_taken(slot.participants))]
        made["slot"] = [{"reference": f"#{each['id']}"} for each in made["contained"]]
    return made


def proposal_of(slot: Slot) -> ProposalId:
    """The slot by its kind of visit, site, start, and the practitioner who would serve, if one would."""
    lead = next((each.actor_id for each in slot.participants if each.kind == "practitioner"), None)
    return ProposalId(slot.visit_type_id, digest_of(slot.site_id), lead, slot.start)


async def proposed_time(ctx: FhirContext, id_: str) -> PickedTime:
    """The time that a proposal's id stands for, with that practitioner and whoever else is free. Raises `UnknownId`."""
    return _time_of(read_proposal(id_), await ctx.directory.find_sites(ctx.actor))


def _time_of(wanted: ProposalId, sites: SitesPage) -> PickedTime:
    site_id = next((site.id for site in sites.items if digest_of(site.id) == wanted.site), None)
    if site_id is None:
        raise UnknownId
    return PickedTime(visit_type_id=wanted.visit_type_id, site_id=site_id, start=wanted.start, practitioner_id=wanted.practitioner_id)


async def read_proposed(ctx: FhirContext, id_: str) -> Resource:
    """A proposal as the Appointment it would become, if it can still be had. Raises `TimeGone`, `UnknownId`."""
    wanted = read_proposal(id_)
    service, sites = await asyncio.gather(_service_of(ctx, wanted.visit_type_id), ctx.directory.find_sites(ctx.actor))
    time = _time_of(wanted, sites)
    if service is None:
        raise UnknownId
    query = FindTimes(
        visit_type_id=time.visit_type_id, site_id=time.site_id, from_at=time.start, until_at=time.start,
        practitioner_id=time.practitioner_id, limit=1,
    )  # fmt: skip
    page = await ctx.scheduling.find_times(ctx.actor, query)
    if not page.items or page.items[0].start != time.start:
        raise TimeGone
    return _proposal(page.items[0], _names([service], sites))
