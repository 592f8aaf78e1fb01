"""How a room or a bed is taken and left, in the caller's transaction. Rows are locked in one order everywhere: turn, encounter, place."""

from collections.abc import Sequence

from carewright.contracts.encounters import Encounter, EncounterStatus
from carewright.contracts.queue import QueueEntry
from carewright.contracts.rooms import Place
from carewright.flow.model import rooms as rules
from carewright.flow.store import rooms as store
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.outbox import publish

OVER: frozenset[EncounterStatus] = frozenset({"finished", "cancelled", "entered-in-error"})


async def write(ctx: Context, tx: Session, place: Place) -> Place:
    """A place as it stands from now on. The caller holds its row."""
    await store.update_place(tx, ctx.actor.organization_id, place)
    await publish(ctx, tx, rules.changed(place, ctx.actor.organization_id))
    return place


async def release(ctx: Context, tx: Session, encounters: Sequence[Encounter]) -> None:
    """Whoever's visit is over is in no room and no bed. What nobody came to needs no cleaning."""
    over = {each.id: each.status for each in encounters if each.status in OVER}
    for place in await store.places_of(tx, ctx.actor.organization_id, over) if over else ():
        if place.encounter_id is not None:
            await write(ctx, tx, rules.left(place, ctx.clock.now(), is_used=over[place.encounter_id] == "finished"))


async def follow_turn(ctx: Context, tx: Session, before: QueueEntry, after: QueueEntry) -> None:
    """A turn that is called to a room takes it, and leaves it when it goes on. Beds are given by admission alone.

    Whoever calls a patient to a room that is being cleaned says by it that it is clean. Raises `PlaceNotFree`.
    """
    was, now_in = rules.room_of(before), rules.room_of(after)
    if was == now_in:
        return
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    for place_id in sorted(each for each in {was, now_in} if each is not None):
        place = await store.place_for_change(tx, organization_id, place_id)
        if place is None or place.kind == "bed":
            continue
        if place_id == was and place.encounter_id == before.encounter_id:
            await write(ctx, tx, rules.left(place, now, is_used=before.status == "in-service"))
        elif place_id == now_in and place.encounter_id != after.encounter_id:
            ready = rules.stepped(place, "ready", "other", now) if place.status == "turnover" else place
            await write(ctx, tx, rules.occupied(ready, after.encounter_id, now))
