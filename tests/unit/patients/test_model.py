"""The rules of a patient's record."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, FindPatients, InvalidPatient, Patient
from carewright.kernel.errors import BadInput
from carewright.patients import model
from tests.samples import known_id

NOW = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
ANNA = Patient(
    id=known_id(1), family="García Øre", given=("Anna", "Íris"), birth_on=date(1980, 2, 29), gender="female", language="es-MX",
    telecom=(ContactPoint(system="phone", value="+34 (91) 555-01.00 ext. 12"), ContactPoint(system="email", value="anna@example.org")),
    identifiers=(Identifier(system="urn:test:mrn", value="1"),),
)  # fmt: skip


def broken_field(*patients: Patient, now: datetime = NOW) -> object:
    """The field that the refusal names. The refusal holds an id and a field, and nothing of the person."""
    with pytest.raises(InvalidPatient) as refused:
        model.ensure_sound(patients, now)
    assert set(refused.value.facts) == {"patient_id", "field"}
    UUID(str(refused.value.facts["patient_id"]))
    return refused.value.facts["field"]


def test_a_whole_record_is_sound() -> None:
    model.ensure_sound([ANNA, Patient(id=known_id(2), family="Ng")], NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_on": date(1879, 12, 31)}, "birth_on"),
        ({"birth_on": date(2026, 11, 3)}, "birth_on"),
        ({"family": " \u3000"}, "family"),
        ({"family": "Ng\n"}, "family"),
        ({"family": "x" * 101}, "family"),
        ({"given": ("",)}, "given"),
        ({"given": ("A\0",)}, "family"),
        ({"given": ("A",) * 11}, "given"),
        ({"language": "Spanish"}, "language"),
        ({"identifiers": (Identifier(system="a", value=" "),)}, "identifiers"),
        ({"identifiers": (Identifier(system="a", value="x" * 256),)}, "identifiers"),
        ({"identifiers": (Identifier(system="a\0", value="x"),)}, "identifiers"),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused(changes: dict[str, Any], field: str) -> None:
    assert broken_field(replace(ANNA, **changes)) == field


def test_a_child_of_the_first_place_to_see_the_day_is_born_today() -> None:
    model.ensure_sound([replace(ANNA, birth_on=date(2026, 11, 3))], NOW.replace(hour=10))


@pytest.mark.parametrize("value", ["555", "+", "123456789012345678", "call me", "٥٥٥٠١٠٠", "5550100x", "555\t0100\0"])
def test_what_is_no_phone_number_is_refused(value: str) -> None:
    assert broken_field(replace(ANNA, telecom=(ContactPoint(system="phone", value=value),))) == "telecom"


@pytest.mark.parametrize("value", ["anna", "anna@", "@example.org", "anna@example", "a b@example.org", "a@b@example.org", "a@example..org"])
def test_what_is_no_email_address_is_refused(value: str) -> None:
    assert broken_field(replace(ANNA, telecom=(ContactPoint(system="email", value=value),))) == "telecom"


def test_an_id_and_an_identifier_come_once_in_a_change() -> None:
    assert broken_field(ANNA, replace(ANNA, identifiers=())) == "id"
    assert broken_field(ANNA, replace(ANNA, id=known_id(2))) == "identifiers"
    model.ensure_sound([replace(ANNA, identifiers=ANNA.identifiers * 2)], NOW)


def test_people_are_found_without_case_accents_and_odd_spaces() -> None:
    assert model.name_key(ANNA) == "garcia ore, anna iris"
    first, behind = model.name_range(FindPatients(family="  GARCIA  Ø"))
    assert first <= model.name_key(ANNA) < behind
    assert not first <= model.name_key(replace(ANNA, family="Garci")) < behind


@pytest.mark.parametrize("family", ["  ", "x", "..", "\u0301\u0301", "ab\0"])
def test_a_search_needs_two_letters(family: str) -> None:
    with pytest.raises(BadInput):
        model.name_range(FindPatients(family=family))


def test_a_request_has_a_limit() -> None:
    model.ensure_within_limit(5, 5)
    with pytest.raises(BadInput):
        model.ensure_within_limit(6, 5)
