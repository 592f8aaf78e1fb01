"""What a move would meet, told before it is made. Nothing is written but that somebody looked."""

from collections.abc import Sequence

from msgspec.structs import replace

from carewright.contracts.board import ConflictReason, MoveActor, MoveConflict, MovePreview
from carewright.contracts.coverage import NotAuthorised, NotCovered
from carewright.contracts.hours import Busy, Opening, Override
from carewright.contracts.scheduling import (
    Appointment,
    OutsideRules,
    Participant,
    RescheduleAppointment,
    Slot,
    TimeNotFree,
)
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.errors import ensure_version
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars
from carewright.scheduling.model.appointment import ensure_movable
from carewright.scheduling.service.change import moved, new_slot, own_time
from carewright.scheduling.service.masters import ask_master
from carewright.scheduling.service.paying import ensure_not_stopped

IMAGINED = Override(reason="preview")
"""A reason that nobody wrote and nothing keeps: it asks who would serve against the calendar."""


async def preview_move(ctx: SchedulingContext, command: RescheduleAppointment) -> MovePreview:
    """Where an appointment would come to lie, with whom, and what stands in the way.

    Raises what a move raises that no other time and no reason would make good: the appointment is not the actor's or is another by now, it
    is over, another system is master of it.
    """
    ctx.actor.require("scheduling.appointment.reschedule")
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    async with ctx.db.transaction() as tx:
        before = ctx.require_own(await store.appointment_by_id(tx, cipher, command.appointment_id))
        await audit.record(tx, store.entry_of(ctx, "scheduling.appointment.preview", "R", before))
        await ask_master(ctx, tx, calendars, before.visit_type_id, before.site_id)
        ensure_version(before.version, command.expected_version)
        ensure_movable(before, ctx.clock.now())
        old, others = await own_time(ctx, tx, calendars, before)

        def slot_for(override: Override | None) -> Slot:
            return new_slot(ctx, calendars, before, replace(command, override=override), old, others, by_patient=ctx.by_patient)

        refused: list[MoveConflict] = []
        try:
            slot = slot_for(None)
        except (TimeNotFree, OutsideRules) as refusal:
            refused = [MoveConflict(reason="rule" if isinstance(refusal, OutsideRules) else "taken", text=refusal.detail)]
            try:
                slot = slot_for(IMAGINED)
            except OutsideRules:
                return _told(before, before, command, refused)
        after = moved(before, slot, replace(command, override=None), calendars, ctx.clock.now())
        met = [each for one in after.participants for each in await _met(ctx, tx, calendars, after, one)]
        stopped = await _stopped(ctx, tx, after)
    by_rule = [each for each in refused if each.reason == "rule"]
    found = [*by_rule, *met, *stopped] or refused
    return _told(before, after, command, found, by_override=bool(found))


async def _met(ctx: SchedulingContext, tx: Session, calendars: Calendars, after: Appointment, one: Participant) -> list[MoveConflict]:
    """What one participant has in the time that they would be claimed, by the ledger."""
    window = (tx, calendars.organization_id, one.actor_id, one.claimed_from, one.claimed_to)
    claims = await store.claims_of_schedule(*window, ctx.clock.now(), ctx.actor.site_ids)
    found = [_conflict("taken", one, each) for each in claims if each.appointment_id != after.id]
    if one.kind == "patient":
        return found
    found += [_conflict("blocked", one, each) for each in await store.blocks_of_schedule(*window)]
    openings = await store.openings_of_schedule(*window)
    if not _is_within([each for each in openings if each.site_id == after.site_id], one):
        found.append(MoveConflict(reason="closed", kind=one.kind, display=one.display, start=one.claimed_from, end=one.claimed_to))
    return found


def _conflict(reason: ConflictReason, one: Participant, busy: Busy) -> MoveConflict:
    return MoveConflict(
        reason=reason, kind=one.kind, display=one.display, start=busy.start, end=busy.end, appointment_id=busy.appointment_id
    )


def _is_within(openings: Sequence[Opening], one: Participant) -> bool:
    """Whether somebody works all the time that they would be claimed. `openings` are in order, and may follow on one another."""
    reached = one.claimed_from
    for each in openings:
        if each.start <= reached:
            reached = max(reached, each.end)
    return reached >= one.claimed_to


async def _stopped(ctx: SchedulingContext, tx: Session, after: Appointment) -> list[MoveConflict]:
    try:
        await ensure_not_stopped(ctx, tx, after)
    except (NotCovered, NotAuthorised) as refusal:
        return [MoveConflict(reason="rule", text=refusal.detail)]
    return []


def _told(
    before: Appointment, after: Appointment, command: RescheduleAppointment, conflicts: Sequence[MoveConflict], *, by_override: bool = False
) -> MovePreview:  # fmt: skip
    """`after` is `before` itself where it could come to lie nowhere: then it is with nobody."""
    start = utc(command.time.start)
    people = after.participants if after is not before else ()
    return MovePreview(
        appointment_id=before.id, version=before.version, start=start, end=start + (before.end - before.start),
        actors=tuple(MoveActor(kind=each.kind, actor_id=each.actor_id, display=each.display) for each in people if each.kind != "patient"),
        conflicts=tuple(conflicts), by_override=by_override,
    )  # fmt: skip
