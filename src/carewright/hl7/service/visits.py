"""Visits as others tell of them: recorded, moved, ended, taken back. Every rule is flow's; a code that nobody mapped is left out."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.directory import Coding
from carewright.contracts.encounters import (
    ChangeEncounter,
    Encounter,
    EncounterParticipant,
    EncounterStatus,
    RecordEncounter,
    SearchEncounters,
)
from carewright.hl7.model.codes import DoesNotFit
from carewright.hl7.model.pv1 import PARTICIPATIONS, Visit, visit_in
from carewright.hl7.model.when import instant_of
from carewright.hl7.service.codes import ours, practitioner_of, site_of
from carewright.hl7.service.work import Work

ENDS: Mapping[str, EncounterStatus] = {"A03": "finished", "A11": "cancelled"}
REOPENS = "A13"
FOLLOWED = frozenset({"A01", "A02", "A03", "A04", "A08", "A11", "A13"})
"""Events about a visit. Those of the patient's record alone (A28, A31) are not."""


async def follow(work: Work, patient_id: UUID) -> None:
    """The visit is afterwards as the message says, if it names one and its sender may record any. Raises `DoesNotFit`."""
    event, visit = work.message.kind[1], visit_in(work.message)
    if visit is None or event not in FOLLOWED or not work.ctx.actor.may("flow.encounter.record"):
        return
    number = visit.number.identifier(work.codes.authorities)
    page = await work.ctx.flow.search_encounters(work.ctx.actor, SearchEncounters(identifiers=(number,)))
    if page.items:
        await _change(work, visit, event, page.items[0], patient_id)
    elif event != "A11":
        await _record(work, visit, event, patient_id)


async def _record(work: Work, visit: Visit, event: str, patient_id: UUID) -> None:
    site_id = _site(work, visit)
    start, end = _period(work, visit, event, site_id, None)
    command = RecordEncounter(
        patient_id=patient_id, status="planned" if visit.is_planned and event not in ENDS else _status(visit, event) or "in-progress",
        encounter_class=visit.encounter_class, start=start, end=end, site_id=site_id, location_ids=_location(work, visit, site_id),
        participants=await _staff(work, visit), identifiers=(visit.number.identifier(work.codes.authorities),),
    )  # fmt: skip
    await work.ctx.flow.record_encounter(work.ctx.actor, command, work.key("visit"))


async def _change(work: Work, visit: Visit, event: str, before: Encounter, patient_id: UUID) -> None:
    await work.ensure_of(patient_id, before.patient_id)
    site_id = _site(work, visit) or before.site_id
    start, end = _period(work, visit, event, site_id, before.start)
    command = ChangeEncounter(
        encounter_id=before.id, status=_next(visit, event, before), encounter_class=visit.encounter_class, start=start, end=end,
        is_open_again=event == REOPENS, site_id=site_id, location_ids=_location(work, visit, site_id) or None,
        participants=await _staff(work, visit) or None,
    )  # fmt: skip
    await work.ctx.flow.change_encounter(work.ctx.actor, command, work.key("visit"))


def _status(visit: Visit, event: str) -> EncounterStatus | None:
    """What the message says became of the visit, if it does."""
    return ENDS.get(event) or ("finished" if visit.end and event != REOPENS else None)


def _next(visit: Visit, event: str, before: Encounter) -> EncounterStatus | None:
    """None leaves the status alone: that of a visit that is over, or of one about which the message tells something else."""
    if said := _status(visit, event):
        return said
    if event == REOPENS:
        return "in-progress"
    has_come = event in ("A01", "A04") and not visit.is_planned and before.status in ("planned", "arrived", "triaged")
    return "in-progress" if has_come else None


def _period(
    work: Work, visit: Visit, event: str, site_id: UUID | None, known_start: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """When it began and ended, as far as the message says and the site's clock is known."""
    zone = _zone(work, site_id)
    start = instant_of(visit.start, zone) if zone else None
    told = visit.end or (work.message.text("EVN", 6) or work.message.text("EVN", 2) if event == "A03" else "")
    end = instant_of(told, zone) if zone and event != REOPENS else None
    begun = start or known_start
    return start, end if end and begun and end >= begun else None


def _zone(work: Work, site_id: UUID | None) -> ZoneInfo | None:
    """The zone of the site, or of all sites where they share one."""
    shared = set(work.codes.zones.values())
    return work.codes.zones.get(site_id) if site_id else next(iter(shared)) if len(shared) == 1 else None


def _site(work: Work, visit: Visit) -> UUID | None:
    try:
        return site_of(work.codes, visit.places)
    except DoesNotFit:
        return None


def _location(work: Work, visit: Visit, site_id: UUID | None) -> tuple[UUID, ...]:
    """The room or bed that the table of calendars has for the place, or else the site."""
    try:
        return (ours(work.codes, "calendar", visit.places),)
    except DoesNotFit:
        return (site_id,) if site_id else ()


async def _staff(work: Work, visit: Visit) -> tuple[EncounterParticipant, ...]:
    found = []
    for role, doctor in visit.staff:
        try:
            practitioner_id = await practitioner_of(work.ctx, work.codes, (doctor,))
        except DoesNotFit:
            continue
        if practitioner_id is not None:
            found.append(EncounterParticipant(practitioner_id=practitioner_id, role=Coding(system=PARTICIPATIONS, code=role)))
    return tuple(dict.fromkeys(found))
