"""The hook `appointment-book`: what the modules know of each appointment, asked in the caller's name, as cards."""

import asyncio
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.cds.context import CdsContext
from carewright.cds.model.advising import STANDINGS, Facts, Paid, Time, cards_of, overlapping
from carewright.cds.model.offering import PATIENT
from carewright.cds.model.proposals import Proposed, identifiers_in, proposals_in, uuid_in
from carewright.contracts.cds import Advice, HookCall, PatientNotTold
from carewright.contracts.coverage import Coverage, ListCoverages, ListEligibilities
from carewright.contracts.directory import Location
from carewright.contracts.schedules import GetCalendar
from carewright.contracts.scheduling import (
    Appointment,
    AppointmentStatus,
    SearchAppointments,
    Slot,
    UnknownSchedule,
)
from carewright.contracts.starts import FindTimes
from carewright.kernel import audit
from carewright.kernel.errors import Refusal

ADVISE = "cds.advise"
LIVE: tuple[AppointmentStatus, ...] = ("pending", "booked", "arrived", "checked-in")
LONGEST = timedelta(hours=24)
"""No appointment that is still going on began longer ago."""
FREE_MAX = 10
PAGE = 200
UTC_ZONE = "UTC"


async def advise(ctx: CdsContext, call: HookCall) -> Advice:
    """Cards about every appointment in the call. What the client may not read, nothing is said of.

    Raises `Forbidden`, `BadInput`, `PatientNotTold`.
    """
    ctx.actor.require(ADVISE)
    proposals = proposals_in(call.context.appointments)
    patient_id = await _patient(ctx, call)
    sites = {site.id: site for site in (await ctx.directory.find_sites(ctx.actor)).items} if ctx.actor.may("directory.read") else {}
    facts = await asyncio.gather(*(_facts(ctx, each, patient_id, sites) for each in proposals))
    label = ctx.settings.source_label
    cards = [card for each, known in zip(proposals, facts, strict=True) for card in cards_of(each, known, label, ctx.ids.new)]
    about = tuple(audit.Entity(type="Card", id=UUID(card.uuid)) for card in cards if card.uuid)
    async with ctx.db.transaction() as tx:
        await audit.record(tx, audit.entry(ctx, "cds.appointment.advise", "E", patient_id=patient_id, entities=about))
    return Advice(cards=tuple(cards))


async def _patient(ctx: CdsContext, call: HookCall) -> UUID:
    """Whom it is about: by an identifier that was prefetched, else by our id. Raises `PatientNotTold`."""
    known = identifiers_in(call.prefetch.get(PATIENT))
    if known and ctx.actor.may("patients.find"):
        found = {each.id for each in await ctx.patients.find_patients_by_identifier(ctx.actor, known)}
        if len(found) == 1:
            return found.pop()
        if found:
            raise PatientNotTold("These identifiers belong to more than one patient here.")
    ours = uuid_in(call.context.patient_id)
    if ours is None:
        raise PatientNotTold
    return ours


async def _facts(ctx: CdsContext, proposed: Proposed, patient_id: UUID, sites: dict[UUID, Location]) -> Facts:
    site = next((sites[each] for each in proposed.place_ids if each in sites), None)
    zone, site_id = (site.time_zone if site else None) or UTC_ZONE, site.id if site else None
    other, time = await _other(ctx, proposed, patient_id), await _time(ctx, proposed, site_id)
    kind = proposed.visit_type_id if time and (other or time != "free") else None
    return Facts(
        zone=zone, other=other, time=time, free=await _free(ctx, proposed, kind, site_id, ctx.settings.suggest_days) if kind else (),
        paid=await _paid(ctx, patient_id, proposed.start.astimezone(ZoneInfo(zone)).date()),
    )  # fmt: skip


async def _other(ctx: CdsContext, proposed: Proposed, patient_id: UUID) -> Appointment | None:
    """Another appointment of the patient at that time."""
    if not ctx.actor.may("scheduling.appointment.read"):
        return None
    query = SearchAppointments(
        patient_ids=(patient_id,), statuses=LIVE, start_from=proposed.start - LONGEST, start_until=proposed.end, limit=PAGE
    )
    return overlapping((await ctx.scheduling.search_appointments(ctx.actor, query)).items, proposed)


async def _time(ctx: CdsContext, proposed: Proposed, site_id: UUID | None) -> Time | None:
    """Whether it can be had; None for a kind of visit that is none of ours."""
    if not ctx.actor.may("scheduling.find") or proposed.visit_type_id is None:
        return None
    try:
        slots = await _free(ctx, proposed, proposed.visit_type_id, site_id, days=0)
    except Refusal as refusal:
        if refusal.status >= 500:  # nobody can tell, and nobody says that it is free
            raise
        return None
    return "free" if any(slot.start == proposed.start for slot in slots) else await _why(ctx, proposed)


async def _why(ctx: CdsContext, proposed: Proposed) -> Time:
    """What is in the way, by the calendar of the practitioner who is asked for."""
    if proposed.practitioner_id is None or not ctx.actor.may("scheduling.calendar.read"):
        return "not-free"
    asked = GetCalendar(schedule_id=proposed.practitioner_id, from_at=proposed.start, until_at=proposed.end)
    try:
        calendar = await ctx.scheduling.get_calendar(ctx.actor, asked)
    except UnknownSchedule:
        return "not-free"
    is_open = any(each.start <= proposed.start and proposed.end <= each.end for each in calendar.openings)
    return "taken" if is_open else "closed"


async def _free(ctx: CdsContext, proposed: Proposed, visit_type_id: UUID, site_id: UUID | None, days: int) -> tuple[Slot, ...]:
    """The first free times from the wish on, of the same kind, place and practitioner."""
    asked = FindTimes(
        visit_type_id=visit_type_id, site_id=site_id, practitioner_id=proposed.practitioner_id, from_at=proposed.start,
        until_at=proposed.start + timedelta(days=days), limit=FREE_MAX,
    )  # fmt: skip
    return (await ctx.scheduling.find_times(ctx.actor, asked)).items


async def _paid(ctx: CdsContext, patient_id: UUID, day: date) -> Paid | None:
    """What is known of who pays that day; no payer is asked while somebody waits for a card."""
    if not ctx.actor.may("coverage.read"):
        return None
    held = (await ctx.coverages.list_coverages(ctx.actor, ListCoverages(patient_id=patient_id, limit=PAGE))).items
    holding = {each.id for each in held if _holds(each, day)}
    if not holding:
        return "none"
    latest = await ctx.coverages.list_eligibilities(ctx.actor, ListEligibilities(patient_id=patient_id, latest=True, limit=PAGE))
    said = next((each for each in latest.items if each.coverage_id in holding and each.serviced_on == day), None)
    return STANDINGS[said.standing] if said else "unanswered"


def _holds(one: Coverage, day: date) -> bool:
    begun = one.starts_on is None or one.starts_on <= day
    return one.status == "active" and begun and (one.ends_on is None or day <= one.ends_on)
