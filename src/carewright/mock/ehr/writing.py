"""Appointments by plain FHIR: created in a free slot or by themselves, changed by JSON Patch against the version that was read."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from carewright.mock.ehr.answers import Answer, Asked, Resource, Wrong
from carewright.mock.ehr.made_up import appointment
from carewright.mock.ehr.profile import Profile
from carewright.mock.ehr.records import Records

PATCH_TYPE = "application/json-patch+json"


class _Reference(msgspec.Struct, frozen=True):
    reference: str


class _Person(msgspec.Struct, frozen=True):
    actor: _Reference
    status: Literal["accepted"]


class _Booking(msgspec.Struct, frozen=True):
    """What is kept of an appointment that is sent; whatever else is there is ignored."""

    status: Literal["booked"]
    slot: Annotated[tuple[_Reference, ...], Meta(min_length=1, max_length=1)]
    participant: Annotated[tuple[_Person, ...], Meta(min_length=1, max_length=1)]
    comment: str = ""


class _Whole(msgspec.Struct, frozen=True):
    """What an appointment must say where it is kept as it is sent."""

    status: Literal["proposed", "pending", "booked"]
    start: datetime
    end: datetime
    participant: Annotated[tuple[_Person, ...], Meta(min_length=1)]


def create(records: Records, profile: Profile, new_id: Callable[[], str], asked: Asked) -> Answer:
    """201 with Location and ETag, and no body. Raises `Wrong`."""
    made = (_in_slot if profile.books == "slot" else _as_sent)(records, new_id, asked)
    records.put(made)
    headers = {"Location": f"{profile.base}/Appointment/{made['id']}", "ETag": records.version("Appointment", made["id"])}
    return Answer(status=201, headers=headers)


def _in_slot(records: Records, new_id: Callable[[], str], asked: Asked) -> Resource:
    sent = _booking(asked.body)
    patient = sent.participant[0].actor.reference
    records.get("Patient", patient.removeprefix("Patient/"))
    slot = take(records, sent.slot[0].reference)
    made = appointment(new_id(), slot, schedule_of(records, slot), patient, "booked")
    return made | ({"comment": sent.comment} if sent.comment else {})


def _as_sent(records: Records, new_id: Callable[[], str], asked: Asked) -> Resource:
    """Kept as it is, where those who take part are there. Nobody looks whether somebody has the time."""
    sent: Resource = read(asked.body, dict)
    try:
        whole = msgspec.convert(sent, _Whole)
    except msgspec.ValidationError:
        raise Wrong(422, "business-rule", "An appointment has a status, a start, an end and somebody who takes part.") from None
    for each in whole.participant:
        kind, _, id_ = each.actor.reference.partition("/")
        records.get(kind, id_)
    return sent | {"resourceType": "Appointment", "id": new_id()}


def patch(records: Records, profile: Profile, id_: str, asked: Asked) -> Answer:
    """200 with the new ETag, and no body. Raises `Wrong`."""
    before = records.get("Appointment", id_)
    version = asked.headers.get("if-match")
    if version is None:
        raise Wrong(412, "required", "If-Match says which version is changed.")
    if asked.headers.get("content-type", "").partition(";")[0] != PATCH_TYPE:
        raise Wrong(415, "not-supported", f"A patch is {PATCH_TYPE}.")
    if version != records.version("Appointment", id_):
        raise Wrong(409, "conflict", "This is not the version that is there.")
    after = before
    for step in read(asked.body, list):
        after = _stepped(records, profile, after, step)
    records.put(after)
    return Answer(headers={"ETag": records.version("Appointment", id_)})


def _booking(body: bytes) -> "_Booking":
    """What is booked. Raises `Wrong` for what is not in the one form in which it may be asked for."""
    try:
        return msgspec.json.decode(body, type=_Booking)
    except msgspec.ValidationError:
        raise Wrong(422, "business-rule", "An appointment is booked with one slot and one patient, who accepted.") from None
    except msgspec.DecodeError:
        raise Wrong(400, "structure", "This is not JSON.") from None


def take(records: Records, reference: str) -> Resource:
    """The slot, which nobody else has from now on. Raises `Wrong` for one that is taken."""
    slot = records.get("Slot", reference.removeprefix("Slot/"))
    if slot["status"] != "free":
        raise Wrong(422, "conflict", "This slot is not free any more.")
    return records.put(slot | {"status": "busy"})


def schedule_of(records: Records, slot: Resource) -> Resource:
    return records.get("Schedule", slot["schedule"]["reference"].removeprefix("Schedule/"))


def read(body: bytes, kind: type[Any]) -> Any:
    """JSON of this kind. Raises `Wrong` for anything else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError:
        raise Wrong(400, "structure", "This is not the JSON that is wanted here.") from None


def _stepped(records: Records, profile: Profile, before: Resource, step: Any) -> Resource:
    if not isinstance(step, dict) or step.get("op") not in ("add", "replace"):
        raise Wrong(422, "not-supported", "A step adds or replaces.")
    path, value = step.get("path"), step.get("value")
    if path == "/status":
        return _brought(records, profile, before, str(value))
    if path == "/slot" and profile.books == "slot":
        return _moved(records, before, value)
    if path in ("/cancelationReason", "/comment") or (path in ("/start", "/end") and profile.books == "itself"):
        return before | {str(path)[1:]: value}
    raise Wrong(422, "not-supported", "This path is not changed by a patch.")


def _brought(records: Records, profile: Profile, before: Resource, status: str) -> Resource:
    if status not in profile.steps.get(before["status"], ()):
        raise Wrong(422, "business-rule", f"From {before['status']} an appointment cannot become that.")
    if status == "cancelled" and profile.books == "slot":
        _give_back(records, before)
    return before | {"status": status}


def _moved(records: Records, before: Resource, value: Any) -> Resource:
    """Another slot is another time: a slot in a patch means that the appointment is rescheduled."""
    reference = value[0].get("reference", "") if isinstance(value, list) and value and isinstance(value[0], dict) else ""
    slot = take(records, reference)
    _give_back(records, before)
    patient = before["participant"][0]["actor"]["reference"]
    return before | appointment(before["id"], slot, schedule_of(records, slot), patient, before["status"])


def _give_back(records: Records, appointment: Resource) -> None:
    for each in appointment.get("slot", ()):
        records.put(records.get("Slot", each["reference"].removeprefix("Slot/")) | {"status": "free"})
