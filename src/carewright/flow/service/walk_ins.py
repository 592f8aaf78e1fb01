"""Use cases of who has no appointment: the ticket that a kiosk gives, and the desk that finds out whose it is.

A ticket is no turn yet: nobody is called to be seen by one, and it stays on the desk's page until somebody has seen to it. The turn that
becomes of it has the same ticket, and counts since it was taken.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import msgspec

from carewright.contracts.flow import UnknownQueue
from carewright.contracts.kiosk import (
    CallWalkIn,
    EndWalkIn,
    KioskQueue,
    KioskQueues,
    KioskTicket,
    ListKioskQueues,
    RegisterWalkIn,
    TakeTicket,
    UnknownWalkIn,
    WalkIn,
    WalkInAction,
    WalkInEnd,
    WalkInsPage,
)
from carewright.contracts.queue import Queue, QueueEntry, QueueSummary
from carewright.contracts.relief import OtherSite, ReliefKind
from carewright.flow.model import walk_ins as rules
from carewright.flow.service import check_in, estimates, relief, turns
from carewright.flow.service.lobby import queue_shown
from carewright.flow.store import kiosk as store
from carewright.flow.store import lobby as sites
from carewright.flow.store import queue as queues
from carewright.flow.store import relief as reliefs
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import PreconditionFailed, TooManyRequests
from carewright.kernel.idempotency import committed, once, once_committed
from carewright.kernel.outbox import publish

USE = "flow.kiosk.use"
WORK = "flow.queue.work"
SHOWN_MAX = 100
TICKETS_MAX, TICKETS_WITHIN = 10, timedelta(minutes=1)
"""Of one queue by one kiosk: as fast as people can touch it one after another."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that was just given; how long it takes is told anew whenever the answer is asked for again."""

    walk_in: WalkIn
    elsewhere: tuple[OtherSite, ...]


async def list_kiosk_queues(ctx: Context, query: ListKioskQueues) -> KioskQueues:
    """What a kiosk offers to who has no appointment."""
    ctx.actor.require(USE)
    check_in.ensure_at(ctx, query.site_id)
    wanted, organization_id = set(query.queue_ids), ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        _, zone = await sites.site(tx, organization_id, query.site_id)
        found = await queues.queues_at(tx, organization_id, {query.site_id}, None)
        on = await reliefs.on(tx, organization_id, [each.queue.id for each in found])
    offered = [each for each in found if each.queue.policy.at_kiosks and (not wanted or each.queue.id in wanted)]
    items = [await _offered(ctx, each, {one.what for one in on if one.queue_id == each.queue.id}) for each in offered]
    return KioskQueues(items=tuple(items), time_zone=zone)


async def take_ticket(ctx: Context, command: TakeTicket) -> KioskTicket:
    """A ticket for who has no appointment. Raises `UnknownQueue` for one that kiosks give none of, `WalkInsPaused`, `TooManyRequests`."""
    ctx.actor.require(USE)

    async def take(tx: Session, queue: Queue, drawn: turns.Drawn, elsewhere: tuple[OtherSite, ...]) -> Taken:
        made = WalkIn(
            id=ctx.ids.new(), queue_id=queue.id, site_id=queue.site_id, ticket=drawn.ticket, status="waiting", taken_at=ctx.clock.now()
        )
        await store.insert_walk_in(tx, ctx.actor.organization_id, made, ctx.actor.subject, drawn.day)
        await _tell(ctx, tx, "take", made)
        return Taken(walk_in=made, elsewhere=elsewhere)

    async def work() -> Taken:
        queue = await _offering(ctx, command.queue_id)
        on = await relief.steps_on(ctx, queue)
        if "pause-walk-ins" in on:
            raise await relief.walk_ins_paused(ctx, queue, on["pause-walk-ins"])
        elsewhere = await relief.less_elsewhere(ctx, queue) if "other-site" in on else ()
        since = ctx.clock.now() - TICKETS_WITHIN
        if await store.taken_since(ctx.db, ctx.actor.organization_id, queue.id, ctx.actor.subject, since) >= TICKETS_MAX:
            raise TooManyRequests(retry_after_seconds=int(TICKETS_WITHIN.total_seconds()))
        drawn = await turns.draw_ticket(ctx, ctx.db, queue)
        return await committed(ctx, lambda tx: take(tx, queue, drawn, elsewhere))

    taken = await once(ctx, Taken, work)
    queue = await _offering(ctx, command.queue_id)
    shown = KioskTicket(
        ticket=taken.walk_in.ticket, queue=queue.name, waits_at=queue.policy.waits_at, status="waiting", elsewhere=taken.elsewhere
    )
    return await estimates.with_wait(ctx, queue, shown, taken.walk_in.id)


