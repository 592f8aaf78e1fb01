"""What access does by itself: forgetting codes, sign-ins and sessions that have served their time."""

from datetime import datetime, timedelta

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.contracts.records import days_kept
from carewright.kernel.jobs import Timer
from carewright.kernel.keeping import Keeps, disposing, note_disposed

EVERY_SECONDS = 600.0
BATCH_MAX = 5_000
CODES_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=30)


async def forget_old(ctx: AccessContext) -> int:
    """One bounded batch of each kind; what is left waits for the next turn."""
    now = ctx.clock.now()
    await store.forget_old(ctx.db, now - CODES_KEPT, now - SESSIONS_KEPT, BATCH_MAX)
    return 0


async def dispose_reviews(ctx: AccessContext, before: datetime, limit: int) -> int:
    """End the reviews of one organization that are past their time; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose_break_glass(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "access.break_glass.dispose", gone)


KEEPS: tuple[Keeps[AccessContext], ...] = (Keeps("break-glass-reviews", dispose_reviews),)
TIMERS: tuple[Timer[AccessContext], ...] = (
    Timer("access.forget_old", EVERY_SECONDS, forget_old),
    disposing("access.dispose", KEEPS, days_kept),
)
