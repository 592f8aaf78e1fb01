import json
from collections.abc import Callable
from typing import Any

import pytest

from carewright.contracts.directory import Identifier, PutResources, PutResult
from carewright.contracts.imports import ImportReport
from carewright.fhir import store
from carewright.fhir.model.reports import FilesChanged, NothingToImport
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput, Forbidden
from tests.unit.fhir.conftest import Trial
from tests.unit.fhir.doubles import REFUSED_NAME, snapshot
from tests.unit.fhir.rows import (
    LOINC,
    NPI,
    SNOMED,
    Json,
    by,
    concept,
    device,
    encounter,
    observation,
    organization,
    patient,
    place,
    practitioner,
    role,
    site,
    to,
)

HOSPITAL = {
    "everything.ndjson": [
        patient(),
        device(location=to("Location", "r1")),
        role(organization=to("Organization", "o2")),
        practitioner(identifier=[{"system": NPI, "value": "9999999999"}]),
        place("b1", "bd", "r1"),
        place("r1", "ro", "w1"),
        place("w1", "wi", "s1"),
        site(managingOrganization=to("Organization", "o2")),
        organization("o2", partOf=to("Organization", "o1")),
        organization("o1"),
    ]
}


def told(report: ImportReport) -> list[tuple[int, str]]:
    return [(issue.line, issue.code.removeprefix("fhir.import.")) for issue in report.rejections]


def warned(report: ImportReport) -> list[tuple[int, str]]:
    return [(issue.line, issue.code.removeprefix("fhir.import.")) for issue in report.warnings]


