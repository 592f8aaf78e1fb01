"""How an entry looks in FHIR: as IHE BALP has it, whatever was done."""

import ast
import re
from datetime import UTC, datetime
from itertools import product
from typing import Any, get_args

import msgspec
import pytest

from carewright.contracts.audit import AuditAction, AuditEntity, AuditEvent, AuditOutcome
from carewright.contracts.deeds import EVENTS as DEEDS
from carewright.contracts.fhir.audit import audit_event
from tests.balp import faults_of
from tests.samples import known_id
from tests.tidy.source import modules, python_of_package

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


def named_in_the_source() -> tuple[set[str], set[str]]:
    """Every name of an event, and every type of an entity, that any line of the package could write into the journal."""
    events, types = set(DEEDS.values()), set()
    name = re.compile(rf"({'|'.join(modules())})\.[a-z_]+\.[a-z_]+")
    for node in (node for source in python_of_package() for node in ast.walk(source.tree)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and name.fullmatch(node.value):
            events.add(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and ast.unparse(node.func).endswith("Entity"):
            types |= {each.value.value for each in node.keywords if each.arg == "type" and isinstance(each.value, ast.Constant)}
    return events, {str(each) for each in types}


def test_every_event_that_the_source_names_has_the_shape_for_every_kind_of_record() -> None:
    events, types = named_in_the_source()
    assert len(events) > 60
    assert {"Appointment", "Session", "Person"} <= types
    named = product(sorted(events), ("U",), ("Appointment",), (None, PATIENT))
    about = product(("exam.room.change",), get_args(AuditAction), sorted(types), (None, PATIENT))
    made = [
        msgspec.structs.replace(
            EVENTS[-1], event=event, action=action, patient_id=patient, entities=(AuditEntity(type=kind, id=known_id(2)),)
        )
        for event, action, kind, patient in (*named, *about)
    ]
    assert [f"{each.event}: {fault}" for each in made for fault in faults_of(audit_event(each))] == []


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
