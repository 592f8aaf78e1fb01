"""Every deed leaves its entry in the journal, in the transaction of the deed, and nobody can take it back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.audit import AuditEvent
from carewright.contracts.directory import Identifier
from carewright.contracts.fhir.audit import audit_event
from carewright.contracts.hours import SetWorkingHours
from carewright.contracts.patients import (
    FindAlike,
    FindPatients,
    Patient,
    PutPatients,
    RegisterPatient,
    SearchPatients,
    Unlike,
    UpdatePatient,
)
from carewright.contracts.schedules import GetCalendar
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    BookAppointment,
    ConfirmAppointment,
    ListAppointments,
    RescheduleAppointment,
    Scheduling,
    SearchAppointments,
    TimeNotFree,
    UnknownAppointment,
)
from carewright.contracts.series import BookSeries
from carewright.directory.service import put_resources
from carewright.kernel import audit
from carewright.kernel.audit import Entry
from carewright.kernel.context import Context
from carewright.kernel.db import Database
from carewright.kernel.errors import Forbidden
from carewright.kernel.migrate import role_of
from carewright.kernel.sql import Query
from carewright.patients.service import records as patients
from carewright.roles.local import Audited
from carewright.roles.registry import SCHEMAS
from carewright.scheduling.module import LocalScheduling
from carewright.scheduling.service import book, calendars, change
from carewright.scheduling.service.expire import expire_holds
from carewright.scheduling.service.search import search_appointments
from tests.balp import faults_of
from tests.samples import SMALL_HOSPITAL, known_id
from tests.scheduling_hospital import TOMORROW, Hospital
from tests.scheduling_world import every_day
from tests.servers import Contexts

JOURNAL = "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 ORDER BY xid, position"
ANNA = RegisterPatient(family="García", given=("Anna",), identifiers=(Identifier(system="urn:test:mrn", value="A1"),))
CHANGES = ("UPDATE kernel.audit_entry SET body = ''", "DELETE FROM kernel.audit_entry", "TRUNCATE kernel.audit_entry")
Entries = Callable[[UUID], Awaitable[list[Entry]]]


@pytest.fixture
async def entries(database_url: str) -> Entries:
    """What the journal says of a tenant, read as the superuser. Whatever was written must look in FHIR as IHE BALP has it."""

    async def read(organization_id: UUID) -> list[Entry]:
        connection = await asyncpg.connect(database_url)
        try:
            rows = await connection.fetch(JOURNAL, organization_id)
        finally:
            await connection.close()
        written = [msgspec.json.decode(row["body"], type=AuditEvent) for row in rows]
        assert [fault for each in written for fault in faults_of(audit_event(each))] == []
        return [msgspec.json.decode(row["body"], type=Entry) for row in rows]

    return read


def events(found: Sequence[Entry]) -> list[str]:
    return [each.event for each in found]


async def test_what_is_done_with_patients_is_recorded_for_each_of_them(context: Contexts, entries: Entries) -> None:
    ctx = await context("patients", role="front-desk", subject="nora")
    anna = await patients.register_patient(ctx, ANNA)
    await patients.get_patient(ctx, anna.id)
    await patients.find_patients(ctx, FindPatients(family="Gar"))
    await patients.find_patients(ctx, FindPatients(family="nobody"))
    await patients.find_patients_by_identifier(ctx, ANNA.identifiers)
    put = PutPatients(patients=(msgspec.structs.replace(anna, family="Gil"), Patient(id=known_id(5), family="New")))
    await patients.put_patients(ctx, put)
    await patients.put_patients(ctx, put)
    found = await entries(context.organization_id)
    assert [(each.event, each.action, each.patient_id) for each in found] == [
        ("patients.patient.register", "C", anna.id),
        ("patients.patient.read", "R", anna.id),
        ("patients.patient.find", "E", anna.id),
        ("patients.patient.find", "E", None),
        ("patients.patient.find", "E", anna.id),
        *sorted(
            [("patients.patient.put", "U", anna.id), ("patients.patient.put", "C", known_id(5))],
            key=lambda each: str(each[2]),
        ),
    ]
    assert {(each.agent, each.role, each.purpose, each.outcome) for each in found} == {("nora", "front-desk", "TREAT", "success")}


async def test_why_somebody_is_registered_beside_one_who_is_alike_is_recorded(context: Contexts, entries: Entries) -> None:
    ctx = await context("patients", role="front-desk")
    other = await patients.register_patient(ctx, ANNA)
    assert [each.patient.id for each in (await patients.find_alike(ctx, FindAlike(family="Garcia", given=("Ana",)))).items] == [other.id]
    unlike = Unlike(patient_ids=(other.id,), because="same-name")
    patient = await patients.register_patient(ctx, replace(ANNA, identifiers=(), unlike=unlike))
    looked, told = (await entries(ctx.actor.organization_id))[1:]
    assert (looked.event, looked.patient_id) == ("patients.patient.find", other.id)
    assert (told.event, told.patient_id, told.code) == ("patients.patient.register", patient.id, "same-name")
    assert [(each.type, each.id) for each in told.entities] == [("Patient", other.id)]


async def test_an_entry_holds_no_person_data(context: Contexts, entries: Entries) -> None:
    ctx = await context("patients", role="front-desk")
    await patients.register_patient(ctx, ANNA)
    await patients.find_patients(ctx, FindPatients(family="García"))
    written = "".join(audit.body_of(each) for each in await entries(context.organization_id))
    assert not [word for word in ("García", "Anna", "A1", "mrn") if word in written]


async def test_a_deed_that_is_rolled_back_leaves_no_entry(context: Contexts, entries: Entries) -> None:
    ctx = await context("patients", role="front-desk")

    async def break_off() -> None:
        async with ctx.db.transaction() as tx:
            await audit.record(tx, audit.entry(ctx, "patients.patient.read", "R"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await entries(context.organization_id) == []


async def test_each_changed_entry_of_the_directory_is_recorded(context: Contexts, entries: Entries) -> None:
    ctx = await context("directory", role="administrator")
    result = await put_resources(ctx, SMALL_HOSPITAL)
    await put_resources(ctx, SMALL_HOSPITAL)
    found = await entries(context.organization_id)
    assert len(found) == result.created
    assert {each.event for each in found} == {"directory.entry.put"}
    assert {"Location", "Practitioner", "VisitType"} <= {entity.type for each in found for entity in each.entities}


async def test_what_happens_to_an_appointment_is_recorded(hospital: Hospital, entries: Entries) -> None:
    desk, world = hospital.desk(), hospital.world
    booked = await hospital.book()
    await change.get_appointment(desk, booked.id)
    await change.list_appointments(desk, ListAppointments(patient_id=world.patients[0]))
    await change.confirm_appointment(hospital.patient(), ConfirmAppointment(appointment_id=booked.id))
    later = world.at(world.kinds.solo, TOMORROW + timedelta(hours=1), hospital.physician())
    await change.reschedule_appointment(desk, RescheduleAppointment(appointment_id=booked.id, time=later))
    await change.advance_appointment(desk, AdvanceAppointment(appointment_id=booked.id, status="arrived"))
    await hospital.cancel(booked)
    found = await entries(world.organization_id)
    assert [(each.event.rpartition(".")[2], each.action) for each in found] == [
        ("book", "C"), ("read", "R"), ("list", "E"), ("confirm", "U"), ("reschedule", "U"), ("advance", "U"), ("cancel", "U"),
    ]  # fmt: skip
    assert all(each.patient_id == world.patients[0] for each in found)
    assert all([entity.id for entity in each.entities] == [booked.id] for each in found)


async def test_holds_series_and_overrides_are_recorded(hospital: Hospital, entries: Entries) -> None:
    world = hospital.world
    held = await hospital.hold()
    await book.book_appointment(hospital.patient(), BookAppointment(patient_id=world.patients[0], hold_id=held.id))
    released = await hospital.hold(TOMORROW + timedelta(minutes=30))
    await change.release_hold(hospital.patient(), released.id)
    await hospital.override(patient=1)
    first = world.at(world.kinds.solo, TOMORROW + timedelta(hours=2), hospital.physician())
    series = await book.book_series(hospital.desk(), BookSeries(patient_id=world.patients[2], first=first, every_days=1, count=3))
    found = await entries(world.organization_id)
    verbs = [each.event.rpartition(".")[2] for each in found]
    assert verbs == ["hold", "book", "hold", "release", "override", "book", "book", "book"]
    assert [each.entities[0].id for each in found[5:]] == [each.id for each in series.appointments]


async def test_who_loses_a_race_leaves_no_entry(hospital: Hospital, entries: Entries) -> None:
    await hospital.book()
    with pytest.raises(TimeNotFree):
        await hospital.book(patient=1, process=hospital.there)
    assert events(await entries(hospital.world.organization_id)) == ["scheduling.appointment.book"]


async def test_a_hold_that_runs_out_does_so_in_the_systems_name(hospital: Hospital, entries: Entries) -> None:
    held = await hospital.hold()
    hospital.here.clock.advance(hours=1)
    await expire_holds(hospital.desk())
    ran_out = (await entries(hospital.world.organization_id))[-1]
    assert (ran_out.event, ran_out.agent, ran_out.role) == ("scheduling.appointment.expire", "system", "system")
    assert ran_out.patient_id == held.patient_id


async def test_a_calendar_that_is_read_or_changed_is_recorded_with_whom_the_change_hits(hospital: Hospital, entries: Entries) -> None:
    desk, world = hospital.desk(), hospital.world
    await hospital.book()
    blocked = await hospital.block(TOMORROW)
    await calendars.unblock_time(desk, blocked.block_id)
    await calendars.set_working_hours(desk, SetWorkingHours(schedule_id=hospital.physician(), weekly=every_day([world.city.id])))
    day = GetCalendar(schedule_id=hospital.physician(), from_at=TOMORROW, until_at=TOMORROW + timedelta(days=1))
    await calendars.get_calendar(desk, day)
    found = await entries(world.organization_id)
    assert events(found) == [
        "scheduling.appointment.book", "scheduling.calendar.block", "scheduling.appointment.list", "scheduling.calendar.unblock",
        "scheduling.calendar.set_hours", "scheduling.calendar.read",
    ]  # fmt: skip
    assert found[2].patient_id == world.patients[0]


async def test_a_search_is_recorded_for_each_patient_of_whom_it_shows_something(hospital: Hospital, entries: Entries) -> None:
    desk, world = hospital.desk(), hospital.world
    first, other = await hospital.book(patient=0), await hospital.book(patient=1, physician=1)
    second = await hospital.book(TOMORROW + timedelta(hours=1), patient=0)
    await search_appointments(desk, SearchAppointments())
    await search_appointments(desk, SearchAppointments(statuses=("noshow",)))
    await search_appointments(hospital.patient(1), SearchAppointments(patient_ids=world.patients[:1]))
    found = (await entries(world.organization_id))[3:]
    assert events(found) == ["scheduling.appointment.search"] * 4
    told = {each.patient_id: {entity.id for entity in each.entities} for each in found[:2]}
    assert told == {world.patients[0]: {first.id, second.id}, world.patients[1]: {other.id}}
    assert [(each.patient_id, each.entities) for each in found[2:]] == [(None, ()), (None, ())]


async def test_a_change_a_search_and_a_reading_of_several_records_are_recorded(context: Contexts, entries: Entries) -> None:
    desk = await context("patients", role="front-desk")
    anna = await patients.register_patient(desk, ANNA)
    await patients.update_patient(desk, UpdatePatient(patient_id=anna.id, family="Björk"))
    await patients.get_patients(desk, (anna.id, known_id(99)))
    await patients.search_patients(desk, SearchPatients(identifiers=ANNA.identifiers))
    found = (await entries(desk.actor.organization_id))[1:]
    assert [(each.event, each.action, each.patient_id) for each in found] == [
        ("patients.patient.change", "U", anna.id), ("patients.patient.read", "R", anna.id), ("patients.patient.find", "E", anna.id),
    ]  # fmt: skip


async def test_whoever_is_turned_away_at_a_protocol_is_recorded(hospital: Hospital, entries: Entries) -> None:
    booked = await hospital.book(patient=1)
    door = Audited(Scheduling, LocalScheduling(hospital.desk()), hospital.desk())
    stranger = hospital.patient(0).actor
    with pytest.raises(UnknownAppointment):
        await door.get_appointment(stranger, booked.id)
    with pytest.raises(Forbidden):
        await door.list_appointments(stranger, ListAppointments(patient_id=hospital.world.patients[1]))
    _, hidden, forbidden = await entries(hospital.world.organization_id)
    assert (hidden.event, hidden.outcome, hidden.code) == ("scheduling.appointment.read", "refused", "scheduling.unknown_appointment")
    assert [(each.type, each.id) for each in hidden.entities] == [("Appointment", booked.id)]
    assert (forbidden.event, forbidden.code, forbidden.patient_id) == (
        "scheduling.appointment.list", "kernel.forbidden", hospital.world.patients[1],
    )  # fmt: skip


@pytest.mark.parametrize("module", [name for name in SCHEMAS if name != "kernel"])
async def test_a_module_writes_the_journal_and_cannot_read_or_change_it(module: str, database_url: str, context: Contexts) -> None:
    ctx: Context = await context("patients")
    db = await Database.connect(database_url, role_of(module), 1)
    try:
        await audit.record(db, audit.entry(ctx, "exam.room.read", "R"))
        forbidden = [*CHANGES]
        if module != "audit":
            forbidden.append("SELECT body FROM kernel.audit_entry")
        for statement in forbidden:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(Query("exam", statement))
    finally:
        await db.close()


@pytest.mark.parametrize("statement", CHANGES)
async def test_even_the_superuser_changes_the_journal_only_by_taking_the_guard_away(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.PostgresError, match="what was recorded stays"):
            await connection.execute(statement)
    finally:
        await connection.close()
