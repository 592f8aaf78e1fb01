"""Use cases of a turn's own address: whoever has it sees how that turn stands, and says where they wait. No sign-in, and nothing else.

The link is looked at and never used up, so that it serves for as long as the turn lasts. Whoever opens it acts for that turn's patient, and
may do with that turn what the patient may.
"""

from datetime import timedelta

from msgspec.structs import replace

from carewright.contracts.elsewhere import ByLink, LinkedTurn, LinkToTurn, SayByLink, SayWhere, TurnLink
from carewright.contracts.flow import UnknownEntry
from carewright.contracts.queue import QueueEntry
from carewright.flow.service import elsewhere, estimates
from carewright.flow.store import queue as store
from carewright.flow.store import rooms
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.links import look_at_link, make_link

LINK = "flow.queue.link"
OPEN = "flow.queue.by_link"
PURPOSE = "flow.queue_entry.answer"
LIFETIME = timedelta(hours=12)
"""Nobody waits for longer on one day."""
READ = "flow.queue.read"


async def link_to_turn(ctx: Context, command: LinkToTurn) -> TurnLink:
    """One more link to a turn, for a message to its patient. Raises `UnknownEntry`."""
    ctx.actor.require(LINK)
    async with ctx.db.transaction() as tx:
        entry = await store.entry_by_id(tx, ctx.actor.organization_id, command.entry_id)
        if entry is None:
            raise UnknownEntry(entry_id=str(command.entry_id))
        token = await make_link(ctx, tx, PURPOSE, entry.id, LIFETIME)
        about = (audit.Entity(type="QueueEntry", id=entry.id),)
        await audit.record(tx, audit.entry(ctx, "flow.queue_entry.link", "C", patient_id=entry.patient_id, entities=about))
    return TurnLink(token=token)


async def turn_by_link(ctx: Context, query: ByLink) -> LinkedTurn:
    """How a turn stands, for whoever has its link. Looking changes nothing. Raises `LinkRefused`."""
    ctx.actor.require(OPEN)
    acting, entry = await _opened(ctx, query.token)
    queue = await store.queue_by_id(ctx.db, ctx.actor.organization_id, entry.queue_id)
    told = None if queue is None or entry.status != "waiting" else (await estimates.estimates_of(ctx, queue, entry.id)).get(entry.id)
    about = (audit.Entity(type="QueueEntry", id=entry.id),)
    await audit.record(acting.db, audit.entry(acting, "flow.queue_entry.open", "R", patient_id=entry.patient_id, entities=about))
    named = await rooms.names_of(ctx.db, ctx.actor.organization_id, [entry.location_id] if entry.location_id else [])
    return LinkedTurn(entry=entry, told=told, room="".join(each.name for each in named))


async def say_by_link(ctx: Context, command: SayByLink) -> QueueEntry:
    """What whoever has a turn's link says of where they wait, as `say_where`. Raises `LinkRefused` besides."""
    ctx.actor.require(OPEN)
    acting, entry = await _opened(ctx, command.token)
    said = SayWhere(
        entry_id=entry.id, say=command.say, travel_minutes=command.travel_minutes, expected_version=command.expected_version
    )  # fmt: skip
    return await elsewhere.say_where(acting, said)


async def _opened(ctx: Context, token: str) -> tuple[Context, QueueEntry]:
    """The turn of a link, and whoever has it at work: the turn's patient, by name of the link."""
    link = await look_at_link(ctx, ctx.db, PURPOSE, token)
    entry = await store.entry_by_id(ctx.db, link.organization_id, link.target)
    if entry is None:
        raise UnknownEntry(entry_id=str(link.target))
    actor = replace(
        ctx.actor, subject=f"link/{entry.id}", role="patient", patient_id=entry.patient_id, permissions=frozenset({READ, elsewhere.SAY})
    )  # fmt: skip
    return ctx.acting(actor, ctx.once, ctx.trace), entry
