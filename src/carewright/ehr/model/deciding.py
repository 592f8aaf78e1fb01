"""Whose word counts, and in what the two differ."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from carewright.contracts.directory import Location, Practitioner
from carewright.contracts.ehr import Master
from carewright.contracts.patients import Patient
from carewright.contracts.scheduling import Appointment
from carewright.ehr.model.reading import Person, Place, Visit

ENDED = {"cancelled": "cancelled", "entered-in-error": "cancelled", "noshow": "noshow"}
"""Statuses that mean the same to the other side; all that are not here are alive."""


def winner(master: Master, theirs_at: datetime | None, ours_at: datetime | None) -> Literal["theirs", "ours"]:
    """Who is believed. `newest` needs to know when they spoke: what has no time does not overwrite."""
    if master != "newest":
        return master
    return "theirs" if theirs_at is not None and (ours_at is None or theirs_at > ours_at) else "ours"


def of_patient(theirs: Person, ours: Patient) -> dict[str, Any]:
    """What they say otherwise, by element of ours. What they do not say differs in nothing; numbers and contacts are only added."""
    said = _of_person(theirs) | {"birth_on": theirs.birth_on, "gender": theirs.gender}
    added = {"telecom": _added(ours.telecom, theirs.contacts), "identifiers": _added(ours.identifiers, theirs.identifiers)}
    return _otherwise(said | added, ours)


def of_practitioner(theirs: Person, ours: Practitioner) -> dict[str, Any]:
    return _otherwise(_of_person(theirs) | {"identifiers": _added(ours.identifiers, theirs.identifiers)}, ours)


def of_place(theirs: Place, ours: Location) -> dict[str, Any]:
    return _otherwise({"name": theirs.name or None, "active": theirs.status == "active"}, ours)


def of_visit(theirs: Visit, ours: Appointment) -> tuple[str, ...]:
    """`status` where one has ended and the other has not, or otherwise; `start` where both live."""
    if ENDED.get(theirs.status) != ENDED.get(ours.status):
        return ("status",)
    return ("start",) if theirs.status not in ENDED and theirs.start_at != ours.start else ()


def _of_person(theirs: Person) -> dict[str, Any]:
    return {"family": theirs.official.family, "given": theirs.given or None, "active": theirs.active}


def _added(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*ours, *theirs)))


def _otherwise(said: Mapping[str, Any], ours: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None and value != getattr(ours, name)}
