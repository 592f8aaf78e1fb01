"""Use cases of checking in at a kiosk: the code of an appointment, and the turn that it gives.

The turn is made here, at once; `scheduling` hears of it and notes the appointment as checked in a moment later.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from msgspec import structs

from carewright.contracts.flow import AlreadyQueued
from carewright.contracts.kiosk import (
    CheckedIn,
    CheckIn,
    CheckInAtDesk,
    CheckInCode,
    CheckInCodeNotRight,
    CheckInElsewhere,
    FindByCode,
    FoundByCode,
    KioskTicket,
    TooManyCodes,
)
from carewright.contracts.queue import PutQueue, Queue, QueueEntry
from carewright.flow.model import check_in as rules
from carewright.flow.model import rooms
from carewright.flow.service import estimates, help_calls, turns
from carewright.flow.store import kiosk as store
from carewright.flow.store import queue as queues
from carewright.flow.store import rooms as places
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden, Refusal
from carewright.kernel.privacy.cipher import FieldCipher

USE = "flow.kiosk.use"
WORK = "flow.queue.work"
TELL = "flow.check_in.tell"


class Done(NamedTuple):
    """The turn for an appointment, and whether it was there before."""

    queue: Queue
    entry: QueueEntry
    start: datetime
    time_zone: str
    again: bool


async def check_in_code(ctx: Context, appointment_id: UUID) -> CheckInCode:
    """The code of an appointment. For a rim that has just read the appointment as whoever may see it: here nobody is asked whose it is."""
    ctx.actor.require(TELL)
    return CheckInCode(appointment_id=appointment_id, code=rules.code_of(await ctx.cipher(), appointment_id))


async def check_in(ctx: Context, command: CheckIn) -> CheckedIn:
    """A turn for the appointment of a code; the same again for who checked in before. A wrong code is counted.

    Raises `CheckInCodeNotRight`, `CheckInElsewhere`, `CheckInTooEarly`, `CheckInAtDesk`, and `TooManyCodes` after too many wrong ones.
    """
    ctx.actor.require(USE)
    ensure_at(ctx, command.site_id)
    cipher = await ctx.cipher()
    try:
        answer = await _tried(ctx, cipher, command)
    except AlreadyQueued:  # at another kiosk, or at the desk, this very moment
        answer = await _tried(ctx, cipher, command)
    if isinstance(answer, Refusal):
        raise answer
    told = await told_of(ctx, answer.queue, answer.entry)
    late_from = answer.start + timedelta(minutes=answer.queue.policy.grace_minutes)
    is_late = answer.entry.arrived_at is not None and answer.entry.arrived_at > late_from
    return CheckedIn(
        **structs.asdict(told), start=answer.start, time_zone=answer.time_zone, is_late=is_late, again=answer.again
    )  # fmt: skip


async def find_by_code(ctx: Context, query: FindByCode) -> FoundByCode:
    """The appointment of today, at the actor's sites, that has this code. What it is about they read as they read any."""
    ctx.actor.require(WORK)
    if not rules.is_code(query.code):
        return FoundByCode(appointment_ids=())
    today = await store.today(ctx.db, ctx.actor.organization_id, ctx.clock.now())
    right = rules.matching(await ctx.cipher(), (each for each in today if ctx.actor.works_at(each.site_id)), query.code)
    return FoundByCode(appointment_ids=tuple(each.appointment_id for each in right))


async def told_of(ctx: Context, queue: Queue, entry: QueueEntry) -> KioskTicket:
    """What a kiosk tells of a turn."""
    room_id = rooms.room_of(entry)
    named = await places.names_of(ctx.db, ctx.actor.organization_id, [room_id]) if room_id else []
    shown = KioskTicket(
        ticket=entry.ticket, queue=queue.name, waits_at=queue.policy.waits_at, status=entry.status,
        place="".join(each.name for each in named),
    )  # fmt: skip
    return await estimates.with_wait(ctx, queue, shown, entry.id) if entry.status == "waiting" else shown


