"""Refusals as FHIR says them: OperationOutcome (https://hl7.org/fhir/R4/operationoutcome.html), from the one table that refusals are."""

from carewright.contracts.fhir.basics import Resource, said
from carewright.contracts.fhir.refusals import TimeGone
from carewright.kernel.errors import Refusal

CODES = "urn:carewright:refusal"
FATAL = frozenset({TimeGone.code})


def outcome_of(refusal: Refusal) -> Resource:
    """One issue: our stable code, the sentence, and where in the request it lies."""
    where = refusal.facts.get("expression")
    return {
        "resourceType": "OperationOutcome",
        "issue": [said({
            "severity": "fatal" if refusal.code in FATAL else "error",
            "code": refusal.issue,
            "details": {"coding": [{"system": CODES, "code": refusal.code}], "text": refusal.title},
            "diagnostics": refusal.detail,
            "expression": [where] if where else None,
        })],
    }  # fmt: skip
