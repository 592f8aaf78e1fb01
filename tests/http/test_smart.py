"""SMART's tokens at a running system: where they are had, and that they open what their scopes say and nothing else.

Sources: SMART App Launch 2.2; Inferno SMART App Launch test kit (`lib/smart_app_launch`), whose tests are named.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from carewright.access.model.apps import may_register
from carewright.access.service.app_tokens import AppToken
from carewright.contracts.smart import APP_WORDS
from carewright.roles.registry import MODULES
from tests.clinic import Clinic, ok, register
from tests.other_system import ask, registered, use
from tests.system import System

FHIR = "/fhir/R4"
WELL_KNOWN = f"{FHIR}/.well-known/smart-configuration"


@dataclass(frozen=True)
class Laboratory:
    """A system that was registered with `system/*.rs` and `directory.read`, and one with everything of SMART's."""

    system: System
    reader: str
    writer: str

    async def asks(self, client_id: str, scope: str, **changes: Any) -> httpx.Response:
        return await ask(self.system, client_id, str(uuid4()), scope, **changes)

    async def token(self, *scopes: str) -> str:
        granted: str = ok(await self.asks(self.writer, " ".join(scopes)))["access_token"]
        return granted


@pytest.fixture(scope="module")
async def laboratory(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    folder = tmp_path_factory.mktemp("keys")
    reader = await registered(clinic.system, folder, "system/*.rs", "directory.read")
    return Laboratory(clinic.system, reader, await registered(clinic.system, folder, "system/*.cruds"))


async def booked(clinic: Clinic) -> tuple[str, str]:
    """The ids of a new appointment and its patient."""
    patient = await register(clinic.system)
    return ok(await clinic.book(patient, (await clinic.free())[0]), 201)["id"], str(patient)


def refused(answer: httpx.Response, code: str = "smart.scope_missing") -> None:
    assert answer.status_code == httpx.codes.FORBIDDEN, answer.text
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == code


@pytest.mark.requirement("SMART.1")
async def test_the_configuration_is_there_for_everybody_and_says_what_it_must(clinic: Clinic) -> None:
    """Inferno well_known_endpoint_test, well_known_capabilities_stu2_test: status, type, required fields, S256 in and plain out."""
    answer = await clinic.system.request(None, "GET", WELL_KNOWN, headers={"Accept": "text/html"})
    said = ok(answer)
    assert answer.headers["content-type"] == "application/json"
    assert said["token_endpoint"].endswith("/oauth/token")
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert all(isinstance(each, str) for each in said["capabilities"])
    assert {"client_credentials"} <= set(said["grant_types_supported"])
    assert "private_key_jwt" in said["token_endpoint_auth_methods_supported"]
    security = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))["rest"][0]["security"]
    uris = {each["url"]: each["valueUri"] for each in security["extension"][0]["extension"]}
    assert uris["token"] == said["token_endpoint"]
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"


@pytest.mark.requirement("SMART.2")
async def test_backend_services_get_what_they_ask_for(laboratory: Laboratory) -> None:
    """Inferno backend_services_authorization_request_success_test, …_response_body_test."""
    said = ok(await laboratory.asks(laboratory.reader, "system/Location.rs system/Patient.read"))
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 300, "system/Location.rs system/Patient.read")


@pytest.mark.requirement("SMART.3")
@pytest.mark.parametrize(
    ("changes", "statuses"),
    [
        ({"client_assertion_type": "not_an_assertion_type"}, {400, 401}), ({"grant_type": "not_a_grant_type"}, {400}),
        ({"client_assertion": "not.a.jwt"}, {400, 401}), ({"scope": "system/*.cruds"}, {400}), ({"scope": "patient/*.rs"}, {400}),
        ({"scope": ""}, {400}), ({"scope": "system/Location.rs directory.read"}, {400}), ({"scope": "openid"}, {400}),
    ],
)  # fmt: skip
async def test_backend_services_are_refused_whatever_is_wrong(laboratory: Laboratory, changes: dict[str, Any], statuses: set[int]) -> None:
    """Inferno backend_services_invalid_client_assertion_test, …_invalid_grant_type_test, …_invalid_jwt_test; and wider scopes."""
    answer = await laboratory.asks(laboratory.reader, **({"scope": "system/Location.rs"} | changes))
    assert answer.status_code in statuses, answer.text


