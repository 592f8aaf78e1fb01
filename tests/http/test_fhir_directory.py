"""Entries of the directory through FHIR: created, changed and patched by other systems, by the rules that our own API has."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import SPECIALTY, Clinic, Json, ok, until_known
from tests.fhir_asking import FHIR, outcome
from tests.http.test_fhir_bundles import entry, told
from tests.http.test_fhir_bundles import send as post_bundle
from tests.http.test_fhir_writes import named
from tests.other_system import ask, registered, use

SYSTEM = "urn:test:staff-numbers"
PHYSICAL = "http://terminology.hl7.org/CodeSystem/location-physical-type"
TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
KINDS = ("Organization", "Location", "Practitioner", "PractitionerRole", "Device", "HealthcareService")
SKILL = {"system": "urn:test:skills", "code": "sonography", "display": "Sonography"}
NURSES = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0360", "code": "RN"}]}


def concept(one: Json) -> Json:
    return {"coding": [one], "text": one["display"]}


def number() -> list[Json]:
    return [{"system": SYSTEM, "value": uuid4().hex}]


def place(kind: str, **more: Any) -> Json:
    return {"physicalType": {"coding": [{"system": PHYSICAL, "code": kind}]}} | more


def zone(name: str) -> list[Json]:
    return [{"url": TIME_ZONE, "valueCode": name}]


def entry_of(kind: str, clinic: Clinic, **changes: Any) -> Json:
    """One of a type, of which every element is kept."""
    site = {"reference": f"Location/{clinic.site_id}"}
    written: dict[str, Json] = {
        "Organization": {"identifier": number(), "active": True, "name": "Department of Wombats"},
        "Location": place("ro") | {
            "identifier": number(), "status": "active", "name": "Room 12", "mode": "instance", "partOf": site,
            "type": [concept({"system": "urn:test:rooms", "code": "exam", "display": "Examination"})],
            "telecom": [{"system": "phone", "value": "+49 30 1234"}],
            "address": {"text": "Burrow 5, Berlin", "line": ["Burrow 5"], "city": "Berlin", "district": "Mitte", "postalCode": "10115"},
        },
        "Practitioner": {
            "identifier": number(), "active": True, "name": [{"family": "Numbat", "given": ["Nora", "N."], "prefix": ["Dr."]}],
            "gender": "female", "communication": [{"coding": [{"system": "urn:ietf:bcp:47", "code": "de"}]}],
        },
        "PractitionerRole": {
            "identifier": number(), "active": True, "practitioner": {"reference": f"Practitioner/{clinic.practitioner_id}"},
            "code": [concept({"system": "urn:test:jobs", "code": "lead", "display": "Lead"})], "specialty": [concept(SPECIALTY)],
            "location": [site],
        },
        "Device": {
            "identifier": number(), "status": "active", "deviceName": [{"name": "Sonograph 2", "type": "user-friendly-name"}],
            "type": concept({"system": "urn:test:devices", "code": "us", "display": "Ultrasound"}), "location": site,
        },
        "HealthcareService": {
            "active": True, "name": f"Numbat care {uuid4().hex[:6]}", "specialty": [concept(SPECIALTY)], "location": [site],
            "comment": "By appointment,\nfor numbats.", "appointmentRequired": True,
        },
    }  # fmt: skip
    return {"resourceType": kind} | written[kind] | changes


def site_of(clinic: Clinic, **changes: Any) -> Json:
    """A site of its own."""
    one = {name: value for name, value in entry_of("Location", clinic).items() if name not in ("partOf", "type")}
    return one | place("si") | changes


async def send(clinic: Clinic, method: str, sent: Json, role: str = "integration", **headers: str) -> httpx.Response:
    path = f"{FHIR}/{sent['resourceType']}" + (f"/{sent['id']}" if method == "PUT" else "")
    return await clinic.system.request(role, method, path, json=sent, headers=named(headers))


async def made(clinic: Clinic, kind: str, **changes: Any) -> Json:
    answer: Json = ok(await send(clinic, "POST", entry_of(kind, clinic, **changes)), 201)
    return answer


async def read(clinic: Clinic, one: Json) -> Json:
    found: Json = ok(await clinic.system.request("integration", "GET", f"{FHIR}/{one['resourceType']}/{one['id']}"))
    return found


def named_in(answer: httpx.Response) -> set[str]:
    return {each for issue in answer.json()["issue"] for each in issue.get("expression", ())}


@pytest.mark.requirement("R4.write")
@pytest.mark.parametrize("kind", KINDS)
async def test_an_entry_is_created_and_put_and_patched_by_its_version(clinic: Clinic, kind: str) -> None:
    """FHIR R4 http.html: create with ETag and Location, update with If-Match, JSON Patch and FHIRPath Patch."""
    sent = entry_of(kind, clinic)
    created = await send(clinic, "POST", sent)
    one = ok(created, 201)
    assert created.headers["etag"] == 'W/"1"'
    assert created.headers["location"].endswith(f"{FHIR}/{kind}/{one['id']}/_history/1")
    shown = {name: value for name, value in one.items() if name in sent}
    assert shown | {"physicalType": None} == sent | {"physicalType": None}, "kept as it was sent"
    assert [each for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []
    outcome(await send(clinic, "PUT", one, if_match='W/"9"'), 412, "kernel.precondition_failed")
    same = await send(clinic, "PUT", one, if_match='W/"1"', prefer="return=OperationOutcome")
    assert (named_in(same), (await read(clinic, one))["meta"]["versionId"]) == (set(), "1"), "the same again changes nothing"
    closed = {"status": "inactive"} if "status" in one else {"active": False}
    put = await send(clinic, "PUT", one | closed, if_match='W/"1"')
    assert (closed.items() <= ok(put).items(), put.headers["etag"]) == (True, 'W/"2"')
    ((name, value),) = closed.items()
    opened = "active" if value == "inactive" else True
    by_json = [{"op": "replace", "path": f"/{name}", "value": opened}]
    path = f"{FHIR}/{kind}/{one['id']}"
    assert ok(await clinic.system.request("integration", "PATCH", path, json=by_json))[name] == opened
    by_path = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": f"{kind}.{name}"},
        {"name": "value", "valueCode": value} if name == "status" else {"name": "value", "valueBoolean": value},
    ]}]}  # fmt: skip
    patched = ok(await clinic.system.request("integration", "PATCH", path, json=by_path))
    assert (patched[name], patched["meta"]["versionId"]) == (value, "4")
    outcome(await send(clinic, "PUT", one | {"id": str(uuid4())}), 405, "fhir.no_client_ids")


async def test_what_is_read_and_put_again_changes_nothing(clinic: Clinic) -> None:
    """Whatever our own API made of an entry: parts that FHIR has no word for stay."""
    site, bench = clinic.site_id, str(uuid4())
    ids = {name: str(uuid4()) for name in ("nurse", "role", "closed", "moved")}
    device = {"device_type": {"system": "urn:d", "code": "x"}, "site_id": site}
    entries = {
        "locations": [{"id": bench, "kind": "lab-bench", "name": "Bench", "site_id": site, "postal": {"lines": ["Burrow 5"]}}],
        "practitioners": [{"id": ids["nurse"], "kind": "nurse", "family": "Quoll"}],
        "practitioner_roles": [
            {"id": ids["role"], "practitioner_id": ids["nurse"], "specialties": [SPECIALTY, SKILL], "skills": [SKILL], "site_ids": [site]}
        ],
        "devices": [
            {"id": ids["closed"], "name": "Not booked", "bookable": False, **device},
            {"id": ids["moved"], "name": "Booked", "location_id": bench, **device},
        ],
    }  # fmt: skip
    ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json=entries))
    places = [("Location", bench), ("Practitioner", ids["nurse"]), ("PractitionerRole", ids["role"]), ("Device", ids["closed"])]
    places += [("Device", ids["moved"]), ("Location", site), ("HealthcareService", clinic.service_id)]
    for kind, id_ in places:
        one = ok(await clinic.system.request("integration", "GET", f"{FHIR}/{kind}/{id_}"))
        told_again = await send(clinic, "PUT", one, prefer="return=OperationOutcome")
        assert (named_in(told_again), await read(clinic, one)) == (set(), one), kind
    assert ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json=entries))["unchanged"] == 5


async def test_what_fhir_has_no_word_for_stays_when_the_rest_is_changed(clinic: Clinic) -> None:
    """A nurse stays one unless a qualification says otherwise, a skill stays one as long as it is sent, a site keeps its time zone."""
    nurse = await made(clinic, "Practitioner", qualification=[{"code": NURSES}])
    await send(clinic, "PUT", {name: value for name, value in nurse.items() if name != "gender"})
    assert (await staff(clinic, nurse))["practitioner"]["kind"] == "nurse"
    ok(await send(clinic, "PUT", nurse | {"qualification": [{"code": {"coding": [NURSES["coding"][0] | {"code": "MD"}]}}]}))
    assert (await staff(clinic, nurse))["practitioner"]["kind"] == "practitioner"
    role_id = str(uuid4())
    kept = {"id": role_id, "practitioner_id": nurse["id"], "specialties": [SPECIALTY], "skills": [SKILL], "site_ids": [clinic.site_id]}
    ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json={"practitioner_roles": [kept]}))
    role = ok(await clinic.system.request("integration", "GET", f"{FHIR}/PractitionerRole/{role_id}"))
    more = {"system": "urn:test:specialty", "code": "gait", "display": "Gait"}
    ok(await send(clinic, "PUT", role | {"specialty": [*role["specialty"], concept(more)]}))
    (stored,) = (await staff(clinic, nurse))["roles"]
    assert ([each["code"] for each in stored["specialties"]], stored["skills"]) == (["podiatry", "gait"], [SKILL])
    ok(await send(clinic, "PUT", role | {"specialty": [concept(more)]}))
    assert (await staff(clinic, nurse))["roles"][0]["skills"] == []
    site = ok(await send(clinic, "POST", site_of(clinic, extension=zone("Australia/Perth"))), 201)
    ok(await send(clinic, "PUT", {name: value for name, value in site.items() if name != "extension"} | {"name": "Renamed"}))
    assert ((await read(clinic, site))["name"], (await read(clinic, site))["extension"]) == ("Renamed", zone("Australia/Perth"))


async def staff(clinic: Clinic, one: Json) -> Json:
    found: Json = ok(await clinic.system.request("front-desk", "GET", f"/api/v1/practitioners/{one['id']}"))
    return found


async def test_a_device_that_is_written_can_be_booked_where_it_stands(clinic: Clinic) -> None:
    """Its calendar is there once scheduling has heard of it; a device without a place, or of a patient, has none until it gets one."""
    site = {"reference": f"Location/{clinic.site_id}"}
    placed, loose = await made(clinic, "Device"), await made(clinic, "Device", location=site, patient={"reference": "Patient/1"})
    await until_known(lambda: clinic.system.request("integration", "GET", f"{FHIR}/Schedule/{placed['id']}"))
    outcome(await clinic.system.request("integration", "GET", f"{FHIR}/Schedule/{loose['id']}"), 404, "fhir.unknown_id")


@pytest.mark.parametrize(
    ("kind", "changes", "expression"),
    [
        ("Organization", {"name": None}, "Organization.name"),
        ("Organization", {"partOf": {"display": "Somewhere"}}, "Organization.partOf"),
        ("Organization", {"partOf": {"reference": f"Organization/{uuid4()}"}}, "Organization.partOf"),
        ("Organization", {"identifier": [{"value": "7"}]}, "Organization.identifier"),
        ("Organization", {"implicitRules": "http://example.org/rules"}, "Organization.implicitRules"),
        ("Organization", {"name": "x" * 201}, "Organization.name"),
        ("Location", {"partOf": None}, "Location.partOf"),
        ("Location", {"partOf": {"reference": f"Location/{uuid4()}"}}, "Location.partOf.reference"),
        ("Location", {"partOf": {"reference": "Location/1"}}, "Location.partOf.reference"),
        ("Location", {"physicalType": None}, "Location.physicalType"),
        ("Location", place("ve"), "Location.physicalType"),
        ("Location", place("si"), "Location.extension"),
        ("Location", place("si", extension=zone("Mars/Olympus")), "Location.partOf"),
        ("Location", {"mode": "kind"}, "Location.mode"),
        ("Location", {"status": "suspended"}, "Location.status"),
        ("Location", {"telecom": [{"system": "phone", "value": "none"}]}, "Location.telecom"),
        ("Location", {"managingOrganization": {"reference": f"Organization/{uuid4()}"}}, "Location.managingOrganization"),
        ("Practitioner", {"name": None}, "Practitioner.name"),
        ("Practitioner", {"communication": [{"coding": [{"code": "?"}]}]}, "Practitioner.communication"),
        ("PractitionerRole", {"practitioner": None}, "PractitionerRole.practitioner"),
        ("PractitionerRole", {"practitioner": {"reference": f"Practitioner/{uuid4()}"}}, "PractitionerRole.practitioner"),
        ("PractitionerRole", {"location": [{"reference": f"Location/{uuid4()}"}]}, "PractitionerRole.location[0].reference"),
        ("PractitionerRole", {"code": [{"coding": [{"code": "lead"}]}]}, "PractitionerRole.code"),
        ("Device", {"type": None}, "Device.type"),
        ("Device", {"status": "entered-in-error"}, "Device.status"),
        ("Device", {"deviceName": [{"name": "x" * 201, "type": "other"}]}, "Device.deviceName"),
        ("HealthcareService", {"name": None}, "HealthcareService.name"),
        ("HealthcareService", {"specialty": [{"text": "Feet"}]}, "HealthcareService.specialty"),
        ("HealthcareService", {"location": [{"reference": f"Location/{uuid4()}"}] * 51}, "HealthcareService.location"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_its_place(clinic: Clinic, kind: str, changes: Json, expression: str) -> None:
    sent = {name: value for name, value in entry_of(kind, clinic, **changes).items() if value is not None}
    answer = await send(clinic, "POST", sent)
    assert (answer.status_code, answer.json()["issue"][0].get("expression")) == (422, [expression]), answer.text


async def test_a_place_keeps_its_kind_and_a_role_its_practitioner(clinic: Clinic) -> None:
    """The directory's own rules, told with the element."""
    room, role = await made(clinic, "Location"), await made(clinic, "PractitionerRole")
    other = await made(clinic, "Practitioner")
    for changed, element in (
        (room | place("bd"), "Location.physicalType"),
        (role | {"practitioner": {"reference": f"Practitioner/{other['id']}"}}, "PractitionerRole.practitioner"),
    ):
        answer = await send(clinic, "PUT", changed)
        assert outcome(answer, 422, "directory.invalid_resource")["expression"] == [element]
    taken = await send(clinic, "POST", entry_of("Practitioner", clinic, identifier=other["identifier"]))
    assert outcome(taken, 422, "directory.invalid_resource")["expression"] == ["Practitioner.identifier"]


