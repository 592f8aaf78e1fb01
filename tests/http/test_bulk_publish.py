"""SMART Scheduling Links against a running system. Each test names its source: Inferno's kit for them, or the specification."""

import asyncio
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import ZONE, Clinic, Json, ok, open_clinic, register
from tests.system import System

MANIFEST = "/fhir/R4/$bulk-publish"
EXTENSION = "http://fhir-registry.smarthealthit.org/StructureDefinition"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
PHONE = "+49 331 555010"
POST = {"lines": ["Hauptstraße 1"], "city": "Potsdam", "state": "BB", "postal_code": "14467", "country": "DE"}
FRESH_SECONDS_MAX = 60
PERSONAL = ("Testmann", "Petra", "Practitioner", "Beispiel", "Patient", "participant")


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    """A practice that shows its times, with everything a Location of a Slot Publisher has."""
    made = await open_clinic(one_process, published=True)
    site = {
        "id": made.site_id, "kind": "site", "name": "Test Clinic", "site_id": made.site_id, "time_zone": ZONE.key,
        "phone": PHONE, "address": "Hauptstraße 1, Potsdam", "postal": POST,
        "identifiers": [{"system": "https://cdc.gov/vaccines/programs/vtrcks", "value": f"CV{made.site_id}"}],
    }  # fmt: skip
    ok(await one_process.request("administrator", "PUT", "/api/v1/directory", json={"locations": [site]}))
    await shown(made, lambda one: PHONE in str(one["Location"]) and bool(own_slots(made, one)))
    return made


async def ask(clinic: Clinic, url: str, **headers: str) -> httpx.Response:
    """As nobody, and with these headers alone."""
    client = clinic.system.client
    request = client.build_request("GET", url if url.startswith("http") else clinic.system.address_of(url) + url)
    request.headers = httpx.Headers({"Host": request.headers["host"], **headers})
    return await client.send(request)


async def everything(clinic: Clinic) -> dict[str, list[Json]]:
    """Every published resource by its type."""
    found: dict[str, list[Json]] = {"Location": [], "Schedule": [], "Slot": []}
    for output in ok(await ask(clinic, MANIFEST))["output"]:
        found[output["type"]] += [msgspec.json.decode(line) for line in (await ask(clinic, output["url"])).content.splitlines()]
    return found


async def shown(clinic: Clinic, holds: Any) -> dict[str, list[Json]]:
    """What is published once it is as it is expected: it may be a moment old."""
    async with asyncio.timeout(FRESH_SECONDS_MAX):
        while not holds(found := await everything(clinic)):  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.2)
    return found


def own_slots(clinic: Clinic, found: dict[str, list[Json]]) -> dict[str, Json]:
    """The slots of the practice by their instants in UTC."""
    own = {f"Schedule/{each['id']}" for each in found["Schedule"] if each["actor"][0]["reference"] == f"Location/{clinic.site_id}"}
    return {utc(each["start"]): each for each in found["Slot"] if each["schedule"]["reference"] in own}


def utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(tz=None).isoformat()


def extensions(one: Json) -> dict[str, Any]:
    return {each["url"].rpartition("/")[2]: next(value for key, value in each.items() if key != "url") for each in one.get("extension", [])}


@pytest.mark.requirement("SSL.1")
async def test_the_manifest_is_at_a_url_that_ends_as_it_must_and_says_so(clinic: Clinic) -> None:
    """Inferno manifest_url_form."""
    manifest = ok(await ask(clinic, MANIFEST))
    assert manifest["request"].endswith("$bulk-publish")
    assert ok(await ask(clinic, manifest["request"])) == manifest


@pytest.mark.requirement("SSL.2")
@pytest.mark.parametrize("accept", ["", "application/json", "*/*", "text/html", "application/fhir+json"])
async def test_the_manifest_is_the_same_json_whatever_is_accepted(clinic: Clinic, accept: str) -> None:
    """Inferno manifest_download; specification, Accept headers: none and application/json SHALL give the same."""
    answer = await ask(clinic, MANIFEST, **({"Accept": accept} if accept else {}))
    assert answer.headers["content-type"] == "application/json"
    assert ok(answer)["output"]


