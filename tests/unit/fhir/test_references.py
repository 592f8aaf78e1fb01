import pytest

from carewright.contracts.directory import Identifier
from carewright.fhir.model import r4
from carewright.fhir.model.references import DEPTH_MAX, Ref, by_depth, read_ref

SOURCE = "urn:carewright:source:Practitioner"


def target(reference: str) -> tuple[str, str] | None:
    """What a literal reference to a Practitioner points at."""
    ref = read_ref(r4.Reference(reference=reference), "Practitioner")
    assert ref is not None
    return (ref.identifiers[0].system, ref.identifiers[0].value) if ref.identifiers else None


@pytest.mark.parametrize(
    "reference",
    [
        "Practitioner/p-1",
        "Practitioner/p-1/_history/7",
        "https://fhir.example.org/base/Practitioner/p-1",
        "https://fhir.example.org/base/Practitioner/p-1/_history/2",
    ],
)
def test_an_address_counts_by_type_and_id(reference: str) -> None:
    assert target(reference) == (SOURCE, "p-1")


def test_a_bundle_entry_counts_by_its_uuid() -> None:
    assert target("urn:uuid:00080548-2e91-3bfe-8d35-9efd0f531c4b") == (SOURCE, "00080548-2e91-3bfe-8d35-9efd0f531c4b")


@pytest.mark.parametrize("between", ["|", "%7C", "%7c"])
def test_a_conditional_reference_counts_by_its_identifier(between: str) -> None:
    assert target(f"Practitioner?identifier=http://hl7.org/fhir/sid/us-npi{between}12") == ("http://hl7.org/fhir/sid/us-npi", "12")


@pytest.mark.parametrize(
    "reference",
    ["Patient/p-1", "#contained", "", "Practitioner/", "Practitioner?name=x", "Practitioner?identifier=12", "Practitioner/" + "x" * 65],
)
def test_other_references_point_nowhere(reference: str) -> None:
    assert target(reference) is None


def test_a_reference_may_give_both_an_address_and_an_identifier() -> None:
    reference = r4.Reference(reference="Practitioner/1", identifier=r4.Identifier(system="npi", value="12"))
    expected = (Identifier(system=SOURCE, value="1"), Identifier(system="npi", value="12"))
    assert read_ref(reference, "Practitioner") == Ref("Practitioner", expected)


def test_no_reference_is_nothing_at_all() -> None:
    assert read_ref(None, "Practitioner") is None


def test_parents_come_before_their_parts() -> None:
    levels, circular = by_depth({"bed": "room", "room": "site", "site": None, "other": "elsewhere"})
    assert levels == [["site", "other"], ["room"], ["bed"]]
    assert circular == []


def test_a_circle_and_what_hangs_beneath_it_is_named() -> None:
    levels, circular = by_depth({"a": "b", "b": "a", "c": "a", "self": "self", "free": None})
    assert levels == [["free"]]
    assert sorted(circular) == ["a", "b", "c", "self"]


def test_a_chain_deeper_than_the_limit_is_cut() -> None:
    chain = {str(number): str(number - 1) if number else None for number in range(DEPTH_MAX + 3)}
    levels, circular = by_depth(chain)
    assert len(levels) == DEPTH_MAX
    assert len(circular) == 3
