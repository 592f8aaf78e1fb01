"""One-time passwords for patients."""

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import codes as model
from carewright.access.service.sessions import SIGN_IN, acting_for, start
from carewright.contracts.access import (
    AccountDisabled,
    AccountLocked,
    CodeNotRight,
    CodesGuessed,
    IssuedCode,
    RedeemCode,
    RequestCode,
    StartedSession,
)
from carewright.kernel import audit, outbox
from carewright.kernel.db import Row
from carewright.kernel.db import Session as Tx
from carewright.kernel.errors import Refusal, TooManyRequests
from carewright.kernel.rng import new_secret


async def start_code(ctx: AccessContext, command: RequestCode) -> IssuedCode:
    """A code for a patient, to be delivered by the caller. Raises `AccountLocked`, `AccountDisabled`, `TooManyRequests`."""
    ctx.actor.require(SIGN_IN)
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    code_id, code = command.code_id or ctx.ids.new(), model.code_of(new_secret(16))
    async with ctx.db.transaction() as tx:
        row = await store.account_of_patient(tx, organization_id, ctx.ids.new(), command.patient_id, now)
        _ensure_usable(row)
        if await store.live_codes(tx, organization_id, row["id"], now) >= model.LIVE_CODES_MAX:
            raise TooManyRequests("Several codes are on their way to you already. Please use the latest one.")
        expires_at, code_entity = now + model.CODE_LIFETIME, audit.Entity(type="Code", id=code_id)
        await store.insert_code(tx, organization_id, code_id, row["id"], model.proof_of(code_id, command.binding, code), now, expires_at)
        await audit.record(tx, audit.entry(ctx, "access.code.start", "E", patient_id=command.patient_id, entities=(code_entity,)))
    return IssuedCode(id=code_id, code=code, expires_at=expires_at)


async def redeem_code(ctx: AccessContext, command: RedeemCode) -> StartedSession:
    """A session for the right code, once. A wrong one is counted and refused, without saying what is wrong with it.

    Raises `CodeNotRight`, `AccountLocked`, `AccountDisabled`.
    """
    ctx.actor.require(SIGN_IN)
    tenant = acting_for(ctx, command.organization_id)
    async with tenant.db.transaction() as tx:
        answer = await _redeemed(tenant, tx, command)
    if isinstance(answer, Refusal):
        ctx.wake()
        raise answer
    return answer


async def _redeemed(ctx: AccessContext, tx: Tx, command: RedeemCode) -> StartedSession | Refusal:
    """A refusal is an answer here, so that what it changed is committed: a try that rolled back would not count."""
    row = await store.code_for_change(tx, ctx.actor.organization_id, command.code_id)
    refusal = _why_not(ctx, row, command)
    if row is None or refusal is not None:
        return await _counted(ctx, tx, row, refusal or CodeNotRight())
    await store.use_code(tx, ctx.actor.organization_id, command.code_id, ctx.clock.now())
    await store.forgive_wrong_codes(tx, ctx.actor.organization_id, row["account_id"])
    return await start(ctx, tx, store.owner_of(dict(row) | {"id": row["account_id"]}), "otp")


def _why_not(ctx: AccessContext, row: Row | None, command: RedeemCode) -> Refusal | None:
    """Why the code opens nothing. Of the account's state only whoever holds the right code is told: to others it must not exist."""
    if row is None:
        return CodeNotRight()
    spent = row["used_at"] is not None or row["tries"] >= model.TRIES_MAX or ctx.clock.now() >= row["expires_at"]
    if spent or not model.proves(row["proof"], command.code_id, command.binding, command.code):
        return CodeNotRight()
    if row["disabled_at"] is not None:
        return AccountDisabled()
    return AccountLocked() if store.is_locked(row) else None


async def _counted(ctx: AccessContext, tx: Tx, row: Row | None, refusal: Refusal) -> Refusal:
    if row is not None and isinstance(refusal, CodeNotRight) and row["tries"] < model.TRIES_MAX:
        await store.note_wrong_code(tx, ctx.actor.organization_id, row["id"], row["account_id"])
        await _tell_of_guessing(ctx, tx, row)
    return refusal


async def _tell_of_guessing(ctx: AccessContext, tx: Tx, row: Row) -> None:
    """Tell whoever must know at every so many wrong codes in a row: a person mistypes a few."""
    failures = row["code_failures"] + 1
    if failures % ctx.settings.wrong_codes_alarm == 0:
        guessed = CodesGuessed(
            organization_id=ctx.actor.organization_id, account_id=row["account_id"], patient_id=row["patient_id"], failures=failures
        )  # fmt: skip
        await outbox.publish(ctx, tx, guessed)


def _ensure_usable(row: Row) -> None:
    if row["disabled_at"] is not None:
        raise AccountDisabled
    if store.is_locked(row):
        raise AccountLocked
