"""An app is launched by a patient at a running system: what it is let in to, and everything that lets it in to nothing.

Sources: SMART App Launch 2.2 (https://hl7.org/fhir/smart-app-launch/app-launch.html); Inferno SMART App Launch test kit
(`lib/smart_app_launch`), whose tests are named; RFC 6749, RFC 7636, RFC 9700.
"""

import io
import json
import zipfile
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from carewright.portal.http.guard import SESSION
from tests.app import REDIRECT, STATE, App, keys, opened, refused, registered_app, tokens, told, until_shut_out
from tests.clinic import Clinic, ok, register
from tests.other_system import proof, registered
from tests.system import System

RUN_OUT = (
    "UPDATE access.app_grant SET code_until = now() - interval '1 second', granted_at = now() - interval '1 minute' WHERE patient_id = $1"
)
REFUSALS = "SELECT count(*) FROM kernel.audit_entry WHERE body::jsonb @> $1::jsonb"
DEEDS = "SELECT body::jsonb ->> 'event' FROM kernel.audit_entry WHERE patient_id = $1 ORDER BY xid, position"


# The authorization endpoint


@pytest.mark.requirement("SMART.6", "SMART.8")
async def test_a_patient_lets_an_app_in_and_it_reads_their_record_alone(clinic: Clinic, app: App) -> None:
    """Inferno app_redirect_test, code_received_test, token_exchange_stu2_test, token_response_body_test, patient_context_test."""
    other = await register(clinic.system)
    answer = await app.launch()
    assert answer["state"] == STATE
    response = await app.redeem(answer["code"])
    granted = ok(response)
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 1800)
    assert granted["scope"].split() == ["launch/patient", "patient/Patient.rs", "patient/Appointment.rs", "offline_access"]
    patient = UUID(granted["patient"])
    ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    assert ok(await app.read(f"Patient/{patient}", granted["access_token"]))["id"] == str(patient)
    found = ok(await app.read(f"Appointment?patient=Patient/{patient}", granted["access_token"]))
    assert found["total"] == 1
    assert (await app.read(f"Patient/{other}", granted["access_token"])).status_code in (403, 404)
    assert ok(await app.read(f"Appointment?patient=Patient/{other}", granted["access_token"]))["total"] == 0
    assert (await app.read("Location", granted["access_token"])).status_code == httpx.codes.FORBIDDEN


async def test_an_apps_token_opens_neither_our_own_api_nor_a_page(app: App) -> None:
    token = (await tokens(app))["access_token"]
    async with httpx.AsyncClient(base_url=app.base, trust_env=False) as client:
        for path in ("/api/v1/appointments", "/api/v1/access/me"):
            assert (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code == 401
        page = await client.get("/appointments", headers={"Cookie": f"{SESSION}={token}"})
        assert "/sign-in" in page.headers["location"]


async def test_the_endpoint_takes_a_form_from_another_site_and_brings_the_person_back_after_signing_in(
    one_process: System, client_id: str
) -> None:
    """Inferno authorize-post; the browser comes without a session."""
    stranger = await opened(one_process, client_id, None)
    assert (await stranger.authorize("POST")).headers["location"] == "/apps/consent"
    await stranger.browser.go("/apps/consent")
    assert stranger.browser.path == "/sign-in"
    assert stranger.browser.forms.found["/sign-in"].fields["next"] == "/apps/consent"
    stranger.browser.client.cookies.set(SESSION, await one_process.session(await register(one_process)), domain="localhost.local")
    assert ok(await stranger.redeem((await stranger.consent())["code"]))["patient"]
    await stranger.browser.client.aclose()


BAD_ASKS: dict[str, tuple[dict[str, str | None], str]] = {
    "no state": ({"state": None}, "invalid_request"),
    "another audience": ({"aud": "https://elsewhere.example.org/fhir/R4"}, "invalid_request"),
    "no audience": ({"aud": None}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method": ({"code_challenge_method": None}, "invalid_request"),
    "a short challenge": ({"code_challenge": "x"}, "invalid_request"),
    "a token at once": ({"response_type": "token"}, "unsupported_response_type"),
    "nothing": ({"scope": None}, "invalid_scope"),
    "what is no app's": ({"scope": "system/*.rs user/*.rs openid directory.read"}, "invalid_scope"),
    "what opens nothing": ({"scope": "launch/patient offline_access patient/AuditEvent.rs"}, "invalid_scope"),
}


@pytest.mark.requirement("SMART.9")
@pytest.mark.parametrize("bad", BAD_ASKS)
async def test_what_an_app_asks_wrongly_is_told_to_the_app(app: App, bad: str) -> None:
    changes, error = BAD_ASKS[bad]
    answer = told(await app.authorize(**changes))
    assert answer == {"error": error} | ({} if "state" in changes else {"state": STATE})


@pytest.mark.requirement("SMART.9")
@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"{REDIRECT}/"}, {"redirect_uri": f"{REDIRECT}?x=1"}, {"redirect_uri": "https://evil.example.org/back"},
        {"redirect_uri": None}, {"client_id": "00000000-0000-7000-8000-000000000000"}, {"client_id": "x"}, {"client_id": None},
    ],
    ids=str,
)  # fmt: skip
async def test_nobody_is_sent_to_an_address_that_is_not_registered(app: App, changes: dict[str, str | None]) -> None:
    """RFC 6749, section 4.1.2.1; RFC 9700, section 2.1: compared as exact text."""
    answer = await app.authorize(**changes)
    assert (answer.status_code, "location" in answer.headers) == (404, False)
    assert "We do not know this app" in answer.text


