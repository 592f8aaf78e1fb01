"""What notifications do by themselves: bring messages away, and forget what they said."""

import msgspec

from carewright.kernel.jobs import Job, Timer
from carewright.notifications import service
from carewright.notifications.service import NotificationsContext, Undelivered

FORGET_EVERY_SECONDS = 30.0
"""A code that has run out is cleared within this."""


async def deliver(ctx: NotificationsContext, payload: msgspec.Raw) -> None:
    """Bring one message away, in the name of the system."""
    what = msgspec.json.decode(payload, type=Undelivered)
    actor = msgspec.structs.replace(ctx.actor, organization_id=what.organization_id)
    await service.deliver(ctx.acting(actor), what.communication_id)


JOBS = (Job(service.DELIVER, deliver),)
TIMERS = (Timer("notifications.forget", FORGET_EVERY_SECONDS, service.forget_texts),)
