"""What a patient writes to the practice, role by role: shown to those who may read it, recorded, and absent for everybody else."""

from uuid import UUID

import asyncpg
import msgspec
import pytest

from carewright.contracts.permissions import BREAK_GLASS, ROLES
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    BookAppointment,
    CancelAppointment,
    ConfirmAppointment,
    ListAppointments,
)
from carewright.scheduling import jobs
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, change
from tests.scheduling_hospital import TOMORROW, Hospital

NOTE = "I am afraid of needles."
READS = [role for role in ROLES if "scheduling.appointment.read" in ROLES[role]]
MAY = {"patient", "proxy", "nurse", "physician"}
JOURNAL = "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 ORDER BY xid, position"


@pytest.fixture
async def booked(hospital: Hospital) -> Appointment:
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW, hospital.physician())
    command = BookAppointment(patient_id=hospital.world.patients[0], time=time, note=NOTE)
    return await book.book_appointment(hospital.patient(0), command)


def reader(hospital: Hospital, role: str) -> SchedulingContext:
    """Somebody with this role; a patient or a proxy for the one who wrote the note."""
    patient_id = hospital.world.patients[0] if role in ("patient", "proxy") else None
    return hospital.here.acting(role, hospital.world, patient_id=patient_id)


async def notes_read(database_url: str, hospital: Hospital) -> list[tuple[str, UUID]]:
    """Who was shown a note, and whose, according to the journal."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(JOURNAL, hospital.world.organization_id)
    finally:
        await connection.close()
    entries = [msgspec.json.decode(row["body"]) for row in rows]
    return [(one["role"], UUID(one["patient_id"])) for one in entries if one["event"] == "scheduling.appointment.read_note"]


@pytest.mark.parametrize("role", READS)
async def test_a_note_is_shown_to_those_who_may_read_it_and_recorded(
    hospital: Hospital, booked: Appointment, database_url: str, role: str
) -> None:
    ctx = reader(hospital, role)
    one = await change.get_appointment(ctx, booked.id)
    page = await change.list_appointments(ctx, ListAppointments(patient_id=booked.patient_id))
    for shown in (one, *page.items):
        written = msgspec.to_builtins(shown)
        assert written.get("note") == (NOTE if role in MAY else None)
        assert ("note" in written) == (role in MAY), "who may not read it does not learn that there is such a field"
    assert len(page.items) == 1
    assert await notes_read(database_url, hospital) == ([(role, booked.patient_id)] * 2 if role in MAY else [])


async def test_whoever_breaks_the_glass_reads_notes_too(hospital: Hospital, booked: Appointment) -> None:
    ctx = reader(hospital, "technician")
    widened = msgspec.structs.replace(ctx.actor, permissions=ctx.actor.permissions | BREAK_GLASS)
    assert (await change.get_appointment(ctx.acting(widened), booked.id)).note == NOTE


async def test_no_answer_to_a_change_carries_a_note(hospital: Hospital, booked: Appointment, database_url: str) -> None:
    patient = hospital.patient(0)
    changed = await change.confirm_appointment(patient, ConfirmAppointment(appointment_id=booked.id))
    cancelled = await change.cancel_appointment(patient, CancelAppointment(appointment_id=booked.id))
    assert [NOTE in msgspec.json.encode(one).decode() for one in (booked, changed, cancelled)] == [False] * 3
    assert await notes_read(database_url, hospital) == []
    assert (await change.get_appointment(patient, booked.id)).note == NOTE, "a change keeps it"


async def test_a_note_goes_into_history_and_is_read_there(hospital: Hospital, booked: Appointment) -> None:
    await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=booked.id, status="arrived"))
    hospital.here.clock.advance(days=60)
    assert await jobs.archive_past(hospital.here.system()) >= 1
    assert (await change.get_appointment(hospital.patient(0), booked.id)).note == NOTE


async def test_nothing_is_recorded_where_nobody_wrote(hospital: Hospital, database_url: str) -> None:
    made = await hospital.book()
    assert await change.get_appointment(hospital.patient(0), made.id) == made
    assert await notes_read(database_url, hospital) == []
