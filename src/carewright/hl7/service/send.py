"""Telling a partner: one message at a time, in order, until it was taken; what it will not take waits for a person.

A message is stored as it is sent before it is sent, under one control id for all times: sent again after a crash it is known again.
"""

from datetime import timedelta
from typing import Protocol

from prometheus_client import Counter

from carewright.contracts.hl7 import Partner
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.announcing import control_id_of
from carewright.hl7.model.replies import Reply
from carewright.hl7.service.compose import composed
from carewright.hl7.store import Due
from carewright.kernel import audit, telemetry
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.privacy.cipher import FieldCipher

PAUSES = (timedelta(seconds=10), timedelta(minutes=1))
"""After the first and the second refusal of a message. After the third it waits for a person."""
NOT_TAKEN = "hl7.not_taken"
SENT = Counter("carewright_hl7_sent_total", "Messages to partners, by what became of them.", ["outcome"])
log = telemetry.logger(__name__)


class Line(Protocol):
    """A way to a partner, who may want to be shown a token. `ask` raises `Unavailable` where no answer to that control id comes."""

    async def ask(self, content: bytes, control_id: str, token: str | None = None) -> Reply: ...

    def close(self) -> None: ...


async def send_next(ctx: Hl7Context, partner: Partner, line: Line) -> bool:
    """Tell the partner what it is to hear next; False where that is nothing. Raises `Unavailable` for a partner that is away."""
    cipher = await ctx.cipher()
    due = await store.next_outgoing(ctx.db, cipher, partner.id, ctx.clock.now())
    if due is None:
        return False
    content = due.content or await _frozen(ctx, cipher, partner, due)
    if content is not None:
        token = await store.partner_token(ctx.db, cipher, partner) if partner.address.startswith("http") else None
        await _note(ctx, cipher, due, await line.ask(content, control_id_of(due.id), token))
    return True


async def _frozen(ctx: Hl7Context, cipher: FieldCipher, partner: Partner, due: Due) -> bytes | None:
    """The message as it will always be sent; None where there is none, and it waits for a person."""
    try:
        content = await composed(ctx, cipher, partner, due)
    except Unavailable:
        raise
    except Refusal as refusal:
        await _decide(ctx, cipher, due, "waiting", Reply(refusal.code))
    except Exception as fault:  # noqa: BLE001  # a message that breaks us must not stop those behind it
        log.error("hl7.broke", error=type(fault).__name__, where=telemetry.where(fault))
        await _decide(ctx, cipher, due, "waiting", Reply("hl7.fault"))
    else:
        await store.freeze_outgoing(ctx.db, cipher, due.id, content)
        return content
    return None


async def _note(ctx: Hl7Context, cipher: FieldCipher, due: Due, reply: Reply) -> None:
    """Taken is taken; refused comes again after a pause, and then waits."""
    if not reply.reason:
        await _decide(ctx, cipher, due, "accepted", reply)
    else:
        await _decide(ctx, cipher, due, "due" if due.refusals < len(PAUSES) else "waiting", reply)


async def _decide(ctx: Hl7Context, cipher: FieldCipher, due: Due, status: store.OutgoingStatus, reply: Reply) -> None:
    taken = status == "accepted"
    due_at = ctx.clock.now() + (PAUSES[due.refusals] if status == "due" else timedelta(0))
    refusals = due.refusals + (0 if taken else 1)
    async with ctx.db.transaction() as tx:
        if await store.decide_outgoing(tx, cipher, due, status, refusals, reply, due_at):
            await audit.record(tx, _entry(ctx, due, taken=taken))
    SENT.labels({"accepted": "taken", "due": "refused"}.get(status, "waits")).inc()


def _entry(ctx: Hl7Context, due: Due, *, taken: bool) -> audit.Entry:
    about = (audit.Entity(type="MessageHeader", id=due.id),)
    outcome: audit.Outcome = "success" if taken else "failed"
    return audit.entry(
        ctx, "hl7.message.send", "E", patient_id=due.patient_id, entities=about, outcome=outcome, code=None if taken else NOT_TAKEN
    )
