"""Registering somebody who is new: who may be the same person is shown first, then it goes straight on to a ticket."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from msgspec import Meta
from starlette.responses import Response

from carewright.console.http.coverage_words import called
from carewright.console.http.finding import born
from carewright.console.http.page import Ask
from carewright.console.http.patients import PATIENT, Way
from carewright.contracts.languages import LANGUAGES
from carewright.contracts.patients import (
    AlikePatient,
    AlikePatients,
    ContactPoint,
    FindAlike,
    Gender,
    InvalidPatient,
    Likeness,
    Name,
    RegisterPatient,
    UnlikeReason,
)
from carewright.kernel.values import Day, Language

NEW = "/staff/patients/new"
REGISTER = "patients.register"
FIELDS = ("family", "given", "birth_on", "gender", "phone", "email", "language")
GIVEN_MAX = 10
FORMS: Mapping[str, Any] = {
    "family": Name, "given": Annotated[tuple[Name, ...], Meta(max_length=GIVEN_MAX)], "birth_on": Day, "gender": Gender,
    "language": Language,
}  # fmt: skip
CONTACTS = ("phone", "email")
WRONG: Mapping[str, str] = {
    "family": "Write the family name, with 100 letters at most.",
    "given": f"Write the given names with a space between them: {GIVEN_MAX} at most, each with 100 letters at most.",
    "birth_on": "A birth date lies between 1880 and today, and looks like 1980-02-29.",
    "gender": "Choose one of these, or leave it open.",
    "phone": "A telephone number has 5 to 15 digits.",
    "email": "An e-mail address looks like name@example.org.",
    "language": "Choose one of these, or leave it open.",
    "because": "Say why it is none of these people.",
}
"""What is wrong with a field, and how it is right."""
WHY: Mapping[Likeness, str] = {
    "identifier": "the same number", "birth-date": "the same birth date", "birth-date-nearly": "nearly the same birth date",
    "family": "the same family name", "family-sound": "a family name that sounds alike", "given": "the same given name",
    "given-sound": "a given name that sounds alike", "names-swapped": "the same names, exchanged",
    "contact": "the same telephone or e-mail",
}  # fmt: skip
BECAUSE: Mapping[UnlikeReason, str] = {
    "same-name": "it is another person of that name", "relative": "it is a twin, or somebody else of the family",
    "cannot-tell": "it cannot be found out now",
}  # fmt: skip


class Line(NamedTuple):
    """Somebody who is known and may be the same person."""

    id: UUID
    who: str
    born: str
    why: str


async def show_new(ask: Ask) -> Response:
    """The empty form."""
    return await _form(ask, dict.fromkeys(FIELDS, ""), Way.of(ask.request.query_params))


async def begin(ask: Ask) -> Response:
    """The form with what was typed where nobody was found."""
    return await _form(ask, _typed(ask), Way.of(ask.form))


async def register(ask: Ask) -> Response:
    """Register whom the form describes; if somebody may be the same person, only after a look at them, and for a reason."""
    ask.ctx.actor.require(REGISTER)
    typed, way = _typed(ask), Way.of(ask.form)
    said, wrong = _read(typed)
    if wrong:
        return await _form(ask, typed, way, wrong=wrong)
    try:
        alike = await ask.ctx.patients.find_alike(ask.ctx.actor, msgspec.convert(said, FindAlike))
        if lacking := _lacking(ask, alike):
            return await _form(ask, typed, way, wrong=lacking if ask.form.get("seen") else {}, alike=alike)
        command = msgspec.convert(said | _unlike(ask, alike.items), RegisterPatient)
        patient = await ask.ctx.patients.register_patient(ask.ctx.actor, command, ask.key)
    except InvalidPatient as refusal:
        return await _form(ask, typed, way, wrong=_wrong_of(refusal))
    return ask.go(f"{PATIENT.format(id=patient.id)}?{urlencode({'registered': 'yes'} | way.named)}")


def _typed(ask: Ask) -> dict[str, str]:
    return {name: ask.form.get(name, "").strip() for name in FIELDS}


def _read(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was filled in as the contract has it, and what of it is not in form."""
    said: dict[str, Any] = {name: typed[name] for name in ("birth_on", "gender", "language") if typed[name]}
    said |= {"family": typed["family"], "given": typed["given"].split()}
    said["telecom"] = [{"system": each, "value": typed[each]} for each in CONTACTS if typed[each]]
    wrong = {name: WRONG[name] for name in FORMS if name in said and not _fits(said[name], FORMS[name])}
    wrong |= {each["system"]: WRONG[each["system"]] for each in said["telecom"] if not _fits(each, ContactPoint)}
    return said, wrong


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _wrong_of(refusal: InvalidPatient) -> dict[str, str]:
    """The rule that the record breaks, at the field where it is put right."""
    field = str(refusal.facts.get("system", refusal.facts["field"]))
    return {field: WRONG[field]} if field in WRONG else {"family": refusal.detail}


def _lacking(ask: Ask, alike: AlikePatients) -> dict[str, str]:
    """What is to be answered before somebody is registered beside those who are alike: all were shown, and a reason given."""
    seen = set(ask.form.get("seen", "").split())
    is_answered = ask.form.get("because") in BECAUSE and all(str(each.patient.id) in seen for each in alike.items)
    return {"because": WRONG["because"]} if alike.items and not is_answered else {}


def _unlike(ask: Ask, alike: Sequence[AlikePatient]) -> dict[str, Any]:
    return {"unlike": {"patient_ids": [str(each.patient.id) for each in alike], "because": ask.form["because"]}} if alike else {}


async def _form(
    ask: Ask, typed: dict[str, str], way: Way, *, wrong: Mapping[str, str] | None = None, alike: AlikePatients | None = None
) -> Response:  # fmt: skip
    ask.ctx.actor.require(REGISTER)
    fields = {"because": ask.form.get("because", "")} | typed
    return ask.show(
        "patient_new.html", 422 if wrong else 200, fields=fields, wrong=wrong or {}, error="", way=way, queue=await way.queue(ask),
        alike=[_line(each) for each in alike.items] if alike else [], more=bool(alike and alike.more), because=BECAUSE,
        languages=sorted(LANGUAGES.items(), key=lambda pair: pair[1]),
    )  # fmt: skip


def _line(alike: AlikePatient) -> Line:
    patient = alike.patient
    return Line(patient.id, called(patient), born(patient) or "birth date not known", ", ".join(WHY[each] for each in alike.why))
