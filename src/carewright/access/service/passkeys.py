"""Passkeys of patients: added after a recent sign-in, used to sign in, listed and removed."""

from urllib.parse import urlsplit
from uuid import UUID

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import passkeys as model
from carewright.access.model.passkeys import NotProved, Party
from carewright.access.model.sessions import hash_of
from carewright.access.service.sessions import OWN, SIGN_IN, start
from carewright.contracts.access import (
    AccountDisabled,
    AccountLocked,
    PasskeyAdded,
    PasskeyNotRight,
    PasskeyRemoved,
    PasskeysEnough,
    SignInNotSetUp,
    StartedSession,
    UnknownPasskey,
)
from carewright.contracts.passkeys import AddPasskey, Passkey, PasskeyAsked, RedeemPasskey, StartPasskey
from carewright.kernel import audit, outbox
from carewright.kernel.db import Row
from carewright.kernel.db import Session as Tx
from carewright.kernel.errors import Forbidden, Refusal
from carewright.kernel.resealing import in_transaction
from carewright.kernel.rng import new_secret


async def find_passkey_origin(ctx: AccessContext) -> str | None:
    """Under which origin browsers make and use passkeys here; None where there are none."""
    ctx.actor.require(SIGN_IN)
    party = _party_or_none(ctx)
    return party.origin if party else None


async def start_passkey(ctx: AccessContext, command: StartPasskey) -> PasskeyAsked:
    """What the browser needs to make a passkey for the actor. Raises `StepUpNeeded`, `PasskeysEnough`, `SignInNotSetUp`."""
    _require_patient(ctx)
    ctx.require_recent()
    party, organization_id = _party(ctx), ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        row = await _account(ctx, tx)
        known = await store.credentials_of_account(tx, organization_id, row["id"])
        if len(known) >= model.PASSKEYS_MAX:
            raise PasskeysEnough
        challenge, asked_until = new_secret(model.CHALLENGE_BYTES), ctx.clock.now() + model.CHALLENGE_LIFETIME
        await store.insert_passkey_challenge(tx, organization_id, hash_of(command.binding), challenge, row["id"], asked_until)
    return PasskeyAsked(options=model.registration(party, row["id"], challenge, known), expires_at=asked_until)


async def add_passkey(ctx: AccessContext, command: AddPasskey) -> Passkey:
    """Keep the passkey that the browser made. Raises `PasskeyNotRight` for all that does not hold, `StepUpNeeded`, `PasskeysEnough`."""
    patient_id = _require_patient(ctx)
    ctx.require_recent()
    party, organization_id, now = _party(ctx), ctx.actor.organization_id, ctx.clock.now()
    cipher = await ctx.cipher()
    asked = await store.take_passkey_challenge(ctx.db, organization_id, hash_of(command.binding), now)
    async with ctx.db.transaction() as tx:
        row = await _account(ctx, tx)
        if asked is None or asked["account_id"] != row["id"]:
            raise PasskeyNotRight
        try:
            made = model.registered(command.credential, asked["challenge"], party)
        except NotProved as fault:
            raise PasskeyNotRight from fault
        if len(await store.credentials_of_account(tx, organization_id, row["id"])) >= model.PASSKEYS_MAX:
            raise PasskeysEnough
        passkey = Passkey(id=ctx.ids.new(), name=command.name, created_at=now)
        if not await store.insert_passkey(tx, cipher, row["id"], passkey, made):
            raise PasskeyNotRight
        await _record(ctx, tx, "access.passkey.add", "C", passkey.id)
        fact = PasskeyAdded(organization_id=organization_id, account_id=row["id"], patient_id=patient_id, passkey_id=passkey.id)
        await outbox.publish(ctx, tx, fact)
    ctx.wake()
    return passkey


async def start_passkey_sign_in(ctx: AccessContext, command: StartPasskey) -> PasskeyAsked:
    """What the browser needs to sign in by a passkey, the same for everybody. Raises `SignInNotSetUp`."""
    ctx.actor.require(SIGN_IN)
    party, challenge, asked_until = _party(ctx), new_secret(model.CHALLENGE_BYTES), ctx.clock.now() + model.CHALLENGE_LIFETIME
    await store.insert_passkey_challenge(ctx.db, ctx.actor.organization_id, hash_of(command.binding), challenge, None, asked_until)
    return PasskeyAsked(options=model.authentication(party, challenge), expires_at=asked_until)


async def redeem_passkey(ctx: AccessContext, command: RedeemPasskey) -> StartedSession:
    """A session for whoever holds the passkey. Raises `PasskeyNotRight` for all that does not hold, `AccountLocked`, `AccountDisabled`."""
    ctx.actor.require(SIGN_IN)
    party, organization_id = _party(ctx), ctx.actor.organization_id
    asked = await store.take_passkey_challenge(ctx.db, organization_id, hash_of(command.binding), ctx.clock.now())
    if asked is None or asked["account_id"] is not None:
        raise PasskeyNotRight
    async with ctx.db.transaction() as tx:
        answer = await _redeemed(ctx, tx, party, asked["challenge"], command.credential)
    if isinstance(answer, Refusal):
        raise answer
    return answer


