"""CSV files brought into a running hospital: every row told once, nothing twice, and every rule that of the module that owns the value."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from carewright.contracts.imports import ImportReport
from carewright.contracts.migration import InvalidMapping
from carewright.contracts.patients import PatientErased
from carewright.kernel.errors import Forbidden
from carewright.migration import handlers
from carewright.migration.context import MigrationContext
from carewright.migration.model.mapping import mapping_in
from carewright.migration.service.importing import import_csv
from tests.clinic import Clinic, Json, ok, open_clinic
from tests.whole_system import Inside

BERLIN = ZoneInfo("Europe/Berlin")
PATIENTS = """
kind = "patient"
source = "urn:test:{source}"
date = "%d.%m.%Y"
columns = {{ id = "nr", family = "family", birth_on = "born" }}
"""
VISITS = """
kind = "appointment"
source = "urn:test:{source}"
start = "%Y-%m-%d %H:%M"
time_zone = "Europe/Berlin"
columns = {{ id = "visit", patient = "nr", start = "at", status = "state", visit_type = "what" }}
constants = {{ site = "{site}" }}
[codes.visit_type]
FOOT = "{visit_type}"
[codes.status]
ok = "booked"
off = "cancelled"
"""
PEOPLE = "nr;family;born\n1;Quokkaline;29.02.1980\n2;Österreicher;\n2;Twice;\n3;;\n4;Later;31.12.2999\n"


@pytest.fixture(scope="module")
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


@pytest.fixture
def ctx(whole: Inside) -> MigrationContext:
    assert whole.known.organization_id
    made: MigrationContext = whole.system.context("migration").acting(
        whole.system.tokens.actor("integration", "import", whole.known.organization_id)
    )
    return made


@pytest.fixture
def source() -> str:
    """An older system of this test's own."""
    return uuid4().hex


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, "windows-1252")
    return path


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def told(report: ImportReport) -> tuple[int, int, int]:
    assert report.accepted + report.rejected + report.skipped == report.lines
    return report.created, report.changed, report.unchanged


def rejected(report: ImportReport) -> list[tuple[int, str]]:
    return [(issue.line, issue.code.removeprefix("migration.import.")) for issue in report.rejections]


async def test_patients_come_once_and_every_line_is_told(ctx: MigrationContext, whole: Inside, people: Path, source: str) -> None:
    mapping, seen = mapping_in(PATIENTS.format(source=source)), list[tuple[int, int]]()
    first = await import_csv(ctx, people, mapping, progress=lambda done, total: seen.append((done, total)))
    assert rejected(first) == [(4, "repeated"), (5, "missing_value"), (6, "patients.invalid_patient")]
    assert (told(first), seen[-1]) == ((2, 0, 0), (6, 6))
    again = await import_csv(ctx, people, mapping)
    assert (told(again), again.rejections) == ((0, 0, 2), first.rejections)
    assert told(await import_csv(ctx, written(people, PEOPLE.replace("Quokkaline", "Quokka")), mapping)) == (0, 1, 1)
    page = ok(await whole.request("front-desk", "POST", "/api/v1/patients/find", json={"family": "Quokka", "birth_on": "1980-02-29"}))
    assert [each["family"] for each in page["items"]] == ["Quokka"]


async def test_a_dry_run_writes_nothing(ctx: MigrationContext, people: Path, source: str, database: Any) -> None:
    counted = "SELECT count(*) FROM patients.patient"
    before = await database.fetchval(counted)
    report = await import_csv(ctx, people, mapping_in(PATIENTS.format(source=source)), dry_run=True)
    assert (report.accepted, report.rejected, told(report)) == (3, 2, (0, 0, 0)), "what only the use case refuses it cannot know"
    assert await database.fetchval(counted) == before


async def test_a_column_that_is_not_there_is_refused_before_anything_is_read(ctx: MigrationContext, people: Path) -> None:
    mapping = mapping_in(PATIENTS.format(source="x").replace('"born"', '"birth"'))
    with pytest.raises(InvalidMapping, match="'birth'"):
        await import_csv(ctx, people, mapping)


async def test_who_may_not_put_patients_imports_none(ctx: MigrationContext, whole: Inside, people: Path, source: str) -> None:
    nobody = ctx.acting(whole.system.tokens.actor("analyst", "import", ctx.actor.organization_id))
    with pytest.raises(Forbidden):
        await import_csv(nobody, people, mapping_in(PATIENTS.format(source=source)))


class Visits:
    """A file of appointments that a test writes line by line, of one patient."""

    def __init__(self, ctx: MigrationContext, clinic: Clinic, folder: Path, source: str) -> None:
        self._ctx, self._path = ctx, folder / "visits.csv"
        values = {"source": source, "site": clinic.site_id, "visit_type": clinic.visit_type_id}
        self._mapping = mapping_in(VISITS.format(**values))

    async def brought(self, *rows: str, dry_run: bool = False) -> ImportReport:
        path = written(self._path, "\n".join(("visit,nr,at,state,what", *rows)))
        return await import_csv(self._ctx, path, self._mapping, dry_run=dry_run)


