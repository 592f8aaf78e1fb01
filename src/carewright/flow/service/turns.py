"""How a turn is written, in the caller's transaction: with its step, the encounter that follows, the fact, and the journal's entry."""

from datetime import date, datetime
from typing import NamedTuple, Self
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.directory import Coding, UrgencyTier
from carewright.contracts.encounters import Encounter, SearchEncounters
from carewright.contracts.flow import AlreadyQueued, QueueChanged, UnknownEncounter, UnknownEntry, UnknownQueue
from carewright.contracts.queue import (
    LEVEL_OF_TIER,
    Arrive,
    EntryAction,
    PutQueue,
    Queue,
    QueueEntry,
    QueueEntryStatus,
    Turn,
)
from carewright.flow.model import queue as rules
from carewright.flow.service import places
from carewright.flow.service.encounters import write as write_encounters
from carewright.flow.store import encounters, rooms
from carewright.flow.store import queue as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.reach import FIRST_ID

WORK = "flow.queue.work"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
AMBULATORY = Coding(system=ACT_CODE, code="AMB", display="ambulatory")
EMERGENCY = Coding(system=ACT_CODE, code="EMER", display="emergency")


class Drawn(NamedTuple):
    """A ticket, and the day of the queue's site that it is of."""

    day: date
    ticket: str


class Arrival(NamedTuple):
    """Who comes, for what, and how urgent it seems; `expected_at` of whoever is only announced, `appointment_start` of whoever has one.

    `came_at` of whoever came before we knew who they are.
    """

    patient_id: UUID
    tier: UrgencyTier
    encounter_id: UUID | None = None
    appointment_id: UUID | None = None
    appointment_start: datetime | None = None
    practitioner_id: UUID | None = None
    expected_at: datetime | None = None
    came_at: datetime | None = None

    @classmethod
    def of(cls, command: Arrive) -> Self:
        return cls(
            patient_id=command.patient_id, tier=command.tier, encounter_id=command.encounter_id,
            practitioner_id=command.practitioner_id, expected_at=command.expected_at,
        )  # fmt: skip


async def put_queue(ctx: Context, tx: Session, command: PutQueue) -> Queue:
    """The queue as the command has it. Raises `PreconditionFailed` where somebody changed it since."""
    put = await store.put_queue(tx, ctx.actor.organization_id, ctx.ids.new(), command)
    queue = put or await store.queue_of(tx, ctx.actor.organization_id, command.site_id, command.service_id)
    if queue is None:
        raise UnknownQueue(site_id=str(command.site_id))
    if put is None and command.expected_version not in (None, queue.version):
        raise PreconditionFailed(version=queue.version)
    if put is not None:
        fact = QueueChanged(
            organization_id=ctx.actor.organization_id, queue_id=queue.id, site_id=queue.site_id, service_id=queue.service_id,
            version=queue.version,
        )  # fmt: skip
        await publish(ctx, tx, fact)
        about = (audit.Entity(type="Queue", id=queue.id),)
        await audit.record(tx, audit.entry(ctx, "flow.queue.change", "C" if queue.version == 1 else "U", entities=about))
    return queue


async def get_queue(ctx: Context, db: Session, queue_id: UUID) -> Queue:
    """A queue where the actor works. Raises `UnknownQueue`."""
    queue = await store.queue_by_id(db, ctx.actor.organization_id, queue_id)
    if queue is None or not ctx.actor.works_at(queue.site_id):
        raise UnknownQueue(queue_id=str(queue_id))
    return queue


async def for_change(ctx: Context, tx: Session, entry_id: UUID, expected_version: int | None) -> QueueEntry:
    """A turn, its row locked until the transaction ends. Raises `UnknownEntry`, `PreconditionFailed`."""
    entry = await store.entry_for_change(tx, ctx.actor.organization_id, entry_id)
    if entry is None or not may_see(ctx, entry):
        raise UnknownEntry(entry_id=str(entry_id))
    if expected_version not in (None, entry.version):
        raise PreconditionFailed(version=entry.version)
    return entry


def may_see(ctx: Context, entry: QueueEntry) -> bool:
    """Whether the actor has to do with a turn: any at their sites, or of the one patient they act for."""
    is_theirs = ctx.actor.may(WORK) or entry.patient_id == ctx.actor.patient_id
    return is_theirs and ctx.actor.works_at(entry.site_id)


