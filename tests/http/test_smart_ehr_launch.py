"""An app is started by the staff at a running system: what it may do about whom, and everything that starts nothing.

Sources: SMART App Launch 2.2 (https://hl7.org/fhir/smart-app-launch/app-launch.html, "Launch App: EHR Launch");
Inferno SMART App Launch test kit (`lib/smart_app_launch`), whose tests are named; RFC 6749, RFC 7636, RFC 9700.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.app import REDIRECT, STATE, App, refused, told, until_shut_out
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import outcome
from tests.http.test_fhir_encounters import record
from tests.other_system import said
from tests.staff_browser import led_to, staff_signed_in
from tests.system import System

LAUNCH = "https://app.example.org/launch"
REGISTERED = ("launch", "online_access", "offline_access", "patient/*.cruds", "user/*.rs")
SCOPE = "launch patient/*.rs user/Practitioner.rs user/Location.rs online_access"
DEEDS = "SELECT body::jsonb ->> 'event', body::jsonb ->> 'agent', body::jsonb ->> 'role' FROM kernel.audit_entry WHERE patient_id = $1"
LATE = "UPDATE access.launch SET expires_at = now() - interval '1 second' WHERE patient_id = $1"


async def registered_app(system: System, *scopes: str, launch: str | None = LAUNCH) -> str:
    given = [word for scope in scopes or REGISTERED for word in ("--scope", scope)]
    more = ["--launch", launch] if launch else []
    line = await said(system, "add", "--name", "Growth Charts", *given, "--redirect", REDIRECT, *more)
    return line.splitlines()[-1].split()[0]


@dataclass
class Started:
    """An app in the browser of a member of the staff."""

    app: App
    launched: dict[str, str] = field(default_factory=dict)

    async def start(self, patient: UUID, about: str = "") -> dict[str, str]:
        """Start the app from the patient's page; what it is told at its launch address."""
        browser, page = self.app.browser, f"/staff/apps/patients/{patient}"
        await browser.go(page)
        await browser.send(f"{page}/start", app=self.app.client_id, about=about)
        address = led_to(browser)
        assert address.startswith(f"{LAUNCH}?")
        self.launched = dict(parse_qsl(urlsplit(address).query))
        return self.launched

    async def authorize(self, method: str = "GET", /, **changes: str | None) -> httpx.Response:
        """The answer to the app that asks with what it was started with: at the authorization endpoint, and on from there."""
        first = await self.app.authorize(method, **{"launch": self.launched.get("launch"), "scope": SCOPE} | changes)
        assert first.headers["location"].startswith("/staff/apps/authorize?"), first.headers["location"]
        return await self.app.browser.client.get(first.headers["location"], follow_redirects=False)

    async def tokens(self, patient: UUID, about: str = "", **changes: str | None) -> dict[str, Any]:
        await self.start(patient, about)
        granted: dict[str, Any] = ok(await self.app.redeem(told(await self.authorize(**changes))["code"]))
        return granted


@pytest.fixture(scope="module")
async def client_id_of_staff(one_process: System) -> str:
    return await registered_app(one_process)


async def started_by(system: System, client_id: str, role: str) -> Started:
    return Started(App(system, client_id, await staff_signed_in(system, role)))


@pytest.fixture
async def nurse(one_process: System, client_id_of_staff: str) -> AsyncIterator[Started]:
    made = await started_by(one_process, client_id_of_staff, "nurse")
    yield made
    await made.app.browser.client.aclose()


