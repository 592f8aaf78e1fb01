"""Role by site by type by interaction by element, asked at FHIR's addresses: what docs/security/fhir.txt says is what is answered.

Types and interactions come from the CapabilityStatement. One without a line there fails, and so does a line without one.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.fhir.directory import PHYSICAL_TYPES, TIME_ZONE
from carewright.contracts.permissions import ALL, ROLES
from carewright.fhir.model.ids import ResponseId, SlotId, write_response, write_slot
from tests.clinic import Clinic, Json, at, ok, open_clinic
from tests.fhir_asking import FHIR, VISIT_TYPES
from tests.store.test_matrix import OF_THEMSELVES, SITES, prepared
from tests.tidy.source import ROOT
from tests.whole_system import Answer, Inside

LIST = ROOT / "docs" / "security" / "fhir.txt"
OF_A_SITE = frozenset({"Appointment", "AppointmentResponse", "Schedule", "Slot"})
"""What belongs to a site: who is kept to another is shown nothing of it."""
SLOT_MINUTES = 30
LOGGED_SECONDS_MAX = 10
PATCH = "application/json-patch+json"
UNSEEN = frozenset({
    "Communication", "CoverageEligibilityRequest", "CoverageEligibilityResponse", "Encounter", "Observation", "RelatedPerson", "Schedule",
    "Subscription", "Task",
})  # fmt: skip
"""Of these nothing is there, or not every interaction has an answer: whether they may be asked for is tried all the same."""
CREATED = {
    "Coverage": "front-desk", "Group": "integration", "ServiceRequest": "front-desk", "Device": "integration",
    "Organization": "integration", "Practitioner": "integration", "PractitionerRole": "integration",
}  # fmt: skip
"""What is written before somebody reads it, and by whom, besides what the clinic's own API makes."""


class Table(NamedTuple):
    """Which permission an interaction with a type asks for, and which one an element asks for besides."""

    interactions: dict[tuple[str, str], str]
    elements: dict[str, str]


def table() -> Table:
    """Raises `ValueError` for a line out of form, or something said twice."""
    interactions: dict[tuple[str, str], str] = {}
    elements: dict[str, str] = {}
    for line in (line for line in LIST.read_text("utf-8").splitlines() if line and not line.startswith("#")):
        kind, words, permission = line.split(" | ")
        for word in words.split(", "):
            known: dict[Any, str] = elements if word[0] == "." else interactions
            place = f"{kind}{word}" if word[0] == "." else (kind, word)
            if place in known or permission not in ALL:
                raise ValueError(line)
            known[place] = permission
    return Table(interactions, elements)


class Cell(NamedTuple):
    """One interaction of one role at one site."""

    kind: str
    interaction: str
    method: str
    target: str
    body: bytes = b""
    media: str = "application/fhir+json"


@pytest.fixture(scope="module")
async def served(whole: Inside) -> dict[str, tuple[str, ...]]:
    """The interactions of each type."""
    statement = msgspec.json.decode((await whole.ask("GET", f"{FHIR}/metadata", {})).body)
    return {each["type"]: tuple(one["code"] for one in each["interaction"]) for each in statement["rest"][0]["resource"]}


async def test_every_interaction_has_a_permission(served: dict[str, tuple[str, ...]]) -> None:
    assert table().interactions.keys() ^ {(kind, code) for kind, codes in served.items() for code in codes} == set()


async def test_a_role_is_answered_what_the_table_says_at_its_sites_and_element_by_element(
    whole: Inside, served: dict[str, tuple[str, ...]]
) -> None:
    usual, another = await open_clinic(whole), await open_clinic(whole)
    listed = table()
    found: list[str] = []
    shown: dict[str, set[str]] = defaultdict(set)
    reached: set[tuple[str, str]] = set()
    cells = 0
    walked = [(role, site) for role in ROLES for site in (SITES[:1] if role in OF_THEMSELVES else SITES)]
    for number, (role, site) in enumerate(walked):
        mine = await lived(whole, usual, number) | {"role": role}
        kept = {"every": frozenset(), "own": frozenset({UUID(usual.site_id)}), "another": frozenset({UUID(another.site_id)})}[site]
        patient = UUID(mine["patient_id"]) if role in OF_THEMSELVES else None
        actor = whole.system.tokens.actor(role, f"fhir-matrix-{role}-{site}", whole.known.organization_id, patient)
        bearer = {"authorization": f"Bearer {whole.signed(replace(actor, site_ids=kept))}"}
        for cell in cells_of(served, mine):
            answer = await whole.ask(cell.method, f"{FHIR}/{cell.target}", bearer | {"content-type": cell.media}, cell.body)
            told = set(elements_in(cell, answer))
            permission = listed.interactions[cell.kind, cell.interaction]
            found += wrong(cell, permission, role, site, answer, told)
            found += [f"{role} was told {each}" for each in told if (asks := listed.elements.get(each)) and asks not in ROLES[role]]
            for each in told:
                shown[each].add(role)
            if answer.status < 300:
                reached.add((cell.kind, cell.interaction))
            cells += max(len(told), 1)
    print(f"{cells} cells")
    assert found == []
    assert {kind for kind, _ in listed.interactions.keys() - reached} <= UNSEEN, "nobody could do what the table lets some do"
    assert {kind for kind, _, _ in (each.partition(".") for each in shown)} >= {"Appointment", "Patient", "Schedule", *CREATED}
    for element, permission in listed.elements.items():
        assert shown[element], f"nobody was shown {element}, so that it was not tried"
        assert shown[element] <= {role for role in ROLES if permission in ROLES[role]}


