"""Orders' use cases. One function, one transaction, one permission."""

from datetime import datetime
from uuid import UUID

from carewright.contracts.orders import (
    PatientForgotten,
    RecordRequest,
    RequestChanged,
    RequestRecorded,
    RequestsPage,
    SearchRequests,
    ServiceRequest,
    UnknownRequest,
    UpdateRequest,
)
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.idempotency import once, remember
from carewright.kernel.keeping import note_disposed
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.reach import id_after, within_reach
from carewright.kernel.resealing import in_transaction
from carewright.orders import model, store

READ = "orders.request.read"
RECORD = "orders.request.record"
ANY_PATIENT = "orders.request.any_patient"


async def get_request(ctx: Context, request_id: UUID) -> ServiceRequest:
    """One order. Raises `UnknownRequest`, as for another patient's."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await _known(ctx, tx, cipher, request_id)
        await audit.record(tx, _entry(ctx, "orders.request.read", "R", found))
    return found


async def search_requests(ctx: Context, query: SearchRequests) -> RequestsPage:
    """Orders in order of their ids, of the one patient that the actor acts for, if they act for one.

    The journal has an entry for each patient of whom the page shows something, or one without a patient where it shows nothing.
    """
    ctx.actor.require(READ)
    asked, cipher, after = (
        within_reach(ctx, query, ANY_PATIENT, ("authored_from", "authored_until")),
        await ctx.cipher(),
        id_after(query.after),
    )
    found: list[ServiceRequest] = []
    async with ctx.db.transaction() as tx:
        if asked is not None:
            found = await store.search_requests(tx, cipher, asked, after, query.limit + 1)
        items = tuple(found[: query.limit])
        about = [(each.patient_id, audit.Entity(type="ServiceRequest", id=each.id)) for each in items]
        await audit.record(tx, *audit.entries_about(ctx, "orders.request.search", about))
    return RequestsPage(items=items, next=str(items[-1].id) if len(found) > len(items) else None)


async def record_request(ctx: Context, command: RecordRequest) -> ServiceRequest:
    """Store a new order. Raises `InvalidRequest`, and `PatientForgotten` for somebody who was erased."""
    ctx.actor.require(RECORD)
    if not _may_see(ctx, command.patient_id):
        raise Forbidden("You can act for yourself only.")
    cipher = await ctx.cipher()

    async def work() -> ServiceRequest:
        model.ensure_sound(command.details)
        made = model.new_request(ctx.ids.new(), command.patient_id, command.details, ctx.clock.now())
        async with ctx.db.transaction() as tx:
            if not await store.lock_patient(tx, cipher.organization_id, command.patient_id):
                raise PatientForgotten(patient_id=str(command.patient_id))
            await _put(ctx, tx, cipher, made)
            await audit.record(tx, _entry(ctx, "orders.request.record", "C", made))
            await remember(ctx, tx, made)
        ctx.wake()
        return made

    return await once(ctx, ServiceRequest, work)


async def update_request(ctx: Context, command: UpdateRequest) -> ServiceRequest:
    """Replace what an order says; the same again changes nothing.

    Raises `UnknownRequest`, `PreconditionFailed`, `RequestStatusNotAllowed`, `InvalidRequest`.
    """
    ctx.actor.require(RECORD)
    cipher = await ctx.cipher()

    async def work() -> ServiceRequest:
        model.ensure_sound(command.details)
        async with ctx.db.transaction() as tx:
            before = await _locked(ctx, tx, cipher, command.request_id)
            if command.expected_version not in (None, before.version):
                raise PreconditionFailed(version=before.version)
            after = model.changed_request(before, command.details, ctx.clock.now())
            if after.version != before.version:
                await _put(ctx, tx, cipher, after)
            await audit.record(tx, _entry(ctx, "orders.request.change", "U", after))
            await remember(ctx, tx, after)
        ctx.wake()
        return after

    return await once(ctx, ServiceRequest, work)


async def dispose_requests(ctx: Context, before: datetime, limit: int) -> int:
    """End the orders of one organization that are past their time; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "orders.request.dispose", gone)


reseal_requests = in_transaction(store.reseal)
"""Seal orders anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


def _may_see(ctx: Context, patient_id: UUID) -> bool:
    return ctx.actor.may(ANY_PATIENT) or ctx.actor.patient_id == patient_id


async def _known(ctx: Context, db: Session, cipher: FieldCipher, request_id: UUID) -> ServiceRequest:
    """Somebody else's does not exist for a patient."""
    found = await store.request_by_id(db, cipher, request_id)
    if found is None or not _may_see(ctx, found.patient_id):
        raise UnknownRequest(request_id=str(request_id))
    return found


async def _locked(ctx: Context, tx: Session, cipher: FieldCipher, request_id: UUID) -> ServiceRequest:
    """The order as it stays until the transaction ends: whoever changes it holds its patient's row."""
    found = await _known(ctx, tx, cipher, request_id)
    await store.lock_patient(tx, cipher.organization_id, found.patient_id)
    return await _known(ctx, tx, cipher, request_id)


def _entry(ctx: Context, event: str, action: audit.Action, request: ServiceRequest) -> audit.Entry:
    about = (audit.Entity(type="ServiceRequest", id=request.id),)
    return audit.entry(ctx, event, action, patient_id=request.patient_id, entities=about)


async def _put(ctx: Context, tx: Session, cipher: FieldCipher, request: ServiceRequest) -> None:
    await store.put_request(tx, cipher, request)
    if not await store.put_identifiers(tx, cipher, request):
        raise model.taken_identifier()
    kind = RequestRecorded if request.version == 1 else RequestChanged
    fact = kind(
        organization_id=ctx.actor.organization_id, request_id=request.id, patient_id=request.patient_id, status=request.status,
        version=request.version,
    )  # fmt: skip
    await publish(ctx, tx, fact)
