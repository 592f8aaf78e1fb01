"""The extract without names, from PostgreSQL: a patient made of canaries, one for each identifier of Safe Harbor, none of which leaves."""

import base64
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, Patient, PutPatients
from carewright.contracts.scheduling import Appointment, AppointmentStatus, Participant
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden
from carewright.patients.service import records as patients_service
from carewright.roles.extracting import Counts, new_file, write
from carewright.scheduling.service import past
from tests.servers import MORNING, Contexts

START = datetime(2023, 8, 17, 14, 20, tzinfo=UTC)
MRN, SITE = "CANARYMRN77120845", UUID("0d1e57e5-17e0-7000-8000-5173ca4a2b91")
CANARIES: dict[str, tuple[str, ...]] = {
    "A names": ("Quokkaline", "Zyxwella"),
    "B geography": ("1600 Wombat Street", "Dingoville", "03601", "036", "Lakeside Numbat Clinic", str(SITE)),
    "C dates": ("1948-07-19", "2023-08-17", "14:20", "09:20", "2023-08-02", "08-17", "07-19"),
    "D telephone": ("2025550176",),
    "E fax": ("2025550188",),
    "F e-mail": ("wombatish@canary.example",),
    "G social security": ("987654320",),
    "H medical record": (MRN,),
    "I health plan": ("PLAN4471902236",),
    "J account": ("ACCT5530917742",),
    "K licence": ("LIC8837461920",),
    "L vehicle": ("1HGCM82633A004352",),
    "M device": ("PACEMAKER-SN-66104927",),
    "N URL": ("https://canary.example/quokka",),
    "O IP address": ("203.0.113.77",),
    "P biometrics": ("FINGERPRINT55aa7701",),
    "Q photograph": ("photo-quokka-0091.jpg",),
    "R any other": ("RAFFLE90817263", "numbatty-note", "bilbying-referral", "pademelon-override", "potoroo-cancelled"),
}
KINDS = ("G social security", "H medical record", "I health plan", "J account", "K licence", "L vehicle", "M device", "N URL",
         "O IP address", "P biometrics", "Q photograph", "R any other")  # fmt: skip
PATIENT = "INSERT INTO scheduling.patient (organization_id, id, active, source_version) VALUES ($1, $2, true, 1)"
APPOINTMENT = """
INSERT INTO scheduling.appointment
    (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, version, value, note)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)
"""
JOURNAL = "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 AND patient_id IS NOT DISTINCT FROM $2 ORDER BY id"


def forms_of(word: str) -> Iterator[str]:
    """A word however it might be written: as it is, backwards, in base64 and in hexadecimal, and its digits alone."""
    yield from (word, word[::-1], base64.b64encode(word.encode()).decode().rstrip("="), word.encode().hex())
    digits = re.sub(r"\D", "", word)
    if len(digits) >= 8:
        yield from (digits, digits[::-1])


def found_in(text: str, word: str) -> list[str]:
    """The forms that occur. Digits within the random codes are no find: those are cut out first, and the catalogue's ids."""
    bare = re.sub(r'"[0-9a-f]{32}"|"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"', '""', text) if word != str(SITE) else text
    return [form for form in forms_of(word) if form.lower() in bare.lower()]


