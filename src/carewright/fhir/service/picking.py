"""From the actors and codes of an Appointment to a time that scheduling understands."""

from uuid import UUID

from carewright.contracts.directory import FindEntries, Location, UnknownResource, VisitType
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement
from carewright.contracts.scheduling import PickedTime
from carewright.fhir.context import FhirContext
from carewright.fhir.model.pointing import Pointer
from carewright.fhir.model.wanted import Wanted

PARTICIPANT = "Appointment.participant.actor"


async def picked_time(ctx: FhirContext, wanted: Wanted) -> PickedTime:
    """The kind of visit, site, start and actors that are asked for.

    Raises `MissingElement` or `InvalidElement` for what is not said, not known or does not go together, and what the directory refuses.
    """
    if wanted.visit_type_id is None:
        raise MissingElement("Name the kind of visit: a coding of HealthcareService.type.", expression="Appointment.serviceType")
    if wanted.start is None:
        raise MissingElement("Say when the visit is to start.", expression="Appointment.start")
    visit_type = await _visit_type(ctx, wanted.visit_type_id)
    _ensure_length(wanted, visit_type)
    places = await _places(ctx, [each for each in wanted.actors if each.kind == "Location"])
    practitioners = await _practitioners(ctx, wanted.actors)
    rooms = [place.id for place in places if place.kind != "site"]
    devices = [each.uuid for each in wanted.actors if each.kind == "Device"]
    return PickedTime(
        visit_type_id=visit_type.id, site_id=_site(visit_type, places), start=wanted.start,
        practitioner_id=practitioners[0] if practitioners else None, actor_ids=(*practitioners[1:], *rooms, *devices),
        urgency=wanted.urgency or "P2",
    )  # fmt: skip


async def _visit_type(ctx: FhirContext, id_: UUID) -> VisitType:
    try:
        return await ctx.directory.get_visit_type(ctx.actor, id_)
    except UnknownResource:
        raise InvalidElement("We do not know this kind of visit.", expression="Appointment.serviceType") from None


def _ensure_length(wanted: Wanted, visit_type: VisitType) -> None:
    """Somebody who counts on another end than ours would be surprised."""
    if wanted.end is None or wanted.start is None:
        return
    if (wanted.end - wanted.start).total_seconds() != 60 * visit_type.duration_minutes:
        raise InvalidElement(f"This kind of visit takes {visit_type.duration_minutes} minutes.", expression="Appointment.end")


def _site(visit_type: VisitType, places: list[Location]) -> UUID:
    sites = {place.site_id for place in places} or set(visit_type.rules.site_ids)
    if len(sites) != 1:
        raise MissingElement("Say where: one Location among the participants.", expression=PARTICIPANT)
    return sites.pop()


async def _places(ctx: FhirContext, named: list[Pointer]) -> list[Location]:
    if not named:
        return []
    page = await ctx.directory.find_entries(ctx.actor, FindEntries(resource_type="Location", ids=tuple(each.uuid for each in named)))
    known = {place.id: place for place in page.locations}
    for each in named:
        if each.uuid not in known:
            raise InvalidElement("We do not know this Location.", expression=each.expression)
    return [known[each.uuid] for each in named]


async def _practitioners(ctx: FhirContext, actors: tuple[Pointer, ...]) -> list[UUID]:
    """Those who are named, by themselves or by a role of theirs."""
    roles = [each for each in actors if each.kind == "PractitionerRole"]
    named = [each.uuid for each in actors if each.kind == "Practitioner"]
    if roles:
        page = await ctx.directory.find_entries(
            ctx.actor, FindEntries(resource_type="PractitionerRole", ids=tuple(each.uuid for each in roles))
        )
        by_role = {role.id: role.practitioner_id for role in page.practitioner_roles}
        for each in roles:
            if each.uuid not in by_role:
                raise InvalidElement("We do not know this PractitionerRole.", expression=each.expression)
            named.append(by_role[each.uuid])
    return list(dict.fromkeys(named))
