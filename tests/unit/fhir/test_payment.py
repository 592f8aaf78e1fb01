"""Coverages as FHIR R4: in form, with everything that the card says."""

from datetime import date

from msgspec.structs import replace

from carewright.contracts.coverage import Coverage, Insured, Payer
from carewright.contracts.fhir import payment
from carewright.fhir.model.validating import issues_of
from tests.samples import known_id
from tests.servers import MORNING
from tests.unit.fhir.forms import DEFINITIONS

CARD = Coverage(
    id=known_id(1), patient_id=known_id(2), status="active", payer=Payer(name="Numbat Mutual", id="60054"), member_id="W1", plan="Gold",
    group="G-77", beneficiary=Insured(family="Quokkaline"), starts_on=date(2026, 1, 1), version=3, updated_at=MORNING,
)  # fmt: skip
CHILD = replace(
    CARD, relationship="child", payer=Payer(name="Bilby Care"), plan="",
    subscriber=Insured(family="Quokkaline", given=("Bert",), gender="male", birth_on=date(1980, 2, 29)),
)  # fmt: skip


def test_a_coverage_is_in_form_and_complete() -> None:
    for one in (CARD, CHILD):
        assert issues_of(DEFINITIONS, payment.coverage(one)) == ()
    shown = payment.coverage(CARD)
    assert shown["payor"] == [{"identifier": {"system": payment.PAYERS, "value": "60054"}, "display": "Numbat Mutual"}]
    assert [each["value"] for each in shown["class"]] == ["Gold", "G-77"]
    assert (shown["subscriberId"], shown["period"], shown["order"]) == ("W1", {"start": "2026-01-01"}, 1)
    assert shown["subscriber"] == shown["beneficiary"] == {"reference": f"Patient/{known_id(2)}"}


def test_a_subscriber_who_is_somebody_else_is_contained() -> None:
    shown = payment.coverage(CHILD)
    assert shown["contained"][0]["name"] == [{"family": "Quokkaline", "given": ["Bert"]}]
    assert shown["subscriber"] == {"reference": f"#{shown['contained'][0]['id']}"}
