"""Dumps of older systems brought into a running hospital: patients and visits in one run, every row told once, nothing twice."""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import SOURCE_SYSTEM, Identifier, PutResources
from carewright.contracts.imports import ImportReport
from carewright.contracts.migration import DumpUnreadable, InvalidMapping
from carewright.contracts.patients import Patient, PutPatients
from carewright.migration.context import MigrationContext
from carewright.migration.model.system_mapping import system_mapping_in
from carewright.migration.service.dumping import draft_mapping, import_dump
from tests.clinic import Clinic, Json, ok, open_clinic
from tests.older_systems import Given, easy_appointments, openemr
from tests.whole_system import Inside

BERLIN = ZoneInfo("Europe/Berlin")
MAPPING = """
system = "{system}"
source = "urn:test:{source}"
time_zone = "Europe/Berlin"
constants = {{ site = "{site}", language = "de" }}
[codes.visit_type]
{kind} = "{visit_type}"
[codes.practitioner]
{staff} = "{practitioner}"
"""
CUSTOMERS: Sequence[Given] = (
    {"id": 1, "first_name": "Root", "last_name": "Admin", "id_roles": 1},
    {"id": 2, "first_name": "Pat", "last_name": "Provider", "timezone": "Europe/Berlin", "id_roles": 2},
    {
        "id": 10, "first_name": "Zoë", "last_name": "O'Quokka", "email": "zoe@example.org", "mobile_number": "",
        "phone_number": "2025550176", "id_roles": 3, "notes": "a \\ 'note'\nof two lines",
    },
    {"id": 11, "first_name": "Nobody", "last_name": "", "id_roles": 3},
)  # fmt: skip
PATIENTS: Sequence[Given] = (
    {
        "id": 1,
        "pid": 7,
        "fname": "Ann",
        "mname": "B.",
        "lname": "Öquokka",
        "DOB": "1950-02-28",
        "sex": "Female",
        "phone_home": "2025550177",
    },
    {"id": 2, "pid": 8, "fname": "Al", "lname": "Wombat", "DOB": "0000-00-00", "sex": "Robot"},
    {"id": 3, "pid": 9, "fname": "Al", "lname": "Wombat", "DOB": "1980-13-01", "sex": ""},
)


@pytest.fixture(scope="module")
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


@pytest.fixture
def ctx(whole: Inside) -> MigrationContext:
    assert whole.known.organization_id
    actor = whole.system.tokens.actor("integration", "import", whole.known.organization_id)
    made: MigrationContext = whole.system.context("migration").acting(actor)
    return made


class Dumped:
    """An older system of a test's own, whose dumps it brings."""

    def __init__(self, ctx: MigrationContext, clinic: Clinic, path: Path, system: str) -> None:
        self.ctx, self.path = ctx, path
        kind, staff = ("1", "2") if system == "easyappointments" else ("5", "6")
        self.mapping = MAPPING.format(
            system=system, source=uuid4().hex, site=clinic.site_id, kind=kind, visit_type=clinic.visit_type_id, staff=staff,
            practitioner=clinic.practitioner_id,
        )  # fmt: skip

    async def brought(self, dump: str | bytes, *, dry_run: bool = False, **more: Any) -> ImportReport:
        self.path.write_bytes(dump if isinstance(dump, bytes) else dump.encode())
        return await import_dump(self.ctx, self.path, system_mapping_in(self.mapping), dry_run=dry_run, **more)


@pytest.fixture
def easy(ctx: MigrationContext, clinic: Clinic, tmp_path: Path) -> Dumped:
    return Dumped(ctx, clinic, tmp_path / "easy.sql", "easyappointments")


@pytest.fixture
def emr(ctx: MigrationContext, clinic: Clinic, tmp_path: Path) -> Dumped:
    dumped = Dumped(ctx, clinic, tmp_path / "emr.sql", "openemr")
    dumped.mapping += f'[codes.site]\n3 = "{clinic.site_id}"\n'
    return dumped


