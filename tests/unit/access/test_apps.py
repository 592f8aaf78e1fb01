"""Where people may be sent, what an app may have, and what proves that a code is its own."""

import pytest

from carewright.access.model.apps import grantable, may_register, proves, within
from carewright.access.service.clients import is_redirect, origin_of

# RFC 7636, appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example.org/back",
        "https://app.example.org:8443/back?x=1",
        "http://localhost:3000/",
        "http://127.0.0.1/",
        "http://[::1]:5/",
    ],
)
def test_people_are_sent_over_https_or_to_their_own_machine(address: str) -> None:
    assert is_redirect(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example.org/back", "https:///back", "https://name:secret@app.example.org/", "https://app.example.org/#part",
        "javascript:alert(1)", "//app.example.org/", "https://app.example.org/a b", "https://app.example.org:port/", "https://[::1",
        "http://localhost.example.org/",
    ],
)  # fmt: skip
def test_people_are_sent_nowhere_else(address: str) -> None:
    assert not is_redirect(address)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://App.Example.org/back", "https://app.example.org"), ("https://app.example.org:443/back?x", "https://app.example.org"),
        ("https://app.example.org:8443", "https://app.example.org:8443"), ("http://localhost:3000/", "http://localhost:3000"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"), ("http://[::1]:5/", "http://[::1]:5"),
    ],
)  # fmt: skip
def test_an_origin_is_what_browsers_write(address: str, origin: str) -> None:
    assert origin_of(address) == origin


def test_the_verifier_of_the_standard_proves_its_challenge_and_no_other() -> None:
    assert proves(VERIFIER, CHALLENGE)
    assert not proves(VERIFIER[:-1] + "l", CHALLENGE)
    assert not proves(CHALLENGE, CHALLENGE)


@pytest.mark.parametrize(
    "scope",
    [
        "patient/Appointment.rs",
        "patient/*.cruds",
        "launch/patient",
        "offline_access",
        "online_access",
        "launch",
        "user/Patient.rs",
        "openid",
        "fhirUser",
    ],
)
def test_an_app_may_have_what_patients_or_staff_may(scope: str) -> None:
    assert may_register(scope)


@pytest.mark.parametrize(
    "scope", ["system/*.rs", "user/AuditEvent.rs", "patient/AuditEvent.rs", "directory.read", "profile", "patient/Nothing.rs"]
)
def test_an_app_may_have_nothing_else(scope: str) -> None:
    assert not may_register(scope)


def test_what_an_app_is_not_registered_for_is_left_out() -> None:
    asked = ["patient/Patient.rs", "patient/Appointment.cruds", "patient/Patient.rs", "offline_access", "fhirUser"]
    assert grantable(asked, ["patient/Patient.rs", "patient/Appointment.rs"], "patient") == ("patient/Patient.rs",)


def test_an_app_is_given_what_whoever_lets_it_in_may_and_in_their_words() -> None:
    registered = asked = ["launch", "offline_access", "user/Coverage.rs", "user/Encounter.rs", "patient/Coverage.rs"]
    assert grantable(asked, registered, "patient") == ("offline_access", "patient/Coverage.rs")
    assert grantable(asked, registered, "nurse") == ("launch", "user/Encounter.rs")
    assert grantable(asked, registered, "front-desk") == ("launch", "user/Coverage.rs", "user/Encounter.rs", "patient/Coverage.rs")


def test_whoever_may_only_see_hands_on_no_more() -> None:
    scopes = ("patient/Patient.rs", "patient/Appointment.rsu", "offline_access")
    assert within(scopes, "see") == ("patient/Patient.rs", "offline_access")
    assert within(scopes, "book") == scopes
