"""A service moved from an older system: mirrored from its exports, compared, switched, and back; and every door closed meanwhile."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.contracts.masters import ChangeMaster, MasterStep
from carewright.contracts.migration import DifferenceReport, DifferencesOpen, InvalidMapping, NothingMirrored, ReportMissing
from carewright.kernel.errors import BadInput, Forbidden
from carewright.migration.context import MigrationContext
from carewright.migration.model.mapping import mapping_in
from carewright.migration.service import mirroring, switching
from carewright.migration.service.importing import import_csv
from carewright.migration.service.mirroring import Mirrored
from tests.clinic import Clinic, Json, ok, open_clinic, refused, register
from tests.fhir_asking import FHIR, operate, outcome, parameters, proposals
from tests.hl7_sender import SCOPES, Sender, registered, said
from tests.store.test_migration import PATIENTS, PEOPLE, VISITS, wall, written
from tests.whole_system import Inside

BOOK_AT = "the old system, or 030 1234567"
REASON = "Podiatry goes first"
ELSEWHERE = "scheduling.booked_elsewhere"


@pytest.fixture
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


@dataclass(frozen=True)
class Old:
    """The older system: a source of its own, whose exports a test writes line by line."""

    whole: Inside
    clinic: Clinic
    folder: Path
    source: str

    def ctx(self, role: str = "integration") -> MigrationContext:
        organization_id = self.whole.known.organization_id
        assert organization_id
        made: MigrationContext = self.whole.system.context("migration").acting(
            self.whole.system.tokens.actor(role, f"operator/{role}", organization_id)
        )
        return made

    async def exports(self, *rows: str, dry_run: bool = False, mapping: str = VISITS) -> Mirrored:
        values = {"source": self.source, "site": self.clinic.site_id, "visit_type": self.clinic.visit_type_id}
        path = written(self.folder / "visits.csv", "\n".join(("visit,nr,at,state,what", *rows)))
        return await mirroring.mirror_file(self.ctx(), path, mapping_in(mapping.format(**values)), dry_run=dry_run)

    async def step(self, step: MasterStep, *, despite: bool = False, reason: str = REASON) -> None:
        source, book_at = (f"urn:test:{self.source}", BOOK_AT) if step == "begin" else (None, None)
        command = ChangeMaster(service_id=UUID(self.clinic.service_id), step=step, reason=reason, source=source, book_at=book_at)
        await switching.change_master(self.ctx("administrator"), command, despite_differences=despite)

    async def standing(self) -> switching.Standing:
        every = await switching.list_standings(self.ctx("administrator"))
        return next(each for each in every if each.master.service_id == UUID(self.clinic.service_id))


@pytest.fixture
async def old(whole: Inside, clinic: Clinic, tmp_path: Path) -> Old:
    """With the patients 1 and 2 here already."""
    made = Old(whole, clinic, tmp_path, uuid4().hex)
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE, "windows-1252")
    await import_csv(made.ctx(), people, mapping_in(PATIENTS.format(source=made.source)))
    return made


def counts(report: DifferenceReport) -> tuple[int, int, int, int, int, int]:
    """Theirs, ours, the same; theirs only, ours only, differing."""
    return report.theirs, report.ours, report.same, report.theirs_only, report.ours_only, report.differing


async def test_a_service_is_mirrored_compared_switched_booked_and_given_back(old: Old, clinic: Clinic) -> None:
    free = await clinic.free()
    first, second, third = free[2], free[4], free[6]
    own = await register(old.whole)
    ours: Json = ok(await clinic.book(own, free[0]), 201)
    with pytest.raises(NothingMirrored):
        await old.exports()
    await old.step("begin")
    rows = [f"A,1,{wall(first)},ok,FOOT", f"B,2,{wall(second)},ok,FOOT"]
    (report,) = (await old.exports(*rows)).reports
    assert counts(report) == (2, 3, 2, 0, 1, 0)
    assert [(each.kind, each.appointment_id) for each in report.differences] == [("ours-only", UUID(ours["id"]))]
    with pytest.raises(DifferencesOpen, match="1 differences"):
        await old.step("switch")
    rows.append(f"C,1,{wall(free[0])},ok,FOOT")
    refused(await clinic.step(ours["id"], "cancel", {}), 409, ELSEWHERE)
    (report,) = (await old.exports(*rows)).reports
    assert counts(report) == (3, 3, 2, 1, 1, 0), "theirs stands where ours is"
    assert [(each.kind, each.line, each.code) for each in report.differences] == [
        ("theirs-only", 4, "scheduling.time_not_free"), ("ours-only", None, None),
    ]  # fmt: skip
    await old.step("switch", despite=True)
    assert (await old.standing()).master.reason == f"Despite 2 differences: {REASON}"
    ok(await clinic.step(ours["id"], "cancel", {}))
    booked = ok(await clinic.book(own, third), 201)
    late = await old.exports(rows[0], f"B,2,{wall(free[8])},ok,FOOT", f"D,1,{wall(free[9])},ok,FOOT")
    assert late.taken.codes == {"migration.import.switched": 2, "migration.import.agreed": 1}
    assert counts(late.reports[0]) == (3, 3, 1, 1, 1, 1), "what came late is told, and nothing of it taken"
    assert (await clinic.appointment(booked["id"]))["version"] == 1
    await old.step("back")
    (report,) = (await old.exports(rows[0], f"B,2,{wall(free[8])},ok,FOOT", f"D,1,{wall(third)},ok,FOOT")).reports
    assert counts(report) == (3, 3, 2, 1, 1, 0), "it is master again: the move is followed, and ours stands in the way"
    refused(await clinic.book(own, free[12]), 409, ELSEWHERE)


async def test_a_switch_without_differences_needs_nothing_more(old: Old, clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    await old.step("begin")
    assert (await old.standing()).is_due
    with pytest.raises(ReportMissing):
        await old.step("switch")
    with pytest.raises(BadInput):
        await old.step("switch", despite=True, reason="x" * 500)
    await old.exports(f"A,1,{wall(start)},ok,FOOT")
    standing = await old.standing()
    assert (standing.is_due, standing.report is not None and standing.report.open) == (False, 0)
    await old.step("switch")
    standing = await old.standing()
    assert (standing.master.stage, standing.master.changed_by, standing.master.reason) == ("switched", "operator/administrator", REASON)
    assert not standing.is_due, "who is ours needs no report"
    await old.step("back")
    assert (await old.standing()).is_due, "what was found before says nothing of how it stands now"


async def test_a_report_of_yesterday_is_too_old(old: Old, clinic: Clinic, database: Any) -> None:
    start = (await clinic.free())[0]
    await old.step("begin")
    await old.exports(f"A,1,{wall(start)},ok,FOOT")
    hours = switching.REPORT_HOURS_MAX + 1
    taken_at = datetime.now(UTC) - timedelta(hours=hours + 1)
    await database.execute("UPDATE scheduling.master_step SET taken_at = $1 WHERE service_id = $2", taken_at, UUID(clinic.service_id))
    await database.execute("UPDATE migration.report SET made_at = made_at - $1::int * interval '1 hour'", hours)
    with pytest.raises(ReportMissing):
        await old.step("switch")


async def test_each_difference_is_told_by_line_id_and_field(old: Old, clinic: Clinic) -> None:
    free = await clinic.free()
    await old.step("begin")
    await old.exports(f"A,1,{wall(free[0])},ok,FOOT", f"B,1,{wall(free[2])},ok,FOOT")
    taken, (report,) = await old.exports(
        f"A,2,{wall(free[0])},ok,FOOT",
        f"B,1,{wall(free[2])[:-5]}03:00,ok,FOOT",
        f"C,1,{wall(free[4])},ok,HAND",
        f"D,9,{wall(free[4])},ok,FOOT",
    )
    said_of = {each.line: (each.kind, each.code, [one.field for one in each.fields]) for each in report.differences}
    assert said_of == {
        2: ("differs", None, ["patient"]),
        3: ("differs", "scheduling.time_not_free", ["start"]),
        5: ("theirs-only", "migration.import.unknown_patient", []),
    }
    assert (report.unread, report.open) == (1, 4), "a row that cannot be read may be of this service"
    (moved,) = report.differences[1].fields
    assert moved.ours == free[2]
    assert taken.rejected == 3


async def test_what_they_call_off_and_bring_back_is_booked_again(old: Old, clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    await old.step("begin")
    for state, expected in (("ok", 1), ("off", 0), ("off", 0), ("ok", 1), ("ok", 1)):
        (report,) = (await old.exports(f"A,1,{wall(start)},{state},FOOT")).reports
        assert (report.ours, report.open) == (expected, 0)


async def test_what_is_listed_no_more_is_called_off_where_the_mapping_says_so(old: Old, clinic: Clinic) -> None:
    free = await clinic.free()
    own = await register(old.whole)
    ok(await clinic.book(own, free[0]), 201)
    await old.step("begin")
    rows = [f"A,1,{wall(free[2])},ok,FOOT", f"B,1,{wall(free[4])},ok,FOOT"]
    await old.exports(*rows)
    (report,) = (await old.exports(rows[0])).reports
    assert counts(report) == (1, 3, 1, 0, 2, 0)
    done = await old.exports(rows[0], mapping='absent = "cancelled"\n' + VISITS)
    assert (counts(done.reports[0]), done.taken.changed) == ((1, 2, 1, 0, 1, 0), 1), "what never was theirs stays"


async def test_an_export_that_was_cut_off_calls_nothing_off(old: Old, clinic: Clinic) -> None:
    free = await clinic.free()
    await old.step("begin")
    await old.exports(*(f"{number},{1 + number % 2},{wall(start)},ok,FOOT" for number, start in enumerate(free[:12])))
    (report,) = (await old.exports(f"0,1,{wall(free[0])},ok,FOOT", mapping='absent = "cancelled"\n' + VISITS)).reports
    assert counts(report) == (1, 12, 1, 0, 11, 0)


async def test_what_was_booked_here_before_is_taken_for_theirs(old: Old, clinic: Clinic, database: Any) -> None:
    start = (await clinic.free())[0]
    await old.step("begin")
    await old.exports(f"A,1,{wall(start)},ok,FOOT")
    booked = await database.fetchval("SELECT appointment_id FROM migration.link ORDER BY linked_at DESC LIMIT 1")
    (report,) = (await old.exports(f"B,1,{wall(start)},ok,FOOT")).reports
    assert (report.theirs_only, report.differences[0].code) == (1, "scheduling.time_not_free"), "it has another id there"
    await database.execute("DELETE FROM migration.link WHERE appointment_id = $1", booked)
    (report,) = (await old.exports(f"B,1,{wall(start)},ok,FOOT")).reports
    assert (counts(report), report.open) == ((1, 1, 1, 0, 0, 0), 0)


async def test_a_dry_run_compares_and_keeps_nothing(old: Old, clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    await old.step("begin")
    (report,) = (await old.exports(f"A,1,{wall(start)},ok,FOOT", dry_run=True)).reports
    assert counts(report) == (1, 0, 0, 1, 0, 0)
    assert (await old.standing()).report is None


async def test_only_a_mirror_reads_exports_and_only_of_appointments(old: Old, tmp_path: Path) -> None:
    await old.step("begin")
    with pytest.raises(InvalidMapping):
        await mirroring.mirror_file(old.ctx(), tmp_path / "people.csv", mapping_in(PATIENTS.format(source=old.source)))
    with pytest.raises(Forbidden):
        await mirroring.mirror_file(old.ctx("front-desk"), tmp_path / "people.csv", mapping_in(PATIENTS.format(source=old.source)))
    with pytest.raises(Forbidden):
        await switching.list_standings(old.ctx("front-desk"))


async def test_rows_of_other_services_are_passed_over(old: Old, clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    other = Old(old.whole, await open_clinic(old.whole), old.folder, old.source)
    await other.step("begin")
    done = await old.exports(f"A,1,{wall(start)},ok,FOOT")
    assert done.taken.codes == {"migration.import.other_service": 1}
    assert start in await clinic.free()


async def test_an_import_does_not_write_what_is_mirrored(old: Old, clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    await old.step("begin")
    values = {"source": old.source, "site": clinic.site_id, "visit_type": clinic.visit_type_id}
    path = written(old.folder / "visits.csv", f"visit,nr,at,state,what\nA,1,{wall(start)},ok,FOOT")
    report = await import_csv(old.ctx(), path, mapping_in(VISITS.format(**values)))
    assert [each.code for each in report.rejections] == [ELSEWHERE]


async def test_reports_are_not_kept_for_ever(old: Old, clinic: Clinic, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "REPORTS_KEPT", 2)
    await old.step("begin")
    for _ in range(3):
        await old.exports()
    kept = await database.fetchval("SELECT count(*) FROM migration.report WHERE service_id = $1", UUID(clinic.service_id))
    assert kept == 2


# Every door


async def test_every_door_of_the_api_is_closed(old: Old, clinic: Clinic) -> None:
    free = await clinic.free()
    patient = await register(old.whole)
    own: Json = ok(await clinic.book(patient, free[0]), 201)
    held: Json = ok(await clinic.hold(patient, free[2]), 201)
    await old.step("begin")
    later = clinic.picked(free[4])
    series = {"patient_id": str(patient), "first": later, "count": 2, "every_days": 1}
    answers = {
        "find": await old.whole.request("front-desk", "GET", "/api/v1/availability", params={"visit_type_id": clinic.visit_type_id}),
        "book": await clinic.book(patient, free[4]),
        "book as the patient": await clinic.book(patient, free[4], "patient"),
        "override": await clinic.book(patient, free[4], "scheduler", override={"reason": REASON}),
        "hold": await clinic.hold(patient, free[4]),
        "book what was held": await clinic.book_hold(patient, held["id"]),
        "series": await old.whole.request("front-desk", "POST", "/api/v1/appointment-series", json=series),
        "move": await clinic.step(own["id"], "reschedule", {"time": later}),
        "cancel": await clinic.step(own["id"], "cancel", {}),
        "confirm": await clinic.step(own["id"], "confirm", {}),
        "advance": await clinic.step(own["id"], "status", {"status": "arrived"}),
    }
    for name, answer in answers.items():
        assert BOOK_AT in refused(answer, 409, ELSEWHERE)["detail"], name
    assert await clinic.appointment(own["id"]) == own | {"version": 1}


async def test_every_door_of_fhir_is_closed(old: Old, clinic: Clinic) -> None:
    free = await clinic.free()
    patient = await register(old.whole)
    own: Json = ok(await clinic.book(patient, free[0]), 201)
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    resource = ok(await old.whole.request("front-desk", "GET", f"{FHIR}/Appointment/{own['id']}"))
    await old.step("begin")
    about = {"reference": f"Appointment/{proposal['id']}"}
    of = {"reference": f"Patient/{patient}"}
    address = f"{FHIR}/Appointment/{own['id']}"
    asked = parameters(appointment__reference=about, patient__reference=of)
    answers = {
        "$hold": await operate(clinic, "hold", asked),
        "$book": await operate(clinic, "book", asked),
        "$cancel": await old.whole.request("front-desk", "POST", f"{address}/$cancel"),
        "create": await _created(old.whole, resource, patient, free[2]),
        "update": await old.whole.request("front-desk", "PUT", address, json=resource | {"status": "cancelled"}),
    }
    for name, answer in answers.items():
        assert answer.status_code == 409, f"{name}: {answer.text}"
        assert BOOK_AT in outcome(answer, 409, ELSEWHERE)["diagnostics"], name


async def _created(whole: Inside, like: Json, patient: UUID, start: str) -> httpx.Response:
    end = (datetime.fromisoformat(start) + timedelta(minutes=30)).isoformat()
    sent = {name: value for name, value in like.items() if name not in ("id", "meta", "created")} | {"start": start, "end": end}
    return await whole.request("front-desk", "POST", f"{FHIR}/Appointment", json=sent)


async def test_the_door_of_hl7_is_closed(old: Old, clinic: Clinic) -> None:
    sender = Sender(old.whole, clinic, await registered(old.whole, SCOPES))
    assert said(await sender.says(sender.siu("S12", "siu", await sender.free(), place=clinic.site_id))) == ("AA", "")
    later = await sender.free()
    await old.step("begin")
    for event in ("S13", "S15", "S26"):
        assert said(await sender.says(sender.siu(event, "siu", later, place=clinic.site_id)))[0] in ("AE", "AR")
    assert said(await sender.says(sender.siu("S12", "another", later, place=clinic.site_id)))[0] in ("AE", "AR")
    reasons = [row["reason"] for row in await sender.stored() if row["status"] != "applied"]
    assert set(reasons) <= {ELSEWHERE, "hl7.earlier_waits"}
    assert ELSEWHERE in reasons