def wrong(cell: Cell, permission: str, role: str, site: str, answer: Answer, told: set[str]) -> list[str]:
    """What an answer should not have been, in words."""
    where = f"{role} at {site} site, {cell.interaction} {cell.kind}: {answer.status} {answer.body[:300]!r}"
    is_forbidden = answer.status == 403 and b'"kernel.forbidden"' in answer.body
    if site == "another" and cell.kind in OF_A_SITE:
        return [where] if told or (answer.status < 300 and cell.interaction != "search-type") else []
    return [where] if is_forbidden == (permission in ROLES[role]) or (is_forbidden and told) else []


def elements_in(cell: Cell, answer: Answer) -> Iterator[str]:
    """The elements that an answer holds of this type, as `Type.element`."""
    if answer.status >= 300 or not answer.body:
        return
    body = msgspec.json.decode(answer.body)
    bundled = [each["resource"] for each in body.get("entry", ()) if "resource" in each]
    for resource in [body, *bundled]:
        if resource.get("resourceType") == cell.kind:
            yield from (f"{cell.kind}.{name}" for name in resource if name != "resourceType")


async def lived(whole: Inside, clinic: Clinic, number: int) -> dict[str, str]:
    """The ids that one actor may name, by what they are of: a patient with everything that may be written for one."""
    owns = await prepared(whole, clinic, number)
    mine = owns[0] | {"free": owns[1]["start"], "later": owns[3]["start"]}
    event = await logged(whole, mine["patient_id"])
    ids = {
        "Patient": mine["patient_id"], "Appointment": mine["appointment_id"], "Schedule": mine["schedule_id"],
        "Location": mine["site_id"], "HealthcareService": mine["service_id"], "AuditEvent": event, "Provenance": event,
        "Slot": write_slot(SlotId(UUID(mine["schedule_id"]), datetime.fromisoformat(mine["start"]), SLOT_MINUTES)),
        "AppointmentResponse": write_response(ResponseId(UUID(mine["appointment_id"]), UUID(mine["practitioner_id"]))),
    }  # fmt: skip
    for kind, role in CREATED.items():
        answer = await whole.request(role, "POST", f"{FHIR}/{kind}", json=resource_of(kind, mine))
        ids[kind] = ok(answer, 201)["id"]
    return mine | ids


async def logged(whole: Inside, patient_id: str) -> str:
    """An entry of the log about somebody who was written: it is there within a moment."""
    async with asyncio.timeout(LOGGED_SECONDS_MAX):
        while True:
            found = ok(await whole.request("privacy-officer", "GET", f"{FHIR}/AuditEvent?patient=Patient/{patient_id}&action=C"))
            if entries := found.get("entry"):
                return str(entries[0]["resource"]["id"])
            await whole.system.wake.wait(0.05)


def cells_of(served: dict[str, tuple[str, ...]], mine: dict[str, str]) -> Iterator[Cell]:
    """Every interaction with every type; what ends something comes last."""
    order = ("read", "vread", "history-instance", "search-type", "create", "update", "patch", "delete")
    for code in order:
        for kind in (kind for kind, codes in served.items() if code in codes):
            yield cell_of(kind, code, mine)
    assert {code for codes in served.values() for code in codes} <= set(order)