@pytest.mark.requirement("SMART.19")
async def test_an_app_is_started_about_a_patient_and_acts_for_who_started_it(
    clinic: Clinic, nurse: Started, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Inferno app_launch_test, launch_received_test, code_received_test, token_exchange_stu2_test, patient_context_test."""
    patient, other = await register(clinic.system, "Kiwi"), await register(clinic.system, "Other")
    launched = await nurse.start(patient)
    assert (launched["iss"], len(launched["launch"])) == (nurse.app.fhir, 36)
    answer = told(await nurse.authorize())
    assert answer["state"] == STATE
    granted = ok(await nurse.app.redeem(answer["code"]))
    assert (granted["patient"], granted["need_patient_banner"]) == (str(patient), True)
    assert "encounter" not in granted
    assert granted["scope"] == SCOPE
    assert "refresh_token" in granted
    token = granted["access_token"]
    assert ok(await nurse.app.read(f"Patient/{patient}", token))["id"] == str(patient)
    assert (await nurse.app.read(f"Patient/{other}", token)).status_code in (403, 404), "patient/ is this patient alone"
    assert [each["resource"]["id"] for each in ok(await nurse.app.read("Patient?family=Other", token)).get("entry", [])] == []
    assert ok(await nurse.app.read("Practitioner", token))["total"] > 0
    assert (await nurse.app.read(f"Coverage?patient={patient}", token)).status_code == httpx.codes.FORBIDDEN, "as for the nurse"
    deeds = {(event, agent.partition("/")[0], role) for event, agent, role in await database.fetch(DEEDS, patient)}
    assert {
        (each, "staff", "nurse") for each in ("access.app.start", "access.app.let_in", "access.session.start", "patients.patient.read")
    } <= deeds


@pytest.mark.requirement("SMART.20")
async def test_user_scopes_reach_what_the_member_of_staff_reaches_and_no_more(clinic: Clinic, nurse: Started) -> None:
    """SMART App Launch 2.2, "Scopes for requesting FHIR Resources": `user/` is what the user may; the grant is narrowed to it."""
    patient, other = await register(clinic.system, "Emu"), await register(clinic.system, "Ibis")
    granted = await nurse.tokens(
        patient, scope="launch user/Patient.rs user/Coverage.rs user/AuditEvent.rs user/*.cud system/*.rs patient/*.rs"
    )
    assert granted["scope"] == "launch user/Patient.rs patient/*.rs"
    token = granted["access_token"]
    assert ok(await nurse.app.read(f"Patient/{other}", token))["id"] == str(other)
    found = ok(await nurse.app.read("Patient?family=Ibis", token))["entry"]
    assert str(other) in [each["resource"]["id"] for each in found]
    booked = ok(await clinic.book(other, (await clinic.free())[0]), 201)["id"]
    assert (await nurse.app.read(f"Appointment/{booked}", token)).status_code in (403, 404), "patient/ is this patient alone"
    assert ok(await nurse.app.read(f"Appointment?patient={other}", token))["total"] == 0
    desk = await nurse.app.browser.client.get("/api/v1/access/me", headers={"Authorization": f"Bearer {token}"})
    assert desk.status_code == httpx.codes.UNAUTHORIZED, "it opens FHIR and nothing else"


async def test_user_scopes_find_nothing_without_a_question(clinic: Clinic, nurse: Started) -> None:
    """The patient whom an app was started about narrows no search of what the member of staff may see."""
    kinds = ("Observation", "Task", "ServiceRequest", "Encounter", "Appointment")
    granted = await nurse.tokens(await register(clinic.system), scope=f"launch {' '.join(f'user/{kind}.rs' for kind in kinds)}")
    for kind in kinds:
        outcome(await nurse.app.read(kind, granted["access_token"]), 422, "fhir.search_too_wide")


@pytest.mark.requirement("SMART.21")
async def test_an_app_knows_the_visit_that_it_was_started_about(clinic: Clinic, nurse: Started) -> None:
    """Inferno encounter_context_test; SMART App Launch 2.2, `encounter` and `fhirContext`."""
    patient = await register(clinic.system, "Quokka")
    booked = ok(await clinic.book(patient, (await clinic.free())[0]), 201)["id"]
    visit: Json = await record(clinic, patient, appointment_id=booked, start="2026-11-02T08:00:00Z")
    granted = await nurse.tokens(patient, f"Encounter/{visit['id']}")
    assert (granted["encounter"], granted["fhirContext"]) == (visit["id"], [{"reference": f"Appointment/{booked}"}])
    assert ok(await nurse.app.read(f"Encounter/{granted['encounter']}", granted["access_token"]))["id"] == visit["id"]
    again = ok(await nurse.app.refresh(granted["refresh_token"]))
    assert (again["patient"], again["encounter"]) == (str(patient), visit["id"])
    alone = await nurse.tokens(patient, f"Appointment/{booked}")
    assert ("encounter" in alone, alone["fhirContext"]) == (False, [{"reference": f"Appointment/{booked}"}])
    page = f"/staff/apps/patients/{await register(clinic.system)}"
    await nurse.app.browser.go(page)
    form = nurse.app.browser.forms.found[f"{page}/start"].fields
    foreign = await nurse.app.browser.client.post(
        f"{page}/start", data=form | {"app": nurse.app.client_id, "about": f"Encounter/{visit['id']}"}, headers={"Origin": nurse.app.base}
    )
    assert foreign.status_code == httpx.codes.NOT_FOUND, "another patient's visit"


@pytest.mark.requirement("SMART.22")
async def test_a_launch_serves_once_soon_and_where_it_was_started(
    clinic: Clinic, nurse: Started, one_process: System, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """SMART App Launch 2.2: `launch` is opaque; RFC 9700: what is given away by an address serves once."""
    patient = await register(clinic.system)
    launched = await nurse.start(patient)
    wrong = {"error": "invalid_request", "state": STATE}
    assert told(await nurse.authorize(launch="cwl_" + "0" * 32)) == wrong
    colleague = await started_by(one_process, nurse.app.client_id, "physician")
    colleague.launched = launched
    assert told(await colleague.authorize()) == wrong, "another's session"
    another = Started(App(one_process, await registered_app(one_process), nurse.app.browser), launched)
    assert told(await another.authorize()) == wrong, "another app"
    assert "code" in told(await nurse.authorize())
    assert told(await nurse.authorize()) == wrong, "a second time"
    await nurse.start(patient)
    await database.execute(LATE, patient)
    assert told(await nurse.authorize()) == wrong, "too late"
    await colleague.app.browser.client.aclose()


BAD_ASKS: dict[str, tuple[dict[str, str | None], str]] = {
    "another audience": ({"aud": "https://elsewhere.example.org/fhir/R4"}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no launch scope": ({"scope": "patient/*.rs"}, "invalid_scope"),
    "nothing to do": ({"scope": "launch online_access"}, "invalid_scope"),
    "what the nurse may not": ({"scope": "launch user/Coverage.rs"}, "invalid_scope"),
    "a token at once": ({"response_type": "token"}, "unsupported_response_type"),
}


@pytest.mark.requirement("SMART.22")
async def test_what_a_started_app_asks_wrongly_is_told_to_it_and_starts_nothing(clinic: Clinic, nurse: Started) -> None:
    patient = await register(clinic.system)
    await nurse.start(patient)
    for changes, error in BAD_ASKS.values():
        assert told(await nurse.authorize(**changes)) == {"error": error, "state": STATE}
    nowhere = await nurse.authorize(redirect_uri="https://evil.example.org/back")
    assert (nowhere.status_code, "location" in nowhere.headers) == (404, False)
    assert ok(await nurse.app.redeem(told(await nurse.authorize("POST"))["code"]))["patient"] == str(patient)


@pytest.mark.requirement("SMART.23")
async def test_a_started_app_is_out_when_its_member_of_staff_signs_out_or_ends_it(clinic: Clinic, nurse: Started) -> None:
    patient = await register(clinic.system)
    path = f"Patient/{patient}"
    first = await nurse.tokens(patient, scope=f"{SCOPE} offline_access")
    assert "offline_access" not in first["scope"], "it outlives nobody's sign-in"
    browser = nurse.app.browser
    await browser.go("/staff/apps")
    await browser.send(next(each for each in browser.forms.found if each.endswith("/end")))
    await until_shut_out(nurse.app, first["access_token"], path)
    refused(await nurse.app.refresh(first["refresh_token"]), "invalid_grant")
    second = await nurse.tokens(patient)
    assert ok(await nurse.app.read(path, second["access_token"]))["id"] == str(patient)
    await browser.go("/staff")
    await browser.send("/staff/sign-out")
    await until_shut_out(nurse.app, second["access_token"], path)
    refused(await nurse.app.refresh(second["refresh_token"]), "invalid_grant")


async def test_nobody_without_the_permission_starts_an_app(one_process: System) -> None:
    officer = await staff_signed_in(one_process, "privacy-officer")
    assert "/staff/apps" not in officer.text
    for path in ("/staff/apps", f"/staff/apps/patients/{uuid4()}"):
        assert (await officer.client.get(path)).status_code == httpx.codes.FORBIDDEN
    await officer.client.aclose()


async def test_an_app_that_nobody_set_up_to_be_started_is_not_offered(clinic: Clinic, one_process: System) -> None:
    unset = await registered_app(one_process, "patient/*.rs", launch=None)
    nurse = await started_by(one_process, unset, "nurse")
    page = f"/staff/apps/patients/{await register(clinic.system)}"
    await nurse.app.browser.go(page)
    assert unset not in nurse.app.browser.text
    await nurse.app.browser.client.aclose()


async def test_patients_neither_see_nor_end_what_the_staff_start(clinic: Clinic, nurse: Started, app: App) -> None:
    """It is part of the staff's own work, and in the audit log, which patients may ask for."""
    patient = ok(await app.redeem((await app.launch())["code"]))["patient"]
    granted = await nurse.tokens(UUID(patient))
    await app.browser.go("/devices")
    assert "Growth Charts" not in app.browser.text
    assert ok(await nurse.app.read(f"Patient/{patient}", granted["access_token"]))["id"] == patient
