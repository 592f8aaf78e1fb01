"""What a payer decided, out of a PAS Response Bundle or the answer to an inquiry. Tolerant: what decides nothing is not looked at.

Source: https://hl7.org/fhir/us/davinci-pas, profiles PASClaimResponse and PASClaimInquiryResponse, extensions reviewAction and
itemPreAuthPeriod. What is out of form raises `NotPas`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from carewright.coverage.model.pas.request import PROFILES, claim_address
from carewright.coverage.model.question import Decision, Reject, Request, Review

ENTRIES_MAX = 200
MONTH_OR_YEAR = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")
Json = Mapping[str, Any]


class NotPas(ValueError):
    """What came holds no ClaimResponse that can be read."""


def read_responses(body: Any) -> list[Json]:
    """The ClaimResponses of an answer: a bundle, or parameters with a bundle each (`$inquire`). Raises `NotPas`."""
    if not isinstance(body, dict):
        raise NotPas
    if body.get("resourceType") == "Parameters":
        bundles = [each.get("resource") for each in _list(body, "parameter") if each.get("name") == "return"]
        return [found for bundle in bundles for found in read_responses(bundle)]
    if body.get("resourceType") != "Bundle":
        raise NotPas
    resources = [each.get("resource") for each in _list(body, "entry")]
    return [each for each in resources if isinstance(each, dict) and each.get("resourceType") == "ClaimResponse"]


def review_of(request: Request, response: Json) -> Review:
    """What one ClaimResponse says. `traces` holds the request's number where it repeats it. Raises `NotPas`."""
    items = _list(response, "item") + _list(response, "addItem")
    whole = list(_decisions({"adjudication": response.get("adjudication", [])}, response))
    own = [found for item in items for found in _decisions(item, response)]
    pended = next((_text(found, "valueString") for item in items if (found := _extension(item, "administrationReferenceNumber"))), "")
    pointed_at = (request.trace,) if _points_at(request, response) else ()
    return Review(
        traces=(*(_text(each, "value") for each in _list(response, "identifier")), *pointed_at),
        number=(_text(response, "preAuthRef") or pended)[:50], decisions=tuple(own or whole),
        rejects=tuple(Reject(reason=code, follow_up="") for each in _list(response, "error") for code in _codes(each.get("code"))),
    )  # fmt: skip


def _points_at(request: Request, response: Json) -> bool:
    """Whether a response points at the claim that we sent, by its number or its address."""
    asked = response.get("request")
    if not isinstance(asked, dict):
        return False
    said = asked.get("identifier")
    return asked.get("reference") == claim_address(request) or (isinstance(said, dict) and said.get("value") == request.trace)


def _decisions(item: Json, response: Json) -> Iterator[Decision]:
    """What was decided about one item, by each review action."""
    begins, ends = _period(_extension(item, "itemPreAuthPeriod"), "valuePeriod")
    if begins is None and ends is None:
        begins, ends = _period(response, "preAuthPeriod")
    for adjudication in _list(item, "adjudication"):
        action = _extension(adjudication, "reviewAction")
        parts = _list(action, "extension") if action else []
        said = [code for each in parts if _named(each, "reviewActionCode", "code") for code in _codes(each.get("valueCodeableConcept"))]
        numbers = [_text(each, "valueString") for each in parts if each.get("url") == "number"]
        reasons = [code for each in parts if each.get("url") == "reasonCode" for code in _codes(each.get("valueCodeableConcept"))]
        if said:
            yield Decision(
                action=said[0], number=(numbers or [""])[0][:50], reasons=tuple(reasons[:5]), valid_from=begins, valid_until=ends
            )  # fmt: skip


def _named(extension: Json, *names: str) -> bool:
    return extension.get("url") in (*names, *(f"{PROFILES}extension-{each}" for each in names))


def _extension(element: Json, name: str) -> Json:
    return next((each for each in _list(element, "extension") if _named(each, name)), {})


def _period(element: Json, name: str) -> tuple[date | None, date | None]:
    period = element.get(name)
    return (_day(period.get("start")), _day(period.get("end"))) if isinstance(period, dict) else (None, None)


def _day(text: Any) -> date | None:
    """The day of a date or an instant; a month or a year is none."""
    if text is None or (isinstance(text, str) and MONTH_OR_YEAR.fullmatch(text)):
        return None
    try:
        return date.fromisoformat(text[:10])
    except (TypeError, ValueError):
        raise NotPas from None


def _codes(concept: Any) -> list[str]:
    return [_text(each, "code") for each in _list(concept, "coding") if each.get("code")] if isinstance(concept, dict) else []


def _text(element: Json, name: str) -> str:
    value = element.get(name, "")
    if not isinstance(value, str):
        raise NotPas
    return value


def _list(element: Json, name: str) -> list[Json]:
    value = element.get(name, [])
    if not isinstance(value, list) or len(value) > ENTRIES_MAX or not all(isinstance(each, dict) for each in value):
        raise NotPas
    return value
