"""Requests to FHIR's addresses with somebody else's ids wherever an id may stand, made of what the CapabilityStatement says is served.

A type, a reference to search by, or an interaction that comes new is probed without a word here; `WRITTEN` is what a write looks like.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec

from carewright.fhir.model.ids import SlotId, write_slot
from tests.probes import Json, Probe, written

FHIR = "/fhir/R4"
FIND = ("patient-reference", "practitioner", "location-reference", "schedule", "service-type-reference", "visit-type")
VISIT_TYPES = "urn:carewright:visit-type"
ANY = {"system": "http://snomed.info/sct", "version": "1", "code": "1"}
ROOM = {"system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "ro"}
ORGANIZATION = {"reference": f"Organization/{UUID(int=0)}"}
"""Of entries of the directory: what nobody has."""
CANCEL = [{"op": "replace", "path": "/status", "value": "cancelled"}]


class Asked(NamedTuple):
    """One request before it has a token."""

    method: str
    target: str
    body: Any = None
    form: Mapping[str, str] = {}


def fhir_probes(statement: Json, token: str, own: Mapping[str, str], foreign: Sequence[UUID], ways: Sequence[str]) -> Iterator[Probe]:
    """One actor's probes: each type that is served, each place for an id, each foreign id, each way of writing it."""
    for served, one, way in product(statement["rest"][0]["resource"], foreign, ways):
        for asked in _requests(served, written(one, way), own):
            yield _probe(asked, token, served["type"], frozenset({str(one)}))
    for one in foreign:
        slot = write_slot(SlotId(one, datetime.fromisoformat(own["start"]), 30))
        yield _probe(Asked("GET", f"Slot/{slot}"), token, "Slot", frozenset({str(one)}))


def _probe(asked: Asked, token: str, kind: str, sent: frozenset[str]) -> Probe:
    raw = urlencode(asked.form).encode() if asked.form else b"" if asked.body is None else msgspec.json.encode(asked.body)
    media = "application/x-www-form-urlencoded" if asked.form else "application/fhir+json"
    headers = {"authorization": f"Bearer {token}"} | ({"content-type": media} if raw else {})
    return Probe(f"fhir {kind}", asked.method, f"{FHIR}/{quote(asked.target, safe='/%:?=&$*_')}", headers, raw, sent)


def _requests(served: Json, text: str, own: Mapping[str, str]) -> Iterator[Asked]:
    """Everything that may be asked of one type with `text` as an id."""
    kind, codes = served["type"], {each["code"] for each in served["interaction"]}
    yield Asked("GET", f"{kind}/{text}")
    if "search-type" in codes:
        yield from _searches(served, text)
    if "update" in codes:
        yield Asked("PUT", f"{kind}/{text}", _written(kind, own) | {"id": text})
    if "patch" in codes:
        yield Asked("PATCH", f"{kind}/{text}", CANCEL)
    if "delete" in codes:
        yield Asked("DELETE", f"{kind}/{text}")
    if "create" in codes:
        yield from (Asked("POST", kind, body) for body in _spoiled(_written(kind, own), text))
    if "operation" in served:
        yield from _operations(kind, text, own)


def _searches(served: Json, text: str) -> Iterator[Asked]:
    kind = served["type"]
    for name in ("_id", *(each["name"] for each in served.get("searchParam", ()) if each["type"] == "reference")):
        yield Asked("GET", f"{kind}?{name}={text}&_include=*")
        yield Asked("POST", f"{kind}/_search", form={name: text})


def _operations(kind: str, text: str, own: Mapping[str, str]) -> Iterator[Asked]:
    """IHE's and Medplum's: a reference to what is somebody else's, or a resource that names it; and what is found for them."""
    mine = ("patient-reference", f"Patient/{own['patient_id']}")
    for name in ("$hold", "$book"):
        yield Asked("POST", f"{kind}/{name}", _parameters(("appointment-reference", f"{kind}/{text}"), mine))
        for body in _spoiled(_written(kind, own), text):
            given = _parameters(mine)
            given["parameter"].append({"name": "appointment-resource", "resource": body})
            yield Asked("POST", f"{kind}/{name}", given)
    moved = _parameters(("schedule", f"Schedule/{own['practitioner_id']}"))
    moved["parameter"].append({"name": "start", "valueDateTime": own["start"]})
    yield from (
        Asked("POST", f"{kind}/{text}/{name}", body) for name, body in {"$confirm": None, "$cancel": None, "$reschedule": moved}.items()
    )
    window = {"start": own["start"], "end": own["end"], "visit-type": own["visit_type_id"]}
    yield from (Asked("GET", f"{kind}/$find?{urlencode(window | {name: text})}") for name in FIND)


def _parameters(*references: tuple[str, str]) -> Json:
    return {"resourceType": "Parameters", "parameter": [
        {"name": name, "valueReference": {"reference": place}} for name, place in references
    ]}  # fmt: skip


def _written(kind: str, own: Mapping[str, str]) -> Json:
    """A resource in form with one's own ids; of types that are not known here, one that names a patient."""
    patient, actors = (
        {"reference": f"Patient/{own['patient_id']}"},
        ("Practitioner/" + own["practitioner_id"], "Location/" + own["site_id"]),
    )
    if kind == "Appointment":
        people = [patient, *({"reference": each} for each in actors)]
        return {
            "resourceType": kind, "id": own["patient_id"], "status": "booked", "start": own["start"], "end": own["end"],
            "serviceType": [{"coding": [{"system": VISIT_TYPES, "code": own["visit_type_id"]}]}],
            "participant": [{"actor": each, "status": "accepted"} for each in people],
        }  # fmt: skip
    if kind == "Patient":
        return {
            "resourceType": kind,
            "id": own["patient_id"],
            "name": [{"family": "Stranger"}],
            "link": [{"other": patient, "type": "seealso"}],
        }
    site, practitioner = ({"reference": each} for each in reversed(actors))
    entries: dict[str, Json] = {
        "Device": {"type": {"coding": [ANY]}, "deviceName": [{"name": "Any", "type": "other"}], "location": site},
        "HealthcareService": {"name": "Any", "specialty": [{"coding": [ANY]}], "location": [site]},
        "Location": {"name": "Any", "physicalType": {"coding": [ROOM]}, "partOf": site, "managingOrganization": dict(ORGANIZATION)},
        "Organization": {"name": "Any", "partOf": dict(ORGANIZATION)},
        "Practitioner": {"name": [{"family": "Any"}]},
        "PractitionerRole": {"practitioner": practitioner, "organization": dict(ORGANIZATION), "location": [site]},
    }
    if kind in entries:
        return {"resourceType": kind, "id": own["practitioner_id"]} | entries[kind]
    return {"resourceType": kind, "id": own["patient_id"], "status": "active", "patient": patient, "subject": dict(patient)}


def _spoiled(resource: Json, text: str) -> Iterator[Json]:
    """The resource with `text` in the place of each of its ids, one at a time."""
    for path in list(_ids(resource)):
        spoiled = deepcopy(resource)
        owner: Any = spoiled
        for step in path[:-1]:
            owner = owner[step]
        kind, parted, _ = str(owner[path[-1]]).rpartition("/")
        owner[path[-1]] = f"{kind}{parted}{text}"
        yield spoiled


def _ids(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where ids stand: `id`, `reference` and the code of a kind of visit."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in ("id", "reference", "code"):
            yield (*path, key)
        yield from _ids(inner, (*path, key))
