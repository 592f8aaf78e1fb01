"""How long what is kept, and what must stay: the port by which every module disposes of what is past its time.

A module names what it keeps and how it disposes of it, one bounded batch at a time (`Keeps`). The timer made by `disposing` asks each
organization's own rules, and goes on from batch to batch. What a legal hold covers stays: every statement that disposes asks
`kernel.is_held` row by row. What was disposed of is in the journal, in the same transaction.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from carewright.kernel import audit
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.db import Row, Session
from carewright.kernel.jobs import Timer
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.kernel")
C = TypeVar("C", bound=Context)
EVERY_SECONDS = 3600.0
BATCH_MAX = 500
BATCHES_PER_TURN_MAX = 40
TABLE = "kernel.legal_hold"
"""What the sealed reasons of holds are bound to."""
Days = Callable[[str, int | None, str | None], int | None]
"""(what, the organization's own days, its state) to the days for which it is kept; None is for ever."""


@dataclass(frozen=True, slots=True)
class Keeps(Generic[C]):
    """A kind of record: `dispose(ctx, before, limit)` ends the oldest that ended before `before`, in one transaction; how many."""

    what: str
    dispose: Callable[[C, datetime, int], Awaitable[int]]


class Gone(NamedTuple):
    """Something that was disposed of: its FHIR type, its id, and whose record it belonged to."""

    type: str
    id: UUID
    patient_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What an organization declared and chose."""

    days: dict[str, int]
    region: str | None
    state: str | None


def disposing(name: str, keeps: Sequence[Keeps[C]], days_kept: Days) -> Timer[C]:
    """The timer that disposes of what a module keeps."""

    async def turn(ctx: C) -> int:
        return await dispose_all(ctx, keeps, days_kept)

    return Timer(name, EVERY_SECONDS, turn)


async def dispose_all(ctx: C, keeps: Sequence[Keeps[C]], days_kept: Days) -> int:
    """Dispose of what is past its time, in every organization. `ctx` is the system's. What is left waits for the next turn."""
    gone = 0
    for row in await ctx.db.fetch(Q.organizations_with_keys):
        organization_id: UUID = row["organization_id"]
        rules = await rules_of(ctx.db, organization_id)
        actor = Actor(subject="system", organization_id=organization_id, role="system", purpose="HOPERAT")
        for each in keeps:
            days = days_kept(each.what, rules.days.get(each.what), rules.state)
            if days is not None:
                gone += await _dispose(ctx.acting(actor), each, ctx.clock.now() - timedelta(days=days))
    return gone


async def _dispose(ctx: C, keeps: Keeps[C], before: datetime) -> int:
    gone = 0
    for _ in range(BATCHES_PER_TURN_MAX):
        count = await keeps.dispose(ctx, before, BATCH_MAX)
        gone += count
        if count < BATCH_MAX:
            break
    return gone


async def note_disposed(ctx: Context, tx: Session, event: str, gone: Iterable[Gone]) -> int:
    """Record what was disposed of, an entry for each patient; how many things that were."""
    everything = sorted(gone, key=lambda each: str(each.patient_id or ""))
    entries = [
        audit.entry(ctx, event, "D", patient_id=patient_id, entities=tuple(audit.Entity(type=each.type, id=each.id) for each in theirs))
        for patient_id, theirs in groupby(everything, key=lambda each: each.patient_id)
    ]
    await audit.record(tx, *entries)
    return len(everything)


async def rules_of(db: Session, organization_id: UUID) -> Rules:
    own = {row["what"]: row["days"] for row in await db.fetch(Q.retention_of, organization_id)}
    row = await db.fetch_one(Q.jurisdiction_of, organization_id)
    return Rules(own, row["region"] if row else None, row["state"] if row else None)


async def set_rule(tx: Session, organization_id: UUID, what: str, days: int | None, now: datetime) -> None:
    """Keep `what` for so many days; None is the default again."""
    if days is None:
        await tx.execute(Q.drop_retention, organization_id, what)
    else:
        await tx.execute(Q.put_retention, organization_id, what, days, now)


async def set_jurisdiction(tx: Session, organization_id: UUID, region: str, state: str | None, now: datetime) -> None:
    await tx.execute(Q.put_jurisdiction, organization_id, region, state, now)


async def is_held(db: Session, organization_id: UUID, patient_id: UUID | None) -> bool:
    """Whether something of this patient must stay."""
    row = await db.fetch_one(Q.is_held, organization_id, patient_id)
    return bool(row and row["held"])


async def insert_hold(
    tx: Session, cipher: FieldCipher, hold_id: UUID, patient_id: UUID | None, reason: str, by: str, now: datetime
) -> None:  # fmt: skip
    sealed = cipher.seal(TABLE, "reason", hold_id, reason.encode())
    await tx.execute(Q.insert_hold, cipher.organization_id, hold_id, patient_id, sealed, by, now)


async def holds(db: Session, cipher: FieldCipher, after: UUID, limit: int, *, lifted: bool) -> list[dict[str, Any]]:
    """A page of holds, oldest first; with `lifted` those that stand no more as well."""
    return [_hold(cipher, row) for row in await db.fetch(Q.holds, cipher.organization_id, lifted, after, limit)]


async def hold_for_change(tx: Session, cipher: FieldCipher, hold_id: UUID) -> dict[str, Any] | None:
    """The hold, its row locked."""
    row = await tx.fetch_one(Q.hold_for_change, cipher.organization_id, hold_id)
    return _hold(cipher, row) if row else None


async def lift_hold(tx: Session, cipher: FieldCipher, hold_id: UUID, by: str, reason: str, now: datetime) -> None:
    sealed = cipher.seal(TABLE, "lift_reason", hold_id, reason.encode())
    await tx.execute(Q.lift_hold, cipher.organization_id, hold_id, now, by, sealed)


async def reseal_holds(ctx: Context, after: UUID, limit: int) -> list[UUID]:
    """Seal reasons anew that an older key sealed, at most `limit` with ids behind `after`; their ids in order."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await reseal_rows(tx, cipher, TABLE, ("reason", "lift_reason"), (Q.holds_to_reseal, Q.reseal_holds), after, limit)


def _hold(cipher: FieldCipher, row: Row) -> dict[str, Any]:
    """The row with its reasons opened."""
    words = {
        name: None if row[name] is None else cipher.open_(TABLE, name, row["id"], row[name]).decode() for name in ("reason", "lift_reason")
    }
    return {**row, **words}
