"""Coverages that are sent to us: the card as it was written, and what of it is refused by its place."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from carewright.contracts.coverage import Insured, Payer
from carewright.contracts.fhir import payment
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement
from carewright.fhir.model.cards import read_card
from carewright.fhir.model.pointing import Pointer
from tests.samples import known_id
from tests.unit.fhir.test_payment import CARD, CHILD

BASE = "https://here.example/fhir/R4"
EXAMPLE = Path(__file__).parent / "r4" / "Coverage-7547E.json"
PATIENT, OTHER = f"Patient/{known_id(2)}", f"Patient/{known_id(3)}"


def sent(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (payment.coverage(CARD) | changes).items() if value is not None}


def test_what_is_shown_of_a_coverage_is_what_is_read_of_it() -> None:
    for one in (CARD, CHILD):
        card = read_card(payment.coverage(one), BASE)
        assert (card.patient_id, card.payer, card.subscriber) == (one.patient_id, one.payer, one.subscriber)
        assert card.more == {name: getattr(one, name) for name in card.more}


def test_whoever_is_not_said_is_the_patient_and_a_relation_is_other() -> None:
    alone = read_card(sent(subscriber=None, relationship=None), BASE)
    assert (alone.subscriber, alone.more["relationship"]) == (None, "self")
    other = read_card(sent(subscriber={"reference": f"{BASE}/{OTHER}"}, relationship=None), BASE)
    assert isinstance(other.subscriber, Pointer)
    assert (other.subscriber.uuid, other.more["relationship"]) == (known_id(3), "other")


def test_a_payer_is_named_numbered_or_in_the_directory() -> None:
    named = sent(payor=[{"display": "Bilby Care", "identifier": {"system": "urn:else", "value": "1"}}])
    assert read_card(named, BASE).payer == Payer(name="Bilby Care")
    place = read_card(sent(payor=[{"reference": f"Organization/{known_id(4)}"}]), BASE).payer
    assert isinstance(place, Pointer)
    assert place.uuid == known_id(4)


def test_days_and_a_contained_subscriber_without_much_are_read() -> None:
    person = {"resourceType": "Patient", "id": "p", "name": [{"text": "B"}, {"family": "Quoll"}]}
    card = read_card(sent(
        contained=[person], subscriber={"reference": "#p"}, period={"start": "2026-03-01T00:00:00+01:00", "end": "2026-12-31"},
    ), BASE)  # fmt: skip
    assert card.subscriber == Insured(family="Quoll")
    assert (card.more["starts_on"], card.more["ends_on"]) == (date(2026, 3, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"implicitRules": "urn:rules"}, "Coverage.implicitRules"),
        ({"beneficiary": {"display": "Anna"}}, "Coverage.beneficiary"),
        ({"beneficiary": {"reference": f"Group/{known_id(1)}"}}, "Coverage.beneficiary"),
        ({"payor": [{"display": "A"}, {"display": "B"}]}, "Coverage.payor"),
        ({"payor": [{"display": ""}]}, "Coverage.payor[0]"),
        ({"payor": [{"reference": PATIENT}]}, "Coverage.payor[0].reference"),
        ({"subscriber": {"reference": f"RelatedPerson/{known_id(1)}"}}, "Coverage.subscriber"),
        ({"subscriber": {"reference": "#nobody"}}, "Coverage.contained"),
        ({"relationship": {"coding": [{"code": "neighbour"}]}}, "Coverage.relationship"),
        ({"period": {"start": "2026-03"}}, "Coverage.period.start"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place(change: dict[str, Any], expression: str) -> None:
    with pytest.raises(InvalidElement) as refusal:
        read_card(sent(**change), BASE)
    assert refusal.value.facts["expression"] == expression


@pytest.mark.requirement("R4.examples")
def test_hl7s_example_lacks_the_member_and_the_payers_name() -> None:
    """Coverage-7547E: a European card by numbers alone. With both it is read whole."""
    example = json.loads(EXAMPLE.read_text()) | {
        "beneficiary": {"reference": PATIENT}, "subscriber": {"reference": PATIENT}, "payor": [{"display": "EHIC"}],
    }  # fmt: skip
    with pytest.raises(MissingElement) as refusal:
        read_card(example, BASE)
    assert refusal.value.facts["expression"] == "Coverage.subscriberId"
    assert read_card(example | {"subscriberId": "A123456780"}, BASE).more["ends_on"] == date(2012, 3, 17)
