"""Loading many calendars and appointments at once into a tenant that has none, by COPY."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from carewright.contracts.directory import HealthcareService, Location, UrgencyTier, VisitType
from carewright.contracts.scheduling import Appointment, AppointmentStatus, Participant
from carewright.kernel import audit
from carewright.kernel.db import Transaction
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.actors import Actor
from carewright.scheduling.model.hours import Hours

T = TypeVar("T")


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
    """Everything scheduling keeps of a hospital.

    `openings` are (schedule, site, start, end). `claims` are (schedule, start, end, appointment) in parts that are loaded side by side:
    the exclusion constraint makes them the slow part, and it is quickest where a part is sorted by schedule.
    """

    sites: Sequence[Location]
    visit_types: Sequence[tuple[VisitType, HealthcareService]]
    actors: Sequence[tuple[Actor, Hours]]
    materialised_on: date
    patient_ids: Iterable[UUID]
    openings: Iterable[tuple[UUID, UUID, datetime, datetime]]
    appointments: Iterable[Booked]
    claims: Sequence[Iterable[tuple[UUID, datetime, datetime, UUID]]]


async def bulk_load(ctx: SchedulingContext, load: Load) -> None:
    """Fill an empty tenant, over several connections at once; the exclusion constraint checks every claim as ever.

    Not one transaction: the caller marks the tenant as incomplete until this has returned. The load is one deed, and has one entry.
    """
    ctx.actor.require("scheduling.calendar.change")
    cipher = await ctx.cipher()
    async with asyncio.TaskGroup() as parts:
        for claims in load.claims:
            parts.create_task(_in_transaction(ctx, store.copy_claims, claims))
        parts.create_task(_load_appointments(ctx, cipher, load))
        parts.create_task(_in_transaction(ctx, store.copy_openings, load.openings))
        parts.create_task(_in_transaction(ctx, store.copy_patients, load.patient_ids))
        parts.create_task(_load_catalogue(ctx, load))


async def _load_appointments(ctx: SchedulingContext, cipher: FieldCipher, load: Load) -> None:
    async with ctx.db.transaction() as tx:
        await store.copy_appointments(tx, cipher, _appointments(ctx, load))


async def _load_catalogue(ctx: SchedulingContext, load: Load) -> None:
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        for site in load.sites:
            await store.put_site(tx, organization_id, site)
        for visit_type, service in load.visit_types:
            await store.put_visit_type(tx, organization_id, visit_type, service)
        await store.copy_schedules(tx, organization_id, load.actors, load.materialised_on)
        await audit.record(tx, audit.entry(ctx, "scheduling.calendar.load", "C"))


async def _in_transaction(
    ctx: SchedulingContext, copy: Callable[[Transaction, UUID, Iterable[T]], Awaitable[None]], rows: Iterable[T]
) -> None:
    async with ctx.db.transaction() as tx:
        await copy(tx, ctx.actor.organization_id, rows)


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