class Extracts:
    """One tenant with its two modules, and who may extract."""

    def __init__(self, context: Contexts, database: Any, scheduling: Any, patients: Context) -> None:
        self.context, self.database = context, database
        self.scheduling, self.patients = scheduling, patients
        self.visit_type = context.ids.new()
        self.told: list[str] = []

    async def visit(
        self, patient_id: UUID, start: datetime = START, status: AppointmentStatus = "fulfilled", reason: str | None = None, **more: Any
    ) -> None:
        actor = Participant(kind="patient", actor_id=patient_id, display="Quokkaline", claimed_from=start, claimed_to=start)
        one = Appointment(
            id=self.context.ids.new(), status=status, visit_type_id=self.visit_type, visit_type_name="Zyxwella's check-up",
            service_name="Dingoville", site_id=SITE, site_name="Lakeside Numbat Clinic", time_zone="America/Chicago", patient_id=patient_id,
            start=start, end=start + timedelta(minutes=30), participants=(actor,), created_at=start - timedelta(days=15),
            cancelation_reason=reason, **more,
        )  # fmt: skip
        await self.database.execute(
            APPOINTMENT, self.context.organization_id, one.id, status, patient_id, start, one.end, self.visit_type,
            msgspec.json.encode(one).decode(), b"numbatty-note",
        )  # fmt: skip

    async def patient(self, **more: Any) -> UUID:
        patient_id = self.context.ids.new()
        record = Patient(id=patient_id, family="Quokkaline", given=("Zyxwella",), **more)
        await patients_service.put_patients(await self.context("patients"), PutPatients(patients=(record,)))
        await self.database.execute(PATIENT, self.context.organization_id, patient_id)
        return patient_id

    async def made(self, *, dated: bool = False) -> tuple[str, Counts]:
        file = io.BytesIO()
        counts = await write(self.scheduling, self.patients, file, dated=dated, tell=self.told.append)
        return file.getvalue().decode(), counts

    async def rows(self, *, dated: bool = False) -> list[dict[str, Any]]:
        text, counts = await self.made(dated=dated)
        rows = [msgspec.json.decode(line) for line in text.splitlines()]
        assert len(rows) == counts.rows
        return rows


@pytest.fixture
async def extracts(context: Contexts, database_url: str) -> Any:
    database = await asyncpg.connect(database_url)
    actor = msgspec.structs.replace(context.actor("analyst", subject="operator/ann"), permissions=frozenset({"records.extract"}))
    scheduling, patients = [(await context.system(name)).acting(actor) for name in ("scheduling", "patients")]
    yield Extracts(context, database, scheduling, patients)
    await database.close()


@pytest.fixture
async def canary(extracts: Extracts) -> UUID:
    """A patient who carries all eighteen, wherever the system has a place for them."""
    telecom = [ContactPoint(system="phone", value=CANARIES[kind][0]) for kind in ("D telephone", "E fax")]
    patient_id = await extracts.patient(
        birth_on=date(1948, 7, 19), gender="female", language="en-US",
        telecom=(*telecom, ContactPoint(system="email", value=CANARIES["F e-mail"][0])),
        identifiers=tuple(Identifier(system="urn:canary", value=CANARIES[kind][0]) for kind in KINDS),
    )  # fmt: skip
    words = " ".join(CANARIES["B geography"][:3])
    await extracts.visit(patient_id, based_on=f"bilbying-referral {words}", override_reason="pademelon-override")
    await extracts.visit(patient_id, START + timedelta(days=33), "cancelled", "potoroo-cancelled")
    return patient_id


@pytest.mark.parametrize("kind", CANARIES)
async def test_no_identifier_leaves(extracts: Extracts, canary: UUID, kind: str) -> None:
    text, counts = await extracts.made()
    assert counts == Counts(1, 2)
    for word in (*CANARIES[kind], str(canary), canary.hex):
        assert found_in(text, word) == [], word


def test_the_search_finds_what_it_looks_for() -> None:
    for word in (word for words in CANARIES.values() for word in words):
        for form in forms_of(word):
            assert found_in(f'{{"a":"x{form}x"}}', word), word


async def test_what_a_model_needs_is_there(extracts: Extracts, canary: UUID) -> None:
    first, second = await extracts.rows()
    assert first["patient"] == second["patient"]
    expected = {
        "visit_type": str(extracts.visit_type), "minutes": 30, "urgency": "P2", "status": "fulfilled", "no_show": False, "first_year": 2023,
        "days_since_first": 0, "lead_days": 15, "earlier_visits": 0, "earlier_no_shows": 0, "age": 75, "gender": "female", "language": "en",
    }  # fmt: skip
    assert {name: value for name, value in first.items() if name not in ("patient", "site")} == expected
    assert (second["days_since_first"], second["status"], second["earlier_visits"]) == (33, "cancelled", 1)