class TestOneImport:
    async def test_every_row_is_stored_whatever_the_order_of_the_lines(self, trial: Trial) -> None:
        report = await trial.run(HOSPITAL)
        assert told(report) == warned(report) == []
        assert (report.files, report.lines, report.accepted, report.created) == (1, 10, 10, 10)
        assert trial.one("Organization", "o2").part_of_id == trial.one("Organization", "o1").id

    async def test_rooms_and_beds_know_their_site(self, trial: Trial) -> None:
        await trial.run(HOSPITAL)
        main, room, bed = (trial.one("Location", one) for one in ("s1", "r1", "b1"))
        assert main.site_id == main.id
        assert (bed.part_of_id, bed.site_id, room.site_id) == (room.id, main.id, main.id)
        assert trial.one("Device", "d1").location_id == room.id
        assert trial.one("Device", "d1").site_id == main.id

    async def test_a_role_at_a_room_is_a_role_at_its_site(self, trial: Trial) -> None:
        await trial.run(HOSPITAL)
        await trial.run({"role.ndjson": [role("r2", site_id="b1")]}, paths=[trial.folder / "role.ndjson"])
        assert trial.one("PractitionerRole", "r1").site_ids == (trial.one("Location", "s1").id,)

    async def test_rows_may_be_spread_over_files_and_packed(self, trial: Trial) -> None:
        rows = HOSPITAL["everything.ndjson"]
        report = await trial.run({f"{number}.ndjson{'.gz' * (number % 2)}": [row] for number, row in enumerate(rows)})
        assert (report.files, report.accepted) == (10, 10)

    async def test_references_may_go_by_identifier(self, trial: Trial) -> None:
        clinic = site(identifier=[{"system": "urn:clinic", "value": "7"}])
        doctor = practitioner(identifier=[{"system": NPI, "value": "1"}])
        await trial.run({"a.ndjson": [role(practitioner=by(NPI, "1"), location=[by("urn:clinic", "7")]), doctor, clinic]})
        found = trial.one("PractitionerRole", "r1")
        assert found.practitioner_id == trial.one("Practitioner", "p1").id
        assert found.site_ids == (trial.one("Location", "s1").id,)

    async def test_other_types_are_skipped_and_counted(self, trial: Trial) -> None:
        report = await trial.run({"a.ndjson": [{"resourceType": "Condition", "id": "c"}] * 3 + [patient()]})
        assert (report.lines, report.accepted, report.skipped) == (4, 1, 3)
        assert report.codes == {"fhir.import.not_imported": 3}
        assert report.by_type["Condition"].skipped == 3
        assert [issue.severity for issue in trial.issues] == ["skipped"] * 3

    async def test_an_encounter_keeps_its_patient_staff_place_and_time(self, trial: Trial) -> None:
        row = encounter(
            type=[concept(SNOMED, "185347001", "Encounter for problem")], location=[{"location": to("Location", "s1")}],
            participant=[{"individual": by(NPI, "1")}, {"individual": to("Practitioner", "nobody")}],
            period={"start": "2015-02-07T13:28:17.239+02:00", "end": "2015-02-07"},
        )  # fmt: skip
        report = await trial.run({"a.ndjson": [row, patient(), site(), practitioner(identifier=[{"system": NPI, "value": "1"}])]})
        (stored,) = trial.flow.rows.values()
        site_id = trial.one("Location", "s1").id
        assert (stored.patient_id, stored.location_ids, stored.site_id) == (trial.one("Patient", "a1").id, (site_id,), site_id)
        assert [each.practitioner_id for each in stored.participants] == [trial.one("Practitioner", "p1").id]
        assert (stored.start and stored.start.isoformat(), stored.end) == ("2015-02-07T11:28:17.239000+00:00", None)
        assert {"fhir.import.reference_dropped", "fhir.import.partial_time"} <= report.codes.keys()
        again = await trial.run()
        assert (again.created, again.changed, again.unchanged) == (0, 0, 4)

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"status": "done"}, "unknown_status"), ({"class": None}, "missing_class"), ({"subject": None}, "missing_patient"),
            ({"subject": to("Patient", "other")}, "unresolved_reference"), ({"period": {"start": "2015-02-07T10:00:00"}}, "invalid_time"),
            ({"period": {"start": "soon"}}, "invalid_time"),
        ],
    )  # fmt: skip
    async def test_an_encounter_that_says_too_little_is_rejected(self, trial: Trial, more: Json, code: str) -> None:
        report = await trial.run({"a.ndjson": [encounter(**more), patient()]})
        assert (report.codes, report.accepted) == ({f"fhir.import.{code}": 1}, 1)

    async def test_an_observation_keeps_what_was_looked_at_found_and_when(self, trial: Trial) -> None:
        """As Synthea writes vital signs, blood pressure and answers to questions."""
        pressure = observation(
            "v2", valueQuantity=None, encounter=to("Encounter", "e1"), category=[concept("http://example.org/category", "vital-signs")],
            component=[{"code": concept(LOINC, "8480-6", "Systolic"), "valueQuantity": {"value": 120, "unit": "mm[Hg]"}}],
            effectivePeriod={"start": "2025-03-01T09:00:00Z", "end": "2025-03-01T09:05:00Z"}, effectiveDateTime=None,
        )  # fmt: skip
        smokes = observation("v3", valueQuantity=None, valueCodeableConcept=concept(SNOMED, "266919005", "Never smoker"))
        report = await trial.run({"a.ndjson": [observation(), pressure, smokes, encounter(), patient()]})
        weight, measured, answered = trial.vitals.rows.values()
        assert (weight.patient_id, weight.quantity and weight.quantity.value) == (trial.one("Patient", "a1").id, 72.5)
        assert weight.effective_from == weight.effective_until
        assert weight.effective_from
        assert weight.effective_from.isoformat() == "2025-03-01T14:30:00+00:00"
        assert (measured.quantity, measured.components[0].quantity and measured.components[0].quantity.value) == (None, 120)
        assert measured.encounter_id == next(iter(trial.flow.rows))
        assert measured.categories[0].codings[0].code == "vital-signs"
        assert answered.concept
        assert answered.concept.codings[0].display == "Never smoker"
        assert report.accepted == 5
        again = await trial.run()
        assert (again.created, again.changed, again.unchanged) == (0, 0, 5)

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"status": "done"}, "unknown_status"), ({"code": None}, "missing_code"), ({"subject": None}, "missing_patient"),
            ({"valueQuantity": None, "valueBoolean": True}, "unsupported_value"), ({"valueQuantity": {"unit": "kg"}}, "unsupported_value"),
            ({"valueQuantity": {"value": 1, "comparator": "~"}}, "unsupported_value"), ({"effectiveDateTime": "soon"}, "invalid_time"),
            ({"component": [{"code": {"text": "x"}, "valueRange": {"low": {"value": 1}}}]}, "unsupported_value"),
        ],
    )  # fmt: skip
    async def test_an_observation_that_would_lose_what_it_says_is_rejected(self, trial: Trial, more: Json, code: str) -> None:
        report = await trial.run({"a.ndjson": [observation(**more), patient()]})
        assert (report.codes, report.accepted) == ({f"fhir.import.{code}": 1}, 1)

    async def test_the_bar_only_moves_forward_and_ends_full(self, trial: Trial) -> None:
        await trial.run({"a.ndjson": [patient(str(number)) for number in range(2_000)], "b.ndjson": [site()]})
        assert trial.progress == sorted(trial.progress)
        assert trial.progress[-1] == (1_000, 1_000)
        assert len(trial.progress) > 5

    async def test_only_patients_ask_the_directory_nothing(self, trial: Trial) -> None:
        await trial.run({"a.ndjson": [patient()]})
        assert trial.directory.puts == []

    async def test_the_actor_reaches_the_modules(self, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
        async def forbid(_: Actor, __: PutResources) -> PutResult:
            raise Forbidden(permission="directory.change")

        monkeypatch.setattr(trial.directory, "put_resources", forbid)
        with pytest.raises(Forbidden):
            await trial.run({"a.ndjson": [site(), site("s2")]})


class TestStaffKinds:
    async def test_roles_say_who_is_a_nurse(self, trial: Trial) -> None:
        await trial.run({"a.ndjson": [site(), practitioner(), practitioner("p2"), role(code="163W00000X"), role("r2", "p2")]})
        assert trial.one("Practitioner", "p1").kind == "nurse"
        assert trial.one("Practitioner", "p2").kind == "practitioner"

    async def test_a_nurse_stays_a_nurse_when_a_later_export_has_no_roles(self, trial: Trial) -> None:
        await trial.run({"a.ndjson": [site(), practitioner(), role(code="163W00000X")]})
        report = await trial.run({"b.ndjson": [practitioner()]}, paths=[trial.folder / "b.ndjson"])
        assert (report.unchanged, report.changed) == (1, 0)
        assert trial.one("Practitioner", "p1").kind == "nurse"


class TestAgain:
    async def test_the_same_files_twice_change_nothing(self, trial: Trial) -> None:
        await trial.run(HOSPITAL)
        before = snapshot(trial.directory, trial.patients)
        report = await trial.run()
        assert (report.accepted, report.created, report.changed, report.unchanged) == (10, 0, 0, 10)
        assert snapshot(trial.directory, trial.patients) == before

    async def test_a_changed_row_changes_its_resource(self, trial: Trial) -> None:
        await trial.run({"a.ndjson": [organization(), patient()]})
        first = trial.one("Organization", "o1").id
        report = await trial.run({"a.ndjson": [organization(name="Saint Mark"), patient()]})
        assert (report.changed, report.unchanged) == (1, 1)
        assert (trial.one("Organization", "o1").id, trial.one("Organization", "o1").name) == (first, "Saint Mark")

    async def test_the_same_row_in_two_files_counts_once(self, trial: Trial) -> None:
        report = await trial.run({"a.ndjson": [patient()], "b.ndjson": [patient(meta={"versionId": "2"}), patient(gender="male")]})
        assert (report.accepted, report.skipped) == (1, 2)
        assert report.codes == {"fhir.import.repeated": 1, "fhir.import.repeated_differently": 1}
        assert trial.one("Patient", "a1").gender is None

    async def test_a_good_row_is_taken_after_a_bad_one_of_the_same_id(self, trial: Trial) -> None:
        report = await trial.run({"a.ndjson": [organization(name=""), organization()]})
        assert (report.accepted, report.rejected) == (1, 1)

    async def test_somebody_known_by_number_is_not_stored_twice(self, trial: Trial) -> None:
        number = [{"system": NPI, "value": "1"}]
        await trial.run({"a.ndjson": [practitioner("old-id", identifier=number)]})
        known = trial.one("Practitioner", "old-id").id
        report = await trial.run({"a.ndjson": [practitioner("new-id", identifier=number)]})
        assert (report.created, report.changed) == (0, 1)
        assert trial.one("Practitioner", "new-id").id == known

    async def test_a_number_that_several_rows_carry_tells_nobody_apart(self, trial: Trial) -> None:
        number = [{"system": NPI, "value": "1"}]
        await trial.run({"a.ndjson": [organization("hospital", identifier=number)]})
        report = await trial.run({"a.ndjson": [organization("ward-1", identifier=number), organization("ward-2", identifier=number)]})
        assert len(trial.directory.all("Organization")) == 3
        assert warned(report) == [(1, "identifier_of_another"), (2, "identifier_of_another")]

    async def test_a_ward_under_its_hospitals_number_does_not_become_the_hospital(self, trial: Trial) -> None:
        number = [{"system": NPI, "value": "1"}]
        await trial.run({"a.ndjson": [organization("hospital", identifier=number)]})
        report = await trial.run({"a.ndjson": [organization("ward", identifier=number)]})
        assert (report.created, report.changed) == (1, 0)
        assert warned(report) == [(1, "identifier_of_another")]
        assert len(trial.one("Organization", "ward").identifiers) == 1

    async def test_a_number_does_not_take_over_a_row_of_this_import(self, trial: Trial) -> None:
        number = [{"system": NPI, "value": "1"}]
        await trial.run({"a.ndjson": [practitioner("p1", identifier=number)]})
        await trial.run({"a.ndjson": [practitioner("p1"), practitioner("p2", identifier=number)]})
        assert len(trial.directory.all("Practitioner")) == 2
        assert trial.one("Practitioner", "p1").id != trial.one("Practitioner", "p2").id

    async def test_a_patient_is_never_recognised_by_number(self, trial: Trial) -> None:
        number = [{"system": "urn:mrn", "value": "1"}]
        await trial.run({"a.ndjson": [patient("a1", identifier=number)]})
        await trial.run({"a.ndjson": [patient("a2", identifier=number)]})
        assert len(trial.patients.rows) == 2


class TestReferences:
    async def test_a_later_import_may_refer_to_an_earlier_one(self, trial: Trial) -> None:
        await trial.run({"a.ndjson": [organization(), site(), practitioner(identifier=[{"system": NPI, "value": "1"}])]})
        rows: list[Any] = [
            role(practitioner=by(NPI, "1"), organization=to("Organization", "o1")),
            place("w1", "wa", "s1"),
            device(location=to("Location", "s1")),
        ]
        report = await trial.run({"b.ndjson": rows}, paths=[trial.folder / "b.ndjson"])
        assert told(report) == warned(report) == []
        assert trial.one("PractitionerRole", "r1").site_ids == (trial.one("Location", "s1").id,)
        assert trial.one("Location", "w1").site_id == trial.one("Location", "s1").id

    async def test_a_needed_reference_to_nothing_rejects_its_row(self, trial: Trial) -> None:
        rows: list[Any] = [role(), site(), practitioner(), role("r2", "nobody"), role("r3", site_id="nowhere"), place("x", "ro", "nowhere")]
        report = await trial.run({"a.ndjson": rows})
        assert sorted(told(report)) == [(4, "unresolved_reference"), (5, "unresolved_reference"), (6, "unresolved_reference")]
        assert report.accepted == 3

    async def test_other_references_to_nothing_are_left_out_with_a_warning(self, trial: Trial) -> None:
        nowhere = to("Organization", "nowhere")
        rows: list[Any] = [
            organization(partOf=nowhere),
            site(managingOrganization=nowhere),
            practitioner(),
            role(organization=nowhere, location=[to("Location", "s1"), {"display": "somewhere"}]),
            role("r2", location=[]),
            device(location=to("Location", "nowhere")),
        ]
        report = await trial.run({"a.ndjson": rows})
        assert report.accepted == 6
        assert warned(report) == [
            (1, "reference_dropped"),
            (2, "reference_dropped"),
            (4, "reference_dropped"),
            (4, "reference_dropped"),
            (5, "role_without_site"),
            (6, "device_without_place"),
        ]
        assert not trial.one("Device", "d1").bookable

    async def test_an_identifier_of_several_rows_refers_to_none_of_them(self, trial: Trial) -> None:
        shared = [{"system": NPI, "value": "1"}]
        rows: list[Any] = [
            site(),
            practitioner("p1", identifier=shared),
            practitioner("p2", identifier=shared),
            role(practitioner=by(NPI, "1")),
        ]
        report = await trial.run({"a.ndjson": rows})
        assert told(report) == [(4, "unresolved_reference")]

    async def test_what_hangs_on_a_rejected_row_is_rejected_too(self, trial: Trial) -> None:
        report = await trial.run({"a.ndjson": [place("b1", "bd", "r1"), place("r1", "ro", "s1"), site(name="")]})
        assert sorted(told(report)) == [(1, "unresolved_reference"), (2, "unresolved_reference"), (3, "missing_name")]

    async def test_a_room_of_nothing_and_a_circle_are_rejected(self, trial: Trial) -> None:
        rows: list[Any] = [place("x", "ro", None), place("a", "wi", "b"), place("b", "wi", "a"), site()]
        report = await trial.run({"a.ndjson": rows})
        assert sorted(told(report)) == [(1, "missing_part_of"), (2, "circular_part_of"), (3, "circular_part_of")]

    async def test_a_known_room_without_its_site_at_hand_cannot_hold_a_bed(self, trial: Trial) -> None:
        await trial.run(HOSPITAL)
        report = await trial.run({"b.ndjson": [place("b9", "bd", "r1")]}, paths=[trial.folder / "b.ndjson"])
        assert told(report) == [(1, "site_unknown")]

    async def test_a_site_within_a_site_is_kept_alone(self, trial: Trial) -> None:
        report = await trial.run({"a.ndjson": [site(), place("s2", "si", "s1")]}, time_zone="Europe/Berlin")
        assert warned(report) == [(2, "site_within_site"), (2, "time_zone_defaulted")]
        assert trial.one("Location", "s2").time_zone == "Europe/Berlin"


class TestRefusals:
    async def test_a_refused_row_costs_no_other(self, trial: Trial) -> None:
        rows: list[Any] = [organization(str(number)) for number in range(700)]
        rows[123] = organization("bad", name=REFUSED_NAME)
        rows[124] = organization("worse", name=REFUSED_NAME)
        report = await trial.run({"a.ndjson": rows})
        assert report.accepted == report.created == 698
        assert [(issue.line, issue.code, issue.source_id) for issue in report.rejections] == [
            (124, "directory.invalid_resource", "bad"),
            (125, "directory.invalid_resource", "worse"),
        ]
        assert {issue.reason for issue in report.rejections} == {"This entry breaks a rule of the directory."}
        assert len(trial.directory.puts) < 50

    async def test_a_report_never_repeats_what_a_row_says_about_a_person(self, trial: Trial) -> None:
        secret = {"family": REFUSED_NAME, "given": ["Rumpelstilz"]}
        rows: list[Any] = [
            patient("a1", name=[secret], birthDate="1951-02-20"),
            patient("a2", name=[{"text": "Rumpelstilz"}], birthDate="Rumpelstilz", gender="Rumpelstilz"),
            patient("a3", name="Rumpelstilz"),
            patient("a4", gender="Rumpelstilz", telecom=[{"system": "email", "value": "Rumpelstilz"}]),
            patient("Rumpelstilz was here"),
            {"resourceType": "Rumpelstilz was here"},
            '{"resourceType": "Patient", "name": [{"family": "Rumpelstilz',
        ]
        report = await trial.run({"a.ndjson": rows})
        assert report.rejected == 6
        assert "Rumpelstilz" not in str(report)
        assert "1951" not in str(report)

    async def test_every_issue_says_where_and_why(self, trial: Trial) -> None:
        report = await trial.run({"a.ndjson": ["", patient(birthDate="x")]})
        (issue,) = report.rejections
        assert (issue.file, issue.line) == (str(trial.folder / "a.ndjson"), 2)
        assert (issue.resource_type, issue.source_id) == ("Patient", "a1")
        assert issue.reason == "The birth date is not a date. (Patient.birthDate)"

    async def test_a_missing_file_is_told_and_the_others_are_read(self, trial: Trial) -> None:
        trial.write({"a.ndjson": [patient()]})
        report = await trial.run(paths=[trial.folder / "none.ndjson", trial.folder / "a.ndjson"])
        assert told(report) == [(0, "unreadable_file")]
        assert (report.accepted, report.lines) == (1, 2)

    async def test_an_empty_folder_and_an_unknown_time_zone_stop_at_once(self, trial: Trial) -> None:
        with pytest.raises(NothingToImport):
            await trial.run()
        with pytest.raises(BadInput):
            await trial.run({"a.ndjson": [patient()]}, time_zone="Kansas/Central")
        assert trial.patients.rows == {}

    @pytest.mark.parametrize("later", [[], [organization("o9")]])
    async def test_files_that_change_while_they_are_read_are_noticed(
        self, trial: Trial, monkeypatch: pytest.MonkeyPatch, later: list[Any]
    ) -> None:
        reads: list[Any] = []
        read_lines: Callable[..., Any] = store.read_lines

        def changing(path: Any) -> Any:
            if reads:
                path.write_text("".join(json.dumps(row) + "\n" for row in later))
            reads.append(path)
            return read_lines(path)

        monkeypatch.setattr(store, "read_lines", changing)
        with pytest.raises(FilesChanged):
            await trial.run({"a.ndjson": [organization()]})


async def test_what_was_stored_by_hand_is_found_by_its_number(trial: Trial) -> None:
    await trial.run({"a.ndjson": [practitioner()]})
    doctor = trial.one("Practitioner", "p1")
    by_hand = type(doctor)(id=doctor.id, kind="technician", family="Okafor", identifiers=(Identifier(system=NPI, value="1"),))
    trial.directory.rows["Practitioner"] = {by_hand.id: by_hand}
    await trial.run({"a.ndjson": [practitioner("p7", identifier=[{"system": NPI, "value": "1"}])]})
    assert trial.one("Practitioner", "p7").id == by_hand.id
    assert trial.one("Practitioner", "p7").kind == "technician"