async def test_another_systems_client_is_no_app(one_process: System, app: App) -> None:
    lab = await registered(one_process, one_process.data.parent, "system/*.rs")
    assert (await app.authorize(client_id=lab)).status_code == 404


async def test_a_patient_says_no_and_the_app_is_told(app: App) -> None:
    assert await app.launch(answer="refuse") == {"error": "access_denied", "state": STATE}
    await app.browser.go("/apps/consent")
    assert app.browser.path == "/devices", "nothing is left to answer"


@pytest.mark.requirement("SMART.10")
async def test_what_is_not_ticked_is_not_granted(app: App) -> None:
    """Inferno permission: the user may grant fewer scopes than were asked for."""
    granted = ok(await app.redeem((await app.launch(ticks=("scope-2",)))["code"]))
    assert granted["scope"] == "launch/patient patient/Appointment.rs"
    assert "refresh_token" not in granted
    assert (await app.read(f"Patient/{granted['patient']}", granted["access_token"])).status_code == httpx.codes.FORBIDDEN


async def test_an_answer_for_one_app_does_not_let_another_in(app: App) -> None:
    await app.authorize()
    await app.browser.go("/apps/consent")
    fields = app.browser.forms.found["/apps/consent"].fields
    await app.authorize(state="another")
    sent = await app.browser.client.post(
        "/apps/consent", data=fields | {"answer": "allow"}, headers={"Origin": app.base}, follow_redirects=False
    )
    assert sent.headers["location"] == "/devices"
    foreign = await app.browser.client.post(
        "/apps/consent", data=fields | {"answer": "allow"}, headers={"Origin": "https://evil.example.org"}
    )
    assert foreign.status_code == httpx.codes.FORBIDDEN


# The token endpoint

BAD_CODES: dict[str, tuple[dict[str, str | None], str, int]] = {
    "another verifier": ({"code_verifier": "v" * 64}, "invalid_grant", 400),
    "no verifier": ({"code_verifier": None}, "invalid_grant", 400),
    "a verifier that is too long": ({"code_verifier": "v" * 129}, "invalid_grant", 400),
    "another redirect": ({"redirect_uri": "https://app.example.org/other"}, "invalid_grant", 400),
    "no redirect": ({"redirect_uri": None}, "invalid_grant", 400),
    "another code": ({"code": "cwc_" + "0" * 32}, "invalid_grant", 400),
    "no client": ({"client_id": None}, "invalid_client", 401),
    "a client that is none": ({"client_id": "BAD_CLIENT_ID"}, "invalid_client", 401),
    "a password": ({"client_secret": "s"}, "invalid_request", 400),
    "another grant": ({"grant_type": "password"}, "unsupported_grant_type", 400),
}


