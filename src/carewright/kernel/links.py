"""Links that open one thing, once, for a while: in a message, or in the code that a telephone shows to a reader.

Whoever opens a link is not signed in: it is looked up in the system's database, and the row says whose tenant it is of.

A link's token is 128 random bits that stand for a row; the row holds their SHA-256 alone, so that nobody who reads the database can open
anything. It names no person and says nothing. The row says what it opens: one target, for one purpose, and for one holder where it has one.
Whatever is wrong with a token (forged, cut short, run out, used, made for another purpose or for somebody else), the answer is the same.
"""

import hashlib
import re
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.kernel.context import Context
from carewright.kernel.db import Row, Session
from carewright.kernel.errors import Refusal
from carewright.kernel.invariants import invariant
from carewright.kernel.rng import new_secret
from carewright.kernel.sql import Query, load

Q = load("carewright.kernel")
PREFIX = "cwl_"
"""So that whoever finds one in the wrong place, a secret scanner for one, knows what it is."""
TOKEN = re.compile(PREFIX + "[0-9a-f]{32}")
TOKEN_BYTES = 16
LIFETIME_MAX = timedelta(days=30)


class LinkRefused(Refusal):
    """Forged, used, too old, or meant for somebody or something else: which of these is told to nobody."""

    code = "kernel.link_refused"
    status = 403
    issue = "security"
    title = "This link does not work, or does not work any more. Please ask for a new one."


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a token opens."""

    organization_id: UUID
    target: UUID
    holder: str | None
    expires_at: datetime


async def make_link(ctx: Context, tx: Session, purpose: str, target: UUID, lifetime: timedelta, *, holder: str | None = None) -> str:
    """The token of a new link to `target` in the actor's organization, written in the caller's transaction. It is shown this once.

    `purpose` names the act, as `module.noun.verb`. `holder` is the subject who alone may use it; None for whoever has it.
    """
    invariant(timedelta(0) < lifetime <= LIFETIME_MAX, "a link lives for a while, and not for ever")
    token, now = PREFIX + new_secret(TOKEN_BYTES).hex(), ctx.clock.now()
    await tx.execute(Q.insert_link, ctx.actor.organization_id, hash_of(token), purpose, target, holder, now, now + lifetime)
    return token


async def look_at_link(ctx: Context, db: Session, purpose: str, token: str, *, holder: str | None = None) -> Link:
    """What a token would open, and leave it as it is: for the page that asks first, and for mail programs that follow every link.

    Raises `LinkRefused`.
    """
    return await _opened(db, token, Q.link_by_token, purpose, holder, ctx.clock.now())


async def use_link(ctx: Context, tx: Session, purpose: str, token: str, *, holder: str | None = None) -> Link:
    """Open what a token opens, in the caller's transaction: the link is used up when that commits. Raises `LinkRefused`."""
    return await _opened(tx, token, Q.use_link, purpose, holder, ctx.clock.now())


async def revoke_links(ctx: Context, tx: Session, purpose: str, target: UUID) -> int:
    """Take back every unused link to `target`; how many there were."""
    row = await tx.fetch_one(Q.revoke_links, ctx.actor.organization_id, purpose, target)
    return row["count"] if row else 0


def hash_of(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


async def _opened(db: Session, token: str, query: Query, purpose: str, holder: str | None, now: datetime) -> Link:
    row = await db.fetch_one(query, hash_of(token), purpose, holder, now) if TOKEN.fullmatch(token) else None
    if row is None:
        raise LinkRefused
    return _link(row)


def _link(row: Row) -> Link:
    return Link(organization_id=row["organization_id"], target=row["target"], holder=row["holder"], expires_at=row["expires_at"])
