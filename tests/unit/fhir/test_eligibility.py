"""Questions to payers and their answers as FHIR R4: in form, with everything that the payer said."""

import json
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from carewright.contracts.coverage import Benefits, Eligibility, Payer
from carewright.contracts.fhir import eligibility
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.fhir.model.questions import read_asked
from carewright.fhir.model.validating import issues_of
from tests.samples import known_id
from tests.servers import MORNING
from tests.unit.fhir.forms import DEFINITIONS

EXAMPLE = Path(__file__).parent / "r4" / "CoverageEligibilityRequest-52346.json"
SAID = Eligibility(
    id=known_id(1), coverage_id=known_id(2), coverage_version=1, patient_id=known_id(3), payer=Payer(name="Numbat Mutual", id="60054"),
    service_type="98", serviced_on=date(2026, 12, 1), outcome="complete", standing="active", missing=("authorisation",),
    benefits=Benefits(
        plan="GOLD PPO", begins_on=date(2026, 1, 1), copay_cents=2550, coinsurance_percent=20.0, deductible_cents=150_000,
        deductible_left_cents=40_000, out_of_pocket_left_cents=300_000,
    ),
    asked_at=MORNING, answered_at=MORNING,
)  # fmt: skip
QUEUED = replace(SAID, outcome="queued", standing="unknown", missing=("waiting",), benefits=Benefits(), answered_at=None)


def test_questions_and_answers_are_in_form() -> None:
    for one in (SAID, QUEUED, replace(QUEUED, outcome="error", missing=("payer-away",))):
        for shown in (eligibility.request(one), eligibility.response(one)):
            assert issues_of(DEFINITIONS, shown) == ()


def test_what_the_patient_pays_is_told_line_by_line() -> None:
    (insurance,) = eligibility.response(SAID)["insurance"]
    (item,) = insurance["item"]
    assert (insurance["inforce"], insurance["benefitPeriod"], item["authorizationRequired"]) == (True, {"start": "2026-01-01"}, True)
    lines = {each["type"]["coding"][0]["code"]: {k: v for k, v in each.items() if k != "type"} for each in item["benefit"]}
    assert lines == {
        "copay": {"allowedMoney": {"value": 25.5, "currency": "USD"}},
        "copay-percent": {"allowedString": "20"},
        "deductible": {"allowedMoney": {"value": 1500.0, "currency": "USD"}, "usedMoney": {"value": 1100.0, "currency": "USD"}},
        "out-of-pocket-left": {"allowedMoney": {"value": 3000.0, "currency": "USD"}},
    }


def test_what_is_on_its_way_is_no_error_and_nobody_knows_whether_it_is_in_force() -> None:
    shown = eligibility.response(QUEUED)
    assert (shown["outcome"], "error" in shown, shown["insurance"]) == (
        "queued",
        False,
        [{"coverage": {"reference": f"Coverage/{known_id(2)}"}}],
    )
    assert eligibility.response(replace(SAID, standing="inactive"))["insurance"][0]["inforce"] is False


@pytest.mark.requirement("R4.examples")
def test_hl7s_example_is_understood_once_it_names_what_is_here() -> None:
    """CoverageEligibilityRequest-52346: maternity, on a day, of one coverage."""
    example = json.loads(EXAMPLE.read_text())
    with pytest.raises(InvalidElement):
        read_asked(example, "")
    example["patient"], example["insurance"][0]["coverage"] = (
        {"reference": f"Patient/{known_id(3)}"}, {"reference": f"Coverage/{known_id(2)}"},
    )  # fmt: skip
    found = read_asked(example, "")
    assert (found.patient_id, found.coverage_id, found.service_type, found.serviced_on) == (
        known_id(3), known_id(2), "69", date(2014, 9, 17),
    )  # fmt: skip
