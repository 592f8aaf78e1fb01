"""What payers said beforehand about a visit, as a ClaimResponse (https://hl7.org/fhir/R4/claimresponse.html)."""

from carewright.contracts.coverage import Authorisation, AuthorisationState
from carewright.contracts.fhir.basics import Resource, instant, period, reference, resource
from carewright.contracts.fhir.eligibility import MISSING
from carewright.contracts.fhir.payment import payer

CLAIM_TYPES = "http://terminology.hl7.org/CodeSystem/claim-type"
ACTION_OF: dict[AuthorisationState, str] = {"certified": "A1", "partial": "A2", "denied": "A3", "pended": "A4"}
"""X12 data element 306, in which Da Vinci PAS says what a payer decided."""
OUTCOME_OF: dict[AuthorisationState, str] = {"certified": "complete", "partial": "partial", "denied": "complete", "pended": "queued"}
"""http://hl7.org/fhir/R4/valueset-remittance-outcome.html; what is not here is an error."""


def response(one: Authorisation) -> Resource:
    """The payer's last word: its number, the days for which it holds, and what is missing where nobody knows."""
    at = one.answered_at or one.asked_at
    action = ACTION_OF.get(one.state)
    return resource("ClaimResponse", one.id, {
        "status": "active",
        "type": {"coding": [{"system": CLAIM_TYPES, "code": "professional"}]},
        "use": "preauthorization",
        "patient": reference("Patient", one.patient_id),
        "created": instant(at),
        "insurer": payer(one.payer),
        "outcome": OUTCOME_OF.get(one.state, "error"),
        "disposition": action,
        "preAuthRef": one.number,
        "preAuthPeriod": period(one.valid_from, one.valid_until),
        "insurance": [{"sequence": 1, "focal": True, "coverage": reference("Coverage", one.coverage_id)}],
        "error": [{"code": {"coding": [{"system": MISSING, "code": word}]}} for word in one.missing],
    }, None, at)  # fmt: skip
