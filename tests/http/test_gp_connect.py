"""GP Connect's scenarios of appointments (nhsconnect/gpconnect-provider-testing, *.feature), as R4 and this hospital have them.

Search free slots, book, read, retrieve, amend, cancel. Ids are those of docs/conformance.txt, which says what is British alone.
"""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from carewright.fhir.model.xml import from_xml
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, MEDIA, proposals, searched, shown

requirement = pytest.mark.requirement
XML = "application/fhir+xml; charset=utf-8"
FORMS = [
    ({}, {"Accept": "application/fhir+json"}, MEDIA), ({}, {"Accept": "application/fhir+xml"}, XML),
    ({"_format": "application/fhir+xml"}, {}, XML), ({"_format": "json"}, {"Accept": "application/fhir+xml"}, MEDIA),
]  # fmt: skip


@pytest.fixture
async def patient(clinic: Clinic) -> str:
    return f"Patient/{await register(clinic.system)}"


def visit(proposal: Json, patient: str, **more: Any) -> Json:
    """A booking, as a plain FHIR client writes it."""
    person = {"actor": {"reference": patient}, "status": "accepted"}
    kept = {key: proposal[key] for key in ("resourceType", "serviceType", "start", "end")}
    return kept | {"status": "booked", "participant": [*proposal["participant"], person]} | more


async def ask(clinic: Clinic, method: str, place: str, **more: Any) -> httpx.Response:
    return await clinic.system.request("front-desk", method, f"{FHIR}/{place}", **more)


async def wanted(clinic: Clinic, patient: str, number: int = 0, **more: Any) -> Json:
    return visit((await proposals(clinic))["entry"][number]["resource"], patient, **more)


async def booked(clinic: Clinic, patient: str) -> Json:
    made: Json = ok(await ask(clinic, "POST", "Appointment", json=await wanted(clinic, patient)), 201)
    return made


def refused(answer: httpx.Response, *statuses: int) -> None:
    assert (answer.status_code in statuses, answer.json()["resourceType"]) == (True, "OperationOutcome"), answer.text
    assert answer.headers["cache-control"] == "no-store"


def window(clinic: Clinic, days: int = 3) -> dict[str, str]:
    start = datetime.fromisoformat(next_noon())
    return {"schedule": f"Schedule/{clinic.practitioner_id}", "status": "free", "start": f"lt{(start + timedelta(days=days)).isoformat()}"}


def next_noon() -> str:
    return (datetime.now().astimezone() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0).isoformat()


@requirement("GPC.SLOTS.1", "GPC.SLOTS.9")
async def test_free_slots_come_with_their_schedules_and_practitioners(clinic: Clinic) -> None:
    asked = window(clinic) | {"_include": "Slot:schedule", "_include:iterate": "Schedule:actor"}
    found = await searched(clinic, "Slot", **asked)
    assert {each["resource"]["status"] for each in found["entry"] if each["search"]["mode"] == "match"} == {"free"}
    assert set(shown(found, "include")) >= {f"Schedule/{clinic.practitioner_id}", f"Practitioner/{clinic.practitioner_id}"}


@requirement("GPC.SLOTS.2")
async def test_slots_over_too_long_a_time_are_refused(clinic: Clinic) -> None:
    refused(await ask(clinic, "GET", "Slot", params=window(clinic, days=60)), 422)


@requirement("GPC.SLOTS.3")
async def test_slots_of_no_calendar_are_refused(clinic: Clinic) -> None:
    refused(await ask(clinic, "GET", "Slot", params={"status": "free"}), 422)


@requirement("GPC.SLOTS.4", "GPC.SLOTS.8")
@pytest.mark.parametrize("prefix", ["ge", "gt", "eq"])
async def test_a_slots_start_takes_prefixes_and_partial_dates(clinic: Clinic, prefix: str) -> None:
    day = next_noon()[:10]
    found = await searched(clinic, "Slot", schedule=f"Schedule/{clinic.practitioner_id}", start=f"{prefix}{day}")
    assert found["type"] == "searchset"


