import json
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, Device, Identifier, Location, Organization, Practitioner
from carewright.contracts.patients import ContactPoint, Patient
from carewright.fhir.model.reading import Draft, read_draft, read_head
from carewright.fhir.model.references import ResourceType
from carewright.fhir.model.reports import REASONS, RowRejected
from tests.unit.fhir import rows
from tests.unit.fhir.rows import SNOMED, concept, device, organization, patient, place, practitioner, role, site


def draft(row: dict[str, Any]) -> Draft:
    resource_type: ResourceType = row["resourceType"]
    return read_draft(resource_type, json.dumps(row))


def rejection(row: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(RowRejected) as caught:
        draft(row)
    assert caught.value.remark.code in REASONS
    return caught.value.remark.code.removeprefix("fhir.import."), caught.value.remark.where


def remarks(row: dict[str, Any]) -> list[str]:
    found = draft(row).remarks
    assert all(remark.code in REASONS for remark in found)
    return [remark.code.removeprefix("fhir.import.") for remark in found]


def read_patient(**more: Any) -> Patient:
    value = draft(patient(**more)).value
    assert isinstance(value, Patient)
    return value


def read_place(row: dict[str, Any]) -> Location:
    value = draft(row).value
    assert isinstance(value, Location)
    return value


class TestHead:
    def test_a_row_says_what_it_is(self) -> None:
        assert read_head('{"id": "1", "resourceType": "Patient"}') == ("Patient", "1")

    def test_an_id_that_is_none_does_not_hide_the_type(self) -> None:
        assert read_head('{"resourceType": "Patient", "id": 7}') == ("Patient", None)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "bad_json"),
            ("{", "bad_json"),
            ('{"resourceType": "Patient"} {}', "bad_json"),
            ('{"x": ' + "[" * 100_000, "bad_json"),
            ("[]", "not_an_object"),
            ('"Patient"', "not_an_object"),
            ("null", "not_an_object"),
            ("{}", "bad_resource_type"),
            ('{"resourceType": 7}', "bad_resource_type"),
            ('{"resourceType": "Lena Meyer"}', "bad_resource_type"),
            ('{"resourceType": "patient"}', "bad_resource_type"),
        ],
    )
    def test_what_is_no_resource_is_rejected(self, text: str, code: str) -> None:
        with pytest.raises(RowRejected) as caught:
            read_head(text)
        assert caught.value.remark.code == f"fhir.import.{code}"


class TestEveryRow:
    @pytest.mark.parametrize("row", [organization(), site(), practitioner(), role(), device(), patient()])
    def test_the_smallest_row_is_read_without_remarks(self, row: dict[str, Any]) -> None:
        found = draft(row)
        assert found.source_id == row["id"]
        assert found.remarks == ()
        expected = Identifier(system=f"urn:carewright:source:{row['resourceType']}", value=row["id"])
        assert found.value.identifiers == (expected,)

    def test_elements_we_do_not_read_may_hold_anything(self) -> None:
        assert remarks(patient(meta=7, text=[], extension="x", photo={"data": None}, contact=[[]])) == []

    def test_without_an_id_it_cannot_be_known_again(self) -> None:
        row = patient()
        del row["id"]
        assert rejection(row) == ("missing_id", "Patient.id")

    @pytest.mark.parametrize("bad", ["a b", "x" * 65, "a/b", "ü"])
    def test_an_id_must_be_a_fhir_id(self, bad: str) -> None:
        assert rejection(patient(bad)) == ("invalid_id", "Patient.id")

    @pytest.mark.parametrize(
        ("more", "where"),
        [
            ({"name": "Meyer"}, "name"),
            ({"name": [{"family": ["Meyer"]}]}, "name[0].family"),
            ({"active": "true"}, "active"),
            ({"telecom": {}}, "telecom"),
            ({"birthDate": 1980}, "birthDate"),
        ],
    )
    def test_a_wrong_shape_is_told_by_its_place_and_not_its_content(self, more: dict[str, Any], where: str) -> None:
        assert rejection(patient(**more)) == ("wrong_shape", f"Patient.{where}")

    def test_an_escaped_lone_surrogate_is_not_json(self) -> None:
        with pytest.raises(RowRejected):
            read_draft("Patient", '{"id": "1", "name": [{"family": "\\ud800"}]}')


