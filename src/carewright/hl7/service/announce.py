"""Whom to tell of what became of an appointment: a message each, in the transaction that takes the fact, made and sent later."""

from carewright.contracts.hl7 import Partner
from carewright.contracts.scheduling import AppointmentFact
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.triggers import OPEN, event_of, is_told
from carewright.hl7.service.receive import CLIENT
from carewright.kernel.db import Session


async def announce(ctx: Hl7Context, tx: Session, fact: AppointmentFact) -> None:
    """Every partner is to hear of it, but for the one who did it."""
    if not is_told(fact):
        return
    told = [each for each in await partners_of(ctx) if each.client_id is None or ctx.caused_by != f"{CLIENT}{each.client_id}"]
    if told:
        outgoing = [(each, ctx.ids.new()) for each in told]
        await store.put_outgoing(tx, fact, outgoing, event_of(fact), ctx.clock.now(), is_open=fact.status in OPEN)


async def partners_of(ctx: Hl7Context) -> list[Partner]:
    """Whom the organization tells, as of a moment ago."""
    organization_id = ctx.actor.organization_id
    return await ctx.told.of(organization_id, ctx.clock.monotonic_seconds(), lambda: store.partners(ctx.db, organization_id))
