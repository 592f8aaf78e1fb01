"""Scopes: what is understood, what is refused, and what each carries.

Sources: SMART App Launch 2.2, scopes-and-launch-context; Inferno SMART App Launch test kit (permission-v1 and permission-v2).
"""

from uuid import UUID

import pytest

from carewright.contracts import smart
from carewright.contracts.permissions import ALL, ROLES
from carewright.fhir.service.served import SERVED
from carewright.kernel.authz import Actor


def actor(*scopes: str) -> Actor:
    return Actor(subject="app", organization_id=UUID(int=1), role="patient", scopes=scopes)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("patient/Appointment.rs", "rs"), ("user/*.cruds", "cruds"), ("system/Patient.r", "r"), ("patient/*.read", "rs"),
        ("user/Appointment.write", "cud"), ("system/*.*", "cruds"), ("patient/Appointment.rs?status=booked", "rs"),
    ],
)  # fmt: skip
def test_both_spellings_of_a_scope_are_understood(text: str, letters: str) -> None:
    scope = smart.scope_in(text)
    assert scope is not None
    assert scope.letters == frozenset(letters)


@pytest.mark.parametrize(
    "text",
    [
        "", "openid", "launch/patient", "patient/Appointment", "patient/Appointment.", "patient/Appointment.sr", "patient/Appointment.rr",
        "patient/appointment.rs", "Patient/Appointment.rs", "patient/Appointment.rs ", "patient/Appointment.rs\n", "everybody/*.rs",
        "patient/*.rs?status=booked", "patient/Appointment.rs?patient=1", "patient/Appointment.rs?_has:x:y=1",
        "patient/Appointment.rs?status",
        "patient/Appointment.u?status=booked", "patient/Appointment.cruds?status=booked", "patient/Appointment.rs?", "patient/A.rs?a=b#c d",
    ],
)  # fmt: skip
def test_what_is_no_scope_or_cannot_be_held_to_is_none(text: str) -> None:
    assert smart.scope_in(text) is None
    assert not smart.permissions_of([text])


def test_a_scope_to_read_carries_nothing_that_changes() -> None:
    changing = {"book", "hold", "cancel", "reschedule", "confirm", "advance", "accept", "override", "register", "change", "erase"}
    for text in ("patient/*.rs", "user/*.rs", "system/*.read"):
        assert not {each for each in smart.permissions_of([text]) if each.rpartition(".")[2] in changing}


def test_a_scope_of_one_patient_never_reaches_another() -> None:
    assert not smart.permissions_of(["patient/*.cruds"]) & smart.ANYBODY
    assert smart.permissions_of(["user/*.rs"]) >= smart.ANYBODY
    assert "patients.find" not in smart.permissions_of(["user/Appointment.rs"])


def test_only_systems_that_read_export() -> None:
    assert smart.EXPORT in smart.permissions_of(["system/Location.r"])
    for text in ("user/*.cruds", "patient/*.cruds", "system/*.cud", "system/*.s"):
        assert smart.EXPORT not in smart.permissions_of([text])


def test_no_scope_carries_what_signs_in_administers_or_operates() -> None:
    carried = smart.permissions_of([f"{where}/*.cruds" for where in ("patient", "user", "system")])
    narrow = {f"{each}.{what}" for each in ("access.consent", "notifications.communication") for what in ("any_patient", "read")}
    assert {each for each in carried if each.startswith(("access.", "notifications."))} == narrow
    asked = {"coverage", "directory", "flow", "orders", "patients", "scheduling", "vitals"}
    assert {each.partition(".")[0] for each in carried - narrow - {smart.EXPORT}} <= asked
    assert carried <= ALL


@pytest.mark.parametrize(
    ("asked", "allowed", "granted"),
    [
        ("system/Appointment.rs", "system/*.rs", True), ("system/Appointment.r", "system/Appointment.rs", True),
        ("system/Appointment.read", "system/*.rs", True), ("system/Appointment.rs?status=booked", "system/Appointment.rs", True),
        ("system/Appointment.cruds", "system/Appointment.rs", False), ("system/*.rs", "system/Appointment.rs", False),
        ("user/Appointment.rs", "system/*.cruds", False), ("patient/Appointment.rs", "system/*.cruds", False),
        ("system/Appointment.rs", "system/Appointment.rs?status=booked", False), ("directory.read", "system/*.cruds", False),
    ],
)  # fmt: skip
def test_nobody_gets_more_than_they_were_registered_with(asked: str, allowed: str, granted: bool) -> None:
    assert smart.covered([asked], [allowed]) is granted


def test_whoever_has_scopes_may_do_what_they_say_and_nothing_else() -> None:
    one = actor("patient/Appointment.rs", "openid")
    assert smart.may(one, "Appointment", "r")
    for kind, letter in (("Appointment", "c"), ("Appointment", "u"), ("Appointment", "d"), ("Patient", "r"), ("Slot", "s")):
        assert not smart.may(one, kind, letter)
        with pytest.raises(smart.ScopeMissing):
            smart.scopes_for(one, kind, letter)
    assert not smart.may(actor(), "Appointment", "r"), "no scope is no way in"
    assert not smart.may(actor("patient/Appointment.rs?status=booked"), "Appointment", "s", whole=True)


def test_every_type_that_is_served_has_a_row() -> None:
    assert SERVED.keys() <= smart.TYPES, "say in contracts/smart.py: TABLE what a scope for it carries"


def test_a_patients_scopes_carry_what_patients_may() -> None:
    assert "scheduling.appointment.read" in smart.permissions_of(["patient/Appointment.rs"]) & ROLES["patient"]