@pytest.fixture
async def visits(ctx: MigrationContext, clinic: Clinic, tmp_path: Path, people: Path, source: str) -> Visits:
    await import_csv(ctx, people, mapping_in(PATIENTS.format(source=source)))
    return Visits(ctx, clinic, tmp_path, source)


def wall(start: str) -> str:
    return f"{datetime.fromisoformat(start).astimezone(BERLIN):%Y-%m-%d %H:%M}"


async def standing(whole: Inside, clinic: Clinic, start: str) -> list[Json]:
    body = {"start_from": start, "start_until": start.replace("00Z", "01Z"), "site_ids": [clinic.site_id]}
    items: list[Json] = ok(await whole.request("front-desk", "POST", "/api/v1/appointments/find", json=body))["items"]
    return items


async def test_appointments_are_booked_once_moved_and_called_off(whole: Inside, clinic: Clinic, visits: Visits, database: Any) -> None:
    free = await clinic.free()
    first, later = free[4], free[8]
    row = f"A-1,1,{wall(first)},ok,FOOT"
    assert told(await visits.brought(row, dry_run=True)) == (0, 0, 0)
    assert await standing(whole, clinic, first) == []
    assert told(await visits.brought(row)) == (1, 0, 0)
    [booked] = await standing(whole, clinic, first)
    assert told(await visits.brought(row)) == (0, 0, 1)
    assert told(await visits.brought(f"A-1,1,{wall(later)},ok,FOOT")) == (0, 1, 0)
    [moved] = await standing(whole, clinic, later)
    assert (moved["id"], moved["version"]) == (booked["id"], booked["version"] + 1)
    assert told(await visits.brought(f"A-1,1,{wall(later)},off,FOOT")) == (0, 1, 0)
    assert [each["status"] for each in await standing(whole, clinic, later)] == ["cancelled"]
    assert told(await visits.brought(f"A-1,1,{wall(later)},off,FOOT")) == (0, 0, 1)
    marks = b"".join(row["mark"] for row in await database.fetch("SELECT mark FROM migration.link"))
    assert b"A-1" not in marks


async def test_what_cannot_be_booked_is_told_by_line_and_stops_nothing(clinic: Clinic, visits: Visits) -> None:
    start = (await clinic.free())[12]
    report = await visits.brought(
        f"1,99,{wall(start)},ok,FOOT", f"2,1,{wall(start)},ok,HAND", "3,1,2001-01-01 09:00,ok,FOOT", f"4,1,{wall(start)},off,FOOT",
        f"5,1,{wall(start)[:-5]}03:00,ok,FOOT", f"6,1,{wall(start)},ok,FOOT", f"7,2,{wall(start)},ok,FOOT",
    )  # fmt: skip
    assert sorted(rejected(report)) == [
        (2, "unknown_patient"), (3, "unknown_code"), (6, "scheduling.time_not_free"), (8, "scheduling.time_not_free"),
    ]  # fmt: skip
    assert (report.skipped, report.codes["migration.import.passed"], report.codes["migration.import.ended"], told(report)) == (
        2,
        1,
        1,
        (1, 0, 0),
    )
    assert not any("Quokka" in issue.reason for issue in report.rejections)


async def test_a_run_that_ended_before_it_linked_books_nothing_twice(clinic: Clinic, visits: Visits, database: Any) -> None:
    start = (await clinic.free())[14]
    row = f"B-1,1,{wall(start)},ok,FOOT"
    await visits.brought(row)
    links = await database.fetch("DELETE FROM migration.link RETURNING appointment_id")
    await visits.brought(row)
    again = [row["appointment_id"] for row in await database.fetch("SELECT appointment_id FROM migration.link")]
    assert again[0] in [row["appointment_id"] for row in links]


async def test_with_the_patient_their_links_go(ctx: MigrationContext, clinic: Clinic, visits: Visits, database: Any) -> None:
    await visits.brought(f"C-1,1,{wall((await clinic.free())[16])},ok,FOOT")
    patient_id: UUID = await database.fetchval("SELECT patient_id FROM migration.link ORDER BY linked_at DESC LIMIT 1")
    async with ctx.db.transaction() as tx:
        for _ in range(2):
            await handlers.erase_patient(
                ctx, tx, PatientErased(organization_id=ctx.actor.organization_id, patient_id=patient_id, version=2)
            )
    assert await database.fetchval("SELECT count(*) FROM migration.link WHERE patient_id = $1", patient_id) == 0
