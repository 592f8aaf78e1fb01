"""The audit log's use cases. Whoever reads the journal leaves an entry in it."""

from uuid import UUID

from carewright.audit import store
from carewright.audit.context import AuditContext
from carewright.audit.model import merkle
from carewright.contracts.audit import (
    AuditEvent,
    AuditEventsPage,
    Busy,
    Checkpoint,
    FindAuditEvents,
    FindBusy,
    FindDisclosures,
    FindReads,
    InclusionProof,
    NoCheckpoint,
    ReadsPage,
    UnknownAuditEvent,
)
from carewright.kernel.audit import Entity, entry, record
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput

READ = "audit.read"
WATCH = "audit.watch"
NOT_ACCOUNTED = ("TREAT", "HPAYMT", "HOPERAT", "PATRQT", "")
"""45 CFR 164.528(a)(1): treatment, payment and health care operations (i), and to the individuals themselves (ii); codes of HL7 v3
ActReason. Nobody without a purpose got in."""
NEWEST = 2**62


async def find_events(ctx: AuditContext, query: FindAuditEvents) -> AuditEventsPage:
    """Sealed entries of the actor's organization as narrowed and sorted, a page of them."""
    ctx.actor.require(READ)
    return await _found(ctx, query, (), "audit.event.find")


async def find_disclosures(ctx: AuditContext, query: FindDisclosures) -> AuditEventsPage:
    """The accounting of disclosures of one patient's record, the newest first."""
    ctx.actor.require(READ)
    narrowed = FindAuditEvents(
        patient_id=query.patient_id, from_at=query.from_at, until_at=query.until_at, after=query.after, limit=query.limit, outcome="success"
    )  # fmt: skip
    return await _found(ctx, narrowed, NOT_ACCOUNTED, "audit.disclosure.find")


async def find_busy(ctx: AuditContext, query: FindBusy) -> tuple[Busy, ...]:
    """Who does more than a person does, among the sealed entries of every organization. For the system, which tells a person."""
    ctx.actor.require(WATCH)
    return await store.busy(ctx.db, query)


async def find_reads(ctx: AuditContext, query: FindReads) -> ReadsPage:
    """Whose record was opened, a bounded look at the log: for the system, which looks for what is unusual."""
    ctx.actor.require(WATCH)
    return await store.reads_behind(ctx.db, query)


async def get_event(ctx: AuditContext, event_id: UUID) -> AuditEvent:
    """One entry. Raises `UnknownAuditEvent`."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        event, _ = await _event(ctx, tx, event_id, "audit.event.read")
    return event


async def prove_event(ctx: AuditContext, event_id: UUID) -> InclusionProof:
    """One entry with the proof that the newest checkpoint covers it. Raises `UnknownAuditEvent`."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        event, body = await _event(ctx, tx, event_id, "audit.event.prove")
        newest = await store.newest_checkpoint(tx)
        if newest is None or newest[0] <= event.number:
            raise NoCheckpoint
        size, note = newest
        places = merkle.needed(lambda node: merkle.inclusion(event.number, size, node))
        node = merkle.node_in(await store.tiles(tx, places))
    path = merkle.inclusion(event.number, size, node)
    return InclusionProof(number=event.number, size=size, body=body, path=tuple(each.hex() for each in path), checkpoint=note)


async def get_checkpoint(ctx: AuditContext) -> Checkpoint:
    """The newest signed checkpoint. Raises `NoCheckpoint`."""
    ctx.actor.require(READ)
    newest = await store.newest_checkpoint(ctx.db)
    if newest is None or ctx.signer is None:
        raise NoCheckpoint
    return Checkpoint(note=newest[1], verifier_key=ctx.signer.verifier_key)


async def _event(ctx: AuditContext, tx: Session, event_id: UUID, deed: str) -> tuple[AuditEvent, str]:
    found = await store.event_by_id(tx, ctx.actor.organization_id, event_id)
    if found is None:
        raise UnknownAuditEvent(event_id=str(event_id))
    about = Entity(type="AuditEvent", id=event_id)
    await record(tx, entry(ctx, deed, "R", patient_id=found[0].patient_id, entities=(about,)))
    return found


async def _found(ctx: AuditContext, query: FindAuditEvents, without: tuple[str, ...], deed: str) -> AuditEventsPage:
    async with ctx.db.transaction() as tx:
        await record(tx, entry(ctx, deed, "E", patient_id=query.patient_id))
        if query.sort == "newest":
            return await _newest(ctx, tx, query, without)
        return await _sorted(ctx, tx, query, without)


async def _newest(ctx: AuditContext, tx: Session, query: FindAuditEvents, without: tuple[str, ...]) -> AuditEventsPage:
    before = NEWEST if query.after is None else _number(query.after)
    found = await store.find_newest_events(tx, ctx.actor.organization_id, query, without, before, query.limit + 1)
    items = tuple(found[: query.limit])
    return AuditEventsPage(items=items, next=str(items[-1].number) if len(found) > len(items) else None)


async def _sorted(ctx: AuditContext, tx: Session, query: FindAuditEvents, without: tuple[str, ...]) -> AuditEventsPage:
    """The cursor carries the sort key in hexadecimal, since keys hold what cursors may not."""
    after = ("", -1)
    if query.after is not None:
        key, _, number = query.after.rpartition(".")
        after = (_key(key), _number(number))
    found = await store.find_events(tx, ctx.actor.organization_id, query, without, after, query.limit + 1)
    items = found[: query.limit]
    more = f"{items[-1][0].encode().hex()}.{items[-1][1].number}" if len(found) > len(items) else None
    return AuditEventsPage(items=tuple(event for _, event in items), next=more)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadInput("`after` is not a cursor of an earlier page.", parameter="after")
    return int(text)


def _key(text: str) -> str:
    try:
        return bytes.fromhex(text).decode()
    except ValueError as fault:
        raise BadInput("`after` is not a cursor of an earlier page.", parameter="after") from fault
