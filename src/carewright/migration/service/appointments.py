"""Appointments of another system: booked here as they are there, and brought to what a later file says. Every rule is scheduling's."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    AppointmentStatus,
    BookAppointment,
    CancelAppointment,
    PickedTime,
    RescheduleAppointment,
    SearchAppointments,
)
from carewright.kernel import audit
from carewright.kernel.errors import Refusal
from carewright.kernel.halves import ABOUT_WHAT_WAS_SENT
from carewright.migration.model.comparing import MOVES, differences_of
from carewright.migration.model.reading import AppointmentRow
from carewright.migration.model.reasons import REASONS, RowRejected
from carewright.migration.service.run import Row, Run, sole
from carewright.migration.store import links

TYPE = "Appointment"
REASON = "other"
"""Why it was cancelled (FHIR appointment-cancellation-reason): rows do not tell."""
EXPECTED: tuple[AppointmentStatus, ...] = ("pending", "booked", "arrived", "checked-in")
"""What a system that knows bookings has too."""


async def bring_appointments(run: Run, rows: Sequence[Row[AppointmentRow]]) -> None:
    """One after another: what one row takes is not free for the next."""
    owners = await run.patients_of(row.value.patient for row in rows)
    for row in rows:
        try:
            mark, before = await linked(run, row.value.source_id)
            await bring(run, row, mark, before, sole(owners.get(row.value.patient)))
        except RowRejected as rejected:
            run.reject(row.at, rejected)
        except Refusal as refusal:
            if refusal.status not in ABOUT_WHAT_WAS_SENT:
                raise
            run.reject(row.at, refusal)


async def linked(run: Run, source_id: str) -> tuple[bytes, Appointment | None]:
    """What an appointment of theirs is known by, and ours, if it came before."""
    ctx, cipher = run.ctx, await run.ctx.cipher()
    mark = links.mark_of(cipher, run.mapping.source, source_id)
    ours = await links.appointment_by_mark(ctx.db, cipher.organization_id, mark)
    return mark, await ctx.scheduling.get_appointment(ctx.actor, ours) if ours else None


async def bring(run: Run, row: Row[AppointmentRow], mark: bytes, before: Appointment | None, patient_id: UUID | None) -> Appointment | None:
    """Bring ours to what the row says, and say what ours is then; None where there is none to be. Raises `RowRejected`, `Refusal`."""
    if patient_id is None:
        raise RowRejected("unknown_patient")
    theirs = row.value
    if before is None and run.in_stead_of:
        before = await _adopt(run, theirs, mark, patient_id)
    if before is not None and not (run.in_stead_of and theirs.status == "booked" and before.status in ("cancelled", "noshow")):
        return await _follow(run, row, mark, before, patient_id)
    if theirs.status != "booked":
        run.tally.skip(row.at, "migration.import.ended", REASONS["migration.import.ended"])
        return before
    if theirs.start <= run.ctx.clock.now():
        run.tally.skip(row.at, "migration.import.passed", REASONS["migration.import.passed"])
        return before
    return await _book(run, row, mark, patient_id, before)


async def _book(run: Run, row: Row[AppointmentRow], mark: bytes, patient_id: UUID, before: Appointment | None) -> Appointment | None:
    """Book, then link. A run that ended between finds its booking again by the key.

    `before` was called off and stands there again: a booking of its own, which takes its link.
    """
    booked = None
    if not run.dry_run:
        ctx, key = run.ctx, f"migration-{mark.hex()}" if before is None else f"migration-{mark.hex()[:40]}-again-{before.id.hex}"
        command = BookAppointment(patient_id=patient_id, time=_time(row.value))
        booked = await ctx.scheduling.book_appointment(ctx.actor, command, key, run.in_stead_of)
        await _link(run, mark, booked)
        run.tally.stored(TYPE, created=1, changed=0, unchanged=0)
    run.tally.accept(row.at)
    return booked


async def _adopt(run: Run, theirs: AppointmentRow, mark: bytes, patient_id: UUID) -> Appointment | None:
    """Take the same visit of the same person for theirs, which was booked here before that system was master, and entered there since."""
    ctx, cipher = run.ctx, await run.ctx.cipher()
    query = SearchAppointments(
        patient_ids=(patient_id,), visit_type_ids=(theirs.visit_type_id,), site_ids=(theirs.site_id,), statuses=EXPECTED,
        start_from=theirs.start, start_until=theirs.start + timedelta(minutes=1),
    )  # fmt: skip
    found = [each for each in (await ctx.scheduling.search_appointments(ctx.actor, query)).items if each.expires_at is None]
    taken = await links.linked_among(ctx.db, cipher, [each.id for each in found])
    twin = next((each for each in found if each.id not in taken), None)
    if twin is not None and not run.dry_run:
        await _link(run, mark, twin)
    return twin


async def _link(run: Run, mark: bytes, ours: Appointment) -> None:
    ctx, cipher = run.ctx, await run.ctx.cipher()
    async with ctx.db.transaction() as tx:
        await links.put_link(tx, cipher, run.mapping.source, mark, ours, ctx.clock.now())
        about = (audit.Entity(type=TYPE, id=ours.id),)
        await audit.record(tx, audit.entry(ctx, "migration.link.create", "C", patient_id=ours.patient_id, entities=about))


async def _follow(run: Run, row: Row[AppointmentRow], mark: bytes, ours: Appointment, patient_id: UUID) -> Appointment:
    """Bring ours to what the row says, as far as it differs."""
    theirs, after = row.value, ours
    ends = theirs.status not in ("booked", ours.status)
    differing = {each.field for each in differences_of(theirs, patient_id, ours)}
    moves = theirs.status == ours.status == "booked" and not differing.isdisjoint(MOVES)
    if (ends or moves) and not run.dry_run:
        after = await _change(run, theirs, ours, f"migration-{mark.hex()[:40]}-{ours.version}")
    if not run.dry_run:
        changes = ends or moves
        run.tally.stored(TYPE, created=0, changed=int(changes), unchanged=int(not changes))
    run.tally.accept(row.at)
    return after


async def _change(run: Run, theirs: AppointmentRow, ours: Appointment, key: str) -> Appointment:
    scheduling, actor = run.ctx.scheduling, run.ctx.actor
    if theirs.status == "cancelled":
        cancel = CancelAppointment(appointment_id=ours.id, reason=REASON, expected_version=ours.version)
        return await scheduling.cancel_appointment(actor, cancel, key, run.in_stead_of)
    if theirs.status in ("noshow", "fulfilled"):
        step = AdvanceAppointment(appointment_id=ours.id, status=theirs.status, expected_version=ours.version)
        return await scheduling.advance_appointment(actor, step, key, run.in_stead_of)
    move = RescheduleAppointment(appointment_id=ours.id, time=_time(theirs), expected_version=ours.version)
    return await scheduling.reschedule_appointment(actor, move, key, run.in_stead_of)


def _time(theirs: AppointmentRow) -> PickedTime:
    return PickedTime(
        visit_type_id=theirs.visit_type_id, site_id=theirs.site_id, start=theirs.start, practitioner_id=theirs.practitioner_id
    )
