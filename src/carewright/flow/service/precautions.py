"""Use cases of the precautions that patients need: said once by whoever treats them, known to every room that is chosen for them after."""

from datetime import datetime
from uuid import UUID

from carewright.contracts.patients import PatientMerged
from carewright.contracts.rooms import PatientPrecautions, RecordPrecautions
from carewright.flow.store import precautions as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.idempotency import once_committed
from carewright.kernel.keeping import note_disposed
from carewright.kernel.resealing import in_transaction

READ = "flow.precaution.read"
RECORD = "flow.precaution.record"


async def get_precautions(ctx: Context, patient_id: UUID) -> PatientPrecautions:
    """What is kept of a patient; nothing, of version 0, where nobody ever said any."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.precautions_of(tx, cipher, patient_id)
        await audit.record(tx, _entry(ctx, "flow.precaution.read", "R", patient_id))
        return found


async def record_precautions(ctx: Context, command: RecordPrecautions) -> PatientPrecautions:
    """Keep what a patient needs, instead of what was kept. Whoever says it has just looked the patient up. Raises `PreconditionFailed`."""
    ctx.actor.require(RECORD)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> PatientPrecautions:
        patient_id = await store.survivor_of(tx, ctx.actor.organization_id, command.patient_id)
        before = await store.precautions_for_change(tx, cipher, patient_id)
        if command.expected_version not in (None, before.version):
            raise PreconditionFailed(version=before.version)
        said = PatientPrecautions(
            patient_id=patient_id, precautions=tuple(sorted(set(command.precautions))), recorded_at=ctx.clock.now(),
            recorded_by=ctx.actor.subject, version=before.version + 1,
        )  # fmt: skip
        if said.precautions == before.precautions:
            return before
        if not await store.put_precautions(tx, cipher, said):
            raise PreconditionFailed(version=said.version)
        await audit.record(tx, _entry(ctx, "flow.precaution.record", "U", patient_id))
        return said

    return await once_committed(ctx, PatientPrecautions, work)


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """What either of two records that are one person needed, the survivor needs: to forget one would harm others."""
    cipher = await ctx.cipher()
    prior = await store.precautions_for_change(tx, cipher, event.prior_id)
    if prior.recorded_at is None:
        return
    survivor_id = await store.survivor_of(tx, event.organization_id, event.prior_id)
    theirs = await store.precautions_for_change(tx, cipher, survivor_id)
    both = PatientPrecautions(
        patient_id=survivor_id, precautions=tuple(sorted({*prior.precautions, *theirs.precautions})), recorded_at=prior.recorded_at,
        recorded_by=prior.recorded_by, version=theirs.version + 1,
    )  # fmt: skip
    if both.precautions != theirs.precautions:
        await store.put_precautions(tx, cipher, both)
    gone = await store.drop_precautions(tx, event.organization_id, event.prior_id)
    await audit.record_merge(ctx, tx, "flow.precaution.merge", event, "PatientPrecautions", gone)


async def dispose_precautions(ctx: Context, before: datetime, limit: int) -> int:
    """End what was said so long ago; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "flow.precaution.dispose", gone)


reseal_precautions = in_transaction(store.reseal)
"""Seal anew what an older key sealed: one batch of a rotation."""


def _entry(ctx: Context, event: str, action: audit.Action, patient_id: UUID) -> audit.Entry:
    about = (audit.Entity(type="PatientPrecautions", id=patient_id),)
    return audit.entry(ctx, event, action, patient_id=patient_id, entities=about)