@pytest.mark.requirement("SSL.3")
async def test_the_manifest_says_how_long_to_wait(clinic: Clinic) -> None:
    """Inferno manifest_cache_control_header."""
    assert re.search(r"max-age=\d+", (await ask(clinic, MANIFEST)).headers["cache-control"])


@pytest.mark.requirement("SSL.4")
async def test_the_manifest_has_its_structure_and_states(clinic: Clinic) -> None:
    """Inferno manifest_structure, manifest_state_extensions."""
    manifest = ok(await ask(clinic, MANIFEST))
    assert INSTANT.fullmatch(manifest["transactionTime"])
    assert {each["type"] for each in manifest["output"]} == {"Location", "Schedule", "Slot"}
    assert all(each["url"].startswith("http") and "BB" in each["extension"]["state"] for each in manifest["output"])
    assert manifest["error"] == []


@pytest.mark.requirement("SSL.5")
async def test_files_are_ndjson_with_and_without_accept(clinic: Clinic) -> None:
    """Specification, Accept headers: none and application/fhir+ndjson SHALL give the same."""
    for output in ok(await ask(clinic, MANIFEST))["output"]:
        plain, named = await ask(clinic, output["url"]), await ask(clinic, output["url"], Accept="application/fhir+ndjson")
        assert plain.headers["content-type"] == named.headers["content-type"] == "application/fhir+ndjson"
        assert plain.content.endswith(b"\n")


@pytest.mark.requirement("SSL.6")
async def test_locations_are_whole(clinic: Clinic) -> None:
    """Inferno location_resources: name, telecom, address with line, city, state, postalCode, an identifier of the VTrckS system."""
    locations = (await everything(clinic))["Location"]
    for one in locations:
        assert one["name"], one
        assert {each["system"] for each in one["telecom"]} == {"phone", "url"}, one
        assert {"line", "city", "state", "postalCode"} <= one["address"].keys(), one
        assert one["identifier"], one
    own = next(one for one in locations if one["id"] == clinic.site_id)
    assert any(each["system"] == "https://cdc.gov/vaccines/programs/vtrcks" for each in own["identifier"])


@pytest.mark.requirement("SSL.7")
async def test_schedules_belong_to_published_locations_and_say_what_is_offered(clinic: Clinic) -> None:
    """Inferno schedule_resources: one actor, a Location of the file; a service type."""
    found = await everything(clinic)
    places = {f"Location/{one['id']}" for one in found["Location"]}
    for one in found["Schedule"]:
        assert [each["reference"] in places for each in one["actor"]] == [True]
        assert one["serviceType"]
    assert {clinic.visit_type_id} <= {one["serviceType"][0]["coding"][0]["code"] for one in found["Schedule"]}


@pytest.mark.requirement("SSL.8")
async def test_slots_are_free_or_busy_and_say_when_and_how_to_book(clinic: Clinic) -> None:
    """Inferno slot_resources, vaccine-slot-1 and -2: free | busy, true offsets, link and phone."""
    found = await everything(clinic)
    schedules = {f"Schedule/{one['id']}" for one in found["Schedule"]}
    assert Counter(one["id"] for one in found["Slot"]).most_common(1)[0][1] == 1
    for one in found["Slot"]:
        assert one["status"] in ("free", "busy")
        assert one["schedule"]["reference"] in schedules
        assert INSTANT.fullmatch(one["start"])
        assert INSTANT.fullmatch(one["end"])
    own = own_slots(clinic, found).values()
    for one in own:
        start = datetime.fromisoformat(one["start"])
        assert start.utcoffset() == start.astimezone(ZONE).utcoffset()
        assert datetime.fromisoformat(one["end"]) - start == timedelta(minutes=30)
    first = extensions(next(one for one in own if one["status"] == "free"))
    assert (first["slot-capacity"], first["booking-phone"]) == (1, PHONE)
    assert f"/visits/{clinic.visit_type_id}/times?site={clinic.site_id}&day=" in first["booking-deep-link"]


