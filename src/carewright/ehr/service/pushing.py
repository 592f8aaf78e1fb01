"""Pushing: an appointment there becomes what it is here. What is told is how it is now, so that telling it again does nothing twice.

The event only says that something changed. Between an answer that was lost and the next try, what we booked is known by our id in its
comment. What is patched is the version that was compared (If-Match): where somebody changed it meanwhile, it is compared anew, and whose
word counts decides again.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.ehr import Connection, ConnectionStopped, NotUnderstood
from carewright.contracts.scheduling import Appointment
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.model.deciding import ENDED, of_visit, winner
from carewright.ehr.model.profiles import way
from carewright.ehr.model.reading import Misread, Visit, instant, read
from carewright.ehr.service.asking import Ehr
from carewright.ehr.service.booking import book, found_again, free_slot
from carewright.ehr.service.connections import connection_named, keyed
from carewright.ehr.service.people import see_patient
from carewright.ehr.service.pulling import EXCHANGE
from carewright.ehr.service.reconciling import reconcile
from carewright.ehr.service.work import DIFFERS, GONE, NOT_FOUND, Work
from carewright.kernel import audit, jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Refusal, Unavailable

PUSH = "ehr.push"
LIVE = frozenset({"booked", "arrived", "checked-in", "fulfilled"})
TOLD = frozenset({"arrived", "checked-in", "fulfilled"})
NO_TIME, NO_PATIENT, NOT_OFFERED = "ehr.no_time_there", "ehr.no_patient_there", "ehr.not_offered"
PATCH = "application/json-patch+json"


@dataclass
class Seen:
    """Their appointment as it was last seen: `version` is its ETag then, and the only one that is changed."""

    work: Work
    id: str
    version: str | None

    async def patch(self, changes: Mapping[str, Any]) -> None:
        """Elements by their paths (RFC 6902), of this version (If-Match); the answer's ETag is the next (HL7 FHIR R4, http.html#versions).

        Raises `Unavailable` where it is another version by now, and `NotUnderstood` where nobody said which one it is.
        """
        if self.version is None:
            raise NotUnderstood(about="version")
        body = msgspec.json.encode([{"op": "replace", "path": path, "value": value} for path, value in changes.items()])
        headers = {"Content-Type": PATCH, "If-Match": self.version}
        answer = await self.work.ehr.ask("PATCH", f"{self.work.connection.base}/Appointment/{self.id}", body, headers)
        self.version = answer.headers.get("ETag")


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One appointment for one EHR, as a job carries it."""

    organization_id: UUID
    name: str
    appointment_id: UUID


def telling(connection_id: UUID, appointment_id: UUID) -> str:
    """What the unique keys of the jobs that tell an EHR of one appointment begin with; the version that is told of follows."""
    return f"{connection_id}/{appointment_id}/"


async def queue_telling(
    ctx: Context, tx: Session, organization_id: UUID, connection: Connection, appointment_id: UUID, version: int
) -> None:  # fmt: skip
    """Have an EHR told of an appointment, once for each version of it."""
    told = Push(organization_id=organization_id, name=connection.name, appointment_id=appointment_id)
    await jobs.enqueue(ctx, tx, PUSH, told, unique_key=f"{telling(connection.id, appointment_id)}{version}")


async def push_queued(ctx: EhrContext, payload: msgspec.Raw) -> None:
    """The job: what cannot be done just now is tried again. A connection that was stopped meanwhile is told when it is resumed."""
    told = msgspec.json.decode(payload, type=Push)
    system = ctx.tokens.actor("system", "system", told.organization_id)
    with suppress(ConnectionStopped):
        await push(ctx.acting(system), told.name, told.appointment_id)


async def push_all(ctx: EhrContext, name: str) -> int:
    """Tell an EHR of every appointment that it does not have; how many there were. Raises `UnknownConnection`, `ConnectionStopped`."""
    await keyed(ctx, name)
    missing = (await reconcile(ctx, (await connection_named(ctx, name)).id)).only_ours
    for each in missing:
        await push(ctx, name, each)
    return len(missing)


async def push(ctx: EhrContext, name: str, appointment_id: UUID) -> str | None:
    """Bring one appointment there to what it is here. The code of what stands in the way, which is on record; None for nothing.

    Raises `UnknownConnection`, `ConnectionStopped`, and `Unavailable` where it has to be tried again.
    """
    ctx.actor.require(EXCHANGE)
    asked = await keyed(ctx, name)
    acting = ctx.acting(ctx.speaking_for(asked.connection.id, ctx.actor.organization_id), trace=ctx.trace)
    work = Work(acting, await acting.cipher(), Ehr(acting, asked), ctx.clock.now())
    ours = await acting.scheduling.get_appointment(acting.actor, appointment_id)
    theirs = await store.theirs_of(acting.db, work.cipher, asked.connection.id, "Appointment", ours.id)
    try:
        reason = await _told(work, ours, theirs)
    except Unavailable:
        raise
    except (Refusal, Misread) as fault:
        reason = fault.code if isinstance(fault, Refusal) else NotUnderstood.code
    await _note(work, ours, theirs, reason)
    return reason