@pytest.mark.requirement("SMART.11")
@pytest.mark.parametrize("bad", BAD_CODES)
async def test_a_code_opens_nothing_to_whoever_cannot_prove_that_it_is_theirs(app: App, bad: str) -> None:
    """Inferno token_exchange_test; pkce tests; RFC 7636, section 4.6."""
    changes, error, status = BAD_CODES[bad]
    code = (await app.launch())["code"]
    refused(await app.redeem(code, **changes), error, status)
    ok(await app.redeem(code))


@pytest.mark.requirement("SMART.11")
async def test_a_code_is_of_no_use_to_another_app_nor_too_late(
    app: App, one_process: System, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    code, other = (await app.launch())["code"], await registered_app(one_process)
    refused(await app.redeem(code, client_id=other), "invalid_grant")
    patient = UUID(ok(await app.redeem(code))["patient"])
    late = (await app.launch())["code"]
    await database.execute(RUN_OUT, patient)
    refused(await app.redeem(late), "invalid_grant")


@pytest.mark.requirement("SMART.11")
async def test_a_code_that_comes_again_ends_what_came_of_it(app: App, database: "asyncpg.Connection[asyncpg.Record]") -> None:
    """RFC 6749, section 4.1.2; RFC 9700, section 4.14."""
    code = (await app.launch())["code"]
    granted = ok(await app.redeem(code))
    refused(await app.redeem(code), "invalid_grant")
    await until_shut_out(app, granted["access_token"], f"Patient/{granted['patient']}")
    refused(await app.refresh(granted["refresh_token"]), "invalid_grant")
    deeds = [row[0] for row in await database.fetch(DEEDS, UUID(granted["patient"]))]
    assert [each for each in deeds if each.startswith("access.app")] == ["access.app.let_in", "access.app.turn_off"]


@pytest.mark.requirement("SMART.12")
async def test_a_refresh_token_is_exchanged_and_its_theft_is_noticed(app: App) -> None:
    """Inferno token_refresh_stu2_test, token_refresh_body_test; RFC 9700, section 4.14.2: rotation."""
    first = await tokens(app)
    second = ok(await app.refresh(first["refresh_token"], scope="patient/Patient.rs"))
    assert (second["scope"], second["patient"]) == ("patient/Patient.rs", first["patient"])
    assert second["refresh_token"] != first["refresh_token"]
    third = ok(await app.refresh(second["refresh_token"]))
    assert third["scope"] == first["scope"]
    refused(await app.refresh(first["refresh_token"]), "invalid_grant")
    refused(await app.refresh(third["refresh_token"]), "invalid_grant")
    await until_shut_out(app, third["access_token"], f"Patient/{first['patient']}")


@pytest.mark.requirement("SMART.12")
async def test_a_refresh_token_opens_no_more_than_was_let_in_and_to_nobody_else(app: App, one_process: System) -> None:
    granted = await tokens(app)
    refused(await app.refresh(granted["refresh_token"], scope="patient/Location.rs"), "invalid_scope")
    refused(await app.refresh(granted["refresh_token"], client_id=await registered_app(one_process)), "invalid_grant")
    refused(await app.refresh("cwr_" + "0" * 32), "invalid_grant")
    ok(await app.refresh(granted["refresh_token"]))


@pytest.mark.requirement("SMART.12")
async def test_online_access_lasts_as_long_as_the_person_is_signed_in(app: App) -> None:
    granted = await tokens(app, scope="patient/Patient.rs online_access")
    again = ok(await app.refresh(granted["refresh_token"]))
    await app.browser.go("/devices")
    await app.browser.send("/sign-out")
    refused(await app.refresh(again["refresh_token"]), "invalid_grant")


@pytest.mark.requirement("SMART.13")
async def test_an_app_is_seen_and_turned_off_by_whoever_let_it_in(app: App) -> None:
    granted = await tokens(app)
    await app.browser.go("/devices")
    assert "Health Diary" in app.browser.text
    action = next(each for each in app.browser.forms.found if each.startswith("/apps/"))
    await app.browser.send(action)
    assert "That app is turned off" in app.browser.text
    await until_shut_out(app, granted["access_token"], f"Patient/{granted['patient']}")
    refused(await app.refresh(granted["refresh_token"]), "invalid_grant")


async def test_what_apps_may_is_in_the_record_that_a_patient_takes_along(app: App, one_process: System) -> None:
    """As R4's Consent: which app, what, since and until when; ended ones too."""
    first = await tokens(app)
    await app.browser.go("/devices")
    await app.browser.send(next(each for each in app.browser.forms.found if each.startswith("/apps/")))
    await tokens(app, scope="patient/Patient.rs")
    stranger = await opened(one_process, app.client_id, await register(one_process))
    await tokens(stranger)
    answer = await app.browser.client.get("/my-record/download")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    found = [one for line in archive.read("record.ndjson").splitlines() if (one := json.loads(line))["resourceType"] == "Consent"]
    assert [(one["status"], [each["text"] for each in one["provision"]["code"]]) for one in found] == [
        ("inactive", first["scope"].split()), ("active", ["patient/Patient.rs"]),
    ]  # fmt: skip
    patient = {"reference": f"Patient/{first['patient']}"}
    for one in found:
        assert (one["patient"], one["performer"]) == (patient, [patient])
        assert one["provision"]["actor"][0]["reference"] == {"display": "Health Diary"}
        assert one["provision"]["period"]["start"] < one["provision"]["period"]["end"]
        assert not issues_of(r4_definitions(), one)
    assert "what apps may do with the record" in archive.read("index.html").decode()
    await stranger.browser.client.aclose()


async def test_nobody_turns_off_what_somebody_else_let_in(app: App, one_process: System) -> None:
    granted = await tokens(app)
    await app.browser.go("/devices")
    action = next(each for each in app.browser.forms.found if each.startswith("/apps/"))
    stranger = await opened(one_process, app.client_id, await register(one_process))
    await stranger.browser.go("/devices")
    form = stranger.browser.forms.found["/sign-out"].fields
    await stranger.browser.client.post(action, data=form, headers={"Origin": app.base})
    ok(await app.refresh(granted["refresh_token"]))
    await stranger.browser.client.aclose()


@pytest.mark.requirement("SMART.14")
async def test_an_app_with_a_key_proves_itself_by_it(one_process: System, tmp_path: Path) -> None:
    """Inferno client-confidential-asymmetric: token exchange with `private_key_jwt`."""
    app = await opened(one_process, await registered_app(one_process, *keys(tmp_path)), await register(one_process))
    code = (await app.launch())["code"]
    refused(await app.redeem(code), "invalid_client", 401)
    first = proof(one_process, app.client_id, str(uuid4()))
    ok(await app.redeem(code, client_id=None, **first))
    refused(await app.redeem((await app.launch())["code"], **first), "invalid_client", 401)
    alone = {"grant_type": "client_credentials", "scope": "patient/*.rs"} | proof(one_process, app.client_id, str(uuid4()))
    refused(await app.token(**alone), "invalid_client", 401)
    await app.browser.client.aclose()


async def test_a_proxy_lets_an_app_in_to_the_record_of_whom_they_act_for(clinic: Clinic, app: App) -> None:
    """Who may only see lets an app only read, and the app is out once the consent is withdrawn."""
    system = clinic.system
    mother = await opened(system, app.client_id, mother_id := await register(system, "Fairfax"))
    await mother.browser.go("/proxies")
    await mother.browser.send("/proxies/give", relationship="child", scope="see", days="30")
    code = mother.browser.text.partition("<strong>")[2].partition("</strong>")[0]
    await app.browser.go("/proxies")
    await app.browser.send("/proxies/accept", code=code)
    consent = next(each for each in app.browser.forms.found if each.endswith("/act")).split("/")[2]
    granted = ok(
        await app.redeem((await app.launch(whose=consent, scope="patient/Patient.rs patient/Appointment.cu offline_access"))["code"])
    )
    assert (granted["patient"], granted["scope"]) == (str(mother_id), "patient/Patient.rs offline_access")
    ok(await app.read(f"Patient/{mother_id}", granted["access_token"]))
    await mother.browser.go("/devices")
    assert "Health Diary" in mother.browser.text
    await mother.browser.go("/proxies")
    await mother.browser.send(next(each for each in mother.browser.forms.found if each.endswith("/withdraw")))
    await until_shut_out(app, granted["access_token"], f"Patient/{mother_id}")
    refused(await app.refresh(granted["refresh_token"]), "invalid_grant")
    await mother.browser.client.aclose()
