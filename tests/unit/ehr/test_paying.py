"""What is kept of a Coverage of an EHR (HL7 FHIR R4 Coverage; US Core 6.1 Coverage; Oracle Health's examples)."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from carewright.contracts.coverage import Coverage, Insured, Payer
from carewright.ehr.model.paying import Policy, details_from, is_same, otherwise, said_of
from carewright.ehr.model.reading import Misread, read

CHICAGO, LONDON = ZoneInfo("America/Chicago"), ZoneInfo("Europe/London")
RELATION = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"


def policy(**more: Any) -> Policy:
    said = {"resourceType": "Coverage", "id": "c-1", "status": "active", "payor": [{"display": "Aetna"}], "subscriberId": "12345"}
    return read(said | more, Policy)


def ours(**more: Any) -> Coverage:
    said: dict[str, Any] = {"payer": Payer(name="AETNA", id="60054"), "member_id": "123-45", "beneficiary": Insured(family="Adler")} | more
    return Coverage(id=uuid4(), patient_id=uuid4(), version=1, updated_at=datetime(2026, 1, 1, tzinfo=UTC), **said)


def related(code: str) -> Any:
    return {"relationship": {"coding": [{"system": RELATION, "code": code}]}}


def test_an_instant_is_the_day_that_it_is_at_the_hospital() -> None:
    period = {"start": "2020-02-02T06:00:00.000Z", "end": "2021-02-03T05:59:59.000Z"}
    assert policy(period=period).days(CHICAGO) == (date(2020, 2, 2), date(2021, 2, 2))
    assert policy(period={"start": "2020-02-02"}).days(CHICAGO) == (date(2020, 2, 2), None)


def test_a_member_number_goes_before_the_subscribers() -> None:
    number = {"type": {"coding": [{"code": "MB"}]}, "value": "12345-02"}
    assert policy(identifier=[number]).member_id == "12345-02"
    assert policy().member_id == "12345"


@pytest.mark.parametrize(("code", "relation"), [("spouse", "spouse"), ("156", "other")])
def test_a_relation_that_nobody_knows_is_another_one(code: str, relation: str) -> None:
    assert policy(**related(code)).relation == relation
    assert policy().relation is None


@pytest.mark.parametrize("more", [
    {"payor": [{"display": "SELF PAY"}]}, {"payor": [{"reference": "Patient/1"}]}, {"type": {"coding": [{"code": "pay"}]}},
])  # fmt: skip
def test_who_pays_themselves_is_told_by_payer_or_kind(more: Any) -> None:
    assert policy(**more).is_self_paid
    assert not policy().is_self_paid


def test_the_same_plan_written_otherwise_differs_in_nothing() -> None:
    said = said_of(policy(), LONDON)
    assert is_same(said, ours())
    assert otherwise(said, ours()) == {}


def test_what_the_desk_knows_besides_of_a_subscriber_stays() -> None:
    robin = {"resourceType": "RelatedPerson", "id": "r", "name": [{"family": "Adler", "given": ["Robin"]}]}
    said = said_of(policy(contained=[robin], subscriber={"reference": "#r"}, **related("spouse")), LONDON)
    known = Insured(family="Adler", given=("Robin",), birth_on=date(1970, 1, 1))
    assert otherwise(said, ours(relationship="spouse", subscriber=known)) == {}
    wrong = Insured(family="Birch", given=("Robin",), birth_on=date(1970, 1, 1))
    assert otherwise(said, ours(relationship="spouse", subscriber=wrong)) == {"subscriber": known}


@pytest.mark.parametrize("more", [{"subscriberId": "№ 5"}, {"order": 0}])
def test_what_no_coverage_may_say_is_misread(more: Any) -> None:
    with pytest.raises(Misread):
        details_from(said_of(policy(**more), LONDON), {"beneficiary": Insured(family="Adler")})


def test_a_period_that_is_none_is_misread() -> None:
    with pytest.raises(Misread):
        policy(period={"start": "2020-99-99"}).days(LONDON)