async def test_two_extracts_cannot_be_joined(extracts: Extracts, canary: UUID) -> None:
    once, again = [await extracts.rows() for _ in range(2)]
    for name in ("patient", "site"):
        assert len({row[name] for row in once}) == 1
        assert {row[name] for row in once}.isdisjoint(row[name] for row in again)


async def test_dates_are_shifted_by_one_number_of_weeks_for_a_patient(extracts: Extracts, canary: UUID) -> None:
    first, second = await extracts.rows(dated=True)
    begun, gone_on = (datetime.fromisoformat(row["shifted_start"]) for row in (first, second))
    assert (gone_on - begun).days == 33
    weeks, rest = divmod(datetime(2023, 8, 17, 9, 20) - begun, timedelta(weeks=1))  # noqa: DTZ001  (the site's clock)
    assert 1 <= weeks <= 52
    assert rest == timedelta()
    assert (first["weekday"], first["hour"], first["first_year"]) == (3, 9, None)


async def test_what_is_to_come_what_was_an_error_and_holds_are_no_rows(extracts: Extracts) -> None:
    patient_id = await extracts.patient()
    await extracts.visit(patient_id, MORNING + timedelta(days=1), "booked")
    await extracts.visit(patient_id, START, "entered-in-error")
    await extracts.visit(patient_id, START, "cancelled", "hold-expired")
    assert await extracts.made() == ("", Counts(0, 0))


async def test_another_hospitals_appointments_stay_there(extracts: Extracts, canary: UUID, context: Contexts) -> None:
    stranger = msgspec.structs.replace(extracts.patients.actor, organization_id=context.ids.new())
    file = io.BytesIO()
    counts = await write(extracts.scheduling.acting(stranger), extracts.patients.acting(stranger), file, dated=False, tell=print)
    assert (counts, file.getvalue()) == (Counts(0, 0), b"")


async def test_whoever_is_in_it_can_be_told(extracts: Extracts, canary: UUID) -> None:
    await extracts.made()
    organization_id = extracts.context.organization_id
    (entry,) = [
        each for row in await extracts.database.fetch(JOURNAL, organization_id, canary)
        if (each := msgspec.json.decode(row["body"]))["event"] == "patients.patient.extract"
    ]  # fmt: skip
    assert (entry["agent"], entry["action"]) == ("operator/ann", "R")
    events = [msgspec.json.decode(row["body"])["event"] for row in await extracts.database.fetch(JOURNAL, organization_id, None)]
    assert "records.extract.create" in events


async def test_step_by_step_in_an_order_that_tells_nothing(extracts: Extracts, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than one step's patients are held at a time, nobody is left out or told twice."""
    born = [date(1950 + year, 1, 1) for year in range(23)]
    for birth_on in born:
        await extracts.visit(await extracts.patient(birth_on=birth_on))
    monkeypatch.setattr(past, "PATIENTS", 5)
    rows = await extracts.rows()
    assert [len(step) async for step in past.past_by_patient(extracts.scheduling)] == [5, 5, 5, 5, 3]
    ages = [row["age"] for row in rows]
    assert sorted(ages) == sorted(START.year - each.year for each in born)
    assert ages != sorted(ages, reverse=True)
    assert ages != [row["age"] for row in await extracts.rows()]
    assert extracts.told[:2] == ["5 patients, 5 rows", "10 patients, 10 rows"]


async def test_nobody_who_signs_in_may(extracts: Extracts, context: Contexts) -> None:
    officer = context.actor("privacy-officer")
    with pytest.raises(Forbidden):
        await anext(past.past_by_patient(extracts.scheduling.acting(officer)))
    with pytest.raises(Forbidden):
        await patients_service.read_traits(extracts.patients.acting(officer), [])


def test_what_is_not_whole_does_not_stay(tmp_path: Path) -> None:
    def broken_off() -> None:
        with new_file(tmp_path / "visits.ndjson") as file:
            file.write(b"half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert list(tmp_path.iterdir()) == []
