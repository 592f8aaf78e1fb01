"""The appointments in a call, as far as they say something to us."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.cds import Json
from carewright.contracts.directory import Identifier
from carewright.contracts.fhir.basics import VISIT_TYPES
from carewright.kernel.errors import BadInput
from carewright.kernel.values import Instant

APPOINTMENTS_MAX = 20
IDENTIFIERS_MAX = 20


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that somebody is about to book. What it names that we do not know is None, or left out."""

    resource: Json
    start: Instant
    end: Instant
    visit_type_id: UUID | None = None
    place_ids: tuple[UUID, ...] = ()
    practitioner_id: UUID | None = None


def proposals_in(bundle: Json) -> tuple[Proposed, ...]:
    """The appointments of `context.appointments` that have a time. Raises `BadInput` for what is no Bundle of them."""
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list) or len(entries) > APPOINTMENTS_MAX:
        raise BadInput(f"A Bundle of at most {APPOINTMENTS_MAX} Appointments belongs here.", parameter="context.appointments")
    return tuple(_proposed(one) for one in map(_appointment, entries) if "start" in one and "end" in one)


def identifiers_in(patient: Any) -> tuple[Identifier, ...]:
    """The identifiers of a Patient that was prefetched; none where none was."""
    given = patient.get("identifier", []) if isinstance(patient, dict) and patient.get("resourceType") == "Patient" else []
    words = (each for each in _many(given) if _is_word(each.get("system")) and _is_word(each.get("value")))
    return tuple(Identifier(system=each["system"], value=each["value"]) for each in words)[:IDENTIFIERS_MAX]


def uuid_in(text: Any) -> UUID | None:
    """An id of ours, alone or at the end of a reference."""
    try:
        return UUID(text.rpartition("/")[2]) if isinstance(text, str) else None
    except ValueError:
        return None


def _appointment(entry: Any) -> Json:
    one = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(one, dict) or one.get("resourceType") != "Appointment":
        raise BadInput("Appointments belong here.", parameter="context.appointments")
    return one


def _proposed(one: Json) -> Proposed:
    start, end = _instant(one["start"], "start"), _instant(one["end"], "end")
    if end <= start:
        raise BadInput("The end comes after the start.", parameter="context.appointments")
    practitioners = _actors(one, "Practitioner")
    return Proposed(
        resource=one, start=start, end=end, visit_type_id=_visit_type(one), place_ids=_actors(one, "Location"),
        practitioner_id=practitioners[0] if practitioners else None,
    )  # fmt: skip


def _instant(text: Any, name: str) -> datetime:
    try:
        return msgspec.convert(text, Instant)
    except msgspec.ValidationError as fault:
        raise BadInput(f"Appointment.{name} is an instant with an offset.", parameter="context.appointments") from fault


def _visit_type(one: Json) -> UUID | None:
    codings = (coding for concept in _many(one.get("serviceType")) for coding in _many(concept.get("coding")))
    return next((found for each in codings if each.get("system") == VISIT_TYPES and (found := uuid_in(each.get("code")))), None)


def _actors(one: Json, kind: str) -> tuple[UUID, ...]:
    """Our ids of those of a type who take part."""
    actors = (each["actor"].get("reference") for each in _many(one.get("participant")) if isinstance(each.get("actor"), dict))
    ours = (uuid_in(text) for text in actors if isinstance(text, str) and text.rpartition("/")[0].rpartition("/")[2] == kind)
    return tuple(each for each in ours if each)


def _many(value: Any) -> Iterable[Json]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def _is_word(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 200
