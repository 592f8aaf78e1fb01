"""Loading many calendars and appointments at once into a tenant that has none, by COPY."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from carewright.contracts.directory import HealthcareService, Location, UrgencyTier, VisitType
from carewright.contracts.scheduling import Appointment, AppointmentStatus, ClaimedTime, Participant
from carewright.kernel.db import Transaction
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.actors import Actor
from carewright.scheduling.model.hours import Hours


@dataclass(frozen=True, slots=True)
class Booked:
    """One appointment as it comes: ids and times; names are filled in from the catalogue."""

    id: UUID
    status: AppointmentStatus
    visit_type_id: UUID
    site_id: UUID
    patient_id: UUID
    start: datetime
    end: datetime
    urgency: UrgencyTier
    based_on: str | None
    participants: Sequence[Participant]


@dataclass(frozen=True, slots=True)
class Load:
    """Everything scheduling keeps of a hospital. `openings` are (schedule, site, start, end); `claims` name their appointment first."""

    sites: Sequence[Location]
    visit_types: Sequence[tuple[VisitType, HealthcareService]]
    actors: Sequence[tuple[Actor, Hours]]
    materialised_on: date
    patient_ids: Iterable[UUID]
    openings: Iterable[tuple[UUID, UUID, datetime, datetime]]
    appointments: Iterable[Booked]
    claims: Iterable[tuple[UUID, ClaimedTime]]


async def bulk_load(ctx: SchedulingContext, tx: Transaction, load: Load) -> None:
    """Fill an empty tenant. The caller opened `tx`; the exclusion constraint checks every claim as ever."""
    ctx.actor.require("scheduling.calendar.change")
    organization_id = ctx.actor.organization_id
    for site in load.sites:
        await store.put_site(tx, organization_id, site)
    for visit_type, service in load.visit_types:
        await store.put_visit_type(tx, organization_id, visit_type, service)
    await store.copy_schedules(tx, organization_id, load.actors, load.materialised_on)
    await store.copy_patients(tx, organization_id, load.patient_ids)
    await store.copy_openings(tx, organization_id, load.openings)
    await store.copy_appointments(tx, organization_id, _appointments(ctx, load))
    await store.copy_claims(tx, organization_id, load.claims)


def _appointments(ctx: SchedulingContext, load: Load) -> Iterator[Appointment]:
    sites = {site.id: site for site in load.sites}
    kinds = {visit_type.id: (visit_type, service) for visit_type, service in load.visit_types}
    names = {actor.id: actor.display for actor, _ in load.actors}
    created_at = ctx.clock.now()
    for each in load.appointments:
        site, (visit_type, service) = sites[each.site_id], kinds[each.visit_type_id]
        yield Appointment(
            id=each.id, status=each.status, visit_type_id=each.visit_type_id, visit_type_name=visit_type.name, service_name=service.name,
            site_id=each.site_id, site_name=site.name, time_zone=site.time_zone or "UTC", patient_id=each.patient_id, start=each.start,
            end=each.end, participants=tuple(_named(participant, names) for participant in each.participants), urgency=each.urgency,
            based_on=each.based_on, created_at=created_at,
        )  # fmt: skip


def _named(participant: Participant, names: dict[UUID, str]) -> Participant:
    return msgspec.structs.replace(participant, display=names.get(participant.actor_id, ""))
