"""What every resource is made of: references, codings, identifiers, and the rule that nothing empty is said."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from carewright.contracts.directory import Coding, Identifier

Resource = dict[str, Any]
LANGUAGES = "urn:ietf:bcp:47"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What a string may not hold (https://hl7.org/fhir/R4/datatypes.html#string), and XML cannot."""
VISIT_TYPES = "urn:carewright:visit-type"
"""The system of our kinds of visits, coded by their ids."""


def said(elements: Mapping[str, Any]) -> Resource:
    """Without what is empty: FHIR has no nulls."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {}, ())}


def resource(kind: str, id_: UUID | str, elements: Mapping[str, Any], version: int | None = None, at: datetime | None = None) -> Resource:
    """A resource of a type, with what is known of its version."""
    meta = said({"versionId": str(version) if version else None, "lastUpdated": instant(at) if at else None})
    made: Resource = _in_form(said({"resourceType": kind, "id": str(id_), "meta": meta, **elements}))
    return made


def _in_form(value: Any) -> Any:
    """The same without the characters that FHIR's strings may not hold, whoever put them into a name."""
    if isinstance(value, str):
        return CONTROL.sub("", value) if CONTROL.search(value) else value
    if isinstance(value, dict):
        return said({name: _in_form(inner) for name, inner in value.items()})
    return [_in_form(inner) for inner in value] if isinstance(value, list) else value


def instant(at: datetime) -> str:
    """FHIR's instant, to the millisecond where there is more than a second to say."""
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")


def reference(kind: str, id_: UUID | str | None, display: str = "") -> Resource | None:
    """A relative reference; None to nobody."""
    return said({"reference": f"{kind}/{id_}", "display": display}) if id_ else None


def references(kind: str, ids: Iterable[UUID]) -> list[Resource]:
    return [{"reference": f"{kind}/{each}"} for each in ids]


def coding(one: Coding) -> Resource:
    return said({"system": one.system, "code": one.code, "display": one.display})


def concept(one: Coding | None) -> Resource | None:
    """A CodeableConcept of one coding."""
    return said({"coding": [coding(one)], "text": one.display}) if one else None


def concepts(many: Iterable[Coding]) -> list[Resource]:
    return [made for each in many if (made := concept(each))]


def language(tag: str) -> Resource:
    return {"coding": [{"system": LANGUAGES, "code": tag}]}


def identifiers(many: Iterable[Identifier]) -> list[Resource]:
    return [{"system": each.system, "value": each.value} for each in many]
