"""Erasing a patient: nothing of the person is left to read, appointments keep their time, proofs stay valid, and a hold refuses it."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from carewright.access import handlers as access_handlers
from carewright.access import store as access_store
from carewright.contracts.access import StepUpNeeded
from carewright.contracts.directory import Identifier
from carewright.contracts.patients import (
    ContactPoint,
    Erased,
    ErasePatient,
    FindPatients,
    Patient,
    PatientErased,
    PatientOnHold,
    PutPatients,
    RegisterPatient,
    UnknownPatient,
)
from carewright.contracts.records import LiftHold, SetHold
from carewright.kernel import audit, jobs
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden
from carewright.kernel.idempotency import remember
from carewright.notifications import handlers as notification_handlers
from carewright.patients.jobs import JOBS
from carewright.patients.service import records as service
from carewright.records.service import rules as records
from carewright.scheduling import handlers as scheduling_handlers
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

WHO = RegisterPatient(
    family="Quokkaline", given=("Zyxwella",), birth_on=date(1953, 7, 19), telecom=(ContactPoint(system="phone", value="2025550176"),),
    identifiers=(Identifier(system="urn:test:mrn", value="77120845"),),
)  # fmt: skip
WHY = "Asked for it by letter"
APPOINTMENT = """
INSERT INTO scheduling.appointment
    (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, version, value, note, private)
VALUES ($1, $2, 'booked', $3, $4, $4::timestamptz + interval '30 minutes', $3, 1, '{}', $5, $6)
"""
MESSAGE = """
INSERT INTO notifications.communication
    (organization_id, id, status, template, language, channel, recipient_kind, recipient, content, created_at, sent_at, forget_at)
VALUES ($1, $2, 'completed', 'sign_in_code', 'en', 'sms', 'patient', $3::uuid::text, $5, $4, $4, $4::timestamptz + interval '30 days')
"""
ACCOUNT = """
INSERT INTO access.account (organization_id, id, subject, role, display, patient_id, site_ids, created_at)
VALUES ($1, $2, 'patient/' || $3::uuid, 'patient', '', $3, '{}', $4)
"""
VERSION = """
INSERT INTO scheduling.appointment_version (organization_id, id, appointment_id, patient_id, version, made_at, said)
SELECT $1, $2, a.id, $3, 1, now(), $4 FROM scheduling.appointment a WHERE a.organization_id = $1 AND a.patient_id = $3
"""
KEPT = "SELECT patient_id, starts_at, status, note, private FROM scheduling.appointment WHERE organization_id = $1"
SEALED = """
SELECT count(*) FROM (
    SELECT person FROM patients.patient WHERE organization_id = $1 UNION ALL SELECT mark FROM patients.identifier WHERE organization_id = $1
    UNION ALL SELECT coalesce(note, private) FROM scheduling.appointment WHERE organization_id = $1 AND num_nonnulls(note, private) > 0
    UNION ALL SELECT said FROM scheduling.appointment_version WHERE organization_id = $1
    UNION ALL SELECT content FROM notifications.communication WHERE organization_id = $1 AND content IS NOT NULL
    UNION ALL SELECT answer FROM kernel.idempotency WHERE organization_id = $1
) fields
"""


@pytest.fixture
async def desk(context: Contexts) -> Context:
    return await context("patients", "front-desk")


@pytest.fixture
async def officer(desk: Context, context: Contexts) -> Context:
    """A privacy officer who signed in a moment ago."""
    actor = context.actor("privacy-officer", subject="staff/officer")
    return desk.acting(msgspec.structs.replace(actor, authenticated_at=context.clock.now()))


@pytest.fixture
async def patient(desk: Context, context: Contexts, database: Any) -> Patient:
    """Somebody with a record, an appointment with words and a version, a message, an account, and answers kept for two callers' keys."""
    made = await service.register_patient(desk.acting(desk.actor, Once("first", b"f" * 32)), WHO)
    cipher, organization_id = await desk.cipher(), context.organization_id
    note, private = (cipher.seal("scheduling.appointment", column, made.id, b"afraid of needles") for column in ("note", "private"))
    await database.execute(APPOINTMENT, organization_id, context.ids.new(), made.id, MORNING + timedelta(days=1), note, private)
    await database.execute(VERSION, organization_id, context.ids.new(), made.id, note)
    await database.execute(MESSAGE, organization_id, context.ids.new(), made.id, MORNING, note)
    await database.execute(ACCOUNT, organization_id, context.ids.new(), made.id, MORNING)
    own = desk.acting(context.actor("patient", subject=f"patient/{made.id}", patient_id=made.id), Once("own", b"f" * 32))
    await remember(own, own.db, "nothing that names them")
    return made


async def follow(context: Contexts) -> None:
    """What the relay and the worker do when somebody was erased."""
    system = await context.system("patients")
    facts = [fact for fact in await facts_of(await context("patients")) if isinstance(fact, PatientErased)]
    for module, handle in (
        ("scheduling", scheduling_handlers.erase_patient), ("notifications", notification_handlers.erase_patient),
        ("access", access_handlers.shut_out_erased),
    ):  # fmt: skip
        ctx = await context(module)
        for _ in range(2):  # delivered at least once
            async with ctx.db.transaction() as tx:
                for fact in facts:
                    await handle(ctx, tx, fact)
    await jobs.run_due(system, JOBS)