def told(report: ImportReport) -> tuple[int, int, int]:
    assert report.accepted + report.rejected + report.skipped == report.lines
    return report.created, report.changed, report.unchanged


def rejected(report: ImportReport) -> list[tuple[str, int, str | None, str]]:
    return [
        (issue.file.partition(":")[2], issue.line, issue.source_id, issue.code.removeprefix("migration.import."))
        for issue in report.rejections
    ]


def wall(start: str, minutes: int = 0) -> str:
    return f"{datetime.fromisoformat(start).astimezone(BERLIN) + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}"


def visit(id_: int, start: str, **more: Any) -> Given:
    given = {"id": id_, "start_datetime": wall(start), "end_datetime": wall(start, 30), "status": "Booked"}
    return given | {"id_users_provider": 2, "id_users_customer": 10, "id_services": 1} | more


def event(id_: int, start: str, **more: Any) -> Given:
    day, _, time = wall(start).partition(" ")
    return {"pc_eid": id_, "pc_pid": "7", "pc_eventDate": day, "pc_startTime": time, "pc_apptstatus": "-"} | more


async def found(whole: Inside, clinic: Clinic, start: str) -> list[Json]:
    body = {"start_from": start, "start_until": start.replace("00Z", "01Z"), "site_ids": [clinic.site_id]}
    items: list[Json] = ok(await whole.request("front-desk", "POST", "/api/v1/appointments/find", json=body))["items"]
    return items


