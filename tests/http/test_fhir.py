"""The FHIR rim against a running system: reading, and IHE's find, hold, book, move and cancel. Each test names the requirement it holds."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

import pytest

from carewright.contracts.permissions import ROLES
from carewright.fhir.model.ids import SlotId, write_slot
from carewright.fhir.model.validating import issues_of
from carewright.fhir.model.xml import from_xml
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, open_clinic, register
from tests.fhir_asking import FHIR, hold, operate, outcome, parameters, proposals, searched, shown, shown_outcomes
from tests.system import System


@pytest.fixture(scope="module")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


@pytest.mark.requirement("ITI-115.5", "ITI-116.6", "ITI-117.6")
async def test_metadata_is_there_for_everybody_and_names_the_transactions(clinic: Clinic) -> None:
    """IHE ITI.Scheduling: the CapabilityStatement SHALL state the transactions."""
    statement = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    by_type = {each["type"]: each for each in statement["rest"][0]["resource"]}
    assert {"Patient", "Practitioner", "Location", "Schedule", "Slot", "Appointment"} <= by_type.keys()
    assert {each["name"] for each in by_type["Appointment"]["operation"]} == {"find", "hold", "book", "confirm", "reschedule", "cancel"}


@pytest.mark.requirement("ITI-115.1", "ITI-115.2", "ITI-115.4")
async def test_find_answers_with_proposed_appointments_their_total_and_no_more_than_asked_for(clinic: Clinic) -> None:
    """IHE ITI-115: a searchset of proposed Appointments; SHALL honour _count; SHALL carry total."""
    few, many = await proposals(clinic, 3), await proposals(clinic, 200)
    assert (few["type"], len(few["entry"]), few["total"]) == ("searchset", 3, many["total"])
    assert many["total"] >= len(many["entry"]) > 3
    first = few["entry"][0]["resource"]
    assert first["status"] == "proposed"
    actors = {each["actor"]["reference"] for each in first["participant"]}
    assert actors == {f"Practitioner/{clinic.practitioner_id}", f"Location/{clinic.site_id}"}
    again = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment/{first['id']}"))
    assert (again["start"], again["status"]) == (first["start"], "proposed")


@pytest.mark.requirement("ITI-115.3", "ITI-116.1", "ITI-116.2", "ITI-116.5")
async def test_a_held_time_is_not_found_and_nobody_else_gets_it(clinic: Clinic) -> None:
    """IHE ITI-115: SHALL NOT include held ones. ITI-116: SHALL refuse any other use; fatal, not-found."""
    first, second = await register(clinic.system), await register(clinic.system)
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    held = await hold(clinic, f"Patient/{first}", proposal)
    assert (held["status"], held["start"]) == ("pending", proposal["start"])
    found = [each["resource"]["start"] for each in (await proposals(clinic, 200))["entry"]]
    assert proposal["start"] not in found
    body = parameters(
        appointment__reference={"reference": f"Appointment/{proposal['id']}"}, patient__reference={"reference": f"Patient/{second}"}
    )
    for operation in ("hold", "book"):
        issue = outcome(await operate(clinic, operation, body), 409, "fhir.time_gone")
        assert (issue["severity"], issue["code"]) == ("fatal", "not-found")


@pytest.mark.requirement("ITI-117.1", "ITI-117.2", "ITI-117.3", "ITI-117.4")
async def test_a_held_time_is_booked_moved_and_cancelled_by_book_alone(clinic: Clinic) -> None:
    """IHE ITI-117: new, reschedule and cancel through the same operation; success is one Appointment in the Bundle."""
    patient = f"Patient/{await register(clinic.system)}"
    first, other = (each["resource"] for each in (await proposals(clinic))["entry"][:2])
    held = await hold(clinic, patient, first)
    reference = parameters(appointment__reference={"reference": f"Appointment/{held['id']}"})
    booked = ok(await operate(clinic, "book", reference))["entry"][0]["resource"]
    assert (booked["id"], booked["status"], booked["start"]) == (held["id"], "booked", first["start"])
    moved = booked | {"start": other["start"], "end": other["end"]}
    moved = ok(await operate(clinic, "book", parameters(appointment__resource=moved)))["entry"][0]["resource"]
    assert (moved["id"], moved["start"]) == (booked["id"], other["start"])
    ended = ok(await operate(clinic, "book", parameters(appointment__resource=moved | {"status": "cancelled"})))["entry"][0]["resource"]
    assert (ended["id"], ended["status"]) == (booked["id"], "cancelled")
    assert ended["cancelationReason"]["coding"][0]["code"] == "pat"


@pytest.mark.requirement("R4.write")
async def test_an_appointment_is_created_read_and_cancelled_by_plain_writes(clinic: Clinic) -> None:
    """FHIR R4 http.html: create, read with ETag, update with If-Match, and a stale version refused."""
    patient = await register(clinic.system)
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    sent = {key: proposal[key] for key in ("resourceType", "serviceType", "start", "end", "participant")} | {"status": "booked"}
    sent["participant"] = [*sent["participant"], {"actor": {"reference": f"Patient/{patient}"}, "status": "needs-action"}]
    created = await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment", json=sent)
    made = ok(created, 201)
    assert created.headers["etag"] == 'W/"1"'
    assert created.headers["location"].endswith(f"{FHIR}/Appointment/{made['id']}/_history/1")
    address = f"{FHIR}/Appointment/{made['id']}"
    read = await clinic.system.request("front-desk", "GET", address)
    assert (ok(read)["status"], read.headers["etag"]) == ("booked", 'W/"1"')
    assert parsedate_to_datetime(read.headers["last-modified"]) <= datetime.fromisoformat(ok(read)["meta"]["lastUpdated"])
    cancelled = made | {"status": "cancelled"}
    stale = await clinic.system.request("front-desk", "PUT", address, json=cancelled, headers={"If-Match": 'W/"7"'})
    outcome(stale, 412, "kernel.precondition_failed")
    answer = await clinic.system.request("front-desk", "PUT", address, json=cancelled, headers={"If-Match": 'W/"1"'})
    assert (ok(answer)["status"], answer.headers["etag"]) == ("cancelled", 'W/"2"')


@pytest.mark.parametrize("kind", ["Organization", "Location", "Practitioner", "PractitionerRole", "Device", "HealthcareService", "Patient"])
async def test_nobody_reads_without_a_token_and_unknown_ids_are_said_to_be_unknown(clinic: Clinic, kind: str) -> None:
    unknown = "019a0000-0000-7000-8000-00000000beef"
    outcome(await clinic.system.request(None, "GET", f"{FHIR}/{kind}/{unknown}"), 401, "kernel.unauthenticated")
    for id_ in (unknown, "x"):
        answer = await clinic.system.request("front-desk", "GET", f"{FHIR}/{kind}/{id_}")
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (404, "not-found"), answer.text


async def test_the_directory_and_a_patient_are_read(clinic: Clinic) -> None:
    patient = await register(clinic.system, "Quokka")
    places = {
        "Location": clinic.site_id, "Practitioner": clinic.practitioner_id, "HealthcareService": clinic.service_id,
        "Schedule": clinic.practitioner_id, "Patient": str(patient),
    }  # fmt: skip
    shown = {kind: ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/{kind}/{id_}")) for kind, id_ in places.items()}
    assert {kind: (one["resourceType"], one["id"]) for kind, one in shown.items()} == {kind: (kind, id_) for kind, id_ in places.items()}
    assert shown["Patient"]["name"][0]["family"] == "Quokka"
    assert shown["Location"]["extension"][0]["valueCode"] == "Europe/Berlin"


async def test_whatever_is_shown_is_a_resource_of_r4_in_json_and_xml(clinic: Clinic) -> None:
    """FHIR R4: formats by Accept and _format; every answer has the form that the standard says."""
    patient = await register(clinic.system)
    made = ok(await clinic.book(patient, (await clinic.free())[0], note="by the window"), 201)
    addresses = [
        "metadata", f"Patient/{patient}", f"Appointment/{made['id']}", f"Location/{clinic.site_id}",
        f"Practitioner/{clinic.practitioner_id}",
        f"HealthcareService/{clinic.service_id}", f"Schedule/{clinic.practitioner_id}", f"Appointment?patient=Patient/{patient}&_include=*",
        f"Slot?schedule=Schedule/{clinic.practitioner_id}", f"PractitionerRole?practitioner=Practitioner/{clinic.practitioner_id}",
        "Organization", "Device", "Patient/unknown",
    ]  # fmt: skip
    for address in addresses:
        answer = await clinic.system.request("front-desk", "GET", f"{FHIR}/{address}")
        issues = issues_of(r4_definitions(), answer.json())
        assert [(each.expression, each.text) for each in issues if each.severity == "error"] == [], address
        as_xml = await clinic.system.request("front-desk", "GET", f"{FHIR}/{address}", headers={"Accept": "application/fhir+xml"})
        assert as_xml.headers["content-type"] == "application/fhir+xml; charset=utf-8", address
        assert from_xml(r4_definitions(), as_xml.content)["resourceType"] == answer.json()["resourceType"]


@pytest.mark.requirement("R4.outcome")
async def test_what_is_not_served_is_said_as_fhir_says_it(clinic: Clinic) -> None:
    request = clinic.system.request
    outcome(await request("front-desk", "GET", f"{FHIR}/Medication/1"), 404, "fhir.not_served")
    outcome(await request("front-desk", "GET", f"{FHIR}/Patient/1/2/3"), 404, "kernel.not_found")
    outcome(await request("front-desk", "POST", f"{FHIR}/Schedule", json={}), 405, "kernel.method_not_allowed")
    outcome(await request("front-desk", "GET", f"{FHIR}/metadata", headers={"Accept": "image/png"}), 406, "kernel.not_acceptable")
    bad = await request("front-desk", "POST", f"{FHIR}/Appointment", content=b"<x/>", headers={"Content-Type": "text/plain"})
    outcome(bad, 415, "kernel.unsupported_media")
    outcome(await request("front-desk", "POST", f"{FHIR}/Appointment", json={"resourceType": "Patient"}), 422, "fhir.invalid_element")
    outcome(await request("front-desk", "GET", f"{FHIR}/Location?name=%00"), 400, "kernel.bad_input")
    wrong = {"resourceType": "Appointment", "status": "bookd", "colour": "blue", "participant": []}
    answer = await request("front-desk", "POST", f"{FHIR}/Appointment", json=wrong)
    outcome(answer, 400, "fhir.invalid_resource")
    assert {each["expression"][0] for each in answer.json()["issue"]} >= {"Appointment.status", "Appointment.colour"}
    assert "bookd" not in answer.text, "what was sent is not said again"


@pytest.mark.requirement("ITI-118.1", "ITI-118.2", "ITI-118.3", "ITI-118.4")
async def test_appointments_are_searched_by_get_and_post_with_total_count_and_include(clinic: Clinic) -> None:
    """IHE ITI-118: GET and POST _search; total; _count; _include of Practitioner and Location; pages that stay where they are."""
    patient = await register(clinic.system)
    made = [ok(await clinic.book(patient, start), 201) for start in (await clinic.free())[:3]]
    query = {"patient": f"Patient/{patient}", "_count": "2", "_sort": "-date", "_include": "Appointment:practitioner"}
    page = await searched(clinic, "Appointment", **query)
    expected = [f"Appointment/{one['id']}" for one in reversed(made)]
    assert (page["total"], shown(page)) == (3, expected[:2])
    assert shown(page, "include") == [f"Practitioner/{clinic.practitioner_id}"]
    address = next(link["url"] for link in page["link"] if link["relation"] == "next")
    following = ok(await clinic.system.request("front-desk", "GET", address[address.index(FHIR) :]))
    assert shown(following) == expected[2:]
    posted = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment/_search", data=query))
    assert shown(posted) == expected[:2]
    counted = await searched(clinic, "Appointment", patient=f"Patient/{patient}", _summary="count")
    assert (counted["total"], "entry" in counted) == (3, False)


async def followed(clinic: Clinic, page: Json, relation: str) -> list[Json]:
    """`page` and those that its links of this relation lead to."""
    seen = [page]
    while address := next((link["url"] for link in seen[-1]["link"] if link["relation"] == relation), None):
        seen.append(ok(await clinic.system.request("front-desk", "GET", address[address.index(FHIR) :])))
    return seen


@pytest.mark.parametrize("sort", ["date", "-date"])
async def test_pages_are_the_same_walked_or_decided_one_by_one(clinic: Clinic, sort: str) -> None:
    """R4 search, paging: a search whose bounds are exact costs its page, any other is answered from all that may match."""
    patient = await register(clinic.system)
    for start in (await clinic.free())[:5]:
        ok(await clinic.book(patient, start), 201)
    asked = {"patient": f"Patient/{patient}", "_sort": sort, "_count": "2"}
    walked, decided = [await searched(clinic, "Appointment", **asked, **more) for more in ({}, {"status:not": "fulfilled"})]
    assert walked["total"] == decided["total"] == 5
    there = await followed(clinic, walked, "next")
    assert [len(shown(each)) for each in there] == [2, 2, 1]
    assert list(map(shown, there)) == list(map(shown, await followed(clinic, decided, "next")))
    back = await followed(clinic, there[-1], "previous")
    assert list(map(shown, back)) == list(map(shown, reversed(there)))


async def test_appointments_are_searched_by_day_status_and_through_a_chain(clinic: Clinic) -> None:
    """R4 search: date prefixes, tokens, chained parameters."""
    patient = await register(clinic.system, "Numbat")
    (one, other) = [ok(await clinic.book(patient, start), 201) for start in (await clinic.free())[:2]]
    ok(await clinic.step(other["id"], "cancel", {"reason": "pat"}))
    by_status = await searched(clinic, "Appointment", patient=f"Patient/{patient}", status="booked")
    assert shown(by_status) == [f"Appointment/{one['id']}"]
    after = await searched(clinic, "Appointment", patient=f"Patient/{patient}", date=f"gt{one['start']}")
    assert shown(after) == [f"Appointment/{other['id']}"]
    chained = await searched(
        clinic, "Appointment", **{"patient.family": "Numbat", "practitioner": f"Practitioner/{clinic.practitioner_id}"}
    )
    assert f"Appointment/{one['id']}" in shown(chained)
    outcome(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment"), 422, "fhir.search_too_wide")


async def test_a_patient_finds_nobody_elses_appointments_and_nobody_else(clinic: Clinic) -> None:
    mine, other = await register(clinic.system), await register(clinic.system)
    start = (await clinic.free())[0]
    ok(await clinic.book(other, start), 201)
    for query in ({"patient": f"Patient/{other}"}, {"date": f"ge{start}"}):
        answer = await clinic.system.request("patient", "GET", f"{FHIR}/Appointment", params=query, patient_id=mine)
        assert answer.status_code in (200, 403, 404), answer.text
        assert "entry" not in answer.json()
    people = ok(await clinic.system.request("patient", "GET", f"{FHIR}/Patient", params={"family": "Beispiel"}, patient_id=mine))
    assert shown(people) == [f"Patient/{mine}"]


async def test_slots_of_a_calendar_are_searched_and_change_when_it_is_booked(clinic: Clinic) -> None:
    """GP Connect: search free slots by schedule and time; a booked slot is not free any more."""
    start = (await clinic.free())[0]
    end = (datetime.fromisoformat(start) + timedelta(minutes=30)).isoformat()
    day = {"schedule": f"Schedule/{clinic.practitioner_id}", "start": f"lt{end}"}
    free = [each["resource"] for each in (await searched(clinic, "Slot", **day, status="free"))["entry"]]
    assert any(each["start"] <= start and each["end"] >= end for each in free)
    ok(await clinic.book(await register(clinic.system), start), 201)
    taken = [each["resource"] for each in (await searched(clinic, "Slot", **day, status="busy"))["entry"]]
    (slot,) = [each for each in taken if datetime.fromisoformat(each["start"]) == datetime.fromisoformat(start)]
    read = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Slot/{slot['id']}"))
    assert (read["status"], read["schedule"]["reference"]) == ("busy", f"Schedule/{clinic.practitioner_id}")


async def test_what_a_search_does_not_know_is_a_warning_or_refused_where_that_was_asked(clinic: Clinic) -> None:
    """R4 search, handling: lenient servers ignore, strict ones refuse."""
    query = {"_id": clinic.site_id, "colour": "blue"}
    lenient = await searched(clinic, "Location", **query)
    assert (shown(lenient), len(shown_outcomes(lenient))) == ([f"Location/{clinic.site_id}"], 1)
    strict = await clinic.system.request("front-desk", "GET", f"{FHIR}/Location", params=query, headers={"Prefer": "handling=strict"})
    outcome(strict, 400, "fhir.search.unknown_parameter")
    outcome(await clinic.system.request("front-desk", "GET", f"{FHIR}/Patient", params={"gender": "male"}), 422, "fhir.search_too_wide")


@pytest.mark.requirement("R4.write")
async def test_an_appointment_is_cancelled_by_a_patch_and_a_stale_one_is_refused(clinic: Clinic) -> None:
    """Argonaut: PATCH in JSON Patch or FHIRPath Patch. R4: a patch that does not fit changes nothing."""
    made = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    address = f"{FHIR}/Appointment/{made['id']}"
    request = clinic.system.request
    stale = [{"op": "test", "path": "/status", "value": "arrived"}, {"op": "replace", "path": "/status", "value": "cancelled"}]
    answer = await request("front-desk", "PATCH", address, json=stale)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert 400 <= answer.status_code < 500, answer.text
    by_path = {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": [
            {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Appointment.status"},
            {"name": "value", "valueCode": "arrived"},
        ]}],
    }  # fmt: skip
    assert ok(await request("front-desk", "PATCH", address, json=by_path))["status"] == "arrived"
    outcome(await request("front-desk", "PATCH", address, json=stale[1:], headers={"If-Match": 'W/"1"'}), 412, "kernel.precondition_failed")
    assert ok(await request("front-desk", "PATCH", address, json=stale))["status"] == "cancelled"


async def test_a_part_of_a_resource_is_shown_where_a_part_is_asked_for(clinic: Clinic) -> None:
    """R4 search: _elements and _summary, with the SUBSETTED tag."""
    whole = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Location/{clinic.site_id}"))
    part = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Location/{clinic.site_id}", params={"_elements": "name"}))
    assert (part["name"], "physicalType" in part, "physicalType" in whole) == (whole["name"], False, True)
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    found = await searched(clinic, "Location", _id=clinic.site_id, _elements="name")
    assert "physicalType" not in found["entry"][0]["resource"]


NEEDS = {
    "Patient": "patients.read", "Appointment": "scheduling.appointment.read", "Schedule": "scheduling.calendar.read",
    "Slot": "scheduling.calendar.read", "Practitioner": "directory.read", "Location": "directory.read",
}  # fmt: skip
STAFF = sorted(set(ROLES) - {"patient", "proxy"})


@pytest.fixture(scope="module")
async def known(clinic: Clinic) -> dict[str, str]:
    """Something of each type, with a note and an identifier that not everybody may see."""
    body = {"family": "Wallaby", "identifiers": [{"system": "urn:test:mrn", "value": "W-17"}]}
    patient = ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=body), 201)["id"]
    made = ok(await clinic.book(UUID(patient), (await clinic.free())[0], note="by the window"), 201)
    slot = write_slot(SlotId(UUID(clinic.practitioner_id), datetime.fromisoformat(made["start"]), 30))
    return {
        "Patient": patient, "Appointment": made["id"], "Schedule": clinic.practitioner_id, "Slot": slot,
        "Practitioner": clinic.practitioner_id, "Location": clinic.site_id,
    }  # fmt: skip


@pytest.mark.parametrize("role", STAFF)
async def test_a_role_sees_through_fhir_what_the_table_of_permissions_gives_it(clinic: Clinic, known: dict[str, str], role: str) -> None:
    for kind, id_ in known.items():
        answer = await clinic.system.request(role, "GET", f"{FHIR}/{kind}/{id_}")
        assert answer.status_code == (200 if NEEDS[kind] in ROLES[role] else 403), f"{role} {kind}: {answer.text}"
        if kind == "Patient" and answer.is_success:
            assert ("identifier" in answer.json()) == ("patients.read_identifiers" in ROLES[role])
        if kind == "Appointment" and answer.is_success:
            assert ("comment" in answer.json()) == ("scheduling.appointment.read_note" in ROLES[role])
    searched = await clinic.system.request(role, "GET", f"{FHIR}/Appointment", params={"patient": f"Patient/{known['Patient']}"})
    assert searched.status_code == (200 if "scheduling.appointment.read" in ROLES[role] else 403)
    assert "window" not in searched.text, "notes are read one by one"


@pytest.mark.parametrize("role", STAFF)
async def test_a_role_changes_through_fhir_what_the_table_of_permissions_lets_it(clinic: Clinic, known: dict[str, str], role: str) -> None:
    cancelled = {"resourceType": "Appointment", "id": known["Appointment"], "status": "cancelled", "participant": [
        {"actor": {"reference": f"Patient/{known['Patient']}"}, "status": "accepted"}
    ]}  # fmt: skip
    stale = {"If-Match": 'W/"99"'}
    answer = await clinic.system.request(role, "PUT", f"{FHIR}/Appointment/{known['Appointment']}", json=cancelled, headers=stale)
    allowed = {"scheduling.appointment.read", "scheduling.appointment.cancel"} <= ROLES[role]
    assert answer.status_code == (412 if allowed else 403), f"{role}: {answer.text}"
