"""Use cases of queues: who comes, who is called, and what becomes of a turn. One function, one transaction, one permission.

A step locks its entry, so that of two desks the second sees what the first did; the encounter follows from its turns in the same
transaction. Whoever was called is so because PostgreSQL locked their row for one caller.
"""

from datetime import timedelta
from uuid import UUID

from msgspec import structs
from msgspec.structs import replace

from carewright.contracts.flow import NothingToUndo, OtherScale, UnknownEntry
from carewright.contracts.queue import (
    Arrive,
    Arrived,
    Called,
    CallEntry,
    CallNext,
    EntriesInOrder,
    FindTickets,
    FoundTickets,
    ListEntries,
    ListQueues,
    ListTurns,
    OwnTurns,
    PolicyPreview,
    PreviewPolicy,
    ProposedTurns,
    ProposeTurns,
    PutQueue,
    Queue,
    QueueEntry,
    QueuesPage,
    StepEntry,
    TransferEntry,
    TriageEntry,
    TurnsInOrder,
    TurnsOfVisits,
    UndoStep,
    VisitTurns,
)
from carewright.contracts.relief import OtherSite
from carewright.flow.model import preview
from carewright.flow.model import queue as rules
from carewright.flow.model.sensing import seen_area
from carewright.flow.service import booked, encounters, places, relief, turns
from carewright.flow.store import queue as store
from carewright.flow.store import relief as reliefs
from carewright.flow.store import rooms, sensors
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.kernel.idempotency import committed, once, once_committed
from carewright.kernel.privacy.cipher import FieldCipher

READ = "flow.queue.read"
WORK = turns.WORK
READ_SENSORS = "flow.sensor.read"
TRIAGE = "flow.queue.triage"
CHANGE = "flow.queue.change"
PREVIEWED_MAX = 200
"""Of those who are called first."""
FOUND_MAX = 20
"""Queues with the same ticket."""


async def put_queue(ctx: Context, command: PutQueue) -> Queue:
    """A queue as the command has it. Raises `PreconditionFailed` where somebody changed it since."""
    ctx.actor.require(CHANGE)
    _ensure_at(ctx, command.site_id)

    return await once_committed(ctx, Queue, lambda tx: turns.put_queue(ctx, tx, command))


async def preview_policy(ctx: Context, query: PreviewPolicy) -> PolicyPreview:
    """What another policy would make of those who wait now; whose turns they are is not said. Raises `UnknownQueue`."""
    ctx.actor.require(CHANGE)
    now = ctx.clock.now()
    queue = await turns.get_queue(ctx, ctx.db, query.queue_id)
    waiting = await store.entries_waiting(ctx.db, ctx.actor.organization_id, queue, now, PREVIEWED_MAX)
    return PolicyPreview(items=preview.placed(waiting, query.policy, now), remarks=preview.remarks(query.policy), as_of=now)


async def list_queues(ctx: Context, query: ListQueues) -> QueuesPage:
    """Queues where the actor works, and how full each is. Who waits in them is not said."""
    ctx.actor.require(READ)
    sites = ctx.actor.site_ids or None
    if query.site_id is not None:
        _ensure_at(ctx, query.site_id)
        sites = frozenset({query.site_id})
    async with ctx.db.transaction() as tx:
        found = await store.queues_at(tx, ctx.actor.organization_id, sites, query.queue_id)
        ids = [each.queue.id for each in found]
        on = await reliefs.on(tx, ctx.actor.organization_id, ids)
        watching = await sensors.sensors_of_queues(tx, ctx.actor.organization_id, ids) if ctx.actor.may(READ_SENSORS) else []
    now = ctx.clock.now()
    return QueuesPage(
        items=tuple(
            replace(
                each, relief=tuple(one for one in on if one.queue_id == each.queue.id),
                areas=tuple(seen_area(one.sensor, one.sensing, now) for one in watching if each.queue.id in one.sensor.queue_ids),
            )
            for each in found
        )
    )  # fmt: skip


