"""What the name of a member of staff has to do with a patient's."""

import pytest

from carewright.patients.model import Person, name_relation, names_in

ANA = Person(family="García López", given=("Ana María",))


@pytest.mark.parametrize(
    ("display", "relation"),
    [
        ("Ana García López", "same-person"),
        ("Dr. ANA M. GARCIA LOPEZ", "same-person"),
        ("García López, Ana", "same-person"),
        ("Luis García López", "same-surname"),
        ("Garcia Lopez, Luis", "same-surname"),
        ("Ana López", "other"),
        ("Ana García", "other"),
        ("García López", "other"),
        ("Ana", "other"),
        ("", "other"),
        (",", "other"),
    ],
)
def test_names_are_compared_as_people_write_them(display: str, relation: str) -> None:
    assert name_relation(ANA, display) == relation


def test_a_patient_without_given_names_is_nobody_in_particular() -> None:
    assert name_relation(Person(family="Meyer"), "Jo Meyer") == "same-surname"


def test_every_way_to_read_a_name_is_tried() -> None:
    assert names_in("Ana García López") == [("garcia lopez", ("ana",)), ("lopez", ("ana", "garcia"))]
    assert names_in("Cher") == [("cher", ())]