async def test_what_has_no_place_is_left_out_and_named(clinic: Clinic) -> None:
    sent: dict[str, Json] = {
        "Organization": {"alias": ["W"], "type": [{"text": "Department"}]},
        "Location": {"description": "Upstairs", "position": {"longitude": 13.4, "latitude": 52.5}},
        "Practitioner": {"birthDate": "1984-05-06", "qualification": [{"code": {"text": "Diploma"}}]},
        "PractitionerRole": {"period": {"start": "2026-01-01"}, "availableTime": [{"daysOfWeek": ["mon"]}]},
        "Device": {"serialNumber": "7", "patient": {"reference": f"Patient/{uuid4()}"}},
        "HealthcareService": {"identifier": number(), "type": [{"text": "Another kind of visit"}]},
    }
    for kind, more in sent.items():
        answer = await send(clinic, "POST", entry_of(kind, clinic, **more), prefer="return=OperationOutcome")
        assert (answer.status_code, {each.split(".")[1] for each in named_in(answer)}) == (201, set(more)), answer.text


async def test_a_conditional_create_finds_an_entry_by_its_identifier(clinic: Clinic) -> None:
    """FHIR R4 http.html#ccreate and #cond-update."""
    sent = entry_of("Practitioner", clinic)
    criteria = f"identifier={SYSTEM}|{sent['identifier'][0]['value']}"
    first = await send(clinic, "POST", sent, if_none_exist=criteria)
    again = await send(clinic, "POST", sent, if_none_exist=criteria)
    assert (first.status_code, again.status_code, ok(again)["id"]) == (201, 200, ok(first, 201)["id"])
    path = f"{FHIR}/Practitioner?{criteria}"
    put = await clinic.system.request("integration", "PUT", path, json=sent | {"gender": "other"})
    assert (ok(put)["id"], ok(put)["gender"]) == (ok(again)["id"], "other")
    patch = [{"op": "replace", "path": "/gender", "value": "unknown"}]
    assert ok(await clinic.system.request("integration", "PATCH", path, json=patch))["meta"]["versionId"] == "3"


