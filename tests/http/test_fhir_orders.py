"""ServiceRequests through FHIR: written and read by other systems, searched, and what appointments are based on."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.contracts.fhir.orders import IDENTIFIER_TYPES
from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome, shown
from tests.http.test_fhir_encounters import another, asked
from tests.http.test_fhir_writes import named

ORDERS = f"{FHIR}/ServiceRequest"
SNOMED = "http://snomed.info/sct"


def order(patient: UUID, **changes: Any) -> Json:
    """A referral of a patient, numbered by whoever refers."""
    placer = {"type": {"coding": [{"system": IDENTIFIER_TYPES, "code": "PLAC"}]}, "system": "urn:test:placer", "value": f"P-{patient}"}
    return {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "priority": "urgent", "identifier": [placer],
        "subject": {"reference": f"Patient/{patient}"}, "authoredOn": "2026-11-02T08:00:00Z",
        "category": [{"coding": [{"system": SNOMED, "code": "3457005"}]}],
        "code": {"coding": [{"system": SNOMED, "code": "183519002", "display": "Referral to cardiology service"}]},
        "requester": {"display": "Dr. Numbat, elsewhere"}, "occurrenceDateTime": "2026-12-01T08:00:00Z",
        "reasonCode": [{"text": "palpitations at night"}],
    } | changes  # fmt: skip


async def post(clinic: Clinic, sent: Json, role: str = "physician", **headers: str) -> httpx.Response:
    return await clinic.system.request(role, "POST", ORDERS, json=sent, headers=named(headers))


async def put(clinic: Clinic, sent: Json, **headers: str) -> httpx.Response:
    return await clinic.system.request("physician", "PUT", f"{ORDERS}/{sent['id']}", json=sent, headers=named(headers))


@pytest.fixture(scope="module")
async def referred(clinic: Clinic) -> Json:
    """The referral of a patient called Potoroo, to the practitioner of the clinic."""
    sent = order(await register(clinic.system, "Potoroo"), performer=[{"reference": f"Practitioner/{clinic.practitioner_id}"}])
    made: Json = ok(await post(clinic, sent), 201)
    return made


def patient_of(one: Json) -> str:
    reference: str = one["subject"]["reference"]
    return reference


@pytest.mark.requirement("R4.write")
async def test_an_order_is_created_changed_and_patched(clinic: Clinic) -> None:
    """FHIR R4 http.html: create with ETag, update with If-Match, JSON Patch; what has ended begins no more."""
    sent = order(await register(clinic.system))
    created = await post(clinic, sent)
    made = ok(created, 201)
    assert created.headers["etag"] == 'W/"1"'
    assert made["code"] == sent["code"] | {"text": "Referral to cardiology service"}
    assert {name: made[name] for name in sent if name != "code"} == {name: sent[name] for name in sent if name != "code"}
    assert [each for each in issues_of(r4_definitions(), made) if each.severity == "error"] == []
    outcome(await put(clinic, made | {"priority": "stat"}, if_match='W/"9"'), 412, "kernel.precondition_failed")
    assert ok(await put(clinic, made | {"priority": "stat"}, if_match='W/"1"'))["meta"]["versionId"] == "2"
    patch = [{"op": "replace", "path": "/status", "value": "completed"}]
    patched = ok(await clinic.system.request("physician", "PATCH", f"{ORDERS}/{made['id']}", json=patch))
    assert (patched["status"], patched["meta"]["versionId"]) == ("completed", "3")
    assert ok(await put(clinic, patched))["meta"]["versionId"] == "3", "the same again changes nothing"
    outcome(await put(clinic, patched | {"status": "active"}), 409, "orders.status_not_allowed")


@pytest.mark.parametrize(
    ("changes", "status", "code", "expression"),
    [
        ({"doNotPerform": True}, 422, "fhir.invalid_element", "ServiceRequest.doNotPerform"),
        ({"subject": {"reference": "Group/1"}}, 422, "fhir.invalid_element", "ServiceRequest.subject"),
        ({"requester": {"reference": f"Practitioner/{uuid4()}"}}, 422, "fhir.invalid_element", "ServiceRequest.requester.reference"),
        ({"performer": [{"reference": "CareTeam/1"}]}, 422, "fhir.invalid_element", "ServiceRequest.performer[0].reference"),
        ({"authoredOn": "2026-11"}, 422, "fhir.invalid_element", "ServiceRequest.authoredOn"),
        ({"identifier": [{"value": "7"}]}, 422, "fhir.invalid_element", "ServiceRequest.identifier"),
        ({"subject": {"reference": f"Patient/{uuid4()}"}}, 404, "patients.unknown_patient", None),
    ],
)  # fmt: skip
async def test_what_cannot_be_kept_is_refused_by_its_place(
    clinic: Clinic, changes: Json, status: int, code: str, expression: str | None
) -> None:
    answer = outcome(await post(clinic, order(await register(clinic.system), **changes)), status, code)
    assert expression is None or answer["expression"] == [expression]


async def test_a_number_names_one_order(clinic: Clinic, referred: Json) -> None:
    sent = order(await register(clinic.system), identifier=referred["identifier"])
    answer = outcome(await post(clinic, sent), 422, "orders.invalid_request")
    assert answer["expression"] == ["ServiceRequest.identifier"]
    outcome(await put(clinic, referred | {"subject": sent["subject"]}), 422, "fhir.change_not_supported")


@pytest.mark.requirement("R4.search")
async def test_orders_are_found_by_r4s_parameters(clinic: Clinic, referred: Json) -> None:
    patient, number = patient_of(referred), referred["identifier"][0]["value"]
    of_patient = f"patient={patient}"
    for query in (
        f"_id={referred['id']}", of_patient, f"subject={patient}", f"identifier=urn:test:placer|{number}",
        f"performer=Practitioner/{clinic.practitioner_id}&_id={referred['id']}", f"authored=2026-11-02&{of_patient}",
        f"{of_patient}&identifier={number},urn:test:placer|of-nobody",
        f"{of_patient}&status=active&intent=order&priority=urgent", f"{of_patient}&code={SNOMED}|183519002",
        f"{of_patient}&category=3457005", f"{of_patient}&occurrence=2026-12-01", f"patient.family=Potoroo&_id={referred['id']}",
    ):  # fmt: skip
        assert shown(ok(await asked(clinic.system, f"ServiceRequest?{query}", "physician"))) == [f"ServiceRequest/{referred['id']}"], query
    for query in (f"{of_patient}&status=draft", f"{of_patient}&code=1", f"{of_patient}&requester=Practitioner/{clinic.practitioner_id}"):
        assert shown(ok(await asked(clinic.system, f"ServiceRequest?{query}", "physician"))) == []
    outcome(await asked(clinic.system, "ServiceRequest?status=active", "physician"), 422, "fhir.search_too_wide")
    with_patient = ok(await asked(clinic.system, f"ServiceRequest?_id={referred['id']}&_include=ServiceRequest:patient", "physician"))
    assert everything(with_patient) == sorted([f"ServiceRequest/{referred['id']}", patient])


async def test_an_appointment_is_based_on_the_order_that_it_names(clinic: Clinic) -> None:
    """By reference, by its number, and before it is known: the reference is there as soon as the order is, for who may read it."""
    patient = await register(clinic.system, "Bettong")
    sent = order(patient)
    number = sent["identifier"][0]["value"]
    early = await based_on(clinic, patient, {"identifier": {"value": number}}, -1)
    assert early["basedOn"] == [{"display": number}], "nobody knows the order yet"
    made = ok(await post(clinic, sent), 201)
    place = f"ServiceRequest/{made['id']}"
    late = await based_on(clinic, patient, {"reference": place}, -9)
    for each in (early, late):
        told = ok(await asked(clinic.system, f"Appointment/{each['id']}", "front-desk"))
        assert told["basedOn"] == [{"reference": place, "display": number}]
        assert ok(await clinic.system.request("front-desk", "PUT", f"{FHIR}/Appointment/{each['id']}", json=told)) == told
        unseen = ok(await asked(clinic.system, f"Appointment/{each['id']}", "scheduler"))
        assert unseen["basedOn"] == [{"display": number}], "whoever may not read orders learns of none"
    both = sorted(f"Appointment/{each['id']}" for each in (early, late))
    for query in (
        f"based-on={place}", f"based-on:ServiceRequest.identifier=urn:test:placer|{number}", f"patient=Patient/{patient}&based-on={place}",
    ):  # fmt: skip
        assert sorted(shown(ok(await asked(clinic.system, f"Appointment?{query}")))) == both, query
    back = ok(await asked(clinic.system, f"ServiceRequest?_id={made['id']}&_revinclude=Appointment:based-on"))
    assert everything(back) == sorted([place, *both])
    included = ok(await asked(clinic.system, f"Appointment?_id={late['id']}&_include=Appointment:based-on"))
    assert everything(included) == [f"Appointment/{late['id']}", place]
    cancelled = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment/{late['id']}/$cancel"))
    assert (cancelled["status"], cancelled["basedOn"]) == ("cancelled", [{"reference": place, "display": number}])
    stranger = await register(clinic.system)
    wrong = appointment(clinic, stranger, (await clinic.free())[-17], {"reference": place})
    answer = await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment", json=wrong)
    refused = outcome(answer, 422, "fhir.invalid_element")
    assert refused["expression"] == ["Appointment.basedOn[0].reference"]


async def test_only_who_may_sees_orders(clinic: Clinic, referred: Json) -> None:
    place, patient = f"ServiceRequest/{referred['id']}", UUID(patient_of(referred).partition("/")[2])
    for role, permissions in ROLES.items():
        if role in ("patient", "proxy"):
            continue
        answer = await asked(clinic.system, place, role)
        assert answer.status_code == (200 if "orders.request.read" in permissions else 403), role
    assert ok(await asked(clinic.system, place, "patient", patient))["id"] == referred["id"]
    stranger = await register(clinic.system)
    outcome(await asked(clinic.system, place, "patient", stranger), 404, "orders.unknown_request")
    assert shown(ok(await asked(clinic.system, "ServiceRequest", "patient", stranger))) == []
    outcome(await asked(another(clinic.system), place, "physician"), 404, "orders.unknown_request")


def everything(bundle: Json) -> list[str]:
    """What was found, and what came along with it."""
    return sorted(f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in bundle["entry"])


def appointment(clinic: Clinic, patient: UUID, start: str, order: Json) -> Json:
    """An appointment that is asked for, based on an order."""
    return {
        "resourceType": "Appointment", "status": "booked", "basedOn": [order],
        "start": start, "end": (datetime.fromisoformat(start) + timedelta(minutes=30)).isoformat(),
        "serviceType": [{"coding": [{"system": "urn:carewright:visit-type", "code": clinic.visit_type_id}]}],
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"reference": f"Location/{clinic.site_id}"}, "status": "accepted"},
        ],
    }  # fmt: skip


async def based_on(clinic: Clinic, patient: UUID, order: Json, nth: int) -> Json:
    """An appointment of the patient, booked by FHIR."""
    start = (await clinic.free())[nth]
    sent = appointment(clinic, patient, start, order)
    made: Json = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment", json=sent), 201)
    return made