async def list_entries(ctx: Context, query: ListEntries) -> EntriesInOrder:
    """Who is in a queue, in order. Raises `UnknownQueue`."""
    ctx.actor.require(WORK)
    now = ctx.clock.now()
    async with ctx.db.transaction() as tx:
        queue = await turns.get_queue(ctx, tx, query.queue_id)
        active = await store.entries_active(tx, ctx.actor.organization_id, query)
        waiting = await store.entries_waiting(tx, ctx.actor.organization_id, queue, now, query.limit)
        about = [(each.patient_id, audit.Entity(type="QueueEntry", id=each.id)) for each in (*active, *waiting)]
        await audit.record(tx, *audit.entries_about(ctx, "flow.queue_entry.search", about))
    return EntriesInOrder(active=tuple(active), waiting=tuple(waiting), as_of=now)


async def list_turns(ctx: Context, query: ListTurns) -> TurnsInOrder:
    """How the turns of a queue stand, in order. Whose they are is not said. Raises `UnknownQueue`."""
    ctx.actor.require(WORK)
    now, asked = ctx.clock.now(), ListEntries(queue_id=query.queue_id, limit=query.limit)
    async with ctx.db.transaction() as tx:
        queue = await turns.get_queue(ctx, tx, query.queue_id)
        active = await store.entries_active(tx, ctx.actor.organization_id, asked)
        waiting = await store.entries_waiting(tx, ctx.actor.organization_id, queue, now, query.limit)
    return TurnsInOrder(active=tuple(map(turns.turn_of, active)), waiting=tuple(map(turns.turn_of, waiting)), as_of=now)


async def find_tickets(ctx: Context, query: FindTickets) -> FoundTickets:
    """Where a ticket is in use, at the actor's sites. Whose it is is not said."""
    ctx.actor.require(WORK)
    sites = ctx.actor.site_ids or None
    return FoundTickets(items=await store.find_tickets(ctx.db, ctx.actor.organization_id, sites, query.ticket.upper(), FOUND_MAX))


async def propose_turns(ctx: Context, query: ProposeTurns) -> ProposedTurns:
    """Who could be called into which of these gaps, in the order of the queue. Whose turns they are is not said. Raises `UnknownQueue`."""
    ctx.actor.require(WORK)
    async with ctx.db.transaction() as tx:
        return await booked.propose(ctx, tx, await turns.get_queue(ctx, tx, query.queue_id), query)


async def get_entry(ctx: Context, entry_id: UUID) -> QueueEntry:
    """One turn: any at the actor's sites, or of the one patient they act for. Raises `UnknownEntry`."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        entry = await store.entry_by_id(tx, ctx.actor.organization_id, entry_id)
        if entry is None or not turns.may_see(ctx, entry):
            raise UnknownEntry(entry_id=str(entry_id))
        await audit.record(tx, turns.entry_of(ctx, "flow.queue_entry.read", "R", entry))
    return entry


async def own_turns(ctx: Context) -> OwnTurns:
    """The turns of the one patient that the actor acts for, which are not over; none for who acts for nobody."""
    ctx.actor.require(READ)
    patient_id = ctx.actor.patient_id
    if patient_id is None:
        return OwnTurns(items=())
    async with ctx.db.transaction() as tx:
        found = await store.open_entries_of_patient(tx, ctx.actor.organization_id, patient_id)
        about = tuple(audit.Entity(type="QueueEntry", id=each.id) for each in found)
        await audit.record(tx, audit.entry(ctx, "flow.queue_entry.read", "R", patient_id=patient_id, entities=about))
        named = await rooms.names_of(tx, ctx.actor.organization_id, [each.location_id for each in found if each.location_id])
    return OwnTurns(items=tuple(found), rooms=named)


async def turns_of_visits(ctx: Context, query: TurnsOfVisits) -> VisitTurns:
    """What queues those visits led through: of any at the actor's sites, or of the one patient they act for; no others are told."""
    ctx.actor.require(encounters.READ)
    async with ctx.db.transaction() as tx:
        found = await store.entries_of_encounters(tx, ctx.actor.organization_id, query.encounter_ids)
        items = tuple(each for each in found if encounters.may_see(ctx, each))
        about = [(each.patient_id, audit.Entity(type="QueueEntry", id=each.id)) for each in items]
        await audit.record(tx, *audit.entries_about(ctx, "flow.queue_entry.search", about))
    return VisitTurns(items=items)


