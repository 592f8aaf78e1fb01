"""Apps are told who signed in, at a running system, and can check it.

Sources: OpenID Connect Core 1.0, sections 2 and 3.1.3.7; Discovery 1.0, section 3; SMART App Launch 2.2, "Scopes for requesting identity
data"; Inferno SMART App Launch test kit (`lib/smart_app_launch`, openid_connect_group), whose tests are named.
"""

from typing import Any
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet, RSAKey

from tests.app import App, opened
from tests.clinic import Clinic, ok, register
from tests.http.test_smart_ehr_launch import Started, registered_app, started_by
from tests.system import System

SCOPE = "openid fhirUser patient/Patient.rs"


async def configuration(app: App) -> Any:
    """What an app finds from the FHIR address on: Inferno openid_retrieve_configuration_test asks below the issuer."""
    found = ok(await app.browser.client.get("/fhir/R4/.well-known/smart-configuration"))
    answer = await app.browser.client.get(
        f"{found['issuer']}/.well-known/openid-configuration", headers={"Origin": "https://any.example.org"}
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    said = ok(answer)
    assert (said["issuer"], said["jwks_uri"]) == (found["issuer"], found["jwks_uri"])
    return said


async def checked(app: App, token: str) -> dict[str, Any]:
    """The claims, believed as an app believes them: by the published keys and nothing else. Inferno openid_token_header_test."""
    said = await configuration(app)
    keys = KeySet.import_key_set(ok(await app.browser.client.get(said["jwks_uri"])))
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    assert decoded.header["alg"] == "RS256"
    assert decoded.header["kid"] in [key.kid for key in keys.keys]
    return dict(decoded.claims)


@pytest.fixture(scope="module")
async def client_id(one_process: System) -> str:
    """An app that asks who signed in, let in by patients, and started by the staff."""
    return await registered_app(one_process, "launch", "openid", "fhirUser", "offline_access", "patient/*.rs", "user/*.rs")


@pytest.mark.requirement("SMART.15")
async def test_the_provider_is_described_as_discovery_asks(app: App) -> None:
    """Inferno openid_required_configuration_fields_test, openid_retrieve_jwks_test."""
    said = await configuration(app)
    required = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported", "subject_types_supported"}
    assert required <= set(said)
    assert said["id_token_signing_alg_values_supported"] == ["RS256"]
    assert said["issuer"].startswith(f"{app.base}/")
    ok(await app.redeem((await app.launch(scope=SCOPE))["code"]))
    for key in ok(await app.browser.client.get("/oauth/keys"))["keys"]:
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key), "the private part stays here"


@pytest.mark.requirement("SMART.15")
async def test_an_app_is_told_which_patient_signed_in(app: App) -> None:
    """Inferno openid_token_payload_test, openid_fhir_user_claim_test."""
    granted = ok(await app.redeem((await app.launch(scope=f"{SCOPE} offline_access", nonce="of-this-browser"))["code"]))
    assert granted["scope"].split() == ["openid", "fhirUser", "patient/Patient.rs", "offline_access"]
    claims = await checked(app, granted["id_token"])
    assert (claims["aud"], claims["nonce"]) == (app.client_id, "of-this-browser")
    assert 0 < len(claims["sub"]) < 256
    assert claims["iat"] < claims["exp"] <= claims["iat"] + 1800
    assert claims["auth_time"] <= claims["iat"]
    assert claims["fhirUser"] == f"{app.fhir}/Patient/{granted['patient']}"
    assert ok(await app.read(claims["fhirUser"].removeprefix(f"{app.fhir}/"), granted["access_token"]))["id"] == granted["patient"]
    again = ok(await app.refresh(granted["refresh_token"]))
    assert "id_token" not in again, "it is about the signing in, which was then"


@pytest.mark.requirement("SMART.15")
async def test_an_app_is_told_no_more_than_it_asked_for(app: App) -> None:
    plain = ok(await app.redeem((await app.launch(scope="patient/Patient.rs"))["code"]))
    assert "id_token" not in plain
    claims = await checked(app, ok(await app.redeem((await app.launch(scope="openid patient/Patient.rs"))["code"]))["id_token"])
    assert not {"fhirUser", "nonce", "name"} & set(claims)


async def test_a_token_that_another_key_signed_is_not_ours(app: App) -> None:
    granted = ok(await app.redeem((await app.launch(scope=SCOPE))["code"]))
    claims = await checked(app, granted["id_token"])
    kid = ok(await app.browser.client.get("/oauth/keys"))["keys"][0]["kid"]
    forged = jwt.encode({"alg": "RS256", "kid": kid}, claims, RSAKey.generate_key(2048))
    with pytest.raises(BadSignatureError):
        await checked(app, forged)


async def test_a_proxy_is_told_of_as_the_related_person_they_are(clinic: Clinic, app: App) -> None:
    """SMART App Launch 2.2: `fhirUser` is who acts, which is not whose record it is."""
    mother = await opened(clinic.system, app.client_id, mother_id := await register(clinic.system, "Fairfax"))
    await mother.browser.go("/proxies")
    await mother.browser.send("/proxies/give", relationship="child", scope="see", days="30")
    code = mother.browser.text.partition("<strong>")[2].partition("</strong>")[0]
    await app.browser.go("/proxies")
    await app.browser.send("/proxies/accept", code=code)
    consent = next(each for each in app.browser.forms.found if each.endswith("/act")).split("/")[2]
    granted = ok(await app.redeem((await app.launch(whose=consent, scope=SCOPE))["code"]))
    claims = await checked(app, granted["id_token"])
    assert (granted["patient"], claims["fhirUser"]) == (str(mother_id), f"{app.fhir}/RelatedPerson/{consent}")
    await mother.browser.client.aclose()


@pytest.mark.requirement("SMART.15")
async def test_a_started_app_is_told_who_of_the_staff_started_it(clinic: Clinic, one_process: System, client_id: str) -> None:
    """Whom the directory knows is told as a Practitioner; the made-up staff are nobody's entry, so that `fhirUser` is not granted."""
    nurse: Started = await started_by(one_process, client_id, "nurse")
    patient: UUID = await register(clinic.system)
    granted = await nurse.tokens(patient, scope="launch openid fhirUser patient/*.rs", nonce="n-1")
    assert granted["scope"] == "launch openid patient/*.rs"
    claims = await checked(nurse.app, granted["id_token"])
    assert (claims["sub"].partition("/")[0], claims["nonce"], "fhirUser" in claims) == ("staff", "n-1", False)
    me = await nurse.app.browser.client.get("/api/v1/access/me", headers={"Authorization": f"Bearer {granted['id_token']}"})
    assert me.status_code == httpx.codes.UNAUTHORIZED, "it opens nothing"
    await nurse.app.browser.client.aclose()
