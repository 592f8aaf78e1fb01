"""The entries of a Bundle: what each asks, in which order, and where a refusal lies."""

from typing import Any

import pytest

from carewright.contracts.fhir.refusals import InvalidElement, InvalidResource, TooManyEntries
from carewright.fhir.model.entries import (
    ENTRIES_MAX,
    Entry,
    answer,
    ensure_distinct,
    in_order,
    placed,
    read_entries,
    resolved,
    without_resources,
)

BASE = "https://care.example.org/fhir/R4"


def bundle(*requests: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"request": each} for each in requests]}


@pytest.mark.parametrize("url", ["Patient/1?x=a%20b", "/Patient/1?x=a%20b", f"{BASE}/Patient/1?x=a%20b"])
def test_an_address_is_below_the_base(url: str) -> None:
    (entry,) = read_entries(bundle({"method": "GET", "url": url}), BASE)
    assert (entry.path, entry.query) == ("Patient/1", "x=a%20b")


@pytest.mark.parametrize("url", ["https://evil.example.org/Patient/1", "Patient/" + "1" * 5000])
def test_another_address_is_refused_with_its_place(url: str) -> None:
    with pytest.raises(InvalidElement) as refusal:
        read_entries(bundle({"method": "GET", "url": "Patient/1"}, {"method": "GET", "url": url}), BASE)
    assert refusal.value.facts == {"expression": "Bundle.entry[1].request.url"}


def test_other_kinds_and_too_many_entries_are_refused() -> None:
    with pytest.raises(InvalidElement):
        read_entries(bundle(kind="searchset"), BASE)
    assert len(read_entries(bundle(*[{"method": "GET", "url": "Patient/1"}] * ENTRIES_MAX), BASE)) == ENTRIES_MAX
    with pytest.raises(TooManyEntries):
        read_entries(bundle(*[{"method": "GET", "url": "Patient/1"}] * (ENTRIES_MAX + 1)), BASE)


def test_a_transaction_goes_in_the_order_of_the_standard() -> None:
    methods = ["GET", "PATCH", "PUT", "POST", "DELETE", "GET"]
    entries = [Entry(number=number, method=method, path="Patient") for number, method in enumerate(methods)]
    assert [each.number for each in in_order(entries)] == [4, 3, 2, 1, 0, 5]


def test_in_a_circle_only_what_has_no_id_yet_must_come_before() -> None:
    """What is put by its id comes first where it is referred to, and anywhere where that cannot be."""

    def entry(number: int, method: str, *refers_to: int) -> Entry:
        references = [{"reference": f"urn:uuid:{each}"} for each in refers_to]
        return Entry(number=number, method=method, path="Any", full_url=f"urn:uuid:{number}", resource={"many": references})

    put, post, last = entry(0, "PUT", 1), entry(1, "POST", 0, 2), entry(2, "PUT")
    known = {"urn:uuid:0", "urn:uuid:2"}
    assert [each.number for each in in_order([entry(0, "PUT"), post, last], known)] == [0, 2, 1]
    assert [each.number for each in in_order([put, post, last], known)] == [1, 0, 2]
    assert [each.number for each in in_order([entry(0, "PUT", 2), entry(2, "PUT", 0)], known)] == [0, 2]
    for few in (set(), {"urn:uuid:2"}):
        with pytest.raises(InvalidElement) as refusal:
            in_order([put, post, last], few)
        assert refusal.value.facts == {"expression": "Bundle.entry[1].resource"}


def test_what_is_changed_twice_is_refused() -> None:
    entries = [Entry(number=number, method=method, path="Patient/1") for number, method in enumerate(["PUT", "GET", "POST", "POST"])]
    ensure_distinct(entries)
    with pytest.raises(InvalidElement) as refusal:
        ensure_distinct([*entries, Entry(number=4, method="PATCH", path="Patient/1")])
    assert refusal.value.facts == {"expression": "Bundle.entry[4].request.url"}


def test_references_to_entries_become_references_to_resources() -> None:
    sent = {"participant": [{"actor": {"reference": "urn:uuid:1", "display": "urn:uuid:1"}}, {"actor": {"reference": "Location/2"}}]}
    made = resolved(sent, {"urn:uuid:1": "Patient/7"})
    assert made == {"participant": [{"actor": {"reference": "Patient/7", "display": "urn:uuid:1"}}, {"actor": {"reference": "Location/2"}}]}


def test_a_refusal_says_in_which_entry_it_lies() -> None:
    entry = Entry(number=3, method="POST", path="Patient")
    assert placed(InvalidElement(expression="Patient.name"), entry).facts["expression"] == "Bundle.entry[3].resource.name"
    assert placed(InvalidElement(), entry).facts["expression"] == "Bundle.entry[3]"
    issues: list[dict[str, str | int | None]] = [{"code": "value", "expression": "Patient.birthDate"}]
    several = placed(InvalidResource(issues=issues), entry)
    assert several.facts["issues"] == [{"code": "value", "expression": "Bundle.entry[3].resource.birthDate"}]


@pytest.mark.parametrize("odd", [None, 7, [], {"entry": 7}, {"entry": [7]}])
def test_what_is_no_bundle_is_left_to_the_check_of_its_form(odd: Any) -> None:
    assert without_resources(odd) == odd


def test_an_answer_tells_an_outcome_beside_the_status() -> None:
    told = {"resourceType": "OperationOutcome"}
    assert answer(BASE, "404 Not Found", told) == {"response": {"status": "404 Not Found", "outcome": told}}
    one = {"resourceType": "Patient", "id": "1", "meta": {"versionId": "2"}}
    assert answer(BASE, "200 OK", one) == {
        "fullUrl": f"{BASE}/Patient/1", "resource": one, "response": {"status": "200 OK", "etag": 'W/"2"'},
    }  # fmt: skip
