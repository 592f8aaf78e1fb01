"""What an app asks for, in a patient's words."""

import pytest

from carewright.contracts.smart import APP_WORDS, TYPES
from carewright.kernel.http.addresses import address_saying
from carewright.portal.model.apps import WHAT, says_something, scope_views, ticked, words_of


def test_every_scope_is_said_in_words() -> None:
    assert {*TYPES, "*"} <= set(WHAT)
    assert {word for word in APP_WORDS if not words_of(word)} == {"launch", "launch/patient"}


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("patient/Appointment.rs", "See your appointments"),
        ("patient/Appointment.cruds", "See, add to, change and take from your appointments"),
        ("patient/*.read", "See everything in your record that apps can reach"),
        ("patient/Appointment.rs?status=booked", "See your appointments (only status booked)"),
    ],
)
def test_a_scope_says_what_it_lets_an_app_do(scope: str, words: str) -> None:
    assert words_of(scope) == words


def test_what_is_ticked_is_what_is_left() -> None:
    scopes = ("launch/patient", "patient/Patient.rs", "offline_access")
    assert [each.name for each in scope_views(scopes)] == ["scope-1", "scope-2"]
    assert ticked(scopes, {"scope-1": "on", "scope-9": "on"}) == ("launch/patient", "patient/Patient.rs")
    assert not says_something(ticked(scopes, {"scope-2": "on"}))


def test_an_app_is_answered_beside_what_its_address_says() -> None:
    assert (
        address_saying("https://app.example.org/back?x=a%20b", code="c", state="s&t")
        == "https://app.example.org/back?x=a+b&code=c&state=s%26t"
    )