class TestTexts:
    def test_white_space_is_made_single(self) -> None:
        assert read_patient(name=[{"family": " van\n der   Berg "}]).family == "van der Berg"

    @pytest.mark.parametrize("bad", ["\u0000", "\u0007", "\x7f", "\x81"])
    def test_control_characters_are_refused(self, bad: str) -> None:
        assert rejection(organization(name=f"Saint{bad}Luke")) == ("control_character", "Organization.name")

    def test_windows_punctuation_in_a_wrong_encoding_is_put_right(self) -> None:
        row = organization(name="SAINT LUKE\x92S")
        assert draft(row).value == replace(draft(organization()).value, name="SAINT LUKE’S")
        assert remarks(row) == ["text_repaired"]

    def test_a_text_beyond_the_limit_is_refused(self) -> None:
        assert rejection(organization(name="x" * 201)) == ("text_too_long", "Organization.name")

    def test_a_list_beyond_the_limit_is_refused(self) -> None:
        assert rejection(patient(telecom=[{"system": "phone", "value": "555"}] * 51)) == ("too_many_values", "Patient.telecom")


class TestIdentifiers:
    def test_business_identifiers_follow_the_source_id(self) -> None:
        found = draft(practitioner(identifier=[{"system": rows.NPI, "value": "9999999999"}])).value.identifiers
        assert found[1:] == (Identifier(system=rows.NPI, value="9999999999"),)

    def test_numbers_of_the_state_are_not_kept(self) -> None:
        v2 = "http://terminology.hl7.org/CodeSystem/v2-0203"
        numbers = [{"type": concept(v2, code), "system": f"urn:{code}", "value": "1"} for code in ("SS", "DL", "PPN", "MR")]
        numbers.append({"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-81-5679"})
        assert [one.system for one in read_patient(identifier=numbers).identifiers[1:]] == ["urn:MR"]

    def test_old_and_empty_ones_are_left_out_silently(self) -> None:
        assert remarks(patient(identifier=[{"use": "old", "system": "x", "value": "1"}, {"system": "x"}, {}])) == []

    def test_one_without_a_system_is_left_out_with_a_remark(self) -> None:
        assert remarks(patient(identifier=[{"value": "1"}])) == ["identifier_without_system"]