async def draw_ticket(ctx: Context, db: Session, queue: Queue) -> Drawn:
    """The next ticket of the queue's day.

    Drawn before the transaction that uses it, so that those who come at once do not wait for each other's commit; where that fails, a
    number is missing.
    """
    day, number = await store.draw_ticket(db, ctx.actor.organization_id, queue, ctx.clock.now())
    return Drawn(day, rules.ticket(queue.letter, number))


async def come(ctx: Context, tx: Session, cipher: FieldCipher, queue: Queue, arrival: Arrival, drawn: Drawn) -> QueueEntry:
    """A turn for whoever comes; that of an announcement, if there was one. Raises `AlreadyQueued`, `UnknownEncounter`."""
    now = ctx.clock.now()
    came_at = arrival.came_at or now
    is_here = arrival.expected_at is None
    organization_id = ctx.actor.organization_id
    if known := await store.entry_in_the_way(tx, organization_id, queue.id, arrival.patient_id, arrival.appointment_id):
        announced = await store.entry_for_change(tx, organization_id, known)
        if announced is None or announced.status != "expected" or not is_here:
            raise AlreadyQueued(entry_id=str(known))
        here = rules.stepped(announced, "arrive", now)
        return await write(ctx, tx, cipher, "arrive", announced, await _roomed(ctx, tx, cipher, queue, here))
    visit = await _visit_going_on(tx, cipher, arrival)
    encounter = visit or await _begin_visit(ctx, tx, cipher, queue, arrival)
    entry = QueueEntry(
        id=ctx.ids.new(), queue_id=queue.id, site_id=queue.site_id, service_id=queue.service_id, encounter_id=encounter.id,
        patient_id=encounter.patient_id, appointment_id=arrival.appointment_id, practitioner_id=arrival.practitioner_id, ticket="",
        status="waiting" if is_here else "expected", level=LEVEL_OF_TIER[arrival.tier], expected_at=arrival.expected_at,
        arrived_at=came_at if is_here else None, updated_at=now,
        ranked_from=arrival.expected_at or rules.ranked_from(came_at, arrival.appointment_start, queue.policy),
    )  # fmt: skip
    placed = await _roomed(ctx, tx, cipher, queue, entry) if is_here else entry
    begun = await begin(ctx, tx, "arrive" if is_here else "announce", placed, drawn)
    if visit is not None or begun.in_room:
        await follow(ctx, tx, cipher, begun)
    await places.follow_turn(ctx, tx, entry, begun)
    return begun


async def _roomed(ctx: Context, tx: Session, cipher: FieldCipher, queue: Queue, entry: QueueEntry) -> QueueEntry:
    """The turn of who has come, with a room where the queue chooses one at check-in and one is free."""
    rule = queue.policy.room
    if rule is None or rule.at != "check-in":
        return entry
    room_id = await places.choose_room(ctx, tx, cipher, queue, entry.encounter_id, entry.patient_id)
    return replace(entry, location_id=room_id, in_room=True) if room_id else entry


async def begin(ctx: Context, tx: Session, action: EntryAction, entry: QueueEntry, drawn: Drawn) -> QueueEntry:
    """A new turn, with a ticket; whoever begins it sees to the visit. Raises `AlreadyQueued`."""
    entry = replace(entry, ticket=drawn.ticket)
    if not await store.insert_entry(tx, ctx.actor.organization_id, entry, drawn.day):
        other = await store.entry_in_the_way(tx, ctx.actor.organization_id, entry.queue_id, entry.patient_id, entry.appointment_id)
        raise AlreadyQueued(entry_id=str(other))
    await store.insert_first_step(tx, ctx.actor.organization_id, entry, action, ctx.actor.subject)
    await _tell(ctx, tx, action, None, entry)
    return entry


async def write(ctx: Context, tx: Session, cipher: FieldCipher, action: EntryAction, before: QueueEntry, after: QueueEntry) -> QueueEntry:
    """A turn as it is after a step. The caller holds its row."""
    await change(ctx, tx, action, before, after)
    if action not in rules.OF_THE_TURN_ALONE or after.location_id != before.location_id:
        await follow(ctx, tx, cipher, after)
    await places.follow_turn(ctx, tx, before, after)
    return after


