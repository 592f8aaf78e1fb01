"""How a room or a bed is taken and left, in the caller's transaction. Rows are locked in one order everywhere: turn, encounter, place."""

from collections.abc import Sequence
from uuid import UUID

from carewright.contracts.encounters import Encounter, EncounterStatus
from carewright.contracts.flow import PlaceNotSuited, StatusNotAllowed, UnknownEncounter
from carewright.contracts.queue import Queue, QueueEntry
from carewright.contracts.rooms import AssignPlace, Place, ProposePlaces
from carewright.flow.model import rooms as rules
from carewright.flow.store import encounters as visits
from carewright.flow.store import rooms as store
from carewright.flow.store.precautions import precautions_of
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher

READ = "flow.place.read"
WORK = "flow.place.work"
OVER: frozenset[EncounterStatus] = frozenset({"finished", "cancelled", "entered-in-error"})


async def write(ctx: Context, tx: Session, place: Place) -> Place:
    """A place as it stands from now on. The caller holds its row."""
    await store.update_place(tx, ctx.actor.organization_id, place)
    await publish(ctx, tx, rules.changed(place, ctx.actor.organization_id))
    return place


def ensure_at(ctx: Context, site_id: UUID) -> None:
    """Raise `Forbidden` for who does not work at a site."""
    if not ctx.actor.works_at(site_id):
        raise Forbidden("You work with rooms and beds at your own sites only.")


async def visit_for_change(ctx: Context, tx: Session, cipher: FieldCipher, encounter_id: UUID) -> Encounter:
    """A visit that is not over, its row locked. Raises `UnknownEncounter`, `StatusNotAllowed`."""
    found = (await visits.encounters_for_change(tx, cipher, [encounter_id])).get(encounter_id)
    if found is None or not (found.site_id is None or ctx.actor.works_at(found.site_id)):
        raise UnknownEncounter(encounter_id=str(encounter_id))
    if found.status in OVER:
        raise StatusNotAllowed(encounter_id=str(encounter_id), status=found.status)
    return found


async def release(ctx: Context, tx: Session, encounters: Sequence[Encounter]) -> None:
    """Whoever's visit is over is in no room and no bed. What nobody came to needs no cleaning."""
    over = {each.id: each.status for each in encounters if each.status in OVER}
    left = await store.places_of(tx, ctx.actor.organization_id, over) if over else []
    came = await store.who_waited_in_rooms(tx, ctx.actor.organization_id, over) if left else set()
    for place in left:
        if place.encounter_id is not None:
            is_used = over[place.encounter_id] == "finished" or place.encounter_id in came
            await write(ctx, tx, rules.left(place, ctx.clock.now(), is_used=is_used))


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
            await write(ctx, tx, rules.left(place, now, is_used=before.status == "in-service" or before.in_room))
        elif place_id == now_in and place.encounter_id != after.encounter_id:
            ready = rules.stepped(place, "ready", "other", now) if place.status == "turnover" else place
            await write(ctx, tx, rules.occupied(ready, after.encounter_id, now))


async def lock_best(ctx: Context, tx: Session, wanted: AssignPlace, held: Sequence[Place]) -> Place | None:
    """The best place that is free and that nobody else is just taking, locked; None where none suits. `held` is where the patient is."""
    free = await store.free_places(tx, ctx.actor.organization_id, wanted.site_id, wanted.kind)
    for each in rules.in_order(free, wanted, await near(ctx, tx, wanted, held)):
        if place := await store.lock_if_free(tx, ctx.actor.organization_id, each.id):
            return place
    return None


async def near(ctx: Context, tx: Session, wanted: AssignPlace | ProposePlaces, held: Sequence[Place]) -> set[UUID]:
    """The parts of the house to stay close to: those that are named, or where the patient is."""
    parts = {each.part_of_id for each in held}
    if wanted.near_id is not None:
        parts = {wanted.near_id, await store.part_of(tx, ctx.actor.organization_id, wanted.near_id)}
    return {each for each in parts if each is not None}


async def choose_room(ctx: Context, tx: Session, cipher: FieldCipher, queue: Queue, encounter_id: UUID, patient_id: UUID) -> UUID | None:
    """The room that a queue's policy chooses for a visit, locked; None where it chooses none, none suits, or the patient has a place.

    Its encounter's row is locked before.
    """
    rule = queue.policy.room
    if rule is None:
        return None
    await visits.encounters_for_change(tx, cipher, [encounter_id])
    if await store.places_of(tx, ctx.actor.organization_id, [encounter_id]):
        return None
    needed = (await precautions_of(tx, cipher, patient_id)).precautions
    wanted = AssignPlace(
        encounter_id=encounter_id, site_id=queue.site_id, room_type=rule.room_type, devices=rule.devices, precautions=needed,
        near_id=rule.near_id,
    )  # fmt: skip
    place = await lock_best(ctx, tx, wanted, ())
    return place.id if place else None


async def ensure_fit(ctx: Context, tx: Session, cipher: FieldCipher, place_id: UUID, entry: QueueEntry) -> None:
    """Raise `PlaceNotSuited` where a room is not fit for the precautions that are kept of whom a turn is about."""
    needed = (await precautions_of(tx, cipher, entry.patient_id)).precautions
    place = await store.place_by_id(tx, ctx.actor.organization_id, place_id) if needed else None
    if place is not None and not set(needed) <= set(place.precautions):
        raise PlaceNotSuited(place_id=str(place_id), entry_id=str(entry.id))
