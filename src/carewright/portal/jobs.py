"""What the portal does later: tell patients what became of their appointments, passkeys and turns."""

import msgspec

from carewright.kernel.jobs import Job
from carewright.portal.context import PortalContext
from carewright.portal.model.jobs import Confirmation, DelayHeard, OfferHeard, PasskeyChange, TurnCalled, TurnSoonHeard, TurnTold
from carewright.portal.service import telling
from carewright.portal.service.telling import ASK_BY_OFFER, ASK_NEAR, CALL_IN, CONFIRM, TELL_ELSEWHERE, TELL_OF_DELAY, TELL_OF_PASSKEY


async def confirm_by_message(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await telling.confirm_by_message(ctx, msgspec.json.decode(payload, type=Confirmation))


async def tell_of_passkey(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await telling.tell_of_passkey(ctx, msgspec.json.decode(payload, type=PasskeyChange))


async def call_in(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await telling.call_in(ctx, msgspec.json.decode(payload, type=TurnCalled))


async def tell_of_delay(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await telling.tell_of_delay(ctx, msgspec.json.decode(payload, type=DelayHeard))


async def ask_near(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await telling.ask_near(ctx, msgspec.json.decode(payload, type=TurnSoonHeard))


async def ask_by_offer(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await telling.ask_by_offer(ctx, msgspec.json.decode(payload, type=OfferHeard))


async def tell_elsewhere(ctx: PortalContext, payload: msgspec.Raw) -> None:
    await telling.tell_elsewhere(ctx, msgspec.json.decode(payload, type=TurnTold))


JOBS = (
    Job(CONFIRM, confirm_by_message),
    Job(TELL_OF_PASSKEY, tell_of_passkey),
    Job(CALL_IN, call_in),
    Job(TELL_OF_DELAY, tell_of_delay),
    Job(ASK_NEAR, ask_near),
    Job(ASK_BY_OFFER, ask_by_offer),
    Job(TELL_ELSEWHERE, tell_elsewhere),
)
