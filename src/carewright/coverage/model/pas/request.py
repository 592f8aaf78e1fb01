"""The bundles of a request and of an inquiry: profile-pas-request-bundle and profile-pas-inquiry-request-bundle of Da Vinci PAS.

Source: https://hl7.org/fhir/us/davinci-pas, profiles PASClaim, PASClaimInquiry, PASBeneficiary, PASSubscriber, PASCoverage, PASInsurer and
PASRequestor. Each resource is in the bundle, and known there by an address of its own.
"""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from carewright.contracts.coverage import Insured
from carewright.coverage.model.question import Request
from carewright.coverage.model.x12.inquiry import OTHER_ADULT, RELATIONSHIPS
from carewright.coverage.model.x12.review import CATEGORY, INITIAL, LEVELS

Resource = dict[str, Any]
PROFILES = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/"
X12 = "https://codesystem.x12.org/005010/"
NPI = "http://hl7.org/fhir/sid/us-npi"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
PLACES = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
PAYERS = "urn:carewright:payer-id"
MEMBERS = "urn:carewright:member-id"
IDENTIFIERS = "http://terminology.hl7.org/CodeSystem/v2-0203"
SELF = "18"
"""X12's code (1069) for the subscriber."""
PRIORITIES = {"P0": "stat", "P1": "stat", "P2": "normal"}
"""http://terminology.hl7.org/CodeSystem/processpriority."""


def request_bundle(request: Request) -> Resource:
    """What `Claim/$submit` is posted."""
    return _bundle(request, "profile-pas-request-bundle", _claim(request))


def inquiry_bundle(request: Request, number: str) -> Resource:
    """What `Claim/$inquire` is posted: the request by its own number, and by the payer's where one is known."""
    claim = _claim(request) | {"meta": _meta("profile-claim-inquiry")}
    if number:
        claim["extension"] = [*claim.get("extension", []), _said("authorizationNumber", {"valueString": number})]
    return _bundle(request, "profile-pas-inquiry-request-bundle", claim)


def claim_address(request: Request) -> str:
    """By which the claim is known in its bundle."""
    return f"urn:uuid:{_id(request, 'claim')}"


def trace_of(request: Request) -> Resource:
    """The request's number, as 278 has it in TRN."""
    return {"system": f"urn:trnorg:9{request.provider.npi}"[: len("urn:trnorg:") + 10], "value": request.trace}


def _bundle(request: Request, profile: str, claim: Resource) -> Resource:
    people = [_patient(request, request.dependent or request.subscriber, "patient", "profile-beneficiary", own=request.dependent is None)]
    if request.dependent is not None:
        people.append(_patient(request, request.subscriber, "subscriber", "profile-subscriber", own=True))
    resources = [claim, *people, _coverage(request), _insurer(request), _requestor(request)]
    return {
        "resourceType": "Bundle",
        "meta": _meta(profile),
        "identifier": trace_of(request),
        "type": "collection",
        "timestamp": f"{request.asked_at:%Y-%m-%dT%H:%M:%SZ}",
        "entry": [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in resources],
    }  # fmt: skip


def _claim(request: Request) -> Resource:
    level = LEVELS.get(request.urgency)
    urgent = [_said("levelOfServiceCode", _concept(X12 + "1338", level))] if level else []
    return _of(request, "Claim", "claim", "profile-claim") | ({"extension": urgent} if urgent else {}) | {
        "identifier": [trace_of(request)],
        "status": "active",
        "type": _coded("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "preauthorization",
        "patient": _to(request, "patient"),
        "created": f"{request.asked_at:%Y-%m-%dT%H:%M:%SZ}",
        "insurer": _to(request, "insurer"),
        "provider": _to(request, "requestor"),
        "priority": _coded("http://terminology.hl7.org/CodeSystem/processpriority", PRIORITIES[request.urgency]),
        "insurance": [{"sequence": 1, "focal": True, "coverage": _to(request, "coverage")}],
        "item": [{
            "extension": [
                _said("serviceItemRequestType", _concept(X12 + "1525", CATEGORY)),
                _said("certificationType", _concept(X12 + "1322", INITIAL)),
            ],
            "sequence": 1,
            "category": _coded(X12 + "1365", request.service_type),
            "productOrService": _procedure(request),
            "servicedDate": request.serviced_on.isoformat(),
            "locationCodeableConcept": _coded(PLACES, request.place),
            "quantity": {"value": 1},
        }],
    }  # fmt: skip


def _procedure(request: Request) -> Resource:
    """CPT's codes are digits, or begin with one; HCPCS' begin with a letter. Without either it is the kind of service itself."""
    if not request.procedure:
        return _coded(X12 + "1365", request.service_type)
    return _coded(HCPCS if request.procedure[0].isalpha() else CPT, request.procedure)


def _patient(request: Request, one: Insured, part: str, profile: str, *, own: bool) -> Resource:
    member = [{"type": _coded(IDENTIFIERS, "MB"), "system": MEMBERS, "value": request.member_id}] if own else []
    return _of(request, "Patient", part, profile) | _without_empty({
        "identifier": member,
        "name": [_without_empty({"family": one.family, "given": list(one.given)})],
        "gender": one.gender or "unknown",
        "birthDate": one.birth_on and one.birth_on.isoformat(),
    })  # fmt: skip


def _coverage(request: Request) -> Resource:
    is_own = request.dependent is None
    code = SELF if is_own else RELATIONSHIPS.get(request.relationship, OTHER_ADULT)
    codings = [
        {"system": "http://terminology.hl7.org/CodeSystem/subscriber-relationship", "code": request.relationship},
        {"system": X12 + "1069", "code": code},
    ]  # fmt: skip
    return _of(request, "Coverage", "coverage", "profile-coverage") | {
        "identifier": [{"type": _coded(IDENTIFIERS, "MB"), "system": MEMBERS, "value": request.member_id}],
        "status": "active",
        "subscriber": _to(request, "patient" if is_own else "subscriber"),
        "subscriberId": request.member_id,
        "beneficiary": _to(request, "patient"),
        "relationship": {"coding": codings},
        "payor": [_to(request, "insurer")],
    }  # fmt: skip


def _insurer(request: Request) -> Resource:
    return _of(request, "Organization", "insurer", "profile-insurer") | {
        "identifier": [{"system": PAYERS, "value": request.payer_id}],
        "active": True,
        "type": [_coded(X12 + "98", "PR")],
        "name": request.payer_name,
    }  # fmt: skip


def _requestor(request: Request) -> Resource:
    return _of(request, "Organization", "requestor", "profile-requestor") | {
        "identifier": [{"system": NPI, "value": request.provider.npi}],
        "active": True,
        "type": [_coded(X12 + "98", "1P")],
        "name": request.provider.name,
    }  # fmt: skip


def _of(request: Request, kind: str, part: str, profile: str) -> Resource:
    return {"resourceType": kind, "id": str(_id(request, part)), "meta": _meta(profile)}


def _to(request: Request, part: str) -> Resource:
    return {"reference": f"urn:uuid:{_id(request, part)}"}


def _id(request: Request, part: str) -> UUID:
    """The same in a request and in its inquiries."""
    return uuid5(NAMESPACE_OID, f"{request.trace}:{part}")


def _meta(profile: str) -> Resource:
    return {"profile": [PROFILES + profile]}


def _said(name: str, value: Resource) -> Resource:
    return {"url": f"{PROFILES}extension-{name}"} | value


def _concept(system: str, code: str) -> Resource:
    return {"valueCodeableConcept": _coded(system, code)}


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _without_empty(values: Mapping[str, Any]) -> Resource:
    return {name: value for name, value in values.items() if value}
