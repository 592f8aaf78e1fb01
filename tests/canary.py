"""A patient made of words that occur nowhere else, their life in the system, and the search for those words."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from tests.clinic import Clinic, Json, at, ok, register
from tests.plain_browser import Browser, browser, newest_text

WORDS = (
    "Quokkaline", "Zyxwella", "1903-07-19", "2025550176", "wombatish@canary.example", "CANARYMRN77120845", "urn:canary:dingoly",
    "numbatty-note", "bilbying-referral", "pademelon-override", "bettong-block",
    "potoroo-cancelled",
)  # fmt: skip
PATIENT: Json = {
    "family": "Quokkaline", "given": ["Zyxwella"], "birth_on": "1903-07-19",
    "telecom": [{"system": "phone", "value": "2025550176"}, {"system": "email", "value": "wombatish@canary.example"}],
    "identifiers": [{"system": "urn:canary:dingoly", "value": "CANARYMRN77120845"}],
}  # fmt: skip
CONSENT: Json = {"relationship": "child", "scope": "book"}


async def life_of_the_canary(clinic: Clinic) -> list[httpx.Response]:
    """What the canary is answered from registering to cancelling, refusals included."""
    system = clinic.system
    patients, found = "/api/v1/patients", "/api/v1/patients/find"

    async def ask(method: str, path: str, body: Any, role: str = "front-desk", **more: Any) -> httpx.Response:
        answer = await system.request(role, method, path, json=body, **more)
        heard.append(answer)
        return answer

    heard: list[httpx.Response] = []
    patient = ok(await ask("POST", patients, PATIENT, key="canary"), 201)["id"]
    ok(await ask("POST", patients, PATIENT, key="canary"), 201)
    assert (await ask("POST", patients, PATIENT)).status_code == 422, "another carries the identifier"
    assert (await ask("POST", patients, PATIENT | {"birth_on": "1850-01-01"})).status_code == 422
    assert (await ask("POST", patients, PATIENT | {"given": [["Zyxwella"]]})).status_code == 400
    assert (await ask("POST", patients, PATIENT | {"family": "Quokkaline" * 11})).status_code == 400
    assert (await ask("POST", found, PATIENT)).status_code == 400
    for query in ({"family": "quokka", "birth_on": "1903-07-19"}, {"family": "Kuokalin", "given": "Zyx", "sounds_like": True}):
        assert [each["id"] for each in ok(await ask("POST", found, query))["items"]] == [patient]
    free = await clinic.free()
    booked = {"patient_id": patient, "note": "numbatty-note", "based_on": "bilbying-referral"}
    appointment = ok(await ask("POST", "/api/v1/appointments", booked | {"time": clinic.picked(free[0])}, key="canary-2"), 201)
    assert appointment["based_on"] == "bilbying-referral"
    assert (await ask("POST", "/api/v1/appointments", booked | {"time": clinic.picked(free[0])})).status_code == 409
    override = booked | {"time": clinic.picked(free[2]), "override": {"reason": "pademelon-override"}}
    overridden = ok(await ask("POST", "/api/v1/appointments", override, role="scheduler"), 201)
    assert (await clinic.appointment(overridden["id"]))["override_reason"] == "pademelon-override"
    block = {"start": free[1], "end": at(free[1], minutes=30), "reason": "bettong-block"}
    assert (await ask("POST", f"/api/v1/schedules/{clinic.practitioner_id}/blocks", block, role="scheduler")).is_success
    cancelled = f"/api/v1/appointments/{overridden['id']}/cancel"
    ok(await ask("POST", cancelled, {"reason": "potoroo-cancelled"}, key="canary-3"))
    assert (await clinic.appointment(overridden["id"]))["cancelation_reason"] == "potoroo-cancelled"
    heard += await _signed_in_and_let_another(clinic, UUID(patient))
    return heard


async def _signed_in_and_let_another(clinic: Clinic, patient: UUID) -> list[httpx.Response]:
    """What the pages answer to the canary's sign-in and download, and the API to somebody who acts for them."""
    system, other = clinic.system, await register(clinic.system)
    async with browser(system) as client:
        me = Browser(client)
        await me.go("/sign-in")
        await me.send("/sign-in", contact=PATIENT["telecom"][0]["value"], month="7", day="19", year="1903")
        pages = [me.answer]
        await me.send(
            "/sign-in/code", code=re.findall(r"\d{8}", await newest_text(client, PATIENT["telecom"][0]["value"], "is your code"))[0]
        )
        assert me.path == "/", me.path
        session = client.cookies["carewright_session"]
        record = await client.get("/my-record/download")
        assert record.status_code == 200
    until_at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    own, others = bearing(session), bearing(await system.session(other))
    consents = "/api/v1/access/consents"
    given = ok(await system.request(None, "POST", consents, json=CONSENT | {"until_at": until_at}, headers=own))
    ok(await system.request(None, "POST", f"{consents}/accepted", json={"code": given["code"]}, headers=others))
    acting = {"consent_id": given["consent"]["id"]}
    proxy = bearing(ok(await system.request(None, "POST", "/api/v1/access/acting", json=acting, headers=others))["token"])
    read = await system.request(None, "GET", "/api/v1/appointments", headers=proxy)
    assert [each["patient_id"] for each in ok(read)["items"]][:1] == [str(patient)]
    refused = [await system.request(None, "POST", f"{consents}/accepted", json={"code": "Quokkaline"}, headers=others)]
    return [*pages, *refused]


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def found_in(text: str) -> Iterator[str]:
    """The canary's words in a text, however written."""
    small = text.lower()
    return (word for word in WORDS if word.lower() in small or word.encode().hex() in small)


def words_in_file(path: Path) -> Iterator[str]:
    """The canary's words in a file. A server's file that ended a moment ago has none."""
    try:
        content = path.read_bytes().lower()
    except FileNotFoundError:
        content = b""
    return (word for word in WORDS if word.lower().encode() in content)
