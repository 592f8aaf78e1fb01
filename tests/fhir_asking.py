"""FHIR asked as another system asks it: operations, searches, and what their answers show."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from carewright.fhir.model.validating import issues_of
from carewright.fhir.model.xml import from_xml
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, tomorrow
from tests.system import System

FHIR = "/fhir/R4"
MEDIA = "application/fhir+json; charset=utf-8"
VISIT_TYPES = "urn:carewright:visit-type"


def outcome(answer: httpx.Response, status: int, code: str) -> Json:
    """The one issue of an OperationOutcome."""
    assert answer.headers["content-type"] == MEDIA, answer.text
    body = answer.json()
    assert (answer.status_code, body["resourceType"]) == (status, "OperationOutcome"), answer.text
    issue: Json = body["issue"][0]
    assert issue["details"]["coding"][0]["code"] == code, body
    return issue


def parameters(**given: Any) -> Json:
    """A Parameters resource; the name says what kind of value it has."""
    kinds = {"start": "valueDateTime", "end": "valueDateTime", "_count": "valueInteger", "visit-type": "valueCoding"}

    def one(name: str, value: Any) -> Json:
        kind = "resource" if isinstance(value, dict) and "resourceType" in value else kinds.get(name, "valueReference")
        return {"name": name, kind: value}

    return {"resourceType": "Parameters", "parameter": [one(name.replace("__", "-"), value) for name, value in given.items()]}


async def operate(clinic: Clinic, operation: str, body: Json, role: str = "front-desk") -> httpx.Response:
    return await clinic.system.request(role, "POST", f"{FHIR}/Appointment/${operation}", json=body)


async def proposals(clinic: Clinic, count: int = 10, **more: Any) -> Json:
    start = datetime.fromisoformat(tomorrow())
    asked = {"start": start.isoformat(), "end": (start + timedelta(days=7)).isoformat(), "_count": count} | more
    asked["visit__type"] = {"system": VISIT_TYPES, "code": clinic.visit_type_id}
    found: Json = ok(await operate(clinic, "find", parameters(**asked)))
    return found


async def hold(clinic: Clinic, patient: str, proposal: Json) -> Json:
    body = parameters(appointment__reference={"reference": f"Appointment/{proposal['id']}"}, patient__reference={"reference": patient})
    bundle = ok(await operate(clinic, "hold", body))
    assert (bundle["type"], len(bundle["entry"])) == ("searchset", 1)
    held: Json = bundle["entry"][0]["resource"]
    return held


async def searched(clinic: Clinic, kind: str, role: str = "front-desk", **query: str) -> Json:
    found: Json = ok(
        await clinic.system.request(role, "GET", f"{FHIR}/{kind}", params={name.replace("__", ":"): text for name, text in query.items()})
    )
    return found


def shown(bundle: Json, mode: str = "match") -> list[str]:
    return [
        f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", []) if one["search"]["mode"] == mode
    ]


def shown_outcomes(bundle: Json) -> list[Json]:
    return [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "outcome"]


async def in_form(system: System, address: str, role: str = "front-desk") -> Json:
    """A resource that is read: of R4's form in JSON, and the same in XML."""
    one: Json = ok(await system.request(role, "GET", f"{FHIR}/{address}"))
    assert [each for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []
    as_xml = await system.request(role, "GET", f"{FHIR}/{address}?_format=xml")
    assert from_xml(r4_definitions(), as_xml.content)["id"] == one["id"]
    return one