async def arrive(ctx: Context, command: Arrive) -> Arrived:
    """Somebody is here without an appointment, or is announced: a visit begins, and a turn. Who was announced before is here now.

    Raises `UnknownQueue`, `AlreadyQueued`, `UnknownEncounter`, `WalkInsPaused`.
    """
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def begin(tx: Session, queue: Queue, elsewhere: tuple[OtherSite, ...], drawn: turns.Drawn) -> Arrived:
        entry = await turns.come(ctx, tx, cipher, queue, turns.Arrival.of(command), drawn)
        return Arrived(**structs.asdict(entry), elsewhere=elsewhere)

    async def work() -> Arrived:
        queue = await turns.get_queue(ctx, ctx.db, command.queue_id)
        elsewhere = await relief.other_sites_for(ctx, queue, command)
        drawn = await turns.draw_ticket(ctx, ctx.db, queue)
        return await committed(ctx, lambda tx: begin(tx, queue, elsewhere, drawn))

    return await once(ctx, Arrived, work)


async def call_next(ctx: Context, command: CallNext) -> Called:
    """Call whoever is next, if anybody is. No two calls get the same patient, however many desks call at once. Raises `UnknownQueue`.

    A practitioner's time is kept for their next booked patient as the queue's policy has it, and the answer says so.
    """
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> Called:
        queue, now = await turns.get_queue(ctx, tx, command.queue_id), ctx.clock.now()
        kept = await booked.kept_for(ctx, tx, queue, command.practitioner_id)
        walk_ins_until = now - timedelta(minutes=queue.policy.walk_in_may_wait_minutes) if kept else None
        before = await store.lock_next(tx, ctx.actor.organization_id, queue, command.practitioner_id, now, walk_ins_until)
        if before is not None:
            return Called(entry=await _call(ctx, tx, cipher, queue, before, command), kept_for=kept)
        await audit.record(tx, audit.entry(ctx, "flow.queue_entry.call", "E", entities=(audit.Entity(type="Queue", id=queue.id),)))
        return Called(entry=None, kept_for=kept)

    return await once_committed(ctx, Called, work)


async def call_entry(ctx: Context, command: CallEntry) -> QueueEntry:
    """Call one patient out of turn. Raises `UnknownEntry`, `StepNotAllowed` where somebody else was faster."""
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> QueueEntry:
        before = await turns.for_change(ctx, tx, command.entry_id, command.expected_version)
        queue = await turns.get_queue(ctx, tx, before.queue_id)
        return await _call(ctx, tx, cipher, queue, before, command)

    return await once_committed(ctx, QueueEntry, work)


async def step_entry(ctx: Context, command: StepEntry) -> QueueEntry:
    """Skip, return, start, hold, complete, leave or cancel. Raises `UnknownEntry`, `StepNotAllowed`."""
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> QueueEntry:
        before = await turns.for_change(ctx, tx, command.entry_id, command.expected_version)
        return await turns.write(ctx, tx, cipher, command.action, before, rules.stepped(before, command.action, ctx.clock.now()))

    return await once_committed(ctx, QueueEntry, work)


async def triage_entry(ctx: Context, command: TriageEntry) -> QueueEntry:
    """How urgent a patient is, as a nurse found: the turn counts since it did. Raises `UnknownEntry`, `StepNotAllowed`, `OtherScale`."""
    ctx.actor.require(TRIAGE)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> QueueEntry:
        before = await turns.for_change(ctx, tx, command.entry_id, command.expected_version)
        queue = await turns.get_queue(ctx, tx, before.queue_id)
        if queue.policy.scale not in ("tier", command.scale):
            raise OtherScale(scale=queue.policy.scale)
        after = replace(rules.stepped(before, "triage", ctx.clock.now()), level=command.level)
        return await turns.write(ctx, tx, cipher, "triage", before, after)

    return await once_committed(ctx, QueueEntry, work)


