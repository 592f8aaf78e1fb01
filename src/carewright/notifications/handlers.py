"""What notifications do about what others report. Safe to repeat: a job under the fact's own key, which says what it says once.

There is no copy that could be stale.
"""

from carewright.contracts.access import BreakGlassStarted
from carewright.kernel import jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.notifications.service import TELL_OFFICERS, GlassBroken


async def tell_privacy_officers(ctx: Context, tx: Session, event: BreakGlassStarted) -> None:
    """The privacy officers hear at once that emergency access is in use."""
    broken = GlassBroken(event.organization_id, event.break_glass_id, event.until)
    await jobs.enqueue(ctx, tx, TELL_OFFICERS, broken, unique_key=str(event.break_glass_id))
