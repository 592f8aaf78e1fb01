"""Use cases of waiting elsewhere: what people say of where they wait, whom a queue asks, and whom it tells to come."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from carewright.contracts.elsewhere import NoteUnreached, SayWhere
from carewright.contracts.flow import StepNotAllowed
from carewright.contracts.queue import EntryAction, Queue, QueueEntry
from carewright.flow.model import elsewhere as rules
from carewright.flow.service import estimates, turns
from carewright.flow.store import elsewhere as store
from carewright.flow.store import queue as queues
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.idempotency import once_committed

SAY = "flow.queue.say_where"
NOTE = "flow.queue.note_unreached"
WATCHED_MAX = 1_000
"""So many queues are asked for at once."""
TOLD: dict[EntryAction, Callable[[QueueEntry, datetime], QueueEntry]] = {
    "offer": rules.offered, "come": rules.told_to_come, "unreached": rules.unreached,
}  # fmt: skip
"""What is told, or was not, of a turn, and what it makes of it."""


async def say_where(ctx: Context, command: SayWhere) -> QueueEntry:
    """Where somebody waits, as they say themselves, or staff for them.

    Raises `UnknownEntry`, `StepNotAllowed`, `StayNear`, `NoMoreTime`, `TellTheDesk`.
    """
    ctx.actor.require(SAY)
    cipher, by_patient = await ctx.cipher(), not ctx.actor.may(turns.WORK)

    async def work(tx: Session) -> QueueEntry:
        before = await turns.for_change(ctx, tx, command.entry_id, command.expected_version)
        action, after = rules.said(before, command, ctx.clock.now(), by_patient=by_patient)
        return await turns.write(ctx, tx, cipher, action, before, after)

    return await once_committed(ctx, QueueEntry, work)


async def note_unreached(ctx: Context, command: NoteUnreached) -> None:
    """A message about a turn did not reach its patient: whoever looks at the queue sees it. What is over by now stays as it is."""
    ctx.actor.require(NOTE)
    await tell(ctx, "unreached", command.entry_id)


async def watch(ctx: Context) -> int:
    """Ask and call back whoever it is time for, in every queue. The timer's turn; how many were told something."""
    done, after = 0, store.START
    while found := await store.queues_to_watch(ctx.db, after, WATCHED_MAX):
        for each in found:
            done += await look(ctx.working_in(each.organization_id), each.queue, offers=each.offers)
        after = found[-1].organization_id, found[-1].queue.id
    return done


async def look(ctx: Context, queue: Queue, *, offers: bool) -> int:
    """The same in one queue of the organization in which `ctx` works."""
    waiting = await queues.entries_waiting(ctx.db, ctx.actor.organization_id, queue, ctx.clock.now(), estimates.WAITING_MAX)
    told = await estimates.estimates_of(ctx, queue, fresh=estimates.SOMEWHAT_FRESH)
    found = rules.due(waiting, told, offers=offers)
    done = [await tell(ctx, action, entry_id) for entry_id, action in found]
    if any(done):
        ctx.wake()
    return sum(done)


async def tell(ctx: Context, action: EntryAction, entry_id: UUID) -> bool:
    """`note` in a transaction of its own."""
    await ctx.cipher()
    async with ctx.db.transaction() as tx:
        return await note(ctx, tx, action, entry_id)


async def note(ctx: Context, tx: Session, action: EntryAction, entry_id: UUID) -> bool:
    """Note of a turn what its patient is told, or was not; whether the turn still stands so that this can be."""
    entry = await queues.entry_for_change(tx, ctx.actor.organization_id, entry_id)
    if entry is None:
        return False
    try:
        after = TOLD[action](entry, ctx.clock.now())
    except StepNotAllowed:
        return False
    await turns.write(ctx, tx, await ctx.cipher(), action, entry, after)
    return True
