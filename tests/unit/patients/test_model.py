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
WHOM = model.Person(family=ANNA.family, given=ANNA.given, birth_on=ANNA.birth_on)


def broken_field(*patients: Patient, now: datetime = NOW) -> object:
    """The field that the refusal names. The refusal holds an id and a field, and nothing of the person."""
    with pytest.raises(InvalidPatient) as refused:
        model.ensure_sound(patients, now)
    assert set(refused.value.facts) - {"system"} == {"patient_id", "field"}
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
    assert model.name_key(WHOM) == "garcia ore, anna iris"
    asked = model.asked(FindPatients(family="  GARCIA  Ø"))
    assert model.fits(asked, WHOM)
    assert not model.fits(asked, replace(WHOM, family="Garci"))


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        (FindPatients(family="garcia ore, an"), True),
        (FindPatients(family="garcia, an"), False),
        (FindPatients(family="ga", given="ANNA Í"), True),
        (FindPatients(family="ga", given="iris"), False),
        (FindPatients(family="ga", birth_on=date(1980, 2, 28)), False),
        (FindPatients(given="an", birth_on=date(1980, 2, 29)), True),
        (FindPatients(family="karsia ohr"), False),
        (FindPatients(family="garsia or", sounds_like=True), True),
        (FindPatients(family="garsia or", given="hanna", sounds_like=True), False),
        (FindPatients(family="garsia or", given="ana", sounds_like=True), True),
        (FindPatients(family="garsia or", birth_on=date(1980, 2, 28), sounds_like=True), False),
    ],
)
def test_who_fits_a_search(query: FindPatients, fits: bool) -> None:
    assert model.fits(model.asked(query), WHOM) is fits


@pytest.mark.parametrize(
    ("one", "other"), [("Meyer", "Maier"), ("Yu", "Yu"), ("Smith", "Smyth"), ("Catherine", "Kathryn"), ("Munoz", "Múnos"), ("王", "王")]
)
def test_names_that_sound_alike(one: str, other: str) -> None:
    assert model.sound_of(one) == model.sound_of(other) != ""


@pytest.mark.parametrize(
    ("family", "given"),
    [("  ", None), ("x", None), ("..", None), ("\u0301\u0301", None), ("ab\0", None), (None, "anna"), ("x", "anna"), ("ab", "\7")],
)
def test_a_search_needs_two_letters(family: str | None, given: str | None) -> None:
    with pytest.raises(BadInput):
        model.asked(FindPatients(family=family, given=given))


def test_a_request_has_a_limit() -> None:
    model.ensure_within_limit(5, 5)
    with pytest.raises(BadInput):
        model.ensure_within_limit(6, 5)
