"""Who is likely the same person: names and birth dates compared."""

from datetime import date

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import AlikePatient, ContactPoint, Likeness, NewPatient, Patient
from carewright.patients import model
from tests.samples import known_id

BORN = date(1980, 2, 9)
ANNA = NewPatient(family="Meyer", given=("Anna",), birth_on=BORN)


def person(family: str, given: str = "", birth_on: date | None = BORN) -> model.Person:
    return model.Person(family=family, given=tuple(given.split()), birth_on=birth_on)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (person("MEYER", "Anna Lena"), ("birth-date", "family", "given")),
        (person("Maier", "Ana"), ("birth-date", "family-sound", "given-sound")),
        (person("Meyer", "Bertha"), ("birth-date", "family")),
        (person("Schulz", "Anna"), ("birth-date", "given")),
        (person("Anna", "Meyer"), ("birth-date", "names-swapped")),
        (person("Meyer", "Anna", None), ("family", "given")),
        (person("Meyer", "", None), ("family",)),
        (person("Meyer", "Anna", date(1980, 9, 2)), ("birth-date-nearly", "family", "given")),
        (person("Meyer", "Anna", date(1990, 2, 9)), ("birth-date-nearly", "family", "given")),
        (person("Meyer", "Anna", date(1980, 2, 19)), ("birth-date-nearly", "family", "given")),
        (person("Meyer", "Anna", date(1981, 9, 2)), ()),
        (person("Meyer", "Bertha", date(1980, 2, 19)), ()),
        (person("Meyer", "Bertha", None), ()),
        (person("Schulz", "Bertha"), ()),
    ],
)
def test_names_and_birth_dates_say_who_may_be_the_same(other: model.Person, why: tuple[str, ...]) -> None:
    assert model.likeness(ANNA, other) == why


def test_without_a_birth_date_the_names_must_agree() -> None:
    asked = replace(ANNA, birth_on=None)
    assert model.likeness(asked, person("Maier", "Anna")) == ("family-sound", "given")
    assert model.likeness(asked, person("Meyer", "Bertha")) == ()


def test_an_identifier_says_so_alone_and_a_contact_beside_something_else_only() -> None:
    phone, number = ContactPoint(system="phone", value="555 0100 22"), Identifier(system="urn:test:mrn", value="1")
    asked = replace(ANNA, telecom=(phone,), identifiers=(number,))
    carrier = Patient(
        id=known_id(1), family="Schulz", given=("Bertha",), identifiers=(number,), telecom=(replace(phone, value="555010022"),)
    )
    assert model.all_likeness(asked, carrier, with_contacts=True) == ("identifier", "contact")
    assert model.all_likeness(asked, carrier, with_contacts=False) == ("identifier",)
    assert model.all_likeness(asked, replace(carrier, identifiers=()), with_contacts=True) == ()


def test_who_has_more_in_common_comes_first() -> None:
    def alike(number: int, *why: Likeness) -> AlikePatient:
        return AlikePatient(patient=Patient(id=known_id(number), family="Meyer"), why=why)

    found = [
        alike(1, "family", "given"),
        alike(2, "birth-date", "family", "given"),
        alike(3, "birth-date", "family-sound"),
        alike(4, "identifier"),
    ]
    assert [each.patient.id for each in sorted(found, key=model.likelier)] == [known_id(each) for each in (4, 2, 3, 1)]
