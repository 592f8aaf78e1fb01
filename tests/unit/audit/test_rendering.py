"""How an entry looks in FHIR: as IHE BALP has it, whatever was done."""

from datetime import UTC, datetime
from itertools import product
from typing import Any, get_args

import pytest

from carewright.audit.model.rendering import audit_event
from carewright.contracts.audit import AuditAction, AuditEntity, AuditEvent, AuditOutcome
from tests.balp import faults_of
from tests.samples import known_id

PATIENT = known_id(1)
EVENTS = [
    AuditEvent(
        id=known_id(9), recorded_at=datetime(2026, 11, 2, 7, tzinfo=UTC), organization_id=known_id(8), event="exam.room.change",
        action=action, agent="anna", role="nurse", purpose=purpose, outcome=outcome,
        code=None if outcome == "success" else "kernel.forbidden",
        patient_id=patient, entities=entities, trace=trace,
    )
    for action, outcome, purpose, patient, entities, trace in product(
        get_args(AuditAction), get_args(AuditOutcome), ("TREAT", ""), (None, PATIENT),
        ((), (AuditEntity(type="Appointment", id=known_id(2)),), (AuditEntity(type="VisitType", id=known_id(3)),)),
        (None, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    )
]  # fmt: skip


def test_every_kind_of_entry_has_the_shape() -> None:
    assert [fault for event in EVENTS for fault in faults_of(audit_event(event))] == []


@pytest.mark.parametrize(
    "breach",
    [
        {"action": "X"}, {"outcome": "5"}, {"agent": []}, {"source": {}}, {"entity": []}, {"recorded": "yesterday"},
        {"meta": {"profile": ["https://example.org/other"]}}, {"subtype": [{"system": "x", "code": "y"}]}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_what_breaks_the_shape_is_seen(breach: dict[str, Any]) -> None:
    assert faults_of(audit_event(EVENTS[-1]) | breach)


def test_a_patient_is_named_once_and_by_id() -> None:
    rendered = audit_event(next(event for event in EVENTS if event.patient_id))
    people = [each for each in rendered["entity"] if each.get("role", {}).get("code") == "1"]
    assert [each["what"]["reference"] for each in people] == [f"Patient/{PATIENT}"]


def test_a_refusal_says_its_code() -> None:
    rendered = audit_event(next(event for event in EVENTS if event.outcome == "refused"))
    assert (rendered["outcome"], rendered["outcomeDesc"]) == ("4", "kernel.forbidden")
