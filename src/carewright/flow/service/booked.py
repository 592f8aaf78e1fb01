"""What calls have to do with who is booked: whose time is kept, and which gaps there are for those who wait."""

from datetime import timedelta
from uuid import UUID

from carewright.contracts.queue import KeptFor, ProposedTurn, ProposedTurns, ProposeTurns, Queue
from carewright.flow.model import coming as rules
from carewright.flow.model import elsewhere, gaps
from carewright.flow.service.turns import turn_of
from carewright.flow.store import coming, waits
from carewright.flow.store import queue as store
from carewright.kernel.context import Context
from carewright.kernel.db import Session

WAITING_MAX = 200
"""So many of those who are called first are looked at."""


async def kept_for(ctx: Context, tx: Session, queue: Queue, practitioner_id: UUID | None) -> KeptFor | None:
    """For whom the practitioner's time is kept now, if for anybody; of a call by nobody in particular nothing is known."""
    if practitioner_id is None or queue.policy.booked_may_wait_minutes is None:
        return None
    now = ctx.clock.now()
    due = await coming.due_next(tx, ctx.actor.organization_id, practitioner_id, now, timedelta(minutes=queue.policy.grace_minutes))
    if not due:
        return None
    return rules.kept_for(due, await waits.usual_minutes(tx, ctx.actor.organization_id, queue), queue.policy, now)


async def propose(ctx: Context, tx: Session, queue: Queue, query: ProposeTurns) -> ProposedTurns:
    """Who of the queue fits into which of the gaps."""
    now, organization_id = ctx.clock.now(), ctx.actor.organization_id
    usual = await waits.usual_minutes(tx, organization_id, queue)
    waiting = await store.entries_waiting(tx, organization_id, queue, now, WAITING_MAX)
    here = [each for each in waiting if elsewhere.is_callable(each, now)]
    busy = await store.practitioners_busy(tx, organization_id, {each.practitioner_id for each in query.gaps})
    least = gaps.least_minutes(usual, queue.policy)
    items = tuple(
        ProposedTurn(gap=gap, is_now=gap.start <= now, turn=turn_of(entry) if entry else None)
        for gap, entry in gaps.proposed(query.gaps, here, busy, least, now)
    )
    return ProposedTurns(items=items, usual_minutes=round(usual), least_minutes=round(least), as_of=now)