async def _redeemed(ctx: AccessContext, tx: Tx, party: Party, challenge: bytes, credential: str) -> StartedSession | Refusal:
    """A refusal is an answer here, so that what the journal says of a copied passkey is committed."""
    try:
        credential_id, user_handle = model.credential_of(credential)
        row = await store.passkey_for_change(tx, ctx.actor.organization_id, credential_id)
        if row is None or user_handle != row["account_id"].bytes:
            return PasskeyNotRight()
        sign_count = model.proved(credential, challenge, party, row["public_key"])
    except NotProved:
        return PasskeyNotRight()
    if refusal := await _why_not(ctx, tx, row, sign_count):
        return refusal
    started = await start(ctx, tx, store.owner_of(dict(row) | {"id": row["account_id"]}), "passkey")
    await store.use_passkey(tx, ctx.actor.organization_id, row["id"], sign_count, started.session.id, ctx.clock.now())
    return started


async def _why_not(ctx: AccessContext, tx: Tx, row: Row, sign_count: int) -> Refusal | None:
    """Why a passkey that was proved opens nothing all the same. A count that went back is written down with whose passkey it is."""
    if model.has_gone_back(sign_count, row["sign_count"]):
        copied = audit.entry(
            ctx, "access.passkey.redeem", "E", patient_id=row["patient_id"], entities=(_entity(row["id"]),), outcome="refused",
            code=PasskeyNotRight.code,
        )  # fmt: skip
        await audit.record(tx, copied)
        return PasskeyNotRight()
    if row["disabled_at"] is not None:
        return AccountDisabled()
    return AccountLocked() if store.is_locked(row) else None


async def my_passkeys(ctx: AccessContext) -> tuple[Passkey, ...]:
    """The actor's passkeys, oldest first."""
    _require_patient(ctx)
    return await store.passkeys_of_subject(ctx.db, await ctx.cipher(), ctx.actor.subject)


async def remove_passkey(ctx: AccessContext, passkey_id: UUID) -> None:
    """Remove one of the actor's passkeys; sessions that began by it end.

    Raises `StepUpNeeded`, and `UnknownPasskey` for one not theirs.
    """
    patient_id, organization_id = _require_patient(ctx), ctx.actor.organization_id
    ctx.require_recent()
    async with ctx.db.transaction() as tx:
        account_id = await store.delete_passkey(tx, organization_id, passkey_id, ctx.actor.subject)
        if account_id is None:
            raise UnknownPasskey
        ended = await store.end_sessions_of_passkey(tx, organization_id, passkey_id, ctx.clock.now())
        await _record(ctx, tx, "access.passkey.remove", "D", passkey_id)
        gone = (audit.Entity(type="Session", id=each) for each in ended)
        await audit.record(tx, *(audit.entry(ctx, "access.session.end", "E", entities=(each,)) for each in gone))
        fact = PasskeyRemoved(organization_id=organization_id, account_id=account_id, patient_id=patient_id, passkey_id=passkey_id)
        await outbox.publish(ctx, tx, fact)
    ctx.wake()


reseal_passkeys = in_transaction(store.reseal_passkeys)
"""Seal anew what an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


def _require_patient(ctx: AccessContext) -> UUID:
    """Passkeys are a patient's own: not staff's, who have their provider, nor to be handled while acting for somebody else."""
    ctx.actor.require(OWN)
    if ctx.actor.role != "patient" or ctx.actor.patient_id is None:
        raise Forbidden
    return ctx.actor.patient_id


def _party(ctx: AccessContext) -> Party:
    party = _party_or_none(ctx)
    if party is None:
        raise SignInNotSetUp
    return party


def _party_or_none(ctx: AccessContext) -> Party | None:
    address = urlsplit(ctx.settings.passkey_origin or ctx.settings.public_url)
    return model.party_of(address.scheme, address.netloc, address.hostname)


async def _account(ctx: AccessContext, tx: Tx) -> Row:
    """The actor's account, its row locked."""
    row = await store.account_by_subject_for_change(tx, ctx.actor.organization_id, ctx.actor.subject)
    if row is None or row["disabled_at"] is not None:
        raise AccountDisabled
    return row


async def _record(ctx: AccessContext, tx: Tx, event: str, action: audit.Action, passkey_id: UUID) -> None:
    await audit.record(tx, audit.entry(ctx, event, action, patient_id=ctx.actor.patient_id, entities=(_entity(passkey_id),)))


def _entity(passkey_id: UUID) -> audit.Entity:
    return audit.Entity(type="Passkey", id=passkey_id)
