"""What we say of ourselves (https://hl7.org/fhir/R4/capabilitystatement.html), made of what is really served."""

from collections.abc import Mapping
from datetime import datetime

from carewright import __version__
from carewright.contracts.fhir.basics import Resource, instant
from carewright.contracts.fhir.subscriptions import PROFILE, TOPICS_EXTENSION
from carewright.contracts.subscriptions import TOPICS
from carewright.fhir.model.authorization import security
from carewright.fhir.model.exports import Level
from carewright.fhir.service.candidates import CANDIDATES
from carewright.fhir.service.served import SERVED
from carewright.fhir.store import search_definitions

FORMATS = ("application/fhir+json", "application/fhir+xml", "json", "xml")
BULK_DATA = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"
EXPORTS: Mapping[Level, str] = {
    "system": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
    "Patient": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
    "Group": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export",
}
OPERATIONS = {
    "Appointment": {
        "find": "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-find",
        "hold": "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-hold",
        "book": "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-book",
        "confirm": "https://www.medplum.com/docs/scheduling/appointment-confirm",
        "reschedule": "https://www.medplum.com/docs/scheduling/appointment-reschedule",
        "cancel": "https://www.medplum.com/docs/scheduling/appointment-cancel",
    },
    "Group": {"export": EXPORTS["Group"]},
    "Patient": {"export": EXPORTS["Patient"]},
    "Subscription": {
        "status": "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status",
        "events": "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events",
        "rotate-secret": "http://carewright.org/fhir/OperationDefinition/subscription-rotate-secret",
    },
}
"""By type: IHE ITI.Scheduling, Medplum, Bulk Data, and the backport of subscriptions."""
INTERACTIONS = [
    {"code": "batch"},
    {
        "code": "transaction",
        "documentation": "All or nothing. A CoverageEligibilityRequest is created by itself. Where the modules run in processes of their "
        "own, one resource at most is changed, beside what is read and conditional creates of what is there already.",
    },
]
"""On the whole system."""


def capability_statement(base: str, started_at: datetime) -> Resource:
    """The statement of this server, at the address it is reached under."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(started_at),
        "kind": "instance",
        "software": {"name": "Carewright", "version": __version__},
        "implementation": {"description": "Carewright", "url": base},
        "fhirVersion": "4.0.1",
        "format": list(FORMATS),
        "instantiates": [BULK_DATA],
        "rest": [
            {
                "mode": "server",
                "security": security(base),
                "resource": [_resource(kind) for kind in SERVED],
                "interaction": INTERACTIONS,
                "operation": [{"name": "export", "definition": EXPORTS["system"]}],
            }
        ],
    }


def _resource(kind: str) -> Resource:
    interactions = [*SERVED[kind].interactions, *(["search-type"] if kind in CANDIDATES else [])]
    said: Resource = {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
    }
    if SERVED[kind].is_versioned:
        said |= {"versioning": "versioned", "readHistory": SERVED[kind].versions is not None}
    said |= _conditions(kind)
    if kind in CANDIDATES:
        parameters = search_definitions().of(kind).values()
        said["searchParam"] = [{"name": each.code, "type": each.type} for each in parameters]
        if includes := [f"{kind}:{each.code}" for each in parameters if each.type == "reference"]:
            said["searchInclude"] = includes
    if kind == "Subscription":
        said["supportedProfile"] = [PROFILE]
        said["extension"] = [{"url": TOPICS_EXTENSION, "valueCanonical": topic} for topic in TOPICS]
    if operations := OPERATIONS.get(kind):
        said["operation"] = [{"name": name, "definition": definition} for name, definition in operations.items()]
    return said


def _conditions(kind: str) -> Resource:
    """What is decided by criteria: whatever is written and can be searched."""
    served = SERVED[kind]
    return {
        name: True
        for name, write in (("conditionalCreate", served.create), ("conditionalUpdate", served.update))
        if write and kind in CANDIDATES
    }
