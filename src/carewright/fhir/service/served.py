"""What is served, on one page: each type with who answers for it. The CapabilityStatement is made of this table."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from carewright.contracts.fhir import eligibility, flow, people, scheduling
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import NotServed, UnknownId, UnknownVersion
from carewright.contracts.schedules import GetCalendar, ListSchedules
from carewright.contracts.scheduling import UnknownSchedule
from carewright.contracts.smart import READ
from carewright.fhir.context import FhirContext
from carewright.fhir.model.ids import SlotId, is_proposal, read_slot
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.slots import slot_at
from carewright.fhir.model.versions import Asked, Versions, number_or_none
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service import (
    appointments,
    communications,
    coverages,
    eligibilities,
    groups,
    listing,
    observations,
    orders,
    patients,
    referrals,
    relating,
    responding,
    subscribing,
    tasks,
)
from carewright.fhir.service.finding import read_proposed
from carewright.fhir.service.scoping import ensure_seen, shown
from carewright.fhir.service.trail import read_audit_event, read_provenance

Read = Callable[[FhirContext, str], Awaitable[Resource]]
Create = Callable[[FhirContext, Sent], Awaitable[Written]]
Update = Callable[[FhirContext, str, Sent], Awaitable[Written]]
Delete = Callable[[FhirContext, str], Awaitable[Resource]]
History = Callable[[FhirContext, str, Asked], Awaitable[Versions]]


@dataclass(frozen=True, slots=True)
class Served:
    """One type: how a resource is read by its FHIR id, and how it is written or ended, where it may be. A patch is an update.

    `is_versioned` says that what is read tells its version; `versions` are there where earlier ones are kept.
    """

    read: Read
    is_versioned: bool = True
    create: Create | None = None
    update: Update | None = None
    delete: Delete | None = None
    versions: History | None = None

    @property
    def interactions(self) -> tuple[str, ...]:
        """What may be done with one resource, in FHIR's words."""
        may = {
            "read": True, "vread": self.is_versioned, "create": self.create, "update": self.update, "patch": self.update,
            "delete": self.delete, "history-instance": self.versions,
        }  # fmt: skip
        return tuple(code for code, is_there in may.items() if is_there)


async def read(ctx: FhirContext, kind: str, id_: str) -> Resource:
    """One resource. Raises `NotServed`, `UnknownId`, `ScopeMissing`, and what its module refuses."""
    if kind not in SERVED:
        raise NotServed
    return ensure_seen(ctx, kind, await SERVED[kind].read(ctx, id_))


async def read_version(ctx: FhirContext, kind: str, id_: str, version: str) -> Resource:
    """One version of a resource, whoever may read what it is now. Raises `UnknownVersion` for one that is not kept."""
    now = await read(ctx, kind, id_)
    if now.get("meta", {}).get("versionId") == version:
        return now
    versions, number = SERVED[kind].versions, number_or_none(version)
    if versions is None or number is None:
        raise UnknownVersion
    found = await versions(ctx, id_, Asked(below=number + 1, count=1))
    if not found.items or found.items[0]["meta"]["versionId"] != version:
        raise UnknownVersion
    return ensure_seen(ctx, kind, found.items[0])


async def history(ctx: FhirContext, kind: str, id_: str, asked: Asked) -> Versions:
    """What a resource is and was. Raises `NotServed` for a type of which nothing earlier is kept, and what `read` does."""
    await read(ctx, kind, id_)
    versions = SERVED[kind].versions
    if versions is None:
        raise NotServed("Earlier versions are not kept of this type.")
    found = await versions(ctx, id_, asked)
    return msgspec.structs.replace(found, items=tuple(shown(ctx, kind, found.items, READ)))


async def _patient(ctx: FhirContext, id_: str) -> Resource:
    return people.patient(await ctx.patients.get_patient(ctx.actor, known_uuid(id_)))


async def _appointment(ctx: FhirContext, id_: str) -> Resource:
    """A stored one, or one that was proposed and can still be had."""
    if is_proposal(id_):
        return await read_proposed(ctx, id_)
    return await referrals.one_shown(ctx, await ctx.scheduling.get_appointment(ctx.actor, known_uuid(id_)))


async def _encounter(ctx: FhirContext, id_: str) -> Resource:
    return flow.encounter(await ctx.flow.get_encounter(ctx.actor, known_uuid(id_)))


async def _schedule(ctx: FhirContext, id_: str) -> Resource:
    page = await ctx.scheduling.list_schedules(ctx.actor, ListSchedules(ids=(known_uuid(id_),)))
    if not page.items:
        raise UnknownId
    return scheduling.schedule(page.items[0])


async def _slot(ctx: FhirContext, id_: str) -> Resource:
    """A stretch of a calendar, as it is now."""
    slot = read_slot(id_)
    return slot_at(slot, await _calendar(ctx, slot))


async def _calendar(ctx: FhirContext, slot: SlotId) -> Any:
    try:
        return await ctx.scheduling.get_calendar(
            ctx.actor, GetCalendar(schedule_id=slot.schedule_id, from_at=slot.start, until_at=slot.end)
        )
    except UnknownSchedule as refusal:
        raise UnknownId from refusal


SERVED: Mapping[str, Served] = {
    "Appointment": Served(_appointment, create=appointments.post, update=appointments.put, versions=appointments.versions),
    "AppointmentResponse": Served(responding.read, create=responding.post),
    "AuditEvent": Served(read_audit_event, is_versioned=False),
    "Communication": Served(communications.read, is_versioned=False),
    "Coverage": Served(coverages.read, create=coverages.post, update=coverages.put),
    "CoverageEligibilityRequest": Served(partial(eligibilities.read, eligibility.request), create=eligibilities.post),
    "CoverageEligibilityResponse": Served(partial(eligibilities.read, eligibility.response), is_versioned=False),
    "Encounter": Served(_encounter),
    "Group": Served(groups.read, create=groups.post, update=groups.put, delete=groups.end),
    "Observation": Served(observations.read),
    "Patient": Served(_patient, create=patients.post, update=patients.put),
    "Provenance": Served(read_provenance, is_versioned=False),
    "RelatedPerson": Served(relating.read, is_versioned=False),
    "Schedule": Served(_schedule),
    "ServiceRequest": Served(orders.read, create=orders.post, update=orders.put),
    "Slot": Served(_slot, is_versioned=False),
    "Subscription": Served(subscribing.read, create=subscribing.post, update=subscribing.put, delete=subscribing.end),
    "Task": Served(tasks.read, is_versioned=False),
} | {
    kind: Served(partial(listing.read, kind), create=partial(listing.post, kind), update=partial(listing.put, kind))
    for kind in listing.PLURALS
}
