"""Patients that are sent to us: what is kept, what is refused by its place, and whom we know already."""

from datetime import date
from typing import Any

import msgspec
import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.fhir.people import patient
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.contracts.patients import ContactPoint, Patient, RegisterPatient
from carewright.fhir.model.entry_rows import NIL
from carewright.fhir.model.left_out import left_out
from carewright.fhir.model.person import commanded, is_same, read_person

ANNA = Patient(
    id=NIL, family="García", given=("Anna", "María"), birth_on=date(1980, 2, 29), gender="female", language="es",
    telecom=(ContactPoint(system="phone", value="+34 600 123 456"),), identifiers=(Identifier(system="urn:test:mrn", value="A1"),),
)  # fmt: skip


def test_what_is_shown_of_a_patient_is_what_is_read_of_it() -> None:
    assert read_person(patient(ANNA)) == ANNA
    assert left_out(patient(ANNA), patient(ANNA)) == ()
    assert read_person(patient(msgspec.structs.replace(ANNA, active=False))).active is False


def test_who_has_died_is_not_active() -> None:
    assert read_person(patient(ANNA) | {"deceasedDateTime": "2026-01-01"}).active is False


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"name": []}, "Patient.name"),
        ({"birthDate": "1980"}, "Patient.birthDate"),
        ({"telecom": [{"system": "phone", "value": "1"}]}, "Patient.telecom"),
        ({"identifier": [{"value": "A1"}]}, "Patient.identifier"),
        ({"communication": [{"language": {"coding": [{"code": "x"}]}}]}, "Patient.communication"),
        ({"name": [{"family": "a\x07b"}]}, "Patient.name.family"),
        ({"name": [{"family": "x" * 201}]}, "Patient.name.family"),
        ({"link": [{"other": {"reference": "Patient/1"}, "type": "refer"}]}, "Patient.link"),
        ({"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}, "Patient.modifierExtension"),
        ({"implicitRules": "urn:x"}, "Patient.implicitRules"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place(change: dict[str, Any], expression: str) -> None:
    with pytest.raises(InvalidElement) as refusal:
        commanded(RegisterPatient, read_person(patient(ANNA) | change))
    assert refusal.value.facts["expression"] == expression


@pytest.mark.parametrize(
    ("change", "expression"),
    [({"family": "x" * 101}, "Patient.name.family"), ({"given": ("x",) * 11}, "Patient.name.given")],
)
def test_what_is_longer_than_we_keep_is_refused_by_its_place(change: dict[str, Any], expression: str) -> None:
    with pytest.raises(InvalidElement) as refusal:
        commanded(RegisterPatient, msgspec.structs.replace(ANNA, **change))
    assert refusal.value.facts["expression"] == expression


def test_what_there_is_no_place_for_is_named() -> None:
    sent = patient(ANNA) | {"address": [{"city": "Bern"}], "maritalStatus": {"text": "S"}, "_birthDate": {"id": "a"}}
    assert left_out(sent, patient(ANNA)) == ("Patient.address", "Patient.maritalStatus", "Patient.birthDate.extension")


def test_what_was_not_kept_within_an_element_is_named_once() -> None:
    numbers = [
        {"system": "urn:test:mrn", "value": "A1", "period": {"start": "2026"}},
        {"system": "urn:a", "value": "2", "period": {"end": "2027"}},
    ]
    kept = patient(ANNA) | {"identifier": [{"system": each["system"], "value": each["value"]} for each in numbers]}
    assert left_out(patient(ANNA) | {"identifier": numbers}, kept) == ("Patient.identifier.period",)
    assert left_out(patient(ANNA) | {"gender": "other"}, patient(ANNA)) == ("Patient.gender",)


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ({}, True),
        ({"family": "GARCIA", "given": ("anna maria",), "identifiers": ()}, True),
        ({"gender": None, "telecom": ()}, True),
        ({"telecom": (ContactPoint(system="phone", value="600123456"),), "identifiers": ()}, False),
        ({"telecom": (), "identifiers": ()}, False),
        ({"given": ("Ana",)}, False),
        ({"birth_on": date(1980, 2, 28)}, False),
        ({"gender": "male"}, False),
    ],
)
def test_somebody_is_known_by_name_birth_date_and_a_number_or_contact(said: dict[str, Any], same: bool) -> None:
    assert is_same(ANNA, msgspec.structs.replace(ANNA, **said)) is same


def test_nobody_is_known_without_a_birth_date() -> None:
    unknown = msgspec.structs.replace(ANNA, birth_on=None)
    assert not is_same(unknown, unknown)