@pytest.mark.requirement("SMART.4")
async def test_a_token_opens_the_types_of_its_scopes_and_no_other_address(clinic: Clinic, laboratory: Laboratory) -> None:
    granted = await laboratory.token("system/Location.rs")
    ok(await use(clinic.system, granted, f"{FHIR}/Location/{clinic.site_id}"))
    ok(await use(clinic.system, granted, f"{FHIR}/Location?_id={clinic.site_id}"))
    for path in (
        "Practitioner",
        f"Practitioner/{clinic.practitioner_id}",
        "Organization",
        "Patient?family=A",
        "Nothing",
        "Slot?schedule=1",
    ):
        refused(await use(clinic.system, granted, f"{FHIR}/{path}"))
    refused(await use(clinic.system, granted, f"{FHIR}/Appointment", "POST", json={"resourceType": "Appointment"}))
    refused(await use(clinic.system, granted, f"{FHIR}/Appointment/$find", "POST", json={"resourceType": "Parameters"}))
    refused(await use(clinic.system, granted, f"{FHIR}/Location?organization.name=x"))
    for path in ("/api/v1/services", "/api/v1/access/me", "/staff", "/appointments"):
        answer = await use(clinic.system, granted, path)
        assert answer.status_code in (401, 303), path


async def test_a_token_in_a_pages_cookie_opens_no_page(clinic: Clinic, laboratory: Laboratory) -> None:
    granted = await laboratory.token("system/*.cruds")
    for cookie, path in (("carewright_session", "/appointments"), ("carewright_staff", "/staff")):
        address = clinic.system.address_of(path) + path
        answer = await clinic.system.client.get(address, headers={"Cookie": f"{cookie}={granted}"})
        assert (answer.status_code, "sign-in" in answer.headers.get("location", "")) == (303, True), path


@pytest.mark.requirement("SMART.4")
async def test_includes_and_chains_show_nothing_that_no_scope_shows(clinic: Clinic, laboratory: Laboratory) -> None:
    made, patient = await booked(clinic)
    alone, both = await laboratory.token("system/Appointment.rs"), await laboratory.token("system/Appointment.rs", "system/Patient.r")
    search = f"{FHIR}/Appointment?_id={made}&_include=Appointment:patient"
    kinds = [[each["resource"]["resourceType"] for each in ok(await use(clinic.system, one, search))["entry"]] for one in (alone, both)]
    assert kinds == [["Appointment"], ["Appointment", "Patient"]]
    refused(await use(clinic.system, alone, f"{FHIR}/Appointment?_id={made}&patient.family=x"))
    refused(await use(clinic.system, alone, f"{FHIR}/Patient/{patient}"))


async def test_to_create_is_not_to_see(clinic: Clinic, laboratory: Laboratory) -> None:
    known = {"family": "Wombat", "given": ["Willa"], "birth_on": "1990-04-01", "telecom": [{"system": "phone", "value": "+49301234567"}]}
    ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=known), 201)
    person = {
        "resourceType": "Patient", "name": [{"family": "Wombat", "given": ["Willa"]}], "birthDate": "1990-04-01",
        "telecom": [{"system": "phone", "value": "+49301234567"}],
    }  # fmt: skip
    creating, both = await laboratory.token("system/Patient.c"), await laboratory.token("system/Patient.cr")
    refused(await use(clinic.system, creating, f"{FHIR}/Patient", "POST", json=person))
    assert ok(await use(clinic.system, both, f"{FHIR}/Patient", "POST", json=person))["birthDate"] == "1990-04-01"
    refused(await use(clinic.system, creating, f"{FHIR}/Patient?family=Wombat", "PUT", json=person))


@pytest.mark.requirement("SMART.5")
async def test_a_constraint_is_asked_of_whatever_is_shown(clinic: Clinic, laboratory: Laboratory) -> None:
    """Inferno permission-v2: finer-grained resource constraints using search parameters."""
    made, _ = await booked(clinic)
    fitting, other = [await laboratory.token(f"system/Appointment.rs?status={status}") for status in ("booked", "cancelled")]
    seen, hidden = [
        [await use(clinic.system, one, f"{FHIR}/Appointment{path}") for path in (f"/{made}", f"?_id={made}")] for one in (fitting, other)
    ]
    assert [each.status_code for each in seen] == [200, 200]
    assert (hidden[0].status_code, ok(hidden[1])["total"]) == (404, 0)
    refused(await use(clinic.system, fitting, f"{FHIR}/Appointment/$find", "POST", json={"resourceType": "Parameters"}))


