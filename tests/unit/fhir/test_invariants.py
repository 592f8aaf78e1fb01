from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.invariants import RULES, is_not_after

UCUM = {"system": "http://unitsofmeasure.org", "code": "a"}
OTHER = {"system": "http://a.org", "code": "a"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'
TIMES = {"start": "2026-01-01T10:00:00Z", "end": "2026-01-01T11:00:00Z"}
CODE = {"coding": [{"code": "1"}]}


def bundle(kind: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "entry": list(entries), **more}


CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "age-1": ([{"value": 3, **UCUM}, {}], [{"value": 0, **UCUM}, {"value": 3}, {"value": 3, **OTHER}]),
    "app-1": ([{"type": [CODE]}, {"actor": {}}, {"_type": [{}]}], [{"status": "accepted"}]),
    "app-2": ([TIMES, {}], [{"start": "2026-01-01T10:00:00Z"}, {"end": "2026-01-01T10:00:00Z"}]),
    "app-3": ([{"status": "booked"} | TIMES, {"status": "waitlist"}], [{"status": "booked"}, {"status": "noshow"}]),
    "app-4": (
        [{"cancelationReason": CODE, "status": "noshow"}, {"status": "booked"}, {"cancelationReason": CODE, "status": "cancelled"}],
        [{"cancelationReason": CODE, "status": "booked"}],
    ),
    "apr-1": ([{"participantType": [CODE]}, {"actor": {}}], [{}]),
    "att-1": ([{"data": "YQ==", "contentType": "a/b"}, {}], [{"data": "YQ=="}]),
    "bdl-1": ([bundle("searchset", total=0), bundle("history", total=0), bundle("batch")], [bundle("batch", total=0)]),
    "bdl-2": ([bundle("searchset", {"search": {}}), bundle("batch", {})], [bundle("batch", {"search": {}})]),
    "bdl-3": (
        [bundle("batch", {"request": {}}), bundle("searchset", {}), bundle("transaction")],
        [bundle("searchset", {"request": {}}), bundle("batch", {}), bundle("transaction", {"request": {}}, {})],
    ),
    "bdl-4": (
        [bundle("batch-response", {"response": {}}), bundle("batch", {})],
        [bundle("batch", {"response": {}}), bundle("transaction-response", {})],
    ),
    "bdl-5": ([{"resource": {}}, {"request": {}}, {"response": {}}], [{"fullUrl": "a"}]),
    "bdl-7": (
        [bundle("batch", {"fullUrl": "a"}, {"fullUrl": "b"}, {}, {}), bundle("history", {"fullUrl": "a"}, {"fullUrl": "a"}),
         bundle("batch", {"fullUrl": "a", "resource": {"meta": {"versionId": "1"}}}, {"fullUrl": "a"})],
        [bundle("batch", {"fullUrl": "a"}, {"fullUrl": "a"})],
    ),
    "bdl-8": ([{"fullUrl": "https://a.org/Patient/1"}, {}], [{"fullUrl": "https://a.org/Patient/1/_history/1"}]),
    "bdl-9": (
        [bundle("document", identifier={"system": "a", "value": "b"}), bundle("batch")],
        [bundle("document"), bundle("document", identifier={"value": "b"})],
    ),
    "bdl-10": ([bundle("document", timestamp="2026"), bundle("batch")], [bundle("document")]),
    "bdl-11": (
        [bundle("document", {"resource": {"resourceType": "Composition"}}), bundle("batch")],
        [bundle("document", {"resource": {"resourceType": "Patient"}}), bundle("document")],
    ),
    "bdl-12": (
        [bundle("message", {"resource": {"resourceType": "MessageHeader"}}), bundle("batch")],
        [bundle("message", {"resource": {"resourceType": "Patient"}})],
    ),
    "ces-1": ([{"category": CODE}, {"productOrService": CODE}], [{}, {"category": CODE, "productOrService": CODE}]),
    "cnt-3": (
        [{"value": 3, "system": UCUM["system"], "code": "1"}, {}],
        [{"value": Decimal("3.5"), "system": UCUM["system"], "code": "1"}, {"value": 3, **UCUM}],
    ),
    "cpb-1": ([{"rest": [{}]}, {"messaging": [{}]}, {"document": [{}]}], [{}]),
    "cpb-2": ([{"description": "a"}, {"software": {}}, {"implementation": {}}], [{}]),
    "cpb-3": (
        [{"kind": "instance", "messaging": [{"endpoint": [{}]}]}, {"kind": "capability", "messaging": [{}]}],
        [{"kind": "capability", "messaging": [{}, {"endpoint": [{}]}]}],
    ),
    "cpb-7": (
        [{"document": [{"profile": "a", "mode": "producer"}, {"profile": "a", "mode": "consumer"}]}],
        [{"document": [{"profile": "a", "mode": "producer"}] * 2}],
    ),
    "cpb-9": ([{"resource": [{"type": "Slot"}, {"type": "Task"}]}, {}], [{"resource": [{"type": "Slot"}, {"type": "Slot"}]}]),
    "cpb-12": ([{"searchParam": [{"name": "a"}, {"name": "b"}]}], [{"searchParam": [{"name": "a"}, {"name": "a"}]}]),
    "cpb-14": ([{"kind": "instance", "implementation": {}}, {"kind": "capability"}], [{"kind": "instance"}]),
    "cpb-15": (
        [{"kind": "capability", "software": {}}, {"kind": "instance"}],
        [{"kind": "capability"}, {"kind": "capability", "software": {}, "implementation": {}}],
    ),
    "cpb-16": ([{"kind": "requirements"}, {"kind": "instance", "software": {}}], [{"kind": "requirements", "software": {}}]),
    "cpt-2": ([{"system": "phone", "value": "1"}, {"use": "home"}], [{"value": "1"}]),
    "dis-1": ([{"value": 1, **UCUM}], [{"value": 1}, {"value": 1, **OTHER}]),
    "dom-2": ([{"contained": [{"id": "a"}]}, {}], [{"contained": [{"id": "a", "contained": [{}]}]}]),
    "dom-3": (
        [{"contained": [{"id": "a"}], "b": {"reference": "#a"}}, {"contained": [{"id": "a", "b": {"reference": "#"}}]}, {}],
        [{"contained": [{"id": "a"}]}, {"contained": [{"id": "a"}, {"id": "b"}], "b": {"reference": "#a"}}],
    ),
    "dom-4": (
        [{"contained": [{"meta": {"profile": ["a"]}}]}],
        [{"contained": [{"meta": {"versionId": "1"}}]}, {"contained": [{}, {"meta": {"lastUpdated": "2026"}}]}],
    ),
    "dom-5": ([{"contained": [{"meta": {"tag": [{}]}}]}], [{"contained": [{"meta": {"security": [{}]}}]}]),
    "drq-1": ([{"path": "a"}, {"searchParam": "a"}], [{}, {"path": "a", "searchParam": "a"}]),
    "drq-2": ([{"path": "a"}, {"searchParam": "a"}], [{}, {"path": "a", "searchParam": "a"}]),
    "drt-1": ([{"value": 1, **UCUM}, {"value": 1}], [UCUM, {"value": 1, **OTHER}]),
    "exp-1": ([{"expression": "a"}, {"reference": "a"}], [{"language": "text/cql"}]),
    "ext-1": (
        [{"url": "a", "valueString": "a"}, {"url": "a", "_valueCode": {}}, {"url": "a", "extension": [{}]}],
        [{"url": "a"}, {"url": "a", "valueString": "a", "extension": [{}]}],
    ),
    "grp-1": ([{"actual": True, "member": [{}]}, {"actual": False}], [{"actual": False, "member": [{}]}]),
    "inv-1": (
        [{"name": "a", "valueString": "a"}, {"name": "a", "part": [{}]}, {"name": "a", "resource": {}},
         {"resourceType": "Task", "authoredOn": "2026-01-01", "lastModified": "2026-01-01T10:00:00Z"}],
        [{"name": "a"}, {"name": "a", "valueString": "a", "part": [{}]}, {"name": "a", "valueString": "a", "resource": {}},
         {"resourceType": "Task", "authoredOn": "2026-01-02", "lastModified": "2026-01-01T10:00:00Z"}],
    ),
    "obs-3": ([{"low": {}}, {"high": {}}, {"text": "a"}], [{"type": CODE}]),
    "obs-6": ([{"valueString": "a"}, {"dataAbsentReason": CODE}, {}], [{"valueString": "a", "dataAbsentReason": CODE}]),
    "obs-7": (
        [{"code": CODE, "component": [{"code": CODE}]}, {"code": CODE, "valueString": "a", "component": [{"code": {"coding": [OTHER]}}]}],
        [{"code": CODE, "valueString": "a", "component": [{"code": CODE}]}],
    ),
    "org-1": ([{"identifier": [{}]}, {"name": "a"}], [{"active": True}]),
    "org-2": ([{"use": "work"}, {}], [{"use": "home"}]),
    "org-3": ([{"use": "work"}, {}], [{"use": "home"}]),
    "pat-1": ([{"name": {}}, {"telecom": [{}]}, {"address": {}}, {"organization": {}}], [{"relationship": [CODE]}]),
    "per-1": (
        [TIMES, {"start": "2026-01-01", "end": "2026-01-01"}, {"start": "2026-05", "end": "2026"}, {"end": "2026"},
         {"start": "2026-01-01T10:00:00+02:00", "end": "2026-01-01T09:00:00Z"}],
        [{"start": "2026-01-02", "end": "2026-01-01"}, {"start": "2026-02", "end": "2026-01-31"},
         {"start": "2026-01-01T10:00:00-02:00", "end": "2026-01-01T11:00:00Z"}],
    ),
    "prr-1": ([{"orderDetail": [CODE], "code": CODE}, {}], [{"orderDetail": [CODE]}]),
    "qty-3": ([UCUM, {"value": 1}], [{"value": 1, "code": "a"}]),
    "rat-1": ([{"numerator": {}, "denominator": {}}, {"extension": [{}]}], [{"numerator": {}}, {}, {"denominator": {}}]),
    "rng-2": (
        [{"low": {"value": 1}, "high": {"value": Decimal("1.0")}}, {},
         {"low": {"value": 5, "unit": "g"}, "high": {"value": 1, "unit": "kg"}}],
        [{"low": {"value": 2}, "high": {"value": 1}}],
    ),
    "sev-1": ([{"name": "a"}, {"query": "YQ=="}, {}], [{"name": "a", "query": "YQ=="}]),
    "sqty-1": ([{"value": 1}], [{"value": 1, "comparator": "<"}]),
    "tim-1": ([{"duration": 1, "durationUnit": "h"}], [{"duration": 1}]),
    "tim-2": ([{"period": 1, "periodUnit": "h"}], [{"period": 1}]),
    "tim-4": ([{"duration": 0}, {}], [{"duration": -1}]),
    "tim-5": ([{"period": Decimal("0.5")}, {}], [{"period": Decimal("-0.5")}]),
    "tim-6": ([{"period": 1, "periodMax": 2}], [{"periodMax": 2}]),
    "tim-7": ([{"duration": 1, "durationMax": 2}], [{"durationMax": 2}]),
    "tim-8": ([{"count": 1, "countMax": 2}], [{"countMax": 2}]),
    "tim-9": ([{"offset": 5, "when": ["ACM"]}, {}], [{"offset": 5}, {"offset": 5, "when": ["ACM", "C"]}]),
    "tim-10": ([{"when": ["ACM"]}, {"timeOfDay": ["10:00:00"]}], [{"when": ["ACM"], "timeOfDay": ["10:00:00"]}]),
    "trd-1": ([{"data": [{}]}, {"timingDate": "2026"}], [{"data": [{}], "timingDate": "2026"}]),
    "trd-2": ([{"condition": {}, "data": [{}]}, {}], [{"condition": {}}]),
    "trd-3": (
        [{"type": "named-event", "name": "a"}, {"type": "periodic", "timingDate": "2026"}, {"type": "data-added", "data": [{}]}],
        [{"type": "named-event"}, {"type": "periodic"}, {"type": "data-added"}],
    ),
    "txt-1": ([DIV % "<p>a</p>"], [DIV % "<script>a</script>", DIV % '<p onclick="a">a</p>']),
    "txt-2": ([DIV % "a", DIV % '<img src="#a"/>'], [DIV % "", DIV % " <p>\n</p>"]),
}  # fmt: skip