@pytest.mark.requirement("SSL.9")
async def test_a_deep_link_leads_to_the_portal_with_whatever_the_client_adds(clinic: Clinic) -> None:
    """Specification, deep links: `source` and `booking-referral` may be appended."""
    slot = next(one for one in own_slots(clinic, await everything(clinic)).values() if one["status"] == "free")
    answer = await ask(clinic, extensions(slot)["booking-deep-link"] + "&source=abc&booking-referral=1", Accept="text/html")
    assert answer.status_code == 303
    assert "/sign-in" in answer.headers["location"]


async def test_every_published_resource_has_the_form_of_r4(clinic: Clinic) -> None:
    for many in (await everything(clinic)).values():
        for one in many[:200]:
            assert [(each.expression, each.text) for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []


@pytest.mark.requirement("SSL.10")
async def test_a_free_slot_can_be_booked_by_its_id_and_is_busy_then(clinic: Clinic) -> None:
    """Specification: a Slot that is free SHOULD be available for booking, given current business rules. Also G: reusing it fails."""
    patient = await register(clinic.system)
    start, slot = next((at, one) for at, one in own_slots(clinic, await everything(clinic)).items() if one["status"] == "free")
    given = [
        {"name": "appointment-reference", "valueReference": {"reference": f"Appointment/{slot['id']}"}},
        {"name": "patient-reference", "valueReference": {"reference": f"Patient/{patient}"}},
    ]
    body = {"resourceType": "Parameters", "parameter": given}
    booked = ok(await clinic.system.request("front-desk", "POST", "/fhir/R4/Appointment/$book", json=body))
    assert utc(booked["entry"][0]["resource"]["start"]) == start
    after = await shown(clinic, lambda found: own_slots(clinic, found)[start]["status"] == "busy")
    assert extensions(own_slots(clinic, after)[start]) == {}


async def test_what_no_hospital_marked_is_not_shown_and_nobody_is_named(clinic: Clinic) -> None:
    """Rule of the house: published services alone, no person data."""
    private = await open_clinic(clinic.system)
    found = await everything(clinic)
    assert private.site_id not in str(found["Location"])
    assert private.visit_type_id not in str(found["Schedule"])
    text = str([found["Location"], found["Schedule"], list(own_slots(clinic, found).values())])
    assert [word for word in PERSONAL if word in text] == []


@pytest.mark.requirement("SSL.11")
async def test_who_has_it_already_is_told_so(clinic: Clinic) -> None:
    """Specification, performance: If-None-Match and If-Modified-Since."""
    url = next(each["url"] for each in ok(await ask(clinic, MANIFEST))["output"] if each["type"] == "Location")
    first = await ask(clinic, url)
    for condition in (
        {"If-None-Match": first.headers["etag"]}, {"If-None-Match": f'"x", W/{first.headers["etag"]}'},
        {"If-Modified-Since": first.headers["last-modified"]},
    ):  # fmt: skip
        again = await ask(clinic, url, **condition)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert "max-age" in again.headers["cache-control"]
    for condition in ({"If-None-Match": '"other"'}, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"If-Modified-Since": "soon"}):
        assert (await ask(clinic, url, **condition)).status_code == 200


@pytest.mark.requirement("SSL.12")
async def test_since_names_what_changed_and_nothing_else(clinic: Clinic) -> None:
    """Specification, performance: `?_since={}` with a timestamp."""
    long_ago = ok(await ask(clinic, f"{MANIFEST}?_since=2020-01-01T00:00:00Z"))
    assert long_ago["output"] == ok(await ask(clinic, MANIFEST))["output"]
    assert ok(await ask(clinic, f"{MANIFEST}?_since=2100-01-01T00:00:00%2B01:00"))["output"] == []
    assert ok(await ask(clinic, f"{MANIFEST}?_since=2100-01-01T00:00:00+01:00"))["output"] == []
    for wrong in ("yesterday", "2026-01-01", "2026-01-01T00:00:00"):
        refused = await ask(clinic, f"{MANIFEST}?_since={wrong}")
        assert (refused.status_code, refused.json()["resourceType"]) == (400, "OperationOutcome")


async def test_a_file_that_is_not_there_is_unknown(clinic: Clinic) -> None:
    for name in ("Patient.ndjson", "Slot-1999-W01.ndjson", "..%2f..%2fetc%2fpasswd"):
        assert (await ask(clinic, f"/fhir/R4/published/{name}")).status_code == 404
