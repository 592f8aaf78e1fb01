"""Use cases of who waits for a bed: asked for on a visit, and over when the patient is in one, the visit ends, or nobody needs it any more.

One function, one transaction, one permission. An encounter's row is locked before its request's.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.flow import BedRequestChanged, BedRequestEnded, UnknownBedRequest
from carewright.contracts.rooms import AskForBed, BedRequest, BedRequestEnd, BedRequests, CancelBedRequest, ListBedRequests, Precautions
from carewright.flow.service import places
from carewright.flow.service.precautions import READ as READ_NEEDS
from carewright.flow.store import bed_requests as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.idempotency import once_committed
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.resealing import in_transaction


async def list_bed_requests(ctx: Context, query: ListBedRequests) -> BedRequests:
    """Who waits for a bed at a site, in the order in which they are to have one. Those who work there are told whose each is."""
    ctx.actor.require(places.READ)
    places.ensure_at(ctx, query.site_id)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.requests_at(tx, cipher, query)
        waiting = await store.count_requests(tx, cipher.organization_id, query.site_id)
        items = tuple(_shown(ctx, each, whose=query.whose) for each in found)
        about = [(each.patient_id, _entity(each)) for each in items if each.patient_id is not None]
        await audit.record(tx, *audit.entries_about(ctx, "flow.bed_request.search", about))
    return BedRequests(items=items, waiting=waiting)


async def ask_for_bed(ctx: Context, command: AskForBed) -> BedRequest:
    """Have a patient wait for a bed. Who waits already is asked for otherwise, and keeps the place by the time of the first asking.

    Raises `UnknownEncounter`, and `StatusNotAllowed` where the visit is over.
    """
    ctx.actor.require(places.WORK)
    places.ensure_at(ctx, command.site_id)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> BedRequest:
        encounter = await places.visit_for_change(ctx, tx, cipher, command.encounter_id)
        before = next(iter(await store.open_requests_of(tx, cipher, [encounter.id])), None)
        kept = () if before is None or ctx.actor.may(READ_NEEDS) else before.precautions
        asked = BedRequest(
            id=before.id if before else ctx.ids.new(), encounter_id=encounter.id, patient_id=encounter.patient_id, site_id=command.site_id,
            urgency=command.urgency, room_type=command.room_type, devices=tuple(sorted(set(command.devices))),
            precautions=tuple(sorted({*command.precautions, *kept})), asked_at=before.asked_at if before else ctx.clock.now(),
            asked_by=before.asked_by if before else ctx.actor.subject, version=before.version if before else 0,
        )  # fmt: skip
        if asked != before:
            asked = await _write(ctx, tx, cipher, asked)
        await audit.record(tx, _entry(ctx, "flow.bed_request.ask", asked))
        return _shown(ctx, asked)

    return await once_committed(ctx, BedRequest, work)


async def cancel_bed_request(ctx: Context, command: CancelBedRequest) -> BedRequest:
    """Nobody waits for this bed any more. Raises `UnknownBedRequest`, `BedRequestEnded`, `PreconditionFailed`."""
    ctx.actor.require(places.WORK)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> BedRequest:
        before = await store.request_for_change(tx, cipher, command.request_id)
        if before is None or not ctx.actor.works_at(before.site_id):
            raise UnknownBedRequest(request_id=str(command.request_id))
        if before.ended is not None:
            raise BedRequestEnded(request_id=str(before.id), ended=before.ended)
        if command.expected_version not in (None, before.version):
            raise PreconditionFailed(version=before.version)
        over = await _write(ctx, tx, cipher, _ended(before, command.reason, ctx.clock.now()))
        await audit.record(tx, _entry(ctx, "flow.bed_request.cancel", over))
        return _shown(ctx, over)

    return await once_committed(ctx, BedRequest, work)


async def needed_for(tx: Session, cipher: FieldCipher, encounter_id: UUID) -> Precautions:
    """The precautions that were asked for with the bed that a visit waits for. The caller holds the encounter's row."""
    return tuple(one for each in await store.open_requests_of(tx, cipher, [encounter_id]) for one in each.precautions)


async def end(ctx: Context, tx: Session, cipher: FieldCipher, encounter_ids: Sequence[UUID], how: BedRequestEnd) -> None:
    """These visits wait for no bed any more, in the transaction of what brought it about. The caller holds the encounters' rows."""
    for each in await store.open_requests_of(tx, cipher, encounter_ids) if encounter_ids else ():
        await _write(ctx, tx, cipher, _ended(each, how, ctx.clock.now()))


reseal_bed_requests = in_transaction(store.reseal)
"""Seal anew what an older key sealed: one batch of a rotation."""


async def _write(ctx: Context, tx: Session, cipher: FieldCipher, request: BedRequest) -> BedRequest:
    """The request as it stands from now on, in its next version."""
    written = replace(request, version=request.version + 1)
    await store.put_request(tx, cipher, written)
    told = BedRequestChanged(
        organization_id=cipher.organization_id, request_id=written.id, site_id=written.site_id, encounter_id=written.encounter_id,
        urgency=written.urgency, ended=written.ended, version=written.version,
    )  # fmt: skip
    await publish(ctx, tx, told)
    return written


def _ended(request: BedRequest, how: BedRequestEnd, now: datetime) -> BedRequest:
    return replace(request, ended=how, ended_at=now)


def _shown(ctx: Context, request: BedRequest, *, whose: bool = True) -> BedRequest:
    """The request as far as the actor may see it: of whom it is told to who works there, which precautions to who may know them."""
    if not ctx.actor.may(READ_NEEDS):
        request = replace(request, precautions=())
    return request if whose and ctx.actor.may(places.WORK) else replace(request, encounter_id=None, patient_id=None)


def _entity(request: BedRequest) -> audit.Entity:
    return audit.Entity(type="BedRequest", id=request.id)


def _entry(ctx: Context, event: str, request: BedRequest) -> audit.Entry:
    return audit.entry(ctx, event, "C" if request.version == 1 else "U", patient_id=request.patient_id, entities=(_entity(request),))
