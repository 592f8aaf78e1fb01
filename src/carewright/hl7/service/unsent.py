"""What partners did not take: looked at, sent again, or given up."""

from uuid import UUID

from carewright.contracts.hl7 import ToldMessage, UnknownMessage, UnsentMessage
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.service.work_list import FIRST_ID, READ, SHOWN_MAX, WORK_LIST, text_of
from carewright.kernel import audit


async def list_unsent(ctx: Hl7Context, after: UUID = FIRST_ID) -> tuple[UnsentMessage, ...]:
    """A page of what partners did not take, oldest first."""
    ctx.actor.require(WORK_LIST)
    return await store.unsent(ctx.db, ctx.actor.organization_id, after, SHOWN_MAX)


async def read_unsent(ctx: Hl7Context, message_id: UUID) -> ToldMessage:
    """A message as it was sent last, and the answer, for whoever may read of patients. Raises `UnknownMessage`."""
    ctx.actor.require(READ)
    kept = await store.outgoing_by_id(ctx.db, await ctx.cipher(), message_id)
    if kept is None:
        raise UnknownMessage(message_id=str(message_id))
    await audit.record(ctx.db, _entry(ctx, "hl7.message.read", "R", message_id, kept.patient_id))
    return ToldMessage(content=text_of(kept.content or b""), said=kept.said)


async def resend(ctx: Hl7Context, message_id: UUID) -> None:
    """Make it anew, with the codes as they are now, and send it again, before those behind it. Raises `UnknownMessage`."""
    await _decide(ctx, "hl7.message.resend", message_id)


async def drop(ctx: Hl7Context, message_id: UUID) -> None:
    """Do not send it any more: those behind it go on. Raises `UnknownMessage`."""
    await _decide(ctx, "hl7.message.drop", message_id)


async def _decide(ctx: Hl7Context, event: str, message_id: UUID) -> None:
    ctx.actor.require(WORK_LIST)
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        if event == "hl7.message.resend":
            row = await store.resend_outgoing(tx, organization_id, message_id, ctx.clock.now())
        else:
            row = await store.drop_outgoing(tx, organization_id, message_id)
        if row is None:
            raise UnknownMessage(message_id=str(message_id))
        await audit.record(tx, _entry(ctx, event, "U", message_id, row["patient_id"]))
    ctx.wake()


def _entry(ctx: Hl7Context, event: str, action: audit.Action, message_id: UUID, patient_id: UUID | None) -> audit.Entry:
    return audit.entry(ctx, event, action, patient_id=patient_id, entities=(audit.Entity(type="MessageHeader", id=message_id),))
