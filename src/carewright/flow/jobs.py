"""What flow does by itself: disposing of encounters that are past their time, and forgetting appointments that are over."""

from datetime import timedelta

from carewright.contracts.records import days_kept
from carewright.flow.service.encounters import dispose_encounters
from carewright.flow.store import coming
from carewright.kernel.context import Context
from carewright.kernel.jobs import Timer
from carewright.kernel.keeping import Keeps, disposing

COMING_KEPT = timedelta(days=1)
COMING_BATCH_MAX = 5_000


async def forget_past(ctx: Context) -> int:
    """Drop a batch of the copies of appointments that are over, of every organization."""
    return await coming.forget_past(ctx.db, ctx.clock.now() - COMING_KEPT, COMING_BATCH_MAX)


KEEPS: tuple[Keeps[Context], ...] = (Keeps("encounters", dispose_encounters),)
TIMERS: tuple[Timer[Context], ...] = (
    disposing("flow.dispose", KEEPS, days_kept),
    Timer("flow.forget_past", 600, forget_past),
)
