"""What is wrong with a resource, told so that its sender finds the place: an OperationOutcome's issue, without the value at fault."""

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "information"]
IssueType = Literal["structure", "required", "value", "invariant", "code-invalid", "invalid", "not-supported", "too-long", "too-costly"]
"""Those of http://hl7.org/fhir/R4/valueset-issue-type.html that the form of a resource can give rise to."""


class Issue(msgspec.Struct, frozen=True):
    """`expression` is a FHIRPath to the element, `text` a sentence; `rule` is the key of a broken invariant."""

    severity: Severity
    type: IssueType
    expression: str
    text: str
    rule: str = ""
