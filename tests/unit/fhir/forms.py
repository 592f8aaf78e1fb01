"""Official examples of FHIR R4, and every place in a resource with its definition: what the tests of forms mutate."""

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from carewright.fhir.model.definitions import Element
from carewright.fhir.store import r4_definitions

DEFINITIONS = r4_definitions()
FOLDER = Path(__file__).parent / "r4"
SERVED = frozenset(
    ["Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "Device", "Schedule",
     "Slot", "Appointment", "AppointmentResponse", "Encounter", "Observation", "Communication", "ServiceRequest", "Coverage",
     "CoverageEligibilityRequest", "CoverageEligibilityResponse", "Task", "AuditEvent", "Provenance", "Subscription", "OperationOutcome",
     "Bundle", "CapabilityStatement", "Parameters", "Group"]
)  # fmt: skip
_NAMED = os.environ.get("CAREWRIGHT_TEST_R4")
OFFICIAL = Path(_NAMED) if _NAMED else None
needs_official = pytest.mark.skipif(OFFICIAL is None, reason="CAREWRIGHT_TEST_R4 names no folder of official files")
Object = dict[str, Any]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def decoded(raw: bytes) -> Any:
    return _DECODER.decode(raw)


def encoded(value: object) -> bytes:
    return _ENCODER.encode(value)


def examples() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def example(name: str) -> Object:
    """A fresh copy of a committed example."""
    made: Object = decoded((FOLDER / f"{name}.json").read_bytes())
    return made


class Place(NamedTuple):
    """One property of one object inside a resource, with its definition."""

    owner: Object
    name: str
    element: Element
    type_name: str


def places(resource: Object) -> Iterator[Place]:
    """Every property of a valid resource, outer ones first."""
    yield from _within(resource, str(resource["resourceType"]))


def _within(owner: Object, type_name: str) -> Iterator[Place]:
    for name, value in list(owner.items()):
        known = DEFINITIONS.types[type_name].properties.get(name)
        if known is None:
            continue
        yield Place(owner, name, known.element, known.type_name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _within(each, each.get("resourceType", known.type_name))


def spoiling(resource: Object) -> Iterator[Place]:
    """Each place in turn; whatever is done to its owner is undone before the next."""
    for place in list(places(resource)):
        before = dict(place.owner)
        yield place
        place.owner.clear()
        place.owner.update(before)