@requirement("GPC.SLOTS.6")
@pytest.mark.parametrize("start", ["zz2026-01-01", "ge2026-13-01", "tomorrow", "ge"])
async def test_a_slots_start_that_is_no_date_is_refused(clinic: Clinic, start: str) -> None:
    refused(await ask(clinic, "GET", "Slot", params={"schedule": f"Schedule/{clinic.practitioner_id}", "start": start}), 400)


@requirement("GPC.SLOTS.10", "GPC.READ.3", "GPC.RETRIEVE.5")
@pytest.mark.parametrize(("query", "headers", "media"), FORMS)
async def test_answers_come_in_the_form_that_is_asked_for(
    clinic: Clinic, patient: str, query: dict[str, str], headers: dict[str, str], media: str
) -> None:
    made = await booked(clinic, patient)
    for place, more in {f"Appointment/{made['id']}": {}, "Appointment": {"patient": patient}, "Slot": window(clinic)}.items():
        answer = await ask(clinic, "GET", place, params=query | more, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media)


@requirement("GPC.BOOK.1", "GPC.BOOK.13", "GPC.READ.1", "GPC.READ.4")
async def test_what_is_booked_is_read_as_it_was_asked_for(clinic: Clinic, patient: str) -> None:
    sent = await wanted(clinic, patient)
    answer = await ask(clinic, "POST", "Appointment", json=sent)
    made = ok(answer, 201)
    read = ok(await ask(clinic, "GET", f"Appointment/{made['id']}"))
    assert read == made
    kept = ("resourceType", "status", "start", "end", "serviceType")
    assert {name: read[name] for name in kept} == {name: sent[name] for name in kept}
    actors = {each["actor"]["reference"] for each in sent["participant"]}
    assert {each["actor"]["reference"] for each in read["participant"]} == actors
    assert answer.headers["cache-control"] == "no-store"


