"""Accounts: looking at them, disabling and enabling them; and who the actor is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.service.break_glass import active_break_glass
from carewright.access.service.sessions import MANAGE, OWN, my_sessions
from carewright.contracts.access import Account, AccountChanged, AccountsPage, UnknownAccount, WhoAmI
from carewright.kernel import audit, outbox
from carewright.kernel.errors import Forbidden

READ = "access.account.read"
LOOK_UP = "access.account.look_up"
ACCOUNTS_SHOWN_MAX = 200
NO_ID = UUID(int=0)


async def who_am_i(ctx: AccessContext) -> WhoAmI:
    """The actor with what they may do, and the session they ask in."""
    ctx.actor.require(OWN)
    row = await store.account_by_subject(ctx.db, ctx.actor.organization_id, ctx.actor.subject)
    session = next((each for each in await my_sessions(ctx) if each.id == ctx.actor.session_id), None)
    return WhoAmI(
        subject=ctx.actor.subject, role=ctx.actor.role, display=row["display"] if row else "",
        permissions=tuple(sorted(ctx.actor.permissions)), session=session, break_glass=await active_break_glass(ctx),
    )  # fmt: skip


async def account_of(ctx: AccessContext, subject: str) -> Account | None:
    """The account behind a subject; None for one that has none. For the system, which looks at who opened what."""
    ctx.actor.require(LOOK_UP)
    row = await store.account_by_subject(ctx.db, ctx.actor.organization_id, subject)
    return store.account_of(row) if row else None


async def list_accounts(ctx: AccessContext, role: str | None = None, after: UUID | None = None) -> AccountsPage:
    """Accounts in the order in which they were made."""
    ctx.actor.require(READ)
    found = await store.accounts(ctx.db, ctx.actor.organization_id, after or NO_ID, role, ACCOUNTS_SHOWN_MAX)
    return AccountsPage(items=found)


async def names_of(ctx: AccessContext, subjects: Sequence[str]) -> dict[str, str]:
    """What members of staff are called, by subject. Who is no member of staff, or has no account, is left out."""
    ctx.actor.require(READ)
    return await store.staff_names(ctx.db, ctx.actor.organization_id, subjects)


async def disable_account(ctx: AccessContext, account_id: UUID) -> Account:
    """Shut somebody out: their sessions end at once, and no new one starts. Raises `UnknownAccount`, `StepUpNeeded`."""
    return await _changed(ctx, account_id, ctx.clock.now(), "access.account.disable")


async def enable_account(ctx: AccessContext, account_id: UUID) -> Account:
    """Let somebody in again, whether they were disabled or had locked themselves out. Raises `UnknownAccount`, `StepUpNeeded`."""
    return await _changed(ctx, account_id, None, "access.account.enable")


async def _changed(ctx: AccessContext, account_id: UUID, disabled_at: datetime | None, event: str) -> Account:
    ctx.actor.require(MANAGE)
    ctx.require_recent()
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    async with ctx.db.transaction() as tx:
        before = await store.account_for_change(tx, organization_id, account_id)
        if before is None:
            raise UnknownAccount
        if before["subject"] == ctx.actor.subject:
            raise Forbidden("Nobody disables or enables themselves.")
        await store.set_account_disabled(tx, organization_id, account_id, disabled_at)
        if disabled_at is not None:
            await store.end_sessions_of_account(tx, organization_id, account_id, now, "disabled")
        after = await store.account_for_change(tx, organization_id, account_id)
        entity = audit.Entity(type="Person", id=account_id)
        await audit.record(tx, audit.entry(ctx, event, "U", patient_id=before["patient_id"], entities=(entity,)))
        changed = AccountChanged(
            organization_id=organization_id, account_id=account_id, role=before["role"], disabled=disabled_at is not None
        )  # fmt: skip
        await outbox.publish(ctx, tx, changed)
    ctx.wake()
    return store.account_of(after or before)