class TestPlaces:
    def test_a_flat_place_is_a_site_with_the_zone_of_its_state(self) -> None:
        found = read_place(site(telecom=[{"system": "fax", "value": "1111"}, {"system": "phone", "value": "3164402565"}]))
        assert (found.kind, found.time_zone, found.room_type) == ("site", "America/Chicago", None)
        assert found.address == "1 Main Street, Kansas City MO 64106"
        assert found.phone == "3164402565"
        assert found.active

    def test_a_state_with_a_second_zone_is_remarked_on(self) -> None:
        assert remarks(site(address={"state": "KS"})) == ["time_zone_assumed"]

    def test_a_divided_state_leaves_the_zone_open(self) -> None:
        assert read_place(site(address={"state": "TN"})).time_zone is None

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("si", "site"), ("bu", "building"), ("wi", "building"), ("wa", "building"), ("lvl", "building"), ("area", "building"),
            ("ro", "room"), ("bd", "bed"),
        ],
    )  # fmt: skip
    def test_a_physical_type_says_what_it_is(self, code: str, kind: str) -> None:
        assert read_place(place("x", code, "s1")).kind == kind

    @pytest.mark.parametrize("code", ["ve", "ho", "ca", "rd", "jdn"])
    def test_places_nobody_schedules_are_rejected(self, code: str) -> None:
        assert rejection(place("x", code, "s1")) == ("unsupported_place", "Location.physicalType")

    def test_a_kind_of_place_is_not_a_place(self) -> None:
        assert rejection(site(mode="kind")) == ("kind_of_place", "Location.mode")

    def test_a_building_that_stands_alone_is_taken_for_a_site(self) -> None:
        row = place("x", "bu", None, address=rows.KANSAS_CITY)
        assert read_place(row).kind == "site"
        assert remarks(row) == ["assumed_kind"]

    def test_a_part_that_does_not_say_what_it_is_groups_others(self) -> None:
        row = site(partOf=rows.to("Location", "s1"))
        assert read_place(row).kind == "building"
        assert remarks(row) == ["assumed_kind"]

    def test_a_room_names_its_type(self) -> None:
        mri = read_place(place("x", "ro", "s1", type=[concept(SNOMED, "225728007", "MRI room")]))
        assert mri.room_type == Coding(system=SNOMED, code="225728007", display="MRI room")
        assert read_place(place("x", "bd", "s1")).room_type == Coding(system=rows.PHYSICAL, code="bd")

    @pytest.mark.parametrize(("status", "active"), [("active", True), ("suspended", False), ("inactive", False)])
    def test_only_an_active_place_is_active(self, status: str, active: bool) -> None:
        assert read_place(site(status=status)).active is active

    def test_an_address_in_a_list_is_tolerated(self) -> None:
        assert read_place(site(address=[rows.KANSAS_CITY])).time_zone == "America/Chicago"
        assert remarks(site(address=[rows.KANSAS_CITY])) == ["address_list"]
        assert remarks(site(address=[])) == ["address_list"]

    def test_without_a_name_it_is_rejected(self) -> None:
        assert rejection(site(name=" ")) == ("missing_name", "Location.name")


class TestPeople:
    def test_a_practitioner_is_read(self) -> None:
        row = practitioner(
            gender="female",
            active=False,
            communication=[concept("urn:ietf:bcp:47", "en"), concept("urn:ietf:bcp:47", "es-MX"), concept("x", "not a language")],
            qualification=[{"code": concept("http://terminology.hl7.org/CodeSystem/v2-0360/2.7", "RN")}],
        )
        found = draft(row)
        assert isinstance(found.value, Practitioner)
        assert found.value.display == "Dr. Ada Okafor"
        assert (found.value.gender, found.value.active, found.value.languages) == ("female", False, ("en", "es-MX"))
        assert (found.value.kind, found.staff_kind) == ("nurse", "nurse")
        assert remarks(row) == ["invalid_language"]

    def test_the_official_name_comes_before_the_usual_and_the_first(self) -> None:
        names = [{"use": "maiden", "family": "Old"}, {"family": "First"}, {"use": "usual", "family": "Usual"}]
        assert read_patient(name=names).family == "Usual"
        assert read_patient(name=[*names, {"use": "official", "family": "Official"}]).family == "Official"
        assert read_patient(name=names[:2]).family == "First"
        assert read_patient(name=names[:1]).family == "Old"

    @pytest.mark.parametrize(
        ("name", "family", "given"),
        [
            ({"text": "Lena Meyer"}, "Lena Meyer", ()),
            ({"given": ["Anna", "Sukarno"]}, "Sukarno", ("Anna",)),
            ({"given": [None, "X"]}, "X", ()),
        ],
    )
    def test_a_name_without_family_name_is_taken_as_far_as_it_goes(self, name: dict[str, Any], family: str, given: tuple[str]) -> None:
        found = read_patient(name=[name])
        assert (found.family, found.given) == (family, given)
        assert remarks(patient(name=[name])) == ["name_incomplete"]

    @pytest.mark.parametrize("names", [[], [{}], [{"use": "official"}], [{"given": []}], [{"family": "   "}], [{"given": [" "]}]])
    def test_nobody_without_a_name_is_taken(self, names: list[Any]) -> None:
        assert rejection(patient(name=names)) == ("missing_name", "Patient.name")

    def test_a_patient_is_read(self) -> None:
        found = read_patient(
            gender="other",
            birthDate="1980-05-06",
            telecom=[
                {"system": "email", "value": "lena@example.org", "rank": 2},
                {"system": "phone", "value": "555-907-9875", "rank": 1},
                {"system": "phone", "value": "555-000-0000", "use": "old"},
                {"system": "fax", "value": "555-1"},
            ],
            communication=[{"language": concept("x", "de")}, {"language": concept("x", "fr-CA"), "preferred": True}],
        )
        assert (found.family, found.given, found.gender, found.birth_on) == ("Meyer", ("Lena",), "other", date(1980, 5, 6))
        assert found.language == "fr-CA"
        assert found.telecom == (ContactPoint(system="phone", value="555-907-9875"), ContactPoint(system="email", value="lena@example.org"))
        assert found.active

    @pytest.mark.parametrize("more", [{"active": False}, {"deceasedBoolean": True}, {"deceasedDateTime": "1951-02-20"}])
    def test_who_has_died_or_left_is_not_active(self, more: dict[str, Any]) -> None:
        assert not read_patient(**more).active

    def test_who_is_known_to_live_is_active(self) -> None:
        assert read_patient(deceasedBoolean=False).active

    @pytest.mark.parametrize("text", ["1980", "1980-05"])
    def test_a_partial_birth_date_is_left_out_with_a_remark(self, text: str) -> None:
        assert read_patient(birthDate=text).birth_on is None
        assert remarks(patient(birthDate=text)) == ["partial_birth_date"]

    @pytest.mark.parametrize(
        "text", ["1980-13-01", "1980-02-30", "1980-13", "06.05.1980", "19800506", "1980-W19-2", "", "1980-05-06T00:00"]
    )
    def test_what_is_no_date_is_rejected(self, text: str) -> None:
        assert rejection(patient(birthDate=text)) == ("invalid_birth_date", "Patient.birthDate")

    def test_odd_details_are_left_out_with_remarks(self) -> None:
        odd = patient(gender="F", telecom=[{"system": "email", "value": "at home"}, {"system": "phone", "value": "none"}])
        assert remarks(odd) == ["unknown_gender_code", "invalid_contact"]


