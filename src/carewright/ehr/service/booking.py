"""Booking there what is booked here: in a free slot, as the EHR proposes it, or by itself. By our id in the comment it is known again."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from carewright.contracts.ehr import NotUnderstood
from carewright.contracts.scheduling import Appointment
from carewright.ehr import store
from carewright.ehr.model.reading import Misread, Visit, instant, read
from carewright.ehr.service.asking import FHIR_JSON, decoded, made_id
from carewright.ehr.service.work import Work

NEAR = timedelta(minutes=5)
"""How far around the start is looked: a search by date has an end, and every start lies on a grid of five minutes."""


async def book(work: Work, ours: Appointment, patient: str) -> str | None:
    """Their id of the new appointment of their patient; None where they have no free time then, or no word for this kind of visit."""
    return await WAYS[work.profile.books_by](work, ours, patient)


async def found_again(work: Work, ours: Appointment, patient: str) -> str | None:
    """Their id, where we booked it before and did not hear so."""
    dates = [("date", f"ge{instant(ours.start)}"), ("date", f"lt{instant(ours.start + NEAR)}")]
    async for resource in work.ehr.search("Appointment", [("patient", patient), *dates]):
        try:
            theirs = read(resource, Visit)
        except Misread:
            continue
        if theirs.own_id == ours.id:
            return theirs.id
    return None


async def free_slot(work: Work, ours: Appointment) -> str | None:
    """A free slot of theirs at this start, for this kind of visit, with the same practitioner."""
    codes = ",".join(code for code, kind in work.connection.codes.items() if kind == ours.visit_type_id)
    practitioner = await practitioner_of(work, ours)
    if not codes or practitioner is None:
        return None
    query = [("service-type", codes), ("schedule.actor", f"Practitioner/{practitioner}")]
    dates = [("start", f"ge{instant(ours.start)}"), ("start", f"lt{instant(ours.start + NEAR)}")]
    async for slot in work.ehr.search("Slot", [*query, *dates]):
        if _begins(slot, ours.start) and isinstance(slot.get("id"), str):
            return f"Slot/{slot['id']}"
    return None


async def practitioner_of(work: Work, ours: Appointment) -> str | None:
    """Their id of the first practitioner of ours whom they have."""
    for each in ours.participants:
        theirs = await store.theirs_of(work.ctx.db, work.cipher, work.connection.id, "Practitioner", each.actor_id)
        if theirs is not None:
            return theirs
    return None


async def _in_slot(work: Work, ours: Appointment, patient: str) -> str | None:
    """A new Appointment: one slot, one patient; the answer has no body, and its Location says what it is called (Oracle Health)."""
    slot = await free_slot(work, ours)
    if slot is None:
        return None
    body = {
        "resourceType": "Appointment", "status": "booked", "slot": [{"reference": slot}], "comment": _word(ours),
        "participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}],
    }  # fmt: skip
    return await _created(work, body)


async def _itself(work: Work, ours: Appointment, patient: str) -> str | None:
    """A new Appointment with all that it is: when, what for, who and where. The server holds it against nothing (HL7 FHIR R4)."""
    practitioner = await practitioner_of(work, ours)
    code = next((code for code, kind in work.connection.codes.items() if kind == ours.visit_type_id), None)
    if practitioner is None or code is None:
        return None
    site = await store.theirs_of(work.ctx.db, work.cipher, work.connection.id, "Location", ours.site_id)
    system, _, value = code.rpartition("|")
    actors = [f"Patient/{patient}", f"Practitioner/{practitioner}", *([f"Location/{site}"] if site else [])]
    return await _created(work, {
        "resourceType": "Appointment", "status": "booked", "start": instant(ours.start), "end": instant(ours.end), "comment": _word(ours),
        "serviceType": [{"coding": [({"system": system} if system else {}) | {"code": value}]}],
        "participant": [{"actor": {"reference": each}, "status": "accepted"} for each in actors],
    })  # fmt: skip


async def _created(work: Work, body: dict[str, Any]) -> str:
    return made_id(await work.ehr.ask("POST", f"{work.connection.base}/Appointment", msgspec.json.encode(body), FHIR_JSON))


async def _as_proposed(work: Work, ours: Appointment, patient: str) -> str | None:
    """What `$find` proposes at this start, taken by `$book` (Epic)."""
    practitioner = await practitioner_of(work, ours)
    if practitioner is None:
        return None
    window = {"startTime": instant(ours.start), "endTime": instant(ours.start + NEAR)}
    asked = [{"name": name, "valueDateTime": at} for name, at in window.items()]
    asked.append(_reference("practitioner", f"Practitioner/{practitioner}"))
    proposed = next((each for each in await _operate(work, "$find", asked) if _begins(each, ours.start)), None)
    if proposed is None:
        return None
    taken = [_reference("patient", f"Patient/{patient}"), _reference("appointment", f"Appointment/{proposed.get('id')}")]
    made = await _operate(work, "$book", [*taken, {"name": "appointmentNote", "valueString": _word(ours)}])
    if not made or not isinstance(made[0].get("id"), str):
        raise NotUnderstood(about="book")
    return str(made[0]["id"])


async def _operate(work: Work, name: str, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The appointments that an operation answers."""
    body = msgspec.json.encode({"resourceType": "Parameters", "parameter": parameters})
    answer = await work.ehr.ask("POST", f"{work.ehr.operations}/Appointment/{name}", body, FHIR_JSON)
    entries = decoded(answer, name, _Answered).entry
    return [each.resource for each in entries if each.resource.get("resourceType") == "Appointment"]


class _Entry(msgspec.Struct, frozen=True):
    resource: dict[str, Any]


class _Answered(msgspec.Struct, frozen=True):
    entry: tuple[_Entry, ...] = ()


def _reference(name: str, reference: str) -> dict[str, Any]:
    return {"name": name, "valueReference": {"reference": reference}}


def _word(ours: Appointment) -> str:
    return f"Carewright {ours.id}"


def _begins(resource: Any, start: datetime) -> bool:
    try:
        return datetime.fromisoformat(resource["start"]) == start
    except (KeyError, TypeError, ValueError):
        return False


WAYS: Mapping[str, Callable[[Work, Appointment, str], Awaitable[str | None]]] = {
    "slot": _in_slot, "proposal": _as_proposed, "itself": _itself,
}  # fmt: skip
