"""What access does about what others report. Safe to repeat: an account is shut once, and stays shut."""

from carewright.access import store
from carewright.contracts.patients import PatientErased
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def shut_out_erased(ctx: Context, tx: Session, event: PatientErased) -> None:
    """Whoever was erased does not come in any more, nor does anybody for them, nor an app, nor they for anybody.

    An account knows but a record's id.
    """
    now = ctx.clock.now()
    await store.withdraw_consents_of(tx, event.organization_id, event.patient_id, now)
    account = await store.account_by_subject(tx, event.organization_id, f"patient/{event.patient_id}")
    await store.delete_app_grants_of_patient(tx, event.organization_id, event.patient_id, account["id"] if account else None)
    if account is None:
        return
    await store.set_account_disabled(tx, event.organization_id, account["id"], now)
    await store.end_sessions_of_account(tx, event.organization_id, account["id"], now, "disabled")
    await store.delete_passkeys_of_account(tx, event.organization_id, account["id"])
    about = (audit.Entity(type="Person", id=account["id"]),)
    name = "access.account.disable"
    await audit.record(tx, audit.entry_of_system(ctx, event.organization_id, name, "U", patient_id=event.patient_id, entities=about))
