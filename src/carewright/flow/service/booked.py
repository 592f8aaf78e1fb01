"""What calls have to do with who is booked."""

from datetime import timedelta
from uuid import UUID

from carewright.contracts.queue import KeptFor, Queue
from carewright.flow.model import coming as rules
from carewright.flow.store import coming, waits
from carewright.kernel.context import Context
from carewright.kernel.db import Session


async def kept_for(ctx: Context, tx: Session, queue: Queue, practitioner_id: UUID | None) -> KeptFor | None:
    """For whom the practitioner's time is kept now, if for anybody; of a call by nobody in particular nothing is known."""
    if practitioner_id is None or queue.policy.booked_may_wait_minutes is None:
        return None
    now = ctx.clock.now()
    due = await coming.due_next(tx, ctx.actor.organization_id, practitioner_id, now, timedelta(minutes=queue.policy.grace_minutes))
    if not due:
        return None
    return rules.kept_for(due, await waits.usual_minutes(tx, ctx.actor.organization_id, queue), queue.policy, now)