async def test_one_key_makes_one_entry(clinic: Clinic) -> None:
    """draft-ietf-httpapi-idempotency-key-header: a retry gets the first answer, another payload under the key is refused."""
    sent, key = entry_of("Organization", clinic), str(uuid4())
    path = f"{FHIR}/Organization"
    first = ok(await clinic.system.request("integration", "POST", path, json=sent, key=key), 201)
    assert ok(await clinic.system.request("integration", "POST", path, json=sent, key=key), 201)["id"] == first["id"]
    other = await clinic.system.request("integration", "POST", path, json=sent | {"name": "Other"}, key=key)
    outcome(other, 422, "kernel.idempotency_key_reused")
    renamed, key = first | {"name": "Renamed"}, str(uuid4())
    for _ in range(2):
        answer = await clinic.system.request("integration", "PUT", f"{path}/{first['id']}", json=renamed, key=key)
        assert ok(answer)["meta"]["versionId"] == "2"


@pytest.mark.requirement("R4.transaction")
async def test_a_department_is_written_in_one_transaction_or_not_at_all(clinic: Clinic) -> None:
    """R4 http.html#trules: entries refer to each other by fullUrl; what one of them refuses undoes all."""
    names = {kind: f"urn:uuid:{uuid4()}" for kind in KINDS}
    sent = {kind: entry_of(kind, clinic) for kind in KINDS}
    sent["Location"]["managingOrganization"] = {"reference": names["Organization"]}
    sent["PractitionerRole"] |= {"practitioner": {"reference": names["Practitioner"]}, "organization": {"reference": names["Organization"]}}
    sent["Device"]["location"] = {"reference": names["Location"]}
    entries = [entry("POST", kind, sent[kind], names[kind]) for kind in reversed(KINDS)]
    spoilt = entry("POST", "Device", entry_of("Device", clinic, status="unknown"))
    answer = await post_bundle(clinic, "transaction", *entries, spoilt, role="integration")
    assert outcome(answer, 422, "fhir.invalid_element")["expression"] == ["Bundle.entry[6].resource.status"]
    found = f"{FHIR}/Practitioner?identifier={SYSTEM}|{sent['Practitioner']['identifier'][0]['value']}"
    assert ok(await clinic.system.request("integration", "GET", found))["total"] == 0
    bundle = ok(await post_bundle(clinic, "transaction", *entries, role="integration"))
    assert told(bundle) == ["201"] * len(KINDS)
    by_kind = {one["resource"]["resourceType"]: one["resource"] for one in bundle["entry"]}
    assert by_kind["Device"]["location"]["reference"] == f"Location/{by_kind['Location']['id']}"
    assert (await staff(clinic, by_kind["Practitioner"]))["roles"][0]["id"] == by_kind["PractitionerRole"]["id"]


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"integration", "administrator"}))
async def test_who_may_not_change_the_directory_writes_none_of_it(clinic: Clinic, role: str) -> None:
    for kind in KINDS:
        outcome(await send(clinic, "POST", entry_of(kind, clinic), role), 403, "kernel.forbidden")


@pytest.mark.requirement("SMART.4")
async def test_scopes_say_what_is_done_with_entries(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SMART App Launch 2.2: `c` creates, `u` updates, `rs` reads and searches."""
    one = await made(clinic, "Practitioner")
    tokens = {}
    for letters in ("rs", "cu"):
        client = await registered(clinic.system, tmp_path_factory.mktemp("keys"), f"system/Practitioner.{letters}")
        tokens[letters] = ok(await ask(clinic.system, client, str(uuid4()), f"system/Practitioner.{letters}"))["access_token"]
    path = f"{FHIR}/Practitioner"
    outcome(await use(clinic.system, tokens["rs"], f"{path}/{one['id']}", "PUT", json=one), 403, "smart.scope_missing")
    assert ok(await use(clinic.system, tokens["cu"], f"{path}/{one['id']}", "PUT", json=one | {"gender": "other"}))["gender"] == "other"
    ok(await use(clinic.system, tokens["cu"], path, "POST", json=entry_of("Practitioner", clinic)), 201)
    outcome(await use(clinic.system, tokens["cu"], f"{FHIR}/Device", "POST", json=entry_of("Device", clinic)), 403, "smart.scope_missing")
