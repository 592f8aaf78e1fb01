"""What the portal does later: tell patients what became of their appointments and passkeys, and that it is their turn."""

import msgspec

from carewright.kernel.jobs import Job
from carewright.portal import service
from carewright.portal.model.jobs import Confirmation, PasskeyChange, TurnCalled
from carewright.portal.service import CALL_IN, CONFIRM, TELL_OF_PASSKEY, PortalContext


async def confirm_by_message(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await service.confirm_by_message(ctx, msgspec.json.decode(payload, type=Confirmation))


async def tell_of_passkey(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await service.tell_of_passkey(ctx, msgspec.json.decode(payload, type=PasskeyChange))


async def call_in(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await service.call_in(ctx, msgspec.json.decode(payload, type=TurnCalled))


JOBS = (Job(CONFIRM, confirm_by_message), Job(TELL_OF_PASSKEY, tell_of_passkey), Job(CALL_IN, call_in))