def cases(*, broken: bool) -> list[Any]:
    return [pytest.param(key, value, id=f"{key}, {at}") for key, sides in CASES.items() for at, value in enumerate(sides[broken])]


def test_every_rule_is_tried_both_ways() -> None:
    assert CASES.keys() == RULES.keys()
    assert all(good and bad for good, bad in CASES.values())


@pytest.mark.parametrize(("key", "value"), cases(broken=False))
def test_a_rule_holds(key: str, value: object) -> None:
    assert RULES[key](value)


@pytest.mark.requirement("R4.app")
@pytest.mark.parametrize(("key", "value"), cases(broken=True))
def test_a_rule_is_broken(key: str, value: object) -> None:
    assert not RULES[key](value)


@given(st.datetimes(), st.datetimes(), st.sampled_from(["Z", "+05:30", "-11:00"]))
def test_moments_are_compared_as_moments(one: Any, other: Any, offset: str) -> None:
    texts = [f"{each.isoformat(timespec='microseconds')}{offset}" for each in (one, other)]
    assert is_not_after(*texts) == (one <= other)


def test_a_leap_second_and_many_digits_can_be_compared() -> None:
    assert is_not_after("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.123456789Z")
    assert not is_not_after("2017-01-01T00:00:00.5Z", "2016-12-31T23:59:60.1Z")
