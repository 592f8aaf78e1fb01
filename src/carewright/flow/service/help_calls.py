"""Use cases of calls for help: somebody at a kiosk needs somebody of the staff, who see it until one of them has gone there."""

from uuid import UUID

from carewright.contracts.kiosk import AnswerHelp, CallForHelp, HelpCall, HelpCalls, HelpChanged, HelpReason, UnknownHelpCall
from carewright.flow.store import kiosk as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.kernel.idempotency import once_committed
from carewright.kernel.outbox import publish

USE = "flow.kiosk.use"
WORK = "flow.queue.work"


async def call_for_help(ctx: Context, command: CallForHelp) -> HelpCall:
    """Somebody feels very ill. A second touch finds the call that is open."""
    ctx.actor.require(USE)
    _ensure_at(ctx, command.site_id)
    async with ctx.db.transaction() as tx:
        call = await raise_call(ctx, tx, command.site_id, command.station_name, "ill")
    ctx.wake()
    return call


async def list_help(ctx: Context, site_id: UUID) -> HelpCalls:
    """Calls at a site that nobody has answered, the oldest first."""
    ctx.actor.require(WORK)
    _ensure_at(ctx, site_id)
    return HelpCalls(items=tuple(await store.help_open_at(ctx.db, ctx.actor.organization_id, site_id)))


async def answer_help(ctx: Context, command: AnswerHelp) -> HelpCall:
    """Somebody of the staff has gone there; whoever is second changes nothing. Raises `UnknownHelpCall`."""
    ctx.actor.require(WORK)

    async def work(tx: Session) -> HelpCall:
        found = await store.help_for_change(tx, ctx.actor.organization_id, command.help_id)
        if found is None or not ctx.actor.works_at(found.site_id):
            raise UnknownHelpCall(help_id=str(command.help_id))
        if found.answered_at is not None:
            return found
        answered = await store.answer_help(tx, ctx.actor.organization_id, found.id, ctx.clock.now(), ctx.actor.subject)
        await _tell(ctx, tx, answered)
        await audit.record(tx, audit.entry(ctx, "flow.help.answer", "U", entities=(_entity(answered),)))
        return answered

    return await once_committed(ctx, HelpCall, work)


async def raise_call(ctx: Context, tx: Session, site_id: UUID, station_name: str, reason: HelpReason) -> HelpCall:
    """The call of the kiosk that asks, in its transaction: a new one, or the one that is open."""
    organization_id, station = ctx.actor.organization_id, ctx.actor.subject
    wanted = HelpCall(id=ctx.ids.new(), site_id=site_id, reason=reason, station_name=station_name, raised_at=ctx.clock.now())
    made = await store.open_help(tx, organization_id, wanted, station)
    if made is None:
        return await store.help_open_of(tx, organization_id, station, reason) or wanted
    await _tell(ctx, tx, made)
    await audit.record(tx, audit.entry(ctx, "flow.help.call", "C", entities=(_entity(made),)))
    return made


async def _tell(ctx: Context, tx: Session, call: HelpCall) -> None:
    fact = HelpChanged(
        organization_id=ctx.actor.organization_id, help_id=call.id, site_id=call.site_id, reason=call.reason,
        is_open=call.answered_at is None, version=call.version,
    )  # fmt: skip
    await publish(ctx, tx, fact)


def _ensure_at(ctx: Context, site_id: UUID) -> None:
    if not ctx.actor.works_at(site_id):
        raise Forbidden("Calls for help are seen and answered at one's own sites only.")


def _entity(call: HelpCall) -> audit.Entity:
    return audit.Entity(type="HelpCall", id=call.id)