async def test_nothing_of_the_person_is_left_to_read(
    context: Contexts, officer: Context, desk: Context, patient: Patient, database: Any
) -> None:
    other = await service.register_patient(desk.acting(desk.actor, Once("other", b"o" * 32)), RegisterPatient(family="Meyer"))
    assert await database.fetchval(SEALED, context.organization_id) == 9
    erased = await service.erase_patient(officer, ErasePatient(patient_id=patient.id, reason=WHY))
    assert erased == Erased(patient_id=patient.id, erased_by="staff/officer", erased_at=context.clock.now())
    await follow(context)
    assert await database.fetchval(SEALED, context.organization_id) == 2, "the other patient, and the answer of their registration"
    with pytest.raises(UnknownPatient):
        await service.get_patient(desk, patient.id)
    assert (await service.find_patients(desk, FindPatients(family="quokka"))).items == ()
    assert await service.find_patients_by_identifier(desk, WHO.identifiers) == ()
    assert (await service.get_patient(desk, other.id)).family == "Meyer"
    account = await access_store.account_by_subject(
        (await context("access")).db, context.organization_id, f"patient/{patient.id}"
    )  # fmt: skip
    assert account is not None
    assert account["disabled_at"] == context.clock.now()


async def test_appointments_keep_their_time(context: Contexts, officer: Context, patient: Patient, database: Any) -> None:
    await service.erase_patient(officer, ErasePatient(patient_id=patient.id, reason=WHY))
    await follow(context)
    rows = [tuple(row) for row in await database.fetch(KEPT, context.organization_id)]
    assert rows == [(patient.id, MORNING + timedelta(days=1), "booked", None, None)]


async def test_an_erased_record_does_not_come_back_under_its_id(officer: Context, desk: Context, patient: Patient) -> None:
    await service.erase_patient(officer, ErasePatient(patient_id=patient.id, reason=WHY))
    result = await service.put_patients(desk, PutPatients(patients=(patient,)))
    assert (result.created, result.changed, result.unchanged) == (0, 0, 1)
    with pytest.raises(UnknownPatient):
        await service.get_patient(desk, patient.id)
    with pytest.raises(UnknownPatient):
        await service.erase_patient(officer, ErasePatient(patient_id=patient.id, reason="Once more"))


@pytest.mark.parametrize("whole", [False, True], ids=["their own", "everybody's"])
async def test_a_legal_hold_refuses_it(context: Contexts, officer: Context, desk: Context, patient: Patient, whole: bool) -> None:
    keeper = await context("kernel", "privacy-officer")
    hold = await records.set_hold(keeper, SetHold(patient_id=None if whole else patient.id, reason="Ames v. Lakeside Hospital"))
    with pytest.raises(PatientOnHold):
        await service.erase_patient(officer, ErasePatient(patient_id=patient.id, reason=WHY))
    assert (await service.get_patient(desk, patient.id)).family == WHO.family
    assert await facts_of(desk) == [fact for fact in await facts_of(desk) if not isinstance(fact, PatientErased)]
    await records.lift_hold(keeper, LiftHold(hold_id=hold.id, reason="Settled"))
    await service.erase_patient(officer, ErasePatient(patient_id=patient.id, reason=WHY))


async def test_it_takes_a_privacy_officer_who_just_signed_in(context: Contexts, officer: Context, desk: Context, patient: Patient) -> None:
    command = ErasePatient(patient_id=patient.id, reason=WHY)
    for role in ("administrator", "front-desk", "physician", "patient"):
        with pytest.raises(Forbidden):
            await service.erase_patient(desk.acting(context.actor(role, patient_id=patient.id)), command)
    context.clock.advance(minutes=5, seconds=1)
    with pytest.raises(StepUpNeeded):
        await service.erase_patient(officer, command)
    stranger = msgspec.structs.replace(officer.actor, organization_id=known_id(9), authenticated_at=context.clock.now())
    with pytest.raises(UnknownPatient):
        await service.erase_patient(desk.acting(stranger), command)


async def test_each_deed_is_recorded_and_the_reason_lies_sealed(
    context: Contexts, officer: Context, patient: Patient, database: Any
) -> None:
    await service.erase_patient(officer, ErasePatient(patient_id=patient.id, reason=WHY))
    await follow(context)
    noted = [event for event, _, _ in await recorded(context)]
    for event in (
        "patients.patient.erase", "scheduling.appointment.erase", "notifications.communication.erase", "access.account.disable",
    ):  # fmt: skip
        assert event in noted
    row = await database.fetchval("SELECT e::text FROM patients.erasure e WHERE id = $1", patient.id)
    assert WHY not in row
    assert WHY.encode().hex() not in row
    assert await service.reseal_erasures(officer, known_id(0), 10) == [], "nothing here is due for rotation"


def test_entries_of_the_journal_hold_nothing_to_erase() -> None:
    """Ids, codes and the address that was asked from (ADR 12 says why that stays): erasing changes no entry, every proof stays valid."""
    names = {field.name for field in msgspec.structs.fields(audit.Entry)}
    assert names == {
        "id", "recorded_at", "organization_id", "event", "action", "agent", "role", "purpose", "outcome", "code", "patient_id", "entities",
        "trace", "address",
    }  # fmt: skip