def cell_of(kind: str, code: str, mine: dict[str, str]) -> Cell:
    id_ = mine.get(kind) or str(uuid4())
    match code:
        case "read" | "delete":
            return Cell(kind, code, "GET" if code == "read" else "DELETE", f"{kind}/{id_}")
        case "vread":
            return Cell(kind, code, "GET", f"{kind}/{id_}/_history/1")
        case "history-instance":
            return Cell(kind, code, "GET", f"{kind}/{id_}/_history")
        case "search-type":
            narrowed = f"&schedule={mine['schedule_id']}&start={mine['start'][:10]}" if kind == "Slot" else ""
            return Cell(kind, code, "GET", f"{kind}?_id={id_}{narrowed}")
        case "patch":
            return Cell(kind, code, "PATCH", f"{kind}/{id_}", msgspec.json.encode(change_of(kind)), PATCH)
        case "create":
            return Cell(kind, code, "POST", kind, msgspec.json.encode(resource_of(kind, mine)))
        case _:
            moved = resource_of(kind, mine | {"free": mine["later"]}) | {"id": id_}
            return Cell(kind, code, "PUT", f"{kind}/{id_}", msgspec.json.encode(moved))


def change_of(kind: str) -> list[Json]:
    path, value = {
        "Appointment": ("/status", "cancelled"), "Patient": ("/gender", "other"), "Coverage": ("/subscriberId", "W9"),
        "ServiceRequest": ("/priority", "stat"), "Group": ("/name", "Another"), "Subscription": ("/reason", "to see"),
        "Device": ("/status", "inactive"), "HealthcareService": ("/comment", "By appointment"), "Location": ("/name", "Test Clinic 2"),
        "Organization": ("/name", "Another"), "Practitioner": ("/gender", "other"), "PractitionerRole": ("/active", False),
    }[kind]  # fmt: skip
    return [{"op": "add", "path": path, "value": value}]


def resource_of(kind: str, mine: dict[str, str]) -> Json:
    """One in form, for the patient."""
    patient = {"reference": f"Patient/{mine['patient_id']}"}
    practitioner = {"reference": f"Practitioner/{mine['practitioner_id']}"}
    concept = {"coding": [{"system": "http://snomed.info/sct", "code": "183519002"}]}
    payor = [{"identifier": {"system": "urn:payers", "value": "60054"}, "display": "Numbat Mutual"}]
    place = {"reference": f"Location/{mine['site_id']}"}
    people = [patient, practitioner, place]
    written: dict[str, Json] = {
        "Appointment": {
            "status": "booked", "start": mine["free"], "end": at(mine["free"], minutes=SLOT_MINUTES),
            "participant": [{"actor": each, "status": "accepted"} for each in people],
            "serviceType": [{"coding": [{"system": VISIT_TYPES, "code": mine["visit_type_id"]}]}],
        },
        "AppointmentResponse": {
            "appointment": {"reference": f"Appointment/{mine['hold_id']}"}, "participantStatus": "declined",
            "actor": patient if mine.get("role") in OF_THEMSELVES else practitioner,
        },
        "Coverage": {"status": "active", "beneficiary": patient, "subscriberId": f"W-{uuid4()}", "payor": payor},
        "CoverageEligibilityRequest": {
            "status": "active", "purpose": ["benefits"], "patient": patient, "created": "2026-11-26", "servicedDate": mine["start"][:10],
            "insurer": payor[0], "insurance": [{"coverage": {"reference": f"Coverage/{mine.get('Coverage')}"}}],
        },
        "Device": {"type": concept, "deviceName": [{"name": "Some", "type": "other"}], "location": place},
        "HealthcareService": {"name": "Podiatry", "specialty": [concept], "location": [place]},
        "Location": {
            "name": "Some", "physicalType": {"coding": [{"system": PHYSICAL_TYPES, "code": "si"}]},
            "extension": [{"url": TIME_ZONE, "valueCode": "Europe/Berlin"}],
        },
        "Organization": {"name": "Some"},
        "Practitioner": {"name": [{"family": "Testmann", "given": ["Petra"]}]},
        "PractitionerRole": {"practitioner": practitioner, "specialty": [concept], "location": [place]},
        "Group": {"type": "person", "actual": True, "name": "Some", "member": [{"entity": patient}]},
        "Patient": {"name": [{"family": "Element", "given": ["Field"]}]},
        "ServiceRequest": {"status": "active", "intent": "order", "subject": patient, "code": concept, "requester": practitioner},
        "Subscription": {
            "status": "requested", "reason": "to keep up", "criteria": "urn:carewright:topic:none",
            "channel": {"type": "rest-hook", "endpoint": "https://ehr.example.org/told", "payload": "application/fhir+json"},
        },
    }  # fmt: skip
    return {"resourceType": kind} | written[kind]
