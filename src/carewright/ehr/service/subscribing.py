"""Our subscription at an EHR: made, looked at, renewed before its end, made anew when it is lost, and taken away when nobody wants it.

What is in the way is kept as a fault of the connection and tried again: polling goes on as if there were no subscription.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.ehr import Connection, NotUnderstood, SetMode
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.model.reading import Misread
from carewright.ehr.model.subscribing import ends_soon, pause
from carewright.ehr.service.asking import Ehr
from carewright.ehr.service.connections import MANAGE, connection_of, endpoint_of, ensure_offered, entity, is_wanted
from carewright.ehr.service.hooking import Hook
from carewright.ehr.store import Keyed, Standing
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.errors import Refusal
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.rng import new_secret

PREFIX, BYTES = "cwe_", 32
"""What a secret begins with, so that whoever finds one in the wrong place knows what it is; and how much of it nobody can guess."""
LEASE = timedelta(minutes=5)
"""One looks at a time, for so long at most."""
GONE, ENDED = "ehr.subscription_gone", {"error": "ehr.subscription_error", "off": "ehr.subscription_off"}
"""Faults: it is not there any more; the EHR gave it up, or turned it off."""


@dataclass(frozen=True)
class Look:
    """One look at the subscription of one connection; `standing` is how it was at the last one."""

    ctx: EhrContext
    cipher: FieldCipher
    ehr: Ehr
    standing: Standing
    now: datetime

    @property
    def id(self) -> UUID:
        return self.ehr.connection.id

    @property
    def hook(self) -> Hook:
        return Hook(self.ehr)


async def set_mode(ctx: EhrContext, connection_id: UUID, command: SetMode) -> Connection:
    """How we hear of changes from now on; what that needs at the EHR is tried at once, and else again and again.

    Raises `UnknownConnection`, `ModeNotOffered` and `NoPublicAddress`.
    """
    ctx.actor.require(MANAGE)
    connection = msgspec.structs.replace(await connection_of(ctx, connection_id), mode=command.mode)
    ensure_offered(ctx, connection)
    async with ctx.db.transaction() as tx:
        await store.set_mode(tx, ctx.actor.organization_id, connection.id, command.mode)
        await see_to(ctx, tx, connection)
        await audit.record(tx, audit.entry(ctx, "ehr.mode.put", "U", entities=(entity(connection.id),)))
    await keep(ctx, connection.name)
    return await connection_of(ctx, connection.id)


async def see_to(ctx: EhrContext, tx: Session, connection: Connection) -> None:
    """Have the subscription looked at now: one that is wanted, or one that may be there and is wanted no more."""
    act = store.want_subscription if is_wanted(connection) else store.look_at_subscription
    await act(tx, ctx.actor.organization_id, connection.id, ctx.clock.now())


def hash_of(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


async def keep(ctx: EhrContext, name: str) -> None:
    """Look at a subscription whose turn it is, and do what is to be done. Nothing that the EHR does is raised.

    Whoever was not told our address, as a command may be, leaves what is wanted to a process that was.
    """
    cipher, now = await ctx.cipher(), ctx.clock.now()
    asked = await store.connection_for_asking(ctx.db, cipher, name)
    if asked is None or (is_wanted(asked.connection) and not ctx.settings.public_url):
        return
    standing = await store.claim_look(ctx.db, cipher, asked.connection.id, now, now + LEASE)
    if standing is not None:
        await _looked_at(ctx, cipher, asked, standing, now)


async def _looked_at(ctx: EhrContext, cipher: FieldCipher, asked: Keyed, standing: Standing, now: datetime) -> None:
    connection = asked.connection
    acting = ctx.acting(ctx.speaking_for(connection.id, cipher.organization_id), trace=ctx.trace)
    look = Look(acting, cipher, Ehr(acting, asked), standing, now)
    try:
        await (_kept if is_wanted(connection) else _removed)(look)
    except (Refusal, Misread) as fault:
        code = fault.code if isinstance(fault, Refusal) else NotUnderstood.code
        again = now + timedelta(minutes=ctx.settings.subscription_minutes)
        await store.note_fault(acting.db, cipher.organization_id, connection.id, code, now, again)
    ctx.wake()


async def _kept(look: Look) -> None:
    """There is one afterwards that wakes us until its end."""
    if look.standing.theirs is None:
        await _made(look)
        return
    seen = await look.hook.read(look.standing.theirs)
    if seen is None or seen.status in ENDED:
        status, fault = (seen.status, ENDED[seen.status]) if seen else (None, GONE)
        await store.note_lost(look.ctx.db, look.cipher.organization_id, look.id, status, fault, look.now)
        await _made_anew(look)
    elif seen.channel.endpoint != endpoint_of(look.ctx, look.id) or ends_soon(seen.end, look.now, _lasts(look)):
        try:
            await _written(look, seen.id)
        except NotUnderstood:
            await _made_anew(look)
    else:
        await _note(look, Standing(theirs=seen.id, status=seen.status, ends_at=seen.end))


async def _made(look: Look) -> None:
    """A new one; or ours that is there already, whose answer we did not hear."""
    await _written(look, next(iter(await _found_again(look)), None))


async def _made_anew(look: Look) -> None:
    for each in await _found_again(look):
        await look.hook.delete(each)
    await _written(look, None)


async def _found_again(look: Look) -> list[str]:
    """Their ids of whatever would wake this connection, the one that we know first; it alone where we do not know our address."""
    known = [look.standing.theirs] if look.standing.theirs else []
    if not look.ctx.settings.public_url:
        return known
    return list(dict.fromkeys([*known, *await look.hook.found(endpoint_of(look.ctx, look.id))]))


async def _written(look: Look, theirs: str | None) -> None:
    """Make it, or write it anew, with a secret of its own each time: whoever can read it at the EHR knows an old one before long."""
    secret, ends_at = PREFIX + new_secret(BYTES).hex(), look.now + _lasts(look)
    await store.offer_secret(look.ctx.db, look.cipher.organization_id, look.id, hash_of(secret), ends_at)
    made = await look.hook.put(endpoint_of(look.ctx, look.id), secret, ends_at, theirs)
    entry = audit.entry(look.ctx, "ehr.subscription.put", "U" if theirs else "C", entities=(entity(look.id),))
    await _note(look, Standing(theirs=made, status="requested", ends_at=ends_at), entry)


async def _note(look: Look, seen: Standing, *entries: audit.Entry) -> None:
    usual = timedelta(minutes=look.ctx.settings.subscription_minutes)
    wait = usual if seen.status == "active" else pause(seen.ends_at, look.now, _lasts(look), usual)
    async with look.ctx.db.transaction() as tx:
        await store.put_subscription(tx, look.cipher, look.id, seen, look.now + wait, look.now)
        await audit.record(tx, *entries)


async def _removed(look: Look) -> None:
    """Nothing of ours is there afterwards; what has ended by itself, or never was, is not asked for."""
    ends_at = look.standing.ends_at
    if (ends_at is None and look.standing.theirs) or (ends_at is not None and ends_at > look.now):
        for each in await _found_again(look):
            await look.hook.delete(each)
    async with look.ctx.db.transaction() as tx:
        await store.drop_subscription(tx, look.cipher.organization_id, look.id)
        await audit.record(tx, audit.entry(look.ctx, "ehr.subscription.delete", "D", entities=(entity(look.id),)))


def _lasts(look: Look) -> timedelta:
    return timedelta(hours=look.ctx.settings.subscription_hours)