async def change(ctx: Context, tx: Session, action: EntryAction, before: QueueEntry, after: QueueEntry) -> None:
    """`write` without the visit, which another turn of the same transaction decides."""
    await store.update_entry(tx, ctx.actor.organization_id, action, ctx.actor.subject, before, after)
    await _tell(ctx, tx, action, before.status, after)


async def _tell(ctx: Context, tx: Session, action: EntryAction, was: QueueEntryStatus | None, after: QueueEntry) -> None:
    await publish(ctx, tx, rules.fact_of(was, after, action, ctx.actor.organization_id))
    await audit.record(tx, entry_of(ctx, rules.DEEDS[action], "U" if was else "C", after))


async def ensure_free(ctx: Context, tx: Session, entry: QueueEntry) -> None:
    """Raise `AlreadyQueued` where the patient has another turn in the queue, which this one would stand beside."""
    organization_id = ctx.actor.organization_id
    other = await store.entry_in_the_way(tx, organization_id, entry.queue_id, entry.patient_id, entry.appointment_id, entry.id)
    if other is not None:
        raise AlreadyQueued(entry_id=str(other))


def turn_of(entry: QueueEntry) -> Turn:
    """A turn as whoever watches is told of it."""
    return Turn(**{name: getattr(entry, name) for name in Turn.__struct_fields__})


def entry_of(ctx: Context, event: str, action: audit.Action, entry: QueueEntry) -> audit.Entry:
    """The journal's entry about a turn."""
    return audit.entry(ctx, event, action, patient_id=entry.patient_id, entities=(audit.Entity(type="QueueEntry", id=entry.id),))


async def _visit_going_on(tx: Session, cipher: FieldCipher, arrival: Arrival) -> Encounter | None:
    """The visit that is going on, as named or by its appointment, if there is one. Raises `UnknownEncounter`."""
    if arrival.encounter_id is not None:
        named = await encounters.encounter_by_id(tx, cipher, arrival.encounter_id)
        if named is None or named.patient_id != arrival.patient_id:
            raise UnknownEncounter(encounter_id=str(arrival.encounter_id))
        return named
    if arrival.appointment_id is not None:
        asked = SearchEncounters(appointment_ids=(arrival.appointment_id,), patient_ids=(arrival.patient_id,))
        for found in await encounters.search_encounters(tx, cipher, asked, (), FIRST_ID, 1):
            return found
    return None


async def _begin_visit(ctx: Context, tx: Session, cipher: FieldCipher, queue: Queue, arrival: Arrival) -> Encounter:
    is_here = arrival.expected_at is None
    new = Encounter(
        id=ctx.ids.new(), patient_id=arrival.patient_id, status="arrived" if is_here else "planned", site_id=queue.site_id,
        appointment_id=arrival.appointment_id, encounter_class=EMERGENCY if arrival.tier == "P0" else AMBULATORY,
        start=(arrival.came_at or ctx.clock.now()) if is_here else None,
    )  # fmt: skip
    (made,) = await write_encounters(ctx, tx, cipher, [new])
    return made


async def follow(ctx: Context, tx: Session, cipher: FieldCipher, entry: QueueEntry) -> None:
    """Bring the encounter to what its turns say, and to its bed: whoever is admitted stays when the last turn is over.

    Its row is locked first: of two turns that end at once, the second sees both.
    """
    encounter = (await encounters.encounters_for_change(tx, cipher, [entry.encounter_id]))[entry.encounter_id]
    turns = await store.entries_of_encounter(tx, ctx.actor.organization_id, entry.encounter_id)
    bed = await rooms.bed_of(tx, ctx.actor.organization_id, entry.encounter_id)
    status = rules.encounter_status(turns) if bed is None else "in-progress"
    start = encounter.start or min((each.arrived_at for each in turns if each.arrived_at), default=None)
    end = entry.updated_at if status in rules.ENCOUNTER_ENDED and start is not None else None
    at = tuple(each for each in (bed, entry.location_id) if each is not None) if entry.location_id else encounter.location_ids
    await write_encounters(ctx, tx, cipher, [replace(encounter, status=status, start=start, end=end, location_ids=at)])