class TestRolesAndDevices:
    def test_a_role_without_a_practitioner_is_rejected(self) -> None:
        row = role()
        del row["practitioner"]
        assert rejection(row) == ("missing_practitioner", "PractitionerRole.practitioner")

    def test_a_role_tells_what_kind_of_staff_it_is_for(self) -> None:
        assert draft(role(code="163W00000X")).staff_kind == "nurse"

    def test_a_code_without_a_system_is_left_out_with_a_remark(self) -> None:
        assert remarks(role(code="x") | {"code": [{"coding": [{"code": "1"}]}]}) == ["code_without_system"]

    def test_the_friendly_name_of_a_device_comes_first(self) -> None:
        names = [{"name": "SN-1", "type": "model-name"}, {"name": "Bedside monitor", "type": "user-friendly-name"}]
        assert device_name(draft(device(deviceName=names))) == "Bedside monitor"
        assert device_name(draft(device())) == "Defibrillator"

    def test_a_device_without_a_coded_type_is_rejected(self) -> None:
        assert rejection(device(type={"text": "Pump"})) == ("missing_device_type", "Device.type")

    def test_a_device_of_a_patient_is_not_bookable_and_does_not_say_whose_it_is(self) -> None:
        found = draft(device(patient=rows.to("Patient", "secret")))
        assert isinstance(found.value, Device)
        assert not found.value.bookable
        assert found.refs == ()
        assert "secret" not in str(found)

    def test_an_organization_points_at_what_it_is_part_of(self) -> None:
        found = draft(organization(partOf=rows.to("Organization", "o0"), active=False))
        assert isinstance(found.value, Organization)
        assert not found.value.active
        assert found.part_of is not None


def device_name(found: Draft) -> str:
    assert isinstance(found.value, Device)
    return found.value.name