async def _told(work: Work, ours: Appointment, theirs: str | None) -> str | None:
    if theirs is not None:
        return await _changed(work, ours, theirs)
    if ours.status not in LIVE or ours.start <= work.began_at:
        return None
    if await store.is_taking(work.ctx.db, work.cipher.organization_id, work.connection.id, ours.patient_id, ours.start):
        raise Unavailable("This appointment is just coming from there.")
    return await _booked(work, ours)


async def _booked(work: Work, ours: Appointment) -> str | None:
    """There afterwards, and linked."""
    patient = await _patient(work, ours.patient_id)
    if patient is None:
        return NO_PATIENT
    theirs = await found_again(work, ours, patient) or await book(work, ours, patient)
    if theirs is None:
        return NO_TIME
    await work.link("Appointment", theirs, ours.id, ours.patient_id, ours.start)
    return await _changed(work, ours, theirs) if ours.status in TOLD else None


async def _changed(work: Work, ours: Appointment, theirs_id: str) -> str | None:
    """Their appointment moved, ended or taken further, step by step; unless their word counts."""
    try:
        resource, version = await work.ehr.read_version("Appointment", theirs_id)
    except NotUnderstood as refusal:
        if refusal.facts.get("status_code") in NOT_FOUND:
            return None if ours.status in ENDED else GONE
        raise
    theirs = read(resource, Visit)
    differing = of_visit(theirs, ours)
    further = ours.status in TOLD and theirs.status != ours.status
    if not differing and not further:
        return None
    if winner(work.connection.masters["Appointment"], theirs.said_at, ours.updated_at) == "theirs":
        return DIFFERS
    seen = Seen(work, theirs_id, version)
    if "start" in differing and (reason := await _moved(work, ours, seen)) is not None:
        return reason
    target = ours.status if further else ENDED.get(ours.status)
    return await _stepped(seen, theirs.status, target) if target else None


async def _moved(work: Work, ours: Appointment, seen: Seen) -> str | None:
    """Another slot is another time, where appointments are booked in slots."""
    if not work.profile.steps:
        return NOT_OFFERED
    if work.profile.books_by == "itself":
        await seen.patch({"/start": instant(ours.start), "/end": instant(ours.end)})
        return None
    slot = await free_slot(work, ours)
    if slot is None:
        return NO_TIME
    await seen.patch({"/slot": [{"reference": slot}]})
    return None


async def _stepped(seen: Seen, before: str, after: str) -> str | None:
    steps = way(seen.work.profile, before, after)
    if steps is None:
        return NOT_OFFERED
    for status in steps:
        await seen.patch({"/status": status})
    return None


async def _patient(work: Work, patient_id: UUID) -> str | None:
    """Their id of our patient: linked, or found by the number that they gave them."""
    known = await store.theirs_of(work.ctx.db, work.cipher, work.connection.id, "Patient", patient_id)
    if known is not None or not work.connection.patient_system:
        return known
    ours = await work.ctx.patients.get_patient(work.ctx.actor, patient_id)
    numbers = [f"{one.system}|{one.value}" for one in ours.identifiers if one.system == work.connection.patient_system]
    if numbers:
        async for resource in work.ehr.search("Patient", {"identifier": ",".join(numbers)}):
            await see_patient(work, resource)
    return await store.theirs_of(work.ctx.db, work.cipher, work.connection.id, "Patient", patient_id)


async def _note(work: Work, ours: Appointment, theirs: str | None, reason: str | None) -> None:
    """What came of it: a difference, or none any more; and that the EHR was told. What was tried in vain before need not be tried again."""
    kept = theirs or f"ours {ours.id}"
    if reason is None:
        await work.agrees("Appointment", kept, ours.id)
    else:
        await work.differs("Appointment", kept, reason, ours.id, patient_id=ours.patient_id)
    about = (audit.Entity(type="Appointment", id=ours.id),)
    outcome: audit.Outcome = "failed" if reason else "success"
    entry = audit.entry(work.ctx, PUSH, "E", patient_id=ours.patient_id, entities=about, outcome=outcome, code=reason)
    await audit.record(work.ctx.db, entry)
    await jobs.drop_failed(work.ctx.db, PUSH, telling(work.connection.id, ours.id))
