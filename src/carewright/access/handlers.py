"""What access does about what others report. Safe to repeat: an account is shut once, and stays shut."""

from uuid import UUID

from carewright.access import store
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def shut_out_erased(ctx: Context, tx: Session, event: PatientErased) -> None:
    """Whoever was erased does not come in any more, nor does anybody for them, nor an app, nor they for anybody."""
    await store.withdraw_consents_of(tx, event.organization_id, event.patient_id, ctx.clock.now())
    await _shut_out(ctx, tx, event.organization_id, event.patient_id)


async def take_over(ctx: Context, tx: Session, event: PatientMerged) -> None:
    """Who acts for a record that was merged, or for whom it acts, goes with it; who signed in by it signs in anew, to the survivor's.

    So do apps: what they were let in to was another record.
    """
    ids = await store.take_over_consents(tx, event.organization_id, event.prior_id, ctx.clock.now())
    await audit.record_merge(ctx, tx, "access.consent.merge", event, "Consent", ids)
    await _shut_out(ctx, tx, event.organization_id, event.prior_id)


async def _shut_out(ctx: Context, tx: Session, organization_id: UUID, patient_id: UUID) -> None:
    """End everything by which somebody comes in with this record. An account knows but a record's id."""
    now = ctx.clock.now()
    account = await store.account_by_subject(tx, organization_id, f"patient/{patient_id}")
    await store.delete_app_grants_of_patient(tx, organization_id, patient_id, account["id"] if account else None)
    if account is None:
        return
    await store.set_account_disabled(tx, organization_id, account["id"], now)
    await store.end_sessions_of_account(tx, organization_id, account["id"], now, "disabled")
    await store.delete_passkeys_of_account(tx, organization_id, account["id"])
    about = (audit.Entity(type="Person", id=account["id"]),)
    name = "access.account.disable"
    await audit.record(tx, audit.entry_of_system(ctx, organization_id, name, "U", patient_id=patient_id, entities=about))
