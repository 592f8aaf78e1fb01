"""Mappings and rows: what is refused, with which code, and what a value becomes."""

from datetime import UTC, date, datetime

import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.migration import InvalidMapping
from carewright.contracts.patients import ContactPoint, Patient
from carewright.migration.model.mapping import FileMapping, mapping_in
from carewright.migration.model.reading import read_appointment, read_patient
from carewright.migration.model.reasons import REASONS, RowRejected
from tests.samples import known_id

PATIENTS = """
kind = "patient"
source = "urn:test:old"
date = "%d.%m.%Y"
[columns]
id = "PatNr"
family = "Nachname"
given = "Vorname"
birth_on = "Geb"
gender = "G"
email = "Mail"
[constants]
language = "de"
[identifiers]
"urn:test:insurance" = "KVNR"
[codes.gender]
m = "male"
w = "female"
"""
VISITS = f"""
kind = "appointment"
source = "urn:test:old"
start = "%d.%m.%Y %H:%M"
time_zone = "Europe/Berlin"
columns = {{ id = "Nr", patient = "PatNr", start = "Zeit", visit_type = "Art" }}
constants = {{ site = "{known_id(1)}" }}
codes = {{ visit_type = {{ NEU = "{known_id(2)}", X = "no id" }} }}
"""
ROW = {
    "PatNr": "7",
    "Nachname": "Österreicher",
    "Vorname": "Anna Lena",
    "Geb": "29.02.1980",
    "G": "w",
    "Mail": "a@example.org",
    "KVNR": "K1",
}
VISIT = {"Nr": "1", "PatNr": "7", "Zeit": "24.11.2026 09:30", "Art": "NEU"}


@pytest.fixture
def patients() -> FileMapping:
    return mapping_in(PATIENTS)


@pytest.fixture
def visits() -> FileMapping:
    return mapping_in(VISITS)


def test_a_row_becomes_a_patient(patients: FileMapping) -> None:
    made = read_patient(patients, ROW).onto(None, known_id(7))
    assert made == Patient(
        id=known_id(7), family="Österreicher", given=("Anna", "Lena"), birth_on=date(1980, 2, 29), gender="female", language="de",
        telecom=(ContactPoint(system="email", value="a@example.org"),),
        identifiers=(Identifier(system="urn:test:old", value="7"), Identifier(system="urn:test:insurance", value="K1")),
    )  # fmt: skip


def test_what_a_row_does_not_speak_of_stays(patients: FileMapping) -> None:
    before = Patient(
        id=known_id(7), family="Before", gender="female", birth_on=date(1980, 2, 29), version=4,
        identifiers=(Identifier(system="urn:test:mrn", value="M"), Identifier(system="urn:test:old", value="7")),
    )  # fmt: skip
    row = read_patient(patients, ROW | {"G": "", "Geb": "", "KVNR": "", "Mail": ""})
    after = row.onto(before, known_id(7))
    assert (after.family, after.gender, after.birth_on, after.identifiers, after.version) == (
        "Österreicher", "female", date(1980, 2, 29), before.identifiers, 4,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"PatNr": ""}, "missing_value", "id"),
        ({"Nachname": ""}, "missing_value", "family"),
        ({"G": "divers"}, "unknown_code", "gender"),
        ({"Geb": "1980-02-29"}, "invalid_date", "birth_on"),
        ({"Geb": "30.02.1980"}, "invalid_date", "birth_on"),
        ({"Nachname": "x" * 101}, "out_of_form", "family"),
    ],
)
def test_a_row_out_of_form_is_rejected_with_its_field_and_without_its_value(
    patients: FileMapping, change: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(RowRejected) as rejected:
        read_patient(patients, ROW | change)
    assert rejected.value.code == f"migration.import.{code}"
    assert rejected.value.reason == f"{REASONS[rejected.value.code]} ({field})"
    assert not any(value and value in rejected.value.reason for value in change.values())


def test_a_row_becomes_an_appointment_at_the_mappings_wall_time(visits: FileMapping) -> None:
    read = read_appointment(visits, VISIT)
    assert (read.start, read.site_id, read.visit_type_id) == (datetime(2026, 11, 24, 8, 30, tzinfo=UTC), known_id(1), known_id(2))
    assert (read.patient, read.status, read.practitioner_id) == ("7", "booked", None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Zeit": "29.03.2026 02:30"}, "no_such_time"),
        ({"Zeit": "24.11.2026"}, "invalid_time"),
        ({"Zeit": ""}, "missing_value"),
        ({"Art": ""}, "missing_value"),
        ({"Art": "ALT"}, "unknown_code"),
        ({"Art": "X"}, "not_an_id"),
    ],
)
def test_a_visit_out_of_form_is_rejected(visits: FileMapping, change: dict[str, str], code: str) -> None:
    with pytest.raises(RowRejected) as rejected:
        read_appointment(visits, VISIT | change)
    assert rejected.value.code == f"migration.import.{code}"


def test_a_time_that_comes_twice_is_the_first(visits: FileMapping) -> None:
    assert read_appointment(visits, VISIT | {"Zeit": "25.10.2026 02:30"}).start == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind =", "no TOML"),
        (PATIENTS.replace('kind = "patient"', 'kind = "dog"'), "$.kind"),
        (PATIENTS.replace('date = "%d.%m.%Y"', "colour = 1"), "colour"),
        (PATIENTS.replace('family = "Nachname"\n', ""), "'family'"),
        (PATIENTS.replace('email = "Mail"', 'emial = "Mail"'), "'emial'"),
        (PATIENTS + '[codes.start]\na = "b"\n', "'start'"),
        (VISITS.replace("Europe/Berlin", "Europe/Nowhere"), "time_zone"),
        (VISITS.replace("Europe/Berlin", "../etc"), "time_zone"),
        (VISITS + '[identifiers]\na = "b"\n', "of patients"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(text: str, says: str) -> None:
    with pytest.raises(InvalidMapping) as refused:
        mapping_in(text)
    assert says in refused.value.detail
