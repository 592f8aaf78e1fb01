"""What the portal does later: tell patients what became of their appointments."""

import msgspec

from carewright.kernel.jobs import Job
from carewright.portal import service
from carewright.portal.service import CONFIRM, Confirmation, PortalContext


async def confirm_by_message(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await service.confirm_by_message(ctx, msgspec.json.decode(payload, type=Confirmation))


JOBS = (Job(CONFIRM, confirm_by_message),)