async def test_easy_appointments_comes_whole_and_once(whole: Inside, clinic: Clinic, easy: Dumped, database: Any) -> None:
    free = await clinic.free()
    visits = [
        visit(1, free[0]), visit(2, free[0]), visit(3, free[2], status="Draft"), visit(4, free[2], status="Cancelled"),
        visit(5, "2001-01-01T09:00:00Z"), visit(6, free[2], is_unavailability=1, id_users_customer=None), visit(7, free[2], id_services=2),
        visit(8, free[2], id_users_customer=11), visit(9, free[2], id_users_provider=77),
        visit(10, "2001-01-01T09:00:00Z", id_users_provider=77, status="Draft"),
    ]  # fmt: skip
    dump, counted = easy_appointments(CUSTOMERS, visits), "SELECT count(*) FROM patients.patient"
    before, steps = await database.fetchval(counted), list[int]()
    tried = await easy.brought(dump, dry_run=True, progress=lambda done, total: steps.append(done * 100 // total))
    assert (await database.fetchval(counted), await found(whole, clinic, free[0])) == (before, [])
    assert (steps[-1], steps) == (100, sorted(steps))
    assert (tried.accepted, told(tried)) == (3, (0, 0, 0)), "visits find the patients of their own dump also when it is only tried"
    first = await easy.brought(dump)
    assert told(first) == (2, 0, 0)
    assert rejected(first) == [
        ("ea_users", 4, "11", "missing_value"), ("ea_appointments", 3, "3", "unknown_code"), ("ea_appointments", 7, "7", "unknown_code"),
        ("ea_appointments", 9, "9", "unknown_code"), ("ea_appointments", 2, "2", "scheduling.time_not_free"),
        ("ea_appointments", 8, "8", "unknown_patient"),
    ]  # fmt: skip
    codes = {code.removeprefix("migration.import."): count for code, count in first.codes.items()}
    assert (codes["not_a_patient"], codes["not_a_visit"], codes["passed"], codes["ended"]) == (2, 1, 2, 1)
    again = await easy.brought(dump)
    assert (told(again), rejected(again)) == ((0, 0, 2), rejected(first))
    [ours] = await found(whole, clinic, free[0])
    patient = ok(await whole.request("front-desk", "GET", f"/api/v1/patients/{ours['patient_id']}"))
    assert (patient["family"], patient["given"], patient["language"]) == ("O'Quokka", ["Zoë"], "de")
    assert sorted(each["value"] for each in patient["telecom"]) == ["2025550176", "zoe@example.org"]
    assert told(await easy.brought(easy_appointments(CUSTOMERS, [visit(1, free[4])]))) == (0, 1, 1), "what moved there moves here"
    assert told(await easy.brought(easy_appointments(CUSTOMERS, [visit(1, free[4], status="Cancelled")]))) == (0, 1, 1)
    assert [each["status"] for each in await found(whole, clinic, free[4])] == ["cancelled"]


async def test_openemr_comes_whole_and_once(whole: Inside, clinic: Clinic, emr: Dumped) -> None:
    start, other = (await clinic.free())[10:12]
    events = [
        event(20, start), event(21, other, pc_apptstatus="&"), event(22, other, pc_pid=""), event(23, other, pc_recurrtype=1),
        event(24, other, pc_startTime="131:30:00"), event(25, other, pc_apptstatus="?"), event(26, other, pc_facility=9),
    ]  # fmt: skip
    dump = openemr(PATIENTS, events)
    first = await emr.brought(dump)
    assert rejected(first) == [
        ("patient_data", 2, "8", "unknown_code"), ("patient_data", 3, "9", "invalid_date"),
        ("openemr_postcalendar_events", 2, "21", "unknown_code"), ("openemr_postcalendar_events", 4, "23", "series"),
        ("openemr_postcalendar_events", 5, "24", "invalid_time"), ("openemr_postcalendar_events", 7, "26", "unknown_code"),
    ]  # fmt: skip
    assert (told(first), first.skipped, told(await emr.brought(dump))) == ((2, 0, 0), 2, (0, 0, 2))
    [ours] = await found(whole, clinic, start)
    patient = ok(await whole.request("front-desk", "GET", f"/api/v1/patients/{ours['patient_id']}"))
    assert (patient["family"], patient["given"], patient["birth_on"], patient["gender"]) == (
        "Öquokka",
        ["Ann", "B."],
        "1950-02-28",
        "female",
    )
    emr.mapping += '[codes.gender]\nRobot = "other"\n'
    assert told(await emr.brought(dump)) == (1, 0, 2), "a word that the hospital added comes once it says what it means"


async def test_a_dump_that_was_cut_off_brings_nothing(clinic: Clinic, easy: Dumped, database: Any) -> None:
    dump = easy_appointments(CUSTOMERS, [visit(1, (await clinic.free())[14])])
    before = await database.fetchval("SELECT count(*) FROM patients.patient")
    for cut in (dump.rpartition("-- Dump completed")[0], dump[: dump.index("2025550176")], "", dump.replace("ea_users", "oa_users")):
        with pytest.raises(DumpUnreadable):
            await easy.brought(cut)
    assert await database.fetchval("SELECT count(*) FROM patients.patient") == before


async def test_a_row_that_is_not_of_the_encoding_is_told_and_the_dump_may_name_another(clinic: Clinic, easy: Dumped) -> None:
    start = (await clinic.free())[16]
    wrong = easy_appointments(CUSTOMERS, [visit(1, start)]).encode("windows-1252")
    report = await easy.brought(wrong)
    assert rejected(report) == [
        ("ea_users", 3, None, "not_text"), ("ea_users", 4, "11", "missing_value"), ("ea_appointments", 1, "1", "unknown_patient"),
    ]  # fmt: skip
    right = easy_appointments(CUSTOMERS, [visit(1, start)], charset="latin1").encode("windows-1252")
    assert told(await easy.brought(right)) == (2, 0, 0)


def test_a_draft_lists_what_must_be_said_and_is_refused_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(easy_appointments(CUSTOMERS, [visit(1, "2026-01-01T09:00:00Z")]), "utf-8")
    draft = draft_mapping(path, "easyappointments")
    assert '"1" = ""  # Foot; \'check\', 30\n' in draft
    assert '[codes.practitioner]\n"2" = ""  # Pat, Provider, Europe/Berlin\n' in draft
    assert "Quokka" not in draft
    assert "Admin" not in draft
    with pytest.raises(InvalidMapping, match="`source`"):
        system_mapping_in(draft)
    path.write_text(openemr(PATIENTS, [event(1, "2026-01-01T09:00:00Z")]), "utf-8")
    draft = draft_mapping(path, "openemr")
    assert '"3" = ""  # Main Clinic\n' in draft
    assert '[codes.visit_type]\n"5" = ""  # Office Visit\n' in draft
    assert '[codes.practitioner]\n"6" = ""  # Ada, Foot, 1234567893\n' in draft


def appointment(id_: str, start: str, *actors: str, **more: Any) -> str:
    """An Appointment as Medplum exports it."""
    told = {
        "resourceType": "Appointment", "id": id_, "status": "booked", "start": start.replace("00Z", "00.000Z"),
        "serviceType": [{"coding": [{"system": "http://example.com", "code": "foot"}]}], "meta": {"versionId": "1"},
        "participant": [{"actor": {"reference": each}, "status": "accepted"} for each in actors],
    }  # fmt: skip
    return json.dumps(told | more)


async def test_the_appointments_of_a_fhir_export_find_whom_its_import_brought(
    whole: Inside, ctx: MigrationContext, clinic: Clinic, tmp_path: Path
) -> None:
    start, other = (await clinic.free())[18:20]
    ours = Patient(id=ctx.ids.new(), family="Medplumine", identifiers=(Identifier(system=f"{SOURCE_SYSTEM}Patient", value="p-1"),))
    await ctx.patients.put_patients(ctx.actor, PutPatients(patients=(ours,)))
    staff = (await ctx.directory.get_staff(ctx.actor, UUID(clinic.practitioner_id))).practitioner
    known = Identifier(system=f"{SOURCE_SYSTEM}Practitioner", value="d-1")
    await ctx.directory.put_resources(ctx.actor, PutResources(practitioners=(replace(staff, identifiers=(known,)),)))
    path, mapping = tmp_path / "appointments.ndjson.gz", system_mapping_in(
        f'system = "medplum"\nsource = "{SOURCE_SYSTEM}Patient"\ntime_zone = "UTC"\nconstants = {{ site = "{clinic.site_id}" }}\n'
        f'[codes.visit_type]\nfoot = "{clinic.visit_type_id}"\n'
    )  # fmt: skip
    lines = [
        '{"resourceType": "Slot", "id": "s"}', appointment("1", start, "Patient/p-1", "https://example.com/fhir/R4/Practitioner/d-1"),
        "{", appointment("2", other, "Patient/p-2"), appointment("3", other, "Patient/p-1", "Practitioner/d-2"),
        appointment("4", other, "Patient/p-1", status="proposed"), appointment("5", other[:-1], "Patient/p-1"),
        appointment("6", other, "Patient/p-1", "Location/room"),
        appointment("7", "2001-01-01T09:00:00Z", "Patient/p-1", "Practitioner/d-2"),
    ]  # fmt: skip
    path.write_bytes(gzip.compress("\n".join(lines).encode("utf-8-sig")))
    for outcome in ((1, 0, 0), (0, 0, 1)):
        report = await import_dump(ctx, path, mapping)
        assert (told(report), sorted(rejected(report))) == (
            outcome,
            [
                ("Appointment", 3, None, "not_json"), ("Appointment", 4, "2", "unknown_patient"), ("Appointment", 5, "3", "unknown_code"),
                ("Appointment", 6, "4", "unknown_code"), ("Appointment", 7, "5", "invalid_time"), ("Appointment", 8, "6", "unknown_code"),
            ],
        )  # fmt: skip
    [booked] = await found(whole, clinic, start)
    assert (booked["patient_id"], booked["status"]) == (str(ours.id), "booked")
    assert draft_mapping(path, "medplum").endswith('[codes.visit_type]\n"foot" = ""  # \n')
    path.write_bytes(gzip.compress(lines[1].encode())[:-12])
    with pytest.raises(DumpUnreadable):
        await import_dump(ctx, path, mapping)
