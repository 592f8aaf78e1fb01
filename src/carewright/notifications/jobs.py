"""What notifications do by themselves: bring messages away, and forget what they said."""

import msgspec

from carewright.contracts.records import days_kept
from carewright.kernel.context import Once
from carewright.kernel.jobs import Job, Timer
from carewright.kernel.keeping import Keeps, disposing
from carewright.notifications import service
from carewright.notifications.service import GlassBroken, NotificationsContext, Undelivered

FORGET_EVERY_SECONDS = 30.0
"""A code that has run out is cleared within this."""


async def deliver(ctx: NotificationsContext, payload: msgspec.Raw) -> None:
    """Bring one message away, in the name of the system."""
    what = msgspec.json.decode(payload, type=Undelivered)
    await service.deliver(ctx.working_in(what.organization_id), what.communication_id)


async def tell_officers(ctx: NotificationsContext, payload: msgspec.Raw) -> None:
    """Tell the privacy officers of one broken glass, once."""
    what = msgspec.json.decode(payload, type=GlassBroken)
    once = Once.of(f"notifications.glass:{what.break_glass_id}", what)
    await service.tell_privacy_officers(ctx.working_in(what.organization_id, once), what.until)


JOBS = (Job(service.DELIVER, deliver), Job(service.TELL_OFFICERS, tell_officers))
KEEPS: tuple[Keeps[NotificationsContext], ...] = (Keeps("messages", service.dispose_communications),)
TIMERS = (
    Timer("notifications.forget", FORGET_EVERY_SECONDS, service.forget_texts),
    disposing("notifications.dispose", KEEPS, days_kept),
)
