"""`Appointment/$find` (IHE ITI-115): times that could be had, as proposed Appointments."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

import msgspec

from carewright.contracts import smart
from carewright.contracts.directory import FindByIdentifier, Identifier, ServiceSummary, SitesPage, UnknownResource
from carewright.contracts.fhir import scheduling
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import TimeGone, UnknownId
from carewright.contracts.scheduling import PickedTime, Slot, TimesPage, UnknownSite
from carewright.contracts.starts import FindTimes
from carewright.fhir.context import FhirContext
from carewright.fhir.model.ids import ProposalId, digest_of, read_proposal, write_proposal
from carewright.fhir.model.parameters import Parameters
from carewright.fhir.model.slots import slots_taken
from carewright.fhir.model.wishes import Choice, Key, Known, Wishes, identifiers_of, own_ids, read_wishes
from carewright.fhir.service.candidates import all_services
from carewright.kernel import audit
from carewright.kernel.errors import Forbidden


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Proposed Appointments, preferred ones first and earliest first among equals; how many there are in all; what made no difference."""

    items: tuple[Resource, ...]
    total: int
    unheeded: tuple[str, ...] = ()


async def find_appointments(ctx: FhirContext, given: Parameters, base: str) -> Found:
    """Free times for what is asked for. Held times are not among them, since they are not free.

    Raises `MissingElement`, `InvalidElement`, `SearchTooWide`, `Forbidden`, and what `find_times` refuses.
    """
    services, sites, practitioners = await asyncio.gather(
        _services(ctx, given), ctx.directory.find_sites(ctx.actor), _practitioners(ctx, given)
    )
    wishes = read_wishes(given, Known(services=services, sites=sites.items, practitioners=practitioners), base)
    if wishes.patient_id:
        await _note(ctx, wishes.patient_id)
    pages = await _pages(ctx, wishes)
    slots = [(each.rank, slot.start, number, slot) for number, (each, page) in enumerate(pages) for slot in page.items]
    names = _names(services, sites)
    shown = tuple(_proposal(slot, names, wishes) for _, _, _, slot in sorted(slots, key=lambda one: one[:3])[: wishes.count])
    unheeded = tuple(f"{name}: what is found does not depend on it" for name in wishes.unheeded)
    return Found(items=shown, total=sum(page.total or 0 for _, page in pages), unheeded=unheeded)


async def _pages(ctx: FhirContext, wishes: Wishes) -> list[tuple[Choice, TimesPage]]:
    """What each choice finds; those that are not offered where they are asked for find nothing. Raises `UnknownSite` if none is."""
    pages = await asyncio.gather(*(_page(ctx, _times(wishes, each)) for each in wishes.choices))
    found = [(choice, page) for choice, page in zip(wishes.choices, pages, strict=True) if page]
    if wishes.choices and not found:
        raise UnknownSite
    return found


async def _page(ctx: FhirContext, query: FindTimes) -> TimesPage | None:
    try:
        return await ctx.scheduling.find_times(ctx.actor, query)
    except UnknownSite:
        return None


def _times(wishes: Wishes, choice: Choice) -> FindTimes:
    return FindTimes(
        visit_type_id=choice.visit_type_id, site_id=choice.site_id, practitioner_id=choice.practitioner_id,
        from_at=wishes.start, until_at=wishes.end, weekdays=wishes.preferred.weekdays,
        earliest_minute=wishes.preferred.earliest_minute, latest_minute=wishes.preferred.latest_minute,
        limit=max(wishes.count, 1), count=True,
    )  # fmt: skip


async def _note(ctx: FhirContext, patient_id: UUID) -> None:
    """Record for whom times are looked for (IHE ITI-115, Security Audit Considerations). Raises `Forbidden`."""
    if smart.bound_to(ctx.actor, "Appointment") not in (None, patient_id):
        raise Forbidden("You can act for yourself only.")
    async with ctx.db.transaction() as tx:
        await audit.record(tx, audit.entry(ctx, "fhir.appointment.find", "E", patient_id=patient_id))


class Names(msgspec.Struct, frozen=True):
    """What kinds of visits and sites are called: (kind of visit, service) by id, site by id."""

    visit_types: dict[UUID, tuple[str, str]]
    sites: dict[UUID, str]


async def _services(ctx: FhirContext, given: Parameters) -> tuple[ServiceSummary, ...]:
    """The services among which what is asked for is looked up: those of the kinds of visits, where each is named by its id, else all."""
    ids = own_ids(given)
    if ids is None:
        return tuple(await all_services(ctx))
    found = await asyncio.gather(*(_service_of(ctx, each) for each in ids))
    return tuple(each for each in found if each)


async def _practitioners(ctx: FhirContext, given: Parameters) -> dict[Key, UUID]:
    """Those who are named by an identifier."""
    named = tuple(Identifier(system=system, value=value) for system, value in identifiers_of(given))
    if not named:
        return {}
    query = FindByIdentifier(resource_type="Practitioner", identifiers=named)
    return {(one.identifier.system, one.identifier.value): one.id for one in await ctx.directory.find_by_identifier(ctx.actor, query)}


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
