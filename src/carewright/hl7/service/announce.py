"""Whom to tell of what became of an appointment or a block: a message each, in the transaction that takes the fact, made and sent later."""

from carewright.contracts.hl7 import Partner
from carewright.contracts.scheduling import AppointmentFact, ScheduleChanged
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.triggers import CLOSED, NEW, OPEN, OPENED, BlockFact, event_of, is_told
from carewright.hl7.service.receive import CLIENT
from carewright.hl7.store import News
from carewright.kernel.db import Session


async def announce(ctx: Hl7Context, tx: Session, fact: AppointmentFact) -> None:
    """Every partner is to hear of it, but for the one who did it."""
    if is_told(fact):
        first = NEW if fact.status in OPEN else None
        await _tell(ctx, tx, News(
            appointment_id=fact.appointment_id, patient_id=fact.patient_id, version=fact.version, ends_at=fact.end, event=event_of(fact),
            first=first, fact=fact,
        ))  # fmt: skip


async def announce_block(ctx: Hl7Context, tx: Session, fact: ScheduleChanged) -> None:
    """As `announce`, of time that was closed; and that it is open again hears whoever heard of that, or closed it."""
    if (block := fact.block) is not None:
        event, first = (OPENED, None) if block.is_open else (None, CLOSED)
        await _tell(ctx, tx, News(
            block_id=block.id, version=fact.calendar_version, ends_at=block.end, event=event, first=first,
            fact=BlockFact(id=block.id, schedule_id=fact.schedule_id, start=block.start, end=block.end),
        ))  # fmt: skip


async def partners_of(ctx: Hl7Context) -> list[Partner]:
    """Whom the organization tells, as of a moment ago."""
    organization_id = ctx.actor.organization_id
    return await ctx.told.of(organization_id, ctx.clock.monotonic_seconds(), lambda: store.partners(ctx.db, organization_id))


async def _tell(ctx: Hl7Context, tx: Session, news: News) -> None:
    told = [each for each in await partners_of(ctx) if each.client_id is None or ctx.caused_by != f"{CLIENT}{each.client_id}"]
    if told:
        await store.put_outgoing(tx, ctx.actor.organization_id, news, [(each, ctx.ids.new()) for each in told], ctx.clock.now())