async def list_walk_ins(ctx: Context, queue_id: UUID) -> WalkInsPage:
    """Whom the desk does not know yet, who came first before. Raises `UnknownQueue`."""
    ctx.actor.require(WORK)
    async with ctx.db.transaction() as tx:
        queue = await turns.get_queue(ctx, tx, queue_id)
        return WalkInsPage(items=tuple(await store.walk_ins_open(tx, ctx.actor.organization_id, queue.id, SHOWN_MAX)))


async def call_walk_in(ctx: Context, command: CallWalkIn) -> WalkIn:
    """Call a ticket to the desk; screens show it. Raises `UnknownWalkIn`, `WalkInStepNotAllowed`."""
    ctx.actor.require(WORK)

    async def work(tx: Session) -> WalkIn:
        found = await _for_change(ctx, tx, command.walk_in_id, command.expected_version)
        return await _step(ctx, tx, "call", rules.stepped(found.walk_in, "call", ctx.clock.now()))

    return await once_committed(ctx, WalkIn, work)


async def register_walk_in(ctx: Context, command: RegisterWalkIn) -> QueueEntry:
    """The turn of who has this ticket, now that the desk knows who it is: by the same ticket, and since it was taken.

    Whoever was announced has the turn of the announcement. Raises `UnknownWalkIn`, `WalkInStepNotAllowed`, `AlreadyQueued`.
    """
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> QueueEntry:
        walk_in, day = await _for_change(ctx, tx, command.walk_in_id, command.expected_version)
        rules.stepped(walk_in, "register", ctx.clock.now())  # refused before anything is made of it
        queue = await turns.get_queue(ctx, tx, walk_in.queue_id)
        arrival = turns.Arrival(patient_id=command.patient_id, tier=command.tier, came_at=walk_in.taken_at)
        entry = await turns.come(ctx, tx, cipher, queue, arrival, turns.Drawn(day, walk_in.ticket))
        await _step(ctx, tx, "register", rules.stepped(walk_in, "register", ctx.clock.now(), entry.id))
        return entry

    return await once_committed(ctx, QueueEntry, work)


async def end_walk_in(ctx: Context, command: EndWalkIn) -> WalkIn:
    """Nobody waits for this ticket any more. Raises `UnknownWalkIn`, `WalkInStepNotAllowed`."""
    ctx.actor.require(WORK)

    async def work(tx: Session) -> WalkIn:
        found = await _for_change(ctx, tx, command.walk_in_id, command.expected_version)
        return await _step(ctx, tx, "end", rules.stepped(found.walk_in, "end", ctx.clock.now()), command.reason)

    return await once_committed(ctx, WalkIn, work)


async def _offered(ctx: Context, summary: QueueSummary, on: Collection[ReliefKind]) -> KioskQueue:
    shown = await queue_shown(ctx, summary)
    is_paused = "pause-walk-ins" in on
    elsewhere: tuple[OtherSite, ...] = ()
    if is_paused:
        elsewhere = await relief.other_sites(ctx, summary.queue)
    elif "other-site" in on:
        elsewhere = await relief.less_elsewhere(ctx, summary.queue)
    return KioskQueue(
        id=shown.id, name=shown.name, waiting=shown.waiting, low_minutes=shown.low_minutes, high_minutes=shown.high_minutes,
        is_paused=is_paused, elsewhere=elsewhere,
    )  # fmt: skip


async def _offering(ctx: Context, queue_id: UUID) -> Queue:
    queue = await turns.get_queue(ctx, ctx.db, queue_id)
    if not queue.policy.at_kiosks:
        raise UnknownQueue(queue_id=str(queue_id))
    return queue


async def _for_change(ctx: Context, tx: Session, walk_in_id: UUID, expected_version: int | None) -> store.Kept:
    kept = await store.walk_in_for_change(tx, ctx.actor.organization_id, walk_in_id)
    if kept is None or not ctx.actor.works_at(kept.walk_in.site_id):
        raise UnknownWalkIn(walk_in_id=str(walk_in_id))
    if expected_version not in (None, kept.walk_in.version):
        raise PreconditionFailed(version=kept.walk_in.version)
    return kept


async def _step(ctx: Context, tx: Session, action: WalkInAction, after: WalkIn, reason: WalkInEnd | None = None) -> WalkIn:
    await store.update_walk_in(tx, ctx.actor.organization_id, after, reason)
    await _tell(ctx, tx, action, after)
    return after


async def _tell(ctx: Context, tx: Session, action: WalkInAction, walk_in: WalkIn) -> None:
    await publish(ctx, tx, rules.moved(walk_in, action, ctx.actor.organization_id))
    about = (audit.Entity(type="WalkIn", id=walk_in.id),)
    await audit.record(tx, audit.entry(ctx, rules.DEEDS[action], "C" if action == "take" else "U", entities=about))
