"""The form of a coverage: what is on the card, to fields and back. Fields carry the contract's names, after those of whose they are."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from carewright.contracts.coverage import Coverage, CoverageDetails, Insured, InvalidCoverage
from carewright.contracts.patients import Patient
from carewright.kernel.values import Day

PERSON = ("family", "given", "birth_on", "gender")
PLAIN = ("member_id", "plan", "group", "starts_on", "ends_on", "order", "status", "relationship")
WRONG: Mapping[str, str] = {
    "payer_name": "Say who pays: the name on the card, with 100 letters at most.",
    "payer_id": "A payer's number has letters, digits, spaces and . _ - only.",
    "member_id": "The member number has 2 to 80 letters and digits.",
    "plan": "The plan has 200 letters at most.",
    "group": "The group has 200 letters at most.",
    "starts_on": "Say the day as year-month-day, 2026-11-22.",
    "ends_on": "The last day is not before the first. Say it as year-month-day, 2026-11-22.",
    "order": "The order is a number from 1 to 9.",
    "relationship": "Say what the patient is to the person whose plan it is.",
    "status": "Choose one.",
    "beneficiary_family": "Say the patient's names as on the card, and a birth date that is not in the future.",
    "beneficiary_birth_on": "Say the birth date as year-month-day, 1980-02-29.",
    "subscriber_family": "Name the person whose plan it is where that is not the patient, and only there.",
    "subscriber_birth_on": "Say the birth date as year-month-day, 1980-02-29.",
}
"""What is wrong with a field, and how it is right."""
PLACE = re.compile(r"`\$\.([a-z_.]+)")


class Wrong(Exception):
    """A form that makes no coverage: `field` is the one to look at, `text` what to do."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field if field in WRONG else "member_id"
        self.text = WRONG[self.field]


def details_in(form: Mapping[str, str]) -> CoverageDetails:
    """What was filled in. Raises `Wrong`."""
    given: dict[str, Any] = {name: form[name] for name in PLAIN if form.get(name)}
    given["payer"] = {"name": form.get("payer_name", "")} | ({"id": form["payer_id"]} if form.get("payer_id") else {})
    given["beneficiary"] = _person_in(form, "beneficiary")
    if form.get("subscriber_family"):
        given["subscriber"] = _person_in(form, "subscriber")
    try:
        return msgspec.convert({"order": "1"} | given, CoverageDetails, strict=False)
    except msgspec.ValidationError as fault:
        raise Wrong(_field(str(fault))) from None


def wrong_of(refusal: InvalidCoverage) -> Wrong:
    """The rule that a coverage breaks, at the field where it is put right."""
    field = str(refusal.facts.get("field", ""))
    return Wrong({"beneficiary": "beneficiary_family", "subscriber": "subscriber_family", "payer": "payer_name"}.get(field, field))


def fields_of(coverage: Coverage) -> dict[str, str]:
    """A coverage as its form shows it."""
    plain = {name: _text(getattr(coverage, name)) for name in PLAIN}
    people = _fields_of(coverage.beneficiary, "beneficiary") | _fields_of(coverage.subscriber, "subscriber")
    return plain | people | {"payer_name": coverage.payer.name, "payer_id": coverage.payer.id or ""}


def fields_for(patient: Patient) -> dict[str, str]:
    """A new coverage's form: the patient as we know them, to be compared with the card."""
    person = Insured(family=patient.family, given=patient.given, birth_on=patient.birth_on, gender=patient.gender)
    return _fields_of(person, "beneficiary") | {"order": "1", "status": "active", "relationship": "self"}


def _person_in(form: Mapping[str, str], whose: str) -> dict[str, Any]:
    given = {name: form.get(f"{whose}_{name}", "") for name in PERSON}
    names = tuple(given["given"].split())
    return {"family": given["family"], "given": names} | {name: given[name] for name in ("birth_on", "gender") if given[name]}


def _fields_of(person: Insured | None, whose: str) -> dict[str, str]:
    if person is None:
        return {}
    return {
        f"{whose}_family": person.family, f"{whose}_given": " ".join(person.given), f"{whose}_birth_on": _text(person.birth_on),
        f"{whose}_gender": person.gender or "",
    }  # fmt: skip


def _text(value: Day | str | int | None) -> str:
    return "" if value is None else str(value)


def _field(fault: str) -> str:
    """The field that a fault of msgspec is about: `$.payer.name` is `payer_name`."""
    found = PLACE.search(fault)
    field = found[1].replace(".", "_") if found else ""
    return f"{field.split('_')[0]}_family" if field.endswith(("_given", "_gender")) else field
