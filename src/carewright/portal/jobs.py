"""What the portal does later: tell patients what became of their appointments and passkeys."""

import msgspec

from carewright.kernel.jobs import Job
from carewright.portal import service
from carewright.portal.service import CONFIRM, TELL_OF_PASSKEY, Confirmation, PasskeyChange, PortalContext


async def confirm_by_message(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await service.confirm_by_message(ctx, msgspec.json.decode(payload, type=Confirmation))


async def tell_of_passkey(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await service.tell_of_passkey(ctx, msgspec.json.decode(payload, type=PasskeyChange))


JOBS = (Job(CONFIRM, confirm_by_message), Job(TELL_OF_PASSKEY, tell_of_passkey))
