"""Da Vinci PAS: bundles as the profiles want them, and what its own examples of answers say, read.

Source: https://hl7.org/fhir/us/davinci-pas, profiles PASClaim and PASClaimResponse and the examples of responses.
"""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.coverage.model.pas.request import claim_address, inquiry_bundle, request_bundle
from carewright.coverage.model.pas.response import NotPas, read_responses, review_of
from carewright.coverage.model.question import Decision, Reject
from tests.unit.coverage.samples import BEN
from tests.unit.coverage.test_review import REQUEST

EXTENSION = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-"
X12 = "https://codesystem.x12.org/005010/"


def reviewed(code: str, number: str | None = None, *more: dict[str, Any], **item: Any) -> dict[str, Any]:
    """A ClaimResponse as the examples have it: one item, one review action."""
    action = [{"url": EXTENSION + "reviewActionCode", "valueCodeableConcept": {"coding": [{"system": X12 + "306", "code": code}]}}]
    if number:
        action.append({"url": "number", "valueString": number})
    adjudication = {"extension": [{"url": EXTENSION + "reviewAction", "extension": [*action, *more]}]}
    return {
        "resourceType": "ClaimResponse", "identifier": [{"value": REQUEST.trace}], "outcome": "complete",
        "item": [{"itemSequence": 1, "adjudication": [adjudication]} | item],
    }  # fmt: skip


@pytest.mark.requirement("PAS-submit")
def test_a_request_is_a_bundle_whose_first_entry_is_the_claim() -> None:
    bundle = request_bundle(REQUEST)
    kinds = [each["resource"]["resourceType"] for each in bundle["entry"]]
    assert (bundle["type"], kinds) == ("collection", ["Claim", "Patient", "Coverage", "Organization", "Organization"])
    assert bundle["identifier"] == {"system": "urn:trnorg:9123456789", "value": REQUEST.trace}
    assert bundle["timestamp"] == "2026-11-02T12:00:00Z"
    claim = bundle["entry"][0]["resource"]
    assert (claim["status"], claim["use"], claim["created"]) == ("active", "preauthorization", "2026-11-02T12:00:00Z")
    (item,) = claim["item"]
    assert [each["url"] for each in item["extension"]] == [EXTENSION + "serviceItemRequestType", EXTENSION + "certificationType"]
    assert item["category"] == {"coding": [{"system": X12 + "1365", "code": "62"}]}
    assert item["productOrService"]["coding"][0] == {"system": "http://www.ama-assn.org/go/cpt", "code": "70551"}
    assert item["locationCodeableConcept"]["coding"][0]["code"] == "22"
    addresses = {each["fullUrl"] for each in bundle["entry"]}
    pointed_at = {claim[each]["reference"] for each in ("patient", "insurer", "provider")} | {
        claim["insurance"][0]["coverage"]["reference"]
    }
    assert pointed_at < addresses


