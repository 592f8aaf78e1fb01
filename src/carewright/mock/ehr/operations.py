"""Time by operations: `$find` proposes appointments, `$book` takes one of them (Argonaut Scheduling, as Epic has it in STU3)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from carewright.mock.ehr.answers import Answer, Asked, Resource, Wrong, outcome
from carewright.mock.ehr.made_up import appointment
from carewright.mock.ehr.profile import Profile
from carewright.mock.ehr.records import Records
from carewright.mock.ehr.searching import MATCHES
from carewright.mock.ehr.writing import read, schedule_of, take

PROPOSED_MAX = 50
KNOWN = frozenset({"startTime", "endTime", "practitioner", "location", "patient", "service-type"})
NARROWS = {"practitioner": "schedule.actor", "location": "-location"}


@dataclass
class Proposals:
    """What `$find` proposed: each has an id of its own, which `$book` takes."""

    records: Records
    profile: Profile
    new_id: Callable[[], str]
    slots: dict[str, str] = field(default_factory=dict)

    def find(self, asked: Asked) -> Answer:
        """Free times that begin within the two instants, as proposed appointments; a word about what was not understood stands beside."""
        given = _given(asked.body)
        entries = [self._proposed(slot) for slot in self._free(given)[:PROPOSED_MAX]]
        total = len(entries)
        if set(given) - KNOWN:
            said = outcome("information", "value", "A parameter was not understood and is ignored.", self.profile.warns)
            entries.append({"resource": said, "search": {"mode": "outcome"}})
        return Answer(body={"resourceType": "Bundle", "type": "searchset", "total": total, "entry": entries})

    def book(self, asked: Asked) -> Answer:
        """The proposed appointment, booked. Raises `Wrong` where somebody was faster."""
        given = _given(asked.body)
        proposal = _reference(given, "appointment").removeprefix("Appointment/")
        patient = _reference(given, "patient")
        self.records.get("Patient", patient.removeprefix("Patient/"))
        if proposal not in self.slots:
            raise Wrong(400, "not-found", "This was never proposed, or is booked already.")
        slot = take(self.records, self.slots.pop(proposal))
        note = given.get("appointmentNote", {}).get("valueString")
        made = appointment(self.new_id(), slot, schedule_of(self.records, slot), patient, "booked") | ({"comment": note} if note else {})
        entry = {"resource": self.records.put(made), "search": {"mode": "match"}}
        return Answer(body={"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [entry]})

    def _free(self, given: dict[str, Any]) -> list[Resource]:
        first, last = _instant(given, "startTime"), _instant(given, "endTime")
        wanted = [(NARROWS[name], _reference(given, name)) for name in NARROWS if name in given]
        return [
            slot for slot in self.records.all("Slot")
            if slot["status"] == "free" and first <= datetime.fromisoformat(slot["start"]) < last
            and all(MATCHES[name](self.records, slot, value) for name, value in wanted)
        ]  # fmt: skip

    def _proposed(self, slot: Resource) -> Resource:
        id_ = self.new_id()
        self.slots[id_] = f"Slot/{slot['id']}"
        made = appointment(id_, slot, schedule_of(self.records, slot), "", "proposed")
        made["participant"] = made["participant"][1:]
        return {"resource": made, "search": {"mode": "match"}}


def _given(body: bytes) -> dict[str, Any]:
    """The parameters by name. Raises `Wrong` for anything but Parameters."""
    sent = read(body, dict)
    listed = sent.get("parameter")
    if sent.get("resourceType") != "Parameters" or not isinstance(listed, list):
        raise Wrong(400, "structure", "An operation takes Parameters.")
    return {each["name"]: each for each in listed if isinstance(each, dict) and isinstance(each.get("name"), str)}


def _reference(given: dict[str, Any], name: str) -> str:
    found = given.get(name, {}).get("valueReference", {}).get("reference")
    if not isinstance(found, str):
        raise Wrong(400, "required", f"The parameter {name} is a reference.")
    return found


def _instant(given: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(given[name]["valueDateTime"])
    except (KeyError, ValueError, TypeError):
        raise Wrong(400, "required", f"The parameter {name} is an instant.") from None