@pytest.mark.requirement("SMART.5")
async def test_a_history_shows_what_a_constraint_leaves_and_leads_on_past_the_rest(clinic: Clinic, laboratory: Laboratory) -> None:
    made, _ = await booked(clinic)
    ok(await clinic.step(made, "reschedule", {"time": clinic.picked((await clinic.free())[3])}))
    ok(await clinic.step(made, "cancel", {"reason": "pat-moved"}))
    token = await laboratory.token("system/Appointment.rs?status=cancelled")
    seen: list[str] = []
    path = f"{FHIR}/Appointment/{made}/_history?_count=1"
    for _ in range(3):
        page = ok(await use(clinic.system, token, path))
        seen += [each["resource"]["status"] for each in page.get("entry", ())]
        path = FHIR + next((each["url"] for each in page["link"] if each["relation"] == "next"), "").rpartition(FHIR)[2]
    assert (seen, path) == (["cancelled"], FHIR)


async def answers(clinic: Clinic, path: str, method: str) -> bool:
    """Whether something is served at an address, whatever it says."""
    said = await clinic.system.request(None, method, path)
    return said.status_code not in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED) or "We do not know this app" in said.text


@pytest.mark.requirement("SMART.1")
async def test_every_endpoint_that_is_named_answers_and_every_one_that_answers_is_named(clinic: Clinic) -> None:
    said = ok(await clinic.system.request(None, "GET", WELL_KNOWN))
    base = said["token_endpoint"].removesuffix("/oauth/token")
    named = {name: address.removeprefix(base) for name, address in said.items() if name.endswith("_endpoint")}
    pages = {"authorization_endpoint", "management_endpoint"}
    for name, path in named.items():
        assert await answers(clinic, path, "GET" if name in pages else "POST"), name
    served = {route.path for module in MODULES if module.name == "access" and module.pages for route in module.pages(None)}
    documents = {said["jwks_uri"].removeprefix(base), f"{said['issuer']}/.well-known/openid-configuration".removeprefix(base)}
    assert served == {path for name, path in named.items() if name not in pages} | documents
    security = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))["rest"][0]["security"]
    assert {each["valueUri"].removeprefix(base) for each in security["extension"][0]["extension"]} == set(named.values())


@pytest.mark.requirement("SMART.1")
async def test_the_capabilities_are_those_that_the_server_has(clinic: Clinic) -> None:
    """All that the standard knows (https://hl7.org/fhir/smart-app-launch/conformance.html, "Capability Sets"), each asked of the server."""
    said = ok(await clinic.system.request(None, "GET", WELL_KNOWN))
    methods, words = set(said["token_endpoint_auth_methods_supported"]), APP_WORDS
    told = AppToken.__struct_fields__
    has = {
        "launch-standalone": "launch/patient" in words and await answers(clinic, "/apps/authorize", "GET"),
        "authorize-post": await answers(clinic, "/apps/authorize", "POST"),
        "launch-ehr": "launch" in words and await answers(clinic, "/staff/apps/authorize", "GET"),
        "context-ehr-patient": "patient" in told, "context-ehr-encounter": "encounter" in told,
        "context-banner": "need_patient_banner" in told, "context-style": "smart_style_url" in told, "smart-app-state": False,
        "client-public": "none" in methods, "client-confidential-asymmetric": "private_key_jwt" in methods,
        "client-confidential-symmetric": bool({"client_secret_basic", "client_secret_post"} & methods),
        "sso-openid-connect": "openid" in words, "context-standalone-patient": "launch/patient" in words,
        "context-standalone-encounter": "launch/encounter" in words,
        "permission-offline": "offline_access" in words, "permission-online": "online_access" in words,
        "permission-patient": may_register("patient/Patient.rs"), "permission-user": may_register("user/Patient.rs"),
        "permission-v1": may_register("patient/Patient.read"), "permission-v2": may_register("patient/Patient.rs"),
    }  # fmt: skip
    assert sorted(said["capabilities"]) == sorted(name for name, holds in has.items() if holds)
