"""What is asked and answered, and how an EHR says no: an OperationOutcome."""

from dataclasses import dataclass, field
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. Header names are in small letters; `query` keeps what is given twice."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`body` None is an empty one."""

    status: int = 200
    body: Resource | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Wrong(Exception):
    """What was asked is not done. `code` is one of http://hl7.org/fhir/R4/valueset-issue-type.html."""

    def __init__(self, status: int, code: str, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.answer = Answer(status=status, body=outcome("error", code, text), headers=headers or {})


def outcome(severity: str, code: str, text: str, coding: Resource | None = None) -> Resource:
    """An OperationOutcome of one issue."""
    details = {"text": text} | ({"coding": [coding]} if coding else {})
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "details": details}]}