@pytest.mark.requirement("PAS-submit")
def test_a_dependent_comes_with_whose_plan_it_is() -> None:
    bundle = request_bundle(replace(REQUEST, dependent=BEN, relationship="child", urgency="P0", procedure="G0154"))
    resources = [each["resource"] for each in bundle["entry"]]
    patients = [each for each in resources if each["resourceType"] == "Patient"]
    assert [each["birthDate"] for each in patients] == ["2016-03-01", "1980-02-29"]
    assert ["identifier" in each for each in patients] == [False, True], "the member's number is the subscriber's"
    (coverage,) = (each for each in resources if each["resourceType"] == "Coverage")
    assert coverage["relationship"]["coding"][1] == {"system": X12 + "1069", "code": "19"}
    assert coverage["subscriber"] != coverage["beneficiary"]
    claim = resources[0]
    assert claim["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "03"
    assert claim["item"][0]["productOrService"]["coding"][0]["system"].endswith("HCPCSReleaseCodeSets")


@pytest.mark.requirement("PAS-inquire")
def test_an_inquiry_names_the_request_by_both_numbers() -> None:
    claim = inquiry_bundle(REQUEST, "PEND-1")["entry"][0]["resource"]
    assert claim["identifier"] == [{"system": "urn:trnorg:9123456789", "value": REQUEST.trace}]
    assert claim["extension"] == [{"url": EXTENSION + "authorizationNumber", "valueString": "PEND-1"}]
    assert claim["meta"]["profile"][0].endswith("profile-claim-inquiry")
    assert "extension" not in inquiry_bundle(REQUEST, "")["entry"][0]["resource"]


@pytest.mark.requirement("PAS-response")
def test_what_is_certified_has_a_number_and_days() -> None:
    period = {"url": EXTENSION + "itemPreAuthPeriod", "valuePeriod": {"start": "2026-11-02", "end": "2026-12-02"}}
    found = review_of(REQUEST, reviewed("A1", "AUTH0001", extension=[period]))
    assert found.decisions == (
        Decision(action="A1", number="AUTH0001", valid_from=date(2026, 11, 2), valid_until=date(2026, 12, 2)),
    )  # fmt: skip
    assert REQUEST.trace in found.traces
    whole = reviewed("A1") | {"preAuthRef": "WHOLE1", "preAuthPeriod": {"start": "2026-11-02T00:00:00Z"}}
    told = review_of(REQUEST, whole)
    assert (told.number, told.decisions[0].valid_from, told.decisions[0].valid_until) == ("WHOLE1", date(2026, 11, 2), None)


@pytest.mark.requirement("PAS-response")
@pytest.mark.parametrize("said", ["2026-11", "2026"])
def test_a_month_or_a_year_names_no_day(said: str) -> None:
    """Allowed by https://hl7.org/fhir/R4/datatypes.html#dateTime: the decision counts, without that day."""
    found = review_of(REQUEST, reviewed("A1") | {"preAuthPeriod": {"start": said, "end": "2026-12-02"}})
    assert [(each.valid_from, each.valid_until) for each in found.decisions] == [(None, date(2026, 12, 2))]


@pytest.mark.parametrize("said", ["soon", "2026-13-01", "", 2026])
def test_what_is_no_date_is_not_believed(said: Any) -> None:
    with pytest.raises(NotPas):
        review_of(REQUEST, reviewed("A1") | {"preAuthPeriod": {"start": said}})


@pytest.mark.requirement("PAS-response")
def test_what_is_pended_or_refused_says_so() -> None:
    pended = [{"url": EXTENSION + "administrationReferenceNumber", "valueString": "PEND0001"}]
    found = review_of(REQUEST, reviewed("A4", extension=pended))
    assert (found.decisions[0].action, found.number) == ("A4", "PEND0001")
    reason = {"url": "reasonCode", "valueCodeableConcept": {"coding": [{"code": "0V"}]}}
    assert review_of(REQUEST, reviewed("A3", None, reason)).decisions == (Decision(action="A3", reasons=("0V",)),)
    error = {"error": [{"code": {"coding": [{"system": X12 + "901", "code": "75"}]}}], "item": []}
    assert review_of(REQUEST, reviewed("A1") | error).rejects == (Reject(reason="75", follow_up=""),)


@pytest.mark.requirement("PAS-response")
def test_an_answer_is_to_us_by_its_number_or_by_what_it_points_at() -> None:
    other = reviewed("A1") | {"identifier": [{"value": "OTHER"}], "request": {"reference": "Claim/7"}}
    assert REQUEST.trace not in review_of(REQUEST, other).traces
    assert REQUEST.trace in review_of(REQUEST, other | {"request": {"reference": claim_address(REQUEST)}}).traces
    assert REQUEST.trace in review_of(REQUEST, other | {"request": {"identifier": {"value": REQUEST.trace}}}).traces


@pytest.mark.requirement("PAS-inquire")
def test_an_inquiry_is_answered_by_a_bundle_or_by_parameters_with_several() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": reviewed("A1")}, {"resource": {"resourceType": "Patient"}}]}
    assert read_responses(bundle) == [reviewed("A1")]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": bundle}, {"name": "else"}]}
    assert read_responses(parameters) == [reviewed("A1")]
    assert read_responses({"resourceType": "Parameters"}) == []


@pytest.mark.parametrize(
    "body",
    [
        None, [], "text", {}, {"resourceType": "Patient"}, {"resourceType": "Bundle", "entry": {}},
        {"resourceType": "Bundle", "entry": [1]}, {"resourceType": "Bundle", "entry": [{}] * 201},
        {"resourceType": "Parameters", "parameter": [{"name": "return"}]},
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(body: Any) -> None:
    with pytest.raises(NotPas):
        read_responses(body)


@pytest.mark.parametrize(
    "changed",
    [
        {"item": "x"}, {"item": [{"adjudication": 1}]}, {"identifier": [{"value": 1}]}, {"preAuthRef": {}}, {"error": 5},
        {"preAuthPeriod": {"start": "soon"}}, {"preAuthPeriod": {"start": 5}},
    ],
)  # fmt: skip
def test_what_is_out_of_form_is_refused_in_one_way(changed: dict[str, Any]) -> None:
    with pytest.raises(NotPas):
        review_of(REQUEST, reviewed("A1") | changed)