async def queue_of_visit(ctx: Context, tx: Session, site_id: UUID, visit_type_id: UUID) -> Queue | None:
    """Where somebody waits who comes for such an appointment: the queue of its service, which begins with the first of them.

    None for a kind of visit that we have not heard of yet.
    """
    organization_id = ctx.actor.organization_id
    service = await queues.service_of(tx, organization_id, visit_type_id)
    if service is None:
        return None
    service_id, name = service
    known = await queues.queue_of(tx, organization_id, site_id, service_id)
    return known or await turns.put_queue(ctx, tx, PutQueue(site_id=site_id, service_id=service_id, name=name))


def ensure_at(ctx: Context, site_id: UUID) -> None:
    """Raise `Forbidden` for another site than the kiosk's."""
    if not ctx.actor.works_at(site_id):
        raise Forbidden("A kiosk is for its own site only.")


async def _tried(ctx: Context, cipher: FieldCipher, command: CheckIn) -> Done | Refusal:
    """One try. A wrong code is an answer here, so that it is counted: a try that rolled back would not be."""
    now, organization_id, station = ctx.clock.now(), ctx.actor.organization_id, ctx.actor.subject
    async with ctx.db.transaction() as tx:
        tries = await store.lock_tries(tx, organization_id, station, now, now - rules.WRONG_WITHIN)
        if tries.wrong >= rules.WRONG_MAX:
            left = tries.since + rules.WRONG_WITHIN - now
            return TooManyCodes(retry_after_seconds=max(1, int(left.total_seconds())))
        found = await _found(ctx, tx, cipher, command)
        answer = await _counted(ctx, tx, command) if found is None else await _turn(ctx, tx, cipher, found)
    ctx.wake()
    return answer


async def _found(ctx: Context, tx: Session, cipher: FieldCipher, command: CheckIn) -> rules.Today | None:
    """The appointment of the code, if there is one today. Raises `CheckInElsewhere`, `CheckInAtDesk` where the code is that of two."""
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    here = rules.matching(cipher, await store.today(tx, organization_id, now, at=command.site_id), command.code)
    if len(here) > 1:
        raise CheckInAtDesk(why="unclear")
    if here:
        return here[0]
    for elsewhere in rules.matching(cipher, await store.today(tx, organization_id, now, besides=command.site_id), command.code):
        raise CheckInElsewhere(site_name=elsewhere.site_name)
    return None


async def _counted(ctx: Context, tx: Session, command: CheckIn) -> Refusal:
    """One more wrong code at this kiosk. Who types many needs somebody's help, or somebody's eye."""
    if await store.count_wrong(tx, ctx.actor.organization_id, ctx.actor.subject) >= rules.WRONG_MAX:
        await help_calls.raise_call(ctx, tx, command.site_id, command.station_name, "codes")
    return CheckInCodeNotRight()


async def _turn(ctx: Context, tx: Session, cipher: FieldCipher, found: rules.Today) -> Done:
    """The turn that they have, or a new one. Raises what stands in the way."""
    organization_id = ctx.actor.organization_id
    for entry_id in await queues.open_entries_of_appointment(tx, organization_id, found.appointment_id):
        entry = await queues.entry_by_id(tx, organization_id, entry_id)
        if entry is not None:
            await audit.record(tx, turns.entry_of(ctx, "flow.queue_entry.read", "R", entry))
            return Done(await turns.get_queue(ctx, tx, entry.queue_id), entry, found.start, found.time_zone, again=True)
    rules.ensure_good(found, ctx.clock.now())
    if await queues.entry_of_appointment(tx, organization_id, found.appointment_id):
        raise CheckInAtDesk(why="over")
    queue = await queue_of_visit(ctx, tx, found.site_id, found.visit_type_id)
    if queue is None:
        raise CheckInAtDesk(why="unknown")
    arrival = turns.Arrival(
        patient_id=found.patient_id, tier=rules.TIERS[found.level], appointment_id=found.appointment_id, appointment_start=found.start,
        practitioner_id=found.practitioner_ids[0] if len(found.practitioner_ids) == 1 else None,
    )  # fmt: skip
    entry = await turns.come(ctx, tx, cipher, queue, arrival, await turns.draw_ticket(ctx, tx, queue))
    return Done(queue, entry, found.start, found.time_zone, again=False)
