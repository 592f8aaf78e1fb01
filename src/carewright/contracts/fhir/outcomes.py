"""Refusals as FHIR says them: OperationOutcome (https://hl7.org/fhir/R4/operationoutcome.html), from the one table that refusals are."""

from collections.abc import Iterable
from typing import Any

from carewright.contracts.fhir.basics import Resource, said
from carewright.contracts.fhir.refusals import InvalidResource, TimeGone
from carewright.kernel.errors import Refusal

CODES = "urn:carewright:refusal"
FATAL = frozenset({TimeGone.code})


def outcome_of(refusal: Refusal) -> Resource:
    """Our stable code, the sentence, and where in the request it lies; of an invalid resource, everything that is wrong with it."""
    found: Any = refusal.facts.get("issues") if isinstance(refusal, InvalidResource) else None
    alone = {"code": refusal.issue, "diagnostics": refusal.detail, "expression": refusal.facts.get("expression")}
    return {"resourceType": "OperationOutcome", "issue": [_issue(refusal, **each) for each in found or [alone]]}


def done(left_out: Iterable[str]) -> Resource:
    """A write went well; what was sent beyond what we have a place for is named."""
    well = {"severity": "information", "code": "informational", "diagnostics": "Done."}
    told = {
        "severity": "warning",
        "code": "not-supported",
        "diagnostics": "There is no place for this here as it was sent. It was left out, or is kept in our form.",
    }
    left = [told | {"expression": [each]} for each in left_out]
    return {"resourceType": "OperationOutcome", "issue": [well, *left]}


def _issue(refusal: Refusal, code: str, diagnostics: str, expression: Any = None) -> Resource:
    return said({
        "severity": "fatal" if refusal.code in FATAL else "error",
        "code": code,
        "details": {"coding": [{"system": CODES, "code": refusal.code}], "text": refusal.title},
        "diagnostics": diagnostics,
        "expression": [expression] if expression else None,
    })  # fmt: skip
