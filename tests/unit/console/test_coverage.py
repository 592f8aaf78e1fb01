"""What the desk reads and fills in about who pays: every word has its sentence, and a form comes back as what it was made of."""

from datetime import date, datetime
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.console.http import coverage_words as words
from carewright.console.http.coverage_form import WRONG, Wrong, details_in, fields_of, wrong_of
from carewright.contracts.coverage import (
    AuthorisationState,
    Benefits,
    Coverage,
    CoverageStatus,
    Decision,
    Eligibility,
    Insured,
    InvalidCoverage,
    Missing,
    Payer,
    RecordAuthorisation,
    Relationship,
)
from carewright.coverage.model.rules import details_of

NOW = datetime.fromisoformat("2026-11-02T10:00:00Z")
COVERAGE = Coverage(
    id=UUID(int=1), patient_id=UUID(int=2), version=1, updated_at=NOW, payer=Payer(name="Numbat Mutual", id="60054"), member_id="W1",
    plan="Gold", beneficiary=Insured(family="Quokkaline", given=("Anna", "May"), birth_on=date(1980, 2, 29), gender="female"),
    relationship="child", subscriber=Insured(family="Quokkaline", given=("Bert",)), starts_on=date(2026, 1, 1), order=2,
)  # fmt: skip
ANSWER = Eligibility(
    id=UUID(int=3), coverage_id=COVERAGE.id, coverage_version=1, patient_id=COVERAGE.patient_id, payer=COVERAGE.payer, service_type="98",
    serviced_on=date(2026, 11, 3), outcome="complete", standing="active", asked_at=NOW, answered_at=NOW,
)  # fmt: skip


def test_every_word_of_the_contract_has_its_sentence() -> None:
    assert set(words.MISSING) == set(get_args(Missing))
    assert set(words.DECISIONS) == set(get_args(Decision))
    assert set(words.RELATIONSHIPS) == set(get_args(Relationship))
    assert set(words.STATUSES) == set(get_args(CoverageStatus))
    assert set(words.STATES) == set(get_args(words.State))
    assert set(words.AUTHORISATIONS) == set(get_args(AuthorisationState))
    assert set(words.RECORDED) == set(get_args(get_type_hints(RecordAuthorisation)["state"]))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (None, "nobody"), (ANSWER, "covered"), (replace(ANSWER, missing=("authorisation",)), "incomplete"),
        (replace(ANSWER, standing="inactive"), "not-covered"), (replace(ANSWER, standing="unknown"), "unknown"),
        (replace(ANSWER, outcome="queued", standing="unknown"), "waiting"),
        (replace(ANSWER, outcome="error", standing="unknown"), "unknown"),
    ],
)  # fmt: skip
def test_an_answer_comes_to_one_state(answer: Eligibility | None, state: str) -> None:
    assert words.state_of(answer) == state


def test_what_the_patient_pays_is_said_as_far_as_the_payer_said_it() -> None:
    said = Benefits(copay_cents=2500, coinsurance_percent=20.0, deductible_left_cents=0)
    assert [amount for _, amount in words.owed(replace(ANSWER, benefits=said))] == ["$25.00", "20 %", "$0.00"]
    assert words.owed(ANSWER) == ()


def test_a_form_comes_back_as_what_it_was_made_of() -> None:
    assert details_in(fields_of(COVERAGE)) == details_of(COVERAGE)
    own = replace(COVERAGE, relationship="self", subscriber=None, payer=Payer(name="Paper"), starts_on=None, plan="")
    assert details_in(fields_of(own)) == details_of(own)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"payer_name": ""}, "payer_name"), ({"payer_id": "*"}, "payer_id"), ({"member_id": ""}, "member_id"), ({"order": "x"}, "order"),
        ({"member_id": "~~"}, "member_id"), ({"beneficiary_family": ""}, "beneficiary_family"), ({"ends_on": "soon"}, "ends_on"),
        ({"beneficiary_birth_on": "soon"}, "beneficiary_birth_on"), ({"beneficiary_gender": "x"}, "beneficiary_family"),
        ({"subscriber_birth_on": "1"}, "subscriber_birth_on"), ({"status": "gone"}, "status"), ({"relationship": "dog"}, "relationship"),
        ({"plan": "x" * 201}, "plan"), ({"beneficiary_given": "x" * 101}, "beneficiary_family"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_field(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Wrong) as wrong:
        details_in(fields_of(COVERAGE) | changed)
    assert (wrong.value.field, wrong.value.text) == (field, WRONG[field])


@pytest.mark.parametrize(("field", "shown"), [("beneficiary", "beneficiary_family"), ("payer", "payer_name"), ("ends_on", "ends_on")])
def test_a_broken_rule_is_told_at_its_field(field: str, shown: str) -> None:
    assert wrong_of(InvalidCoverage("no", field=field)).field == shown
