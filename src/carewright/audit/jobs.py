"""Sealing: the journal's new entries go into the tree, batch by batch, and a signed checkpoint goes out.

One process leads at a time, by a session lock that dies with it. Nothing here touches the transaction of a deed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import Counter, Gauge

from carewright.audit import store
from carewright.audit.model import checkpoint, merkle
from carewright.audit.settings import AuditSettings
from carewright.audit.store import LogPlace, Sealed
from carewright.audit.witness.port import SawOther, Witness
from carewright.kernel import telemetry
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.invariants import invariant
from carewright.kernel.notes import Signer
from carewright.kernel.sql import load

K = load("carewright.kernel")
BATCH_MAX = 5_000
STAND_BY_SECONDS = 1.0
SEALED = Counter("carewright_audit_sealed_total", "Entries of the journal that were sealed.")
NOT_SEALED = Counter("carewright_audit_not_sealed_total", "Attempts to seal that broke.")
SIZE = Gauge("carewright_audit_log_size", "Entries in the sealed log.")
UNWITNESSED = Gauge("carewright_audit_unwitnessed_seconds", "For how long a witness has not taken a checkpoint.", ["witness"])
log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Sealing:
    """What sealing works with."""

    context: Context
    settings: AuditSettings
    signer: Signer
    witnesses: Sequence[Witness] = ()

    async def run(self) -> None:
        """Lead or wait to lead, until cancelled. A tree that somebody broke stops the sealing, which alerts; it must not stop care."""
        while True:
            try:
                async with self.context.db.reserved() as session:
                    row = await session.fetch_one(K.try_lead, "audit log")
                    if row and row["leads"]:
                        await self._lead(session)
            except Unavailable:
                log.info("audit.waits")
            except Exception as fault:  # noqa: BLE001  # whatever it is, it is told and tried again
                NOT_SEALED.inc()
                log.error("audit.not_sealed", error=type(fault).__name__, where=telemetry.where(fault))
            await asyncio.sleep(STAND_BY_SECONDS)

    async def _lead(self, session: Session) -> None:
        log.info("audit.leads")
        tasks = [asyncio.ensure_future(Witnessed(self.context, each).run()) for each in self.witnesses]
        try:
            while True:
                await seal_all(self.context, self.signer)
                await session.fetch_one(K.database_now)  # the lock goes with this connection: notice when it is gone
                await asyncio.sleep(self.settings.every_seconds)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Brings checkpoints to one witness. A witness that is away delays nobody but itself, and is told when it is back."""

    context: Context
    witness: Witness

    async def run(self) -> None:
        """Bring the newest checkpoint whenever there is one that the witness has not seen."""
        clock = self.context.clock
        seen_at = clock.monotonic_seconds()
        while True:
            try:
                await show(self.context, self.witness)
                seen_at = clock.monotonic_seconds()
            except Exception as fault:  # noqa: BLE001  # whatever it is, it is told and tried again; others go on
                log.error("audit.witness_away", error=type(fault).__name__, where=telemetry.where(fault))
            UNWITNESSED.labels(self.witness.name).set(clock.monotonic_seconds() - seen_at)
            await asyncio.sleep(self.witness.every_seconds)


async def seal_all(ctx: Context, signer: Signer) -> int:
    """Seal every entry that can be sealed now; returns how many."""
    sealed = 0
    while count := await seal_batch(ctx, signer):
        sealed += count
        if count < BATCH_MAX:
            break
    return sealed


async def seal_batch(ctx: Context, signer: Signer) -> int:
    """Append the next entries to the tree and sign what it is now, in one transaction; returns how many there were."""
    if not await store.anything_to_seal(ctx.db):
        return 0
    async with ctx.db.transaction() as tx:
        place = await store.lock_log(tx)
        entries = await store.entries_to_seal(tx, place, BATCH_MAX)
        if entries:
            await _append(ctx, tx, place, entries, signer)
    SEALED.inc(len(entries))
    SIZE.set(place.size + len(entries))
    return len(entries)


async def _append(ctx: Context, tx: Session, place: LogPlace, entries: list[Sealed], signer: Signer) -> None:
    edges = await store.tiles(tx, merkle.edges_of(place.size))
    leaves = [merkle.leaf_hash(entry.body.encode()) for entry in entries]
    changed = merkle.appended(place.size, {level: hashes for (level, _), hashes in edges.items()}, leaves)
    size = place.size + len(entries)
    wanted = merkle.needed(lambda node: merkle.root(size, node))
    there = await store.tiles(tx, wanted - changed.keys())
    root = merkle.root(size, merkle.node_in(there | changed))
    newest = await store.newest_checkpoint(tx)
    invariant(newest is None or newest[0] <= place.size, "no checkpoint is signed for less than was signed before")
    await store.put_tiles(tx, changed)
    await store.add_events(tx, place.size, entries)
    await store.add_checkpoint(tx, size, signer.sign(checkpoint.text_of(checkpoint.Head(signer.name, size, root))), ctx.clock.now())
    await store.move_log(tx, LogPlace(size, entries[-1].xid, entries[-1].position))


async def show(ctx: Context, to: Witness) -> bool:
    """Bring the newest checkpoint to a witness; False when it has seen it. Raises `NotTaken`."""
    newest = await store.newest_checkpoint(ctx.db)
    seen = await store.size_witnessed(ctx.db, to.name)
    if newest is None or newest[0] <= seen:
        return False
    size, note = newest
    try:
        answer = await to.take(note, seen, await _proof(ctx, seen, size))
    except SawOther as other:
        if other.size > size:
            raise
        answer = await to.take(note, other.size, await _proof(ctx, other.size, size))
    await store.put_witness(ctx.db, to.name, size, answer, ctx.clock.now())
    return True


async def _proof(ctx: Context, old: int, size: int) -> list[bytes]:
    """That the tree of `size` begins with the tree of `old`."""
    if old == 0:
        return []
    tiles = await store.tiles(ctx.db, merkle.needed(lambda node: merkle.consistency(old, size, node)))
    return merkle.consistency(old, size, merkle.node_in(tiles))
