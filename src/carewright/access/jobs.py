"""What access does by itself: forgetting codes, sign-ins and sessions that have served their time."""

from datetime import timedelta

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.kernel.jobs import Timer

EVERY_SECONDS = 600.0
BATCH_MAX = 5_000
CODES_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=30)


async def forget_old(ctx: AccessContext) -> int:
    """One bounded batch of each kind; what is left waits for the next turn."""
    now = ctx.clock.now()
    await store.forget_old(ctx.db, now - CODES_KEPT, now - SESSIONS_KEPT, BATCH_MAX)
    return 0


TIMERS: tuple[Timer[AccessContext], ...] = (Timer("access.forget_old", EVERY_SECONDS, forget_old),)