async def transfer_entry(ctx: Context, command: TransferEntry) -> QueueEntry:
    """Send a patient on to another queue, where their turn counts since it did here. The new turn comes back.

    Raises `UnknownEntry`, `UnknownQueue`, `StepNotAllowed`, `AlreadyQueued`.
    """
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def send_on(tx: Session, queue: Queue, drawn: turns.Drawn) -> QueueEntry:
        before = await turns.for_change(ctx, tx, command.entry_id, command.expected_version)
        now = ctx.clock.now()
        ended = rules.stepped(before, "transfer", now)
        await turns.change(ctx, tx, "transfer", before, ended)
        new = QueueEntry(
            id=ctx.ids.new(), queue_id=queue.id, site_id=queue.site_id, service_id=queue.service_id, encounter_id=before.encounter_id,
            patient_id=before.patient_id, appointment_id=before.appointment_id, practitioner_id=command.practitioner_id, ticket="",
            status="waiting", level=before.level, ranked_from=before.ranked_from, arrived_at=before.arrived_at,
            triaged_at=before.triaged_at, travel_minutes=before.travel_minutes, come_at=before.come_at, due_at=before.due_at,
            more_times=before.more_times, updated_at=now,
        )  # fmt: skip
        begun = await turns.begin(ctx, tx, "arrive", new, drawn)
        await turns.follow(ctx, tx, cipher, begun)
        await places.follow_turn(ctx, tx, before, ended)
        return begun

    async def work() -> QueueEntry:
        queue = await turns.get_queue(ctx, ctx.db, command.to_queue_id)
        drawn = await turns.draw_ticket(ctx, ctx.db, queue)
        return await committed(ctx, lambda tx: send_on(tx, queue, drawn))

    return await once(ctx, QueueEntry, work)


async def undo_step(ctx: Context, command: UndoStep) -> QueueEntry:
    """Take back the step that made `expected_version`, within ten minutes.

    Raises `UnknownEntry`, `PreconditionFailed` where more was done since, `NothingToUndo` for what is not taken back, or no longer.
    """
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> QueueEntry:
        entry = await turns.for_change(ctx, tx, command.entry_id, command.expected_version)
        step, now = await store.last_step(tx, ctx.actor.organization_id, entry.id), ctx.clock.now()
        if step is None or step.before is None or step.version != entry.version or step.action in rules.NOT_UNDONE:
            raise NothingToUndo(entry_id=str(entry.id), entry_status=entry.status)
        if now - step.at > timedelta(seconds=rules.UNDO_SECONDS):
            raise NothingToUndo(entry_id=str(entry.id), entry_status=entry.status)
        if entry.ended_at is not None:
            await turns.ensure_free(ctx, tx, entry)
        return await turns.write(ctx, tx, cipher, "undo", entry, rules.undone(entry, step.before, now))

    return await once_committed(ctx, QueueEntry, work)


async def _call(
    ctx: Context, tx: Session, cipher: FieldCipher, queue: Queue, before: QueueEntry, command: CallNext | CallEntry
) -> QueueEntry:  # fmt: skip
    after = rules.stepped(before, "call", ctx.clock.now())
    wanted = before.practitioner_id or command.practitioner_id
    room_id = await _room(ctx, tx, cipher, queue, before, command.location_id)
    return await turns.write(ctx, tx, cipher, "call", before, replace(after, location_id=room_id, practitioner_id=wanted))


async def _room(
    ctx: Context, tx: Session, cipher: FieldCipher, queue: Queue, before: QueueEntry, named_id: UUID | None
) -> UUID | None:  # fmt: skip
    """Where somebody is called to: the room that is named, the one in which they wait, or the one that the queue chooses.

    Raises `PlaceNotSuited` for a named one that is not fit for the precautions kept of the patient.
    """
    if named_id is not None:
        await places.ensure_fit(ctx, tx, cipher, named_id, before)
        return named_id
    if before.in_room:
        return before.location_id
    return await places.choose_room(ctx, tx, cipher, queue, before.encounter_id, before.patient_id)


def _ensure_at(ctx: Context, site_id: UUID) -> None:
    if not ctx.actor.works_at(site_id):
        raise Forbidden("You work with queues at your own sites only.")