@requirement("GPC.BOOK.3", "GPC.AMEND.2", "GPC.CANCEL.3")
@pytest.mark.parametrize(("query", "headers", "media"), FORMS)
async def test_writes_answer_in_the_form_that_is_asked_for(
    clinic: Clinic, patient: str, query: dict[str, str], headers: dict[str, str], media: str
) -> None:
    answer = await ask(clinic, "POST", "Appointment", json=await wanted(clinic, patient), params=query, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (201, media)
    made = answer.json() if media == MEDIA else from_xml(r4_definitions(), answer.content)
    place = f"Appointment/{made['id']}"
    for change in (await wanted(clinic, patient, 1, id=made["id"]), {"status": "cancelled"}):
        changed = ok(await ask(clinic, "GET", place)) | change
        answer = await ask(clinic, "PUT", place, json=changed, params=query, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media), answer.text


@requirement("GPC.BOOK.4", "GPC.AMEND.3", "GPC.CANCEL.6")
async def test_prefer_says_whether_the_resource_comes_back(clinic: Clinic, patient: str) -> None:
    minimal = {"Prefer": "return=minimal"}
    answer = await ask(clinic, "POST", "Appointment", json=await wanted(clinic, patient), headers=minimal)
    assert (answer.status_code, answer.content) == (201, b"")
    place = answer.headers["location"].partition(f"{FHIR}/")[2].partition("/_history")[0]
    changed = ok(await ask(clinic, "GET", place)) | {"status": "cancelled"}
    answer = await ask(clinic, "PUT", place, json=changed, headers={"Prefer": "return=representation"})
    assert ok(answer)["status"] == "cancelled"


@requirement("GPC.BOOK.6", "GPC.BOOK.8")
@pytest.mark.parametrize("element", ["start", "status", "participant", "serviceType"])
async def test_a_booking_without_what_it_needs_is_refused(clinic: Clinic, patient: str, element: str) -> None:
    sent = await wanted(clinic, patient)
    del sent[element]
    refused(await ask(clinic, "POST", "Appointment", json=sent), 400, 422)


@requirement("GPC.BOOK.9")
@pytest.mark.parametrize("spoiled", [
    {"resourceType": "Bundle", "type": "collection"}, {"resourceType": "Appointments"}, {"colour": "blue"}, {"status": "bookd"},
])  # fmt: skip
async def test_what_is_no_appointment_is_refused(clinic: Clinic, patient: str, spoiled: Json) -> None:
    refused(await ask(clinic, "POST", "Appointment", json=await wanted(clinic, patient) | spoiled), 400, 422)


@requirement("GPC.BOOK.7")
@pytest.mark.parametrize("reference", ["Patient/nobody", "Patient/019a0000-0000-7000-8000-00000000beef", "Practitioner/1234"])
async def test_a_booking_for_whom_nobody_knows_is_refused(clinic: Clinic, reference: str) -> None:
    refused(await ask(clinic, "POST", "Appointment", json=await wanted(clinic, reference)), 404, 422)


@requirement("GPC.BOOK.10")
async def test_a_time_is_not_booked_twice(clinic: Clinic, patient: str) -> None:
    sent = await wanted(clinic, patient)
    ok(await ask(clinic, "POST", "Appointment", json=sent), 201)
    sent["participant"][-1]["actor"]["reference"] = f"Patient/{await register(clinic.system)}"
    refused(await ask(clinic, "POST", "Appointment", json=sent), 409)


@requirement("GPC.BOOK.11", "GPC.AMEND.8", "GPC.CANCEL.9")
async def test_absolute_references_to_this_server_are_ours(clinic: Clinic, patient: str) -> None:
    sent = await wanted(clinic, patient)
    base = clinic.system.address_of(FHIR) + FHIR
    for each in sent["participant"]:
        each["actor"] = {"reference": f"{base}/{each['actor']['reference']}"}
    made = ok(await ask(clinic, "POST", "Appointment", json=sent), 201)
    sent |= {"id": made["id"], "status": "cancelled"}
    assert ok(await ask(clinic, "PUT", f"Appointment/{made['id']}", json=sent))["status"] == "cancelled"


@requirement("GPC.BOOK.12")
async def test_a_comment_comes_with_a_booking(clinic: Clinic, patient: str) -> None:
    made = ok(await ask(clinic, "POST", "Appointment", json=await wanted(clinic, patient, comment="by the window")), 201)
    read = await clinic.system.request("physician", "GET", f"{FHIR}/Appointment/{made['id']}")
    assert ok(read)["comment"] == "by the window"


@requirement("GPC.READ.2")
@pytest.mark.parametrize("id_", ["019a0000-0000-7000-8000-00000000beef", "x", "a_b", "1" * 64])
async def test_an_appointment_that_is_not_there_is_not_found(clinic: Clinic, id_: str) -> None:
    assert (await ask(clinic, "GET", f"Appointment/{id_}")).status_code == 404


@requirement("GPC.RETRIEVE.1", "GPC.RETRIEVE.2")
async def test_a_patients_appointments_are_retrieved(clinic: Clinic, patient: str) -> None:
    assert shown(await searched(clinic, "Appointment", patient=patient)) == []
    made = [await booked(clinic, patient) for _ in range(2)]
    found = await searched(clinic, "Appointment", patient=patient)
    assert sorted(shown(found)) == sorted(f"Appointment/{each['id']}" for each in made)


@requirement("GPC.RETRIEVE.3")
async def test_an_unknown_patients_appointments_are_none(clinic: Clinic) -> None:
    assert shown(await searched(clinic, "Appointment", patient="Patient/nobody")) == []


@requirement("GPC.RETRIEVE.4", "GPC.RETRIEVE.6")
@pytest.mark.parametrize("date", ["zz2026-01-01", "ge2026-13-01", "yesterday"])
async def test_a_date_that_is_none_is_refused(clinic: Clinic, patient: str, date: str) -> None:
    refused(await ask(clinic, "GET", "Appointment", params={"patient": patient, "date": date}), 400)


@requirement("GPC.RETRIEVE.7")
async def test_a_time_that_ends_before_it_begins_has_no_appointments(clinic: Clinic, patient: str) -> None:
    await booked(clinic, patient)
    query = f"patient={patient}&date=ge2031-01-02&date=lt2031-01-01"
    assert shown(ok(await ask(clinic, "GET", f"Appointment?{query}"))) == []


@requirement("GPC.AMEND.1")
async def test_an_appointment_is_moved(clinic: Clinic, patient: str) -> None:
    made = await booked(clinic, patient)
    other = (await proposals(clinic))["entry"][2]["resource"]
    sent = made | {"start": other["start"], "end": other["end"]}
    moved = ok(await ask(clinic, "PUT", f"Appointment/{made['id']}", json=sent))
    assert (moved["id"], moved["start"], moved["meta"]["versionId"]) == (made["id"], other["start"], "2")


@requirement("GPC.AMEND.4")
@pytest.mark.parametrize("change", [{"end": "2031-01-01T10:00:00Z", "start": "2031-01-01T10:00:00Z"}, {"status": "proposed"},
                                    {"comment": "other words"}, {"basedOn": [{"display": "R-1"}]}])  # fmt: skip
async def test_what_cannot_be_changed_is_refused_and_stays(clinic: Clinic, patient: str, change: Json) -> None:
    made = await booked(clinic, patient)
    refused(await ask(clinic, "PUT", f"Appointment/{made['id']}", json=made | change), 400, 409, 422)
    assert ok(await ask(clinic, "GET", f"Appointment/{made['id']}")) == made


@requirement("GPC.AMEND.5", "GPC.CANCEL.5")
async def test_a_version_that_is_out_of_date_changes_nothing(clinic: Clinic, patient: str) -> None:
    made = await booked(clinic, patient)
    place = f"Appointment/{made['id']}"
    for tag in ('W/"7"', 'W/"0"'):
        refused(await ask(clinic, "PUT", place, json=made | {"status": "cancelled"}, headers={"If-Match": tag}), 412)
    assert ok(await ask(clinic, "GET", place)) == made


@requirement("GPC.AMEND.6", "GPC.CANCEL.4")
async def test_the_tag_of_the_answer_is_that_of_the_version(clinic: Clinic, patient: str) -> None:
    made = await booked(clinic, patient)
    place = f"Appointment/{made['id']}"
    answer = await ask(clinic, "PUT", place, json=made | {"status": "cancelled"}, headers={"If-Match": 'W/"1"'})
    read = await ask(clinic, "GET", place)
    assert answer.headers["etag"] == read.headers["etag"] == 'W/"2"'
    assert ok(answer)["meta"]["versionId"] == "2"


@requirement("GPC.AMEND.7")
async def test_an_amendment_that_is_no_appointment_is_refused(clinic: Clinic, patient: str) -> None:
    made = await booked(clinic, patient)
    for sent in ({"resourceType": "Bundle", "type": "collection"}, made | {"colour": "blue"}, made | {"id": "another"}):
        refused(await ask(clinic, "PUT", f"Appointment/{made['id']}", json=sent), 400, 422)


@requirement("GPC.CANCEL.1", "GPC.CANCEL.2")
async def test_an_appointment_is_cancelled_with_its_reason(clinic: Clinic, patient: str) -> None:
    made = await booked(clinic, patient)
    reason = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason", "code": "prov"}]}
    sent = made | {"status": "cancelled", "cancelationReason": reason}
    ended = ok(await ask(clinic, "PUT", f"Appointment/{made['id']}", json=sent))
    assert (ended["status"], ended["cancelationReason"]["coding"][0]["code"]) == ("cancelled", "prov")


@requirement("GPC.CANCEL.7")
async def test_a_cancelled_appointment_is_not_amended(clinic: Clinic, patient: str) -> None:
    made = await booked(clinic, patient)
    place = f"Appointment/{made['id']}"
    ended = ok(await ask(clinic, "PUT", place, json=made | {"status": "cancelled"}))
    other = (await proposals(clinic))["entry"][3]["resource"]
    refused(await ask(clinic, "PUT", place, json=ended | {"start": other["start"], "end": other["end"]}), 409, 422)
    refused(await ask(clinic, "PUT", place, json=made), 409, 422)
