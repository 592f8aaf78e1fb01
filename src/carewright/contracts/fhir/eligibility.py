"""What payers are asked and say (https://hl7.org/fhir/R4/coverageeligibilityrequest.html and …response.html).

One question of ours is both: the request and the response have its id.
"""

from collections.abc import Iterator

from carewright.contracts.coverage import Benefits, Eligibility
from carewright.contracts.fhir.basics import Resource, instant, period, reference, resource, said
from carewright.contracts.fhir.payment import payer

SERVICE_TYPES = "https://x12.org/codes/service-type-codes"
BENEFIT_TYPES = "http://terminology.hl7.org/CodeSystem/benefit-type"
OUR_BENEFIT_TYPES = "urn:carewright:benefit-type"
MISSING = "urn:carewright:coverage-missing"
"""The system of the words for what the desk must see to (`contracts/coverage.py: Missing`)."""
NETWORKS = "http://terminology.hl7.org/CodeSystem/benefit-network"
PURPOSES = ("validation", "benefits")
"""What each question of ours asks: whether the coverage holds, and what it pays."""
CURRENCY = "USD"
"""X12 271 tells money of the United States."""


def request(one: Eligibility) -> Resource:
    """The question."""
    return resource("CoverageEligibilityRequest", one.id, {
        "status": "active",
        "purpose": list(PURPOSES),
        "patient": reference("Patient", one.patient_id),
        "servicedDate": one.serviced_on.isoformat(),
        "created": instant(one.asked_at),
        "insurer": payer(one.payer),
        "insurance": [{"focal": True, "coverage": reference("Coverage", one.coverage_id)}],
        "item": [{"category": _service(one)}],
    }, 1, one.asked_at)  # fmt: skip


def response(one: Eligibility) -> Resource:
    """What became of it: `queued` while the answer is on its way, and an `error` for each thing that is missing."""
    at = one.answered_at or one.asked_at
    return resource("CoverageEligibilityResponse", one.id, {
        "status": "active",
        "purpose": list(PURPOSES),
        "patient": reference("Patient", one.patient_id),
        "servicedDate": one.serviced_on.isoformat(),
        "created": instant(at),
        "request": reference("CoverageEligibilityRequest", one.id),
        "outcome": one.outcome,
        "insurer": payer(one.payer),
        "insurance": [_insurance(one)],
        "error": [{"code": {"coding": [{"system": MISSING, "code": word}]}} for word in one.missing if one.outcome != "queued"],
    }, None, at)  # fmt: skip


def _insurance(one: Eligibility) -> Resource:
    return said({
        "coverage": reference("Coverage", one.coverage_id),
        "inforce": {"active": True, "inactive": False, "unknown": None}[one.standing],
        "benefitPeriod": period(one.benefits.begins_on, one.benefits.ends_on),
        "item": [_item(one)] if one.outcome == "complete" else None,
    })  # fmt: skip


def _item(one: Eligibility) -> Resource:
    return said({
        "category": _service(one),
        "name": one.benefits.plan,
        "network": {"coding": [{"system": NETWORKS, "code": "in"}]},
        "benefit": list(_benefits(one.benefits)),
        "authorizationRequired": True if "authorisation" in one.missing else None,
    })  # fmt: skip


def _service(one: Eligibility) -> Resource:
    return {"coding": [{"system": SERVICE_TYPES, "code": one.service_type}]}


def _benefits(of: Benefits) -> Iterator[Resource]:
    """What the patient pays, a line each; of the deductible what is used up is told too, where what is left is known."""
    if of.copay_cents is not None:
        yield _line("copay", {"allowedMoney": _money(of.copay_cents)})
    if of.coinsurance_percent is not None:
        yield _line("copay-percent", {"allowedString": f"{of.coinsurance_percent:g}"})
    if of.deductible_cents is not None:
        left = of.deductible_left_cents
        used = {} if left is None else {"usedMoney": _money(of.deductible_cents - left)}
        yield _line("deductible", {"allowedMoney": _money(of.deductible_cents)} | used)
    if of.out_of_pocket_left_cents is not None:
        yield _line("out-of-pocket-left", {"allowedMoney": _money(of.out_of_pocket_left_cents)}, OUR_BENEFIT_TYPES)


def _line(code: str, amounts: Resource, system: str = BENEFIT_TYPES) -> Resource:
    return {"type": {"coding": [{"system": system, "code": code}]}, **amounts}


def _money(cents: int) -> Resource:
    return {"value": cents / 100, "currency": CURRENCY}
