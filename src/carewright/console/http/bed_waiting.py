"""Who waits for a bed: the list on the board, having somebody wait, and taking them off it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http import bed_words as words
from carewright.console.http.finding import names_of_patients
from carewright.console.http.page import Ask, valid, zone_of
from carewright.contracts.directory import Location
from carewright.contracts.flow import BedRequestEnded
from carewright.contracts.rooms import AskForBed, BedRequest, BedUrgency, CancelBedRequest, CancelReason, ListBedRequests
from carewright.kernel.errors import PreconditionFailed

BEDS = "/staff/beds"
WORK = "flow.place.work"
REQUEST = f"{BEDS}/requests/{{id}}"
URGENCIES: Mapping[BedUrgency, str] = {"emergency": "Emergency", "urgent": "Urgent", "planned": "Planned"}
CANCELLED: Mapping[CancelReason, str] = {
    "not-needed": "Not needed any more", "elsewhere": "Is cared for elsewhere", "mistake": "Asked for by mistake",
}  # fmt: skip
SAID: Mapping[str, str] = {
    "waits": "They wait for a bed now.", "waits-no-more": "They wait for a bed no more.",
    "over": "Somebody else was faster: they waited no more. This is how it stands now.",
}  # fmt: skip
SHOWN_MAX = 100
UNNAMED = "Name not known"


class Line(NamedTuple):
    """Somebody who waits for a bed. `who` is None where the page shows that already, or may not."""

    request: BedRequest
    who: str | None
    urgency: str
    wants: str
    since: str
    key: str


class Waiting(NamedTuple):
    """Who waits for a bed at a site: the first of them, and how many there are."""

    lines: Sequence[Line]
    total: int


async def waiting_at(ask: Ask, site: Location, names: Mapping[UUID | str | None, str], known: Collection[str]) -> Waiting:
    """The list of a site; it is asked who they are of those alone whom the page does not know yet."""
    found = await ask.ctx.rooms.list_bed_requests(ask.ctx.actor, ListBedRequests(site_id=site.id, whose=False, limit=SHOWN_MAX))
    unknown = tuple(each.id for each in found.items if words.key_of(each) not in known) if ask.ctx.actor.may(WORK) else ()
    asked = ListBedRequests(site_id=site.id, ids=unknown, limit=SHOWN_MAX)
    told = {each.id: each for each in (await ask.ctx.rooms.list_bed_requests(ask.ctx.actor, asked)).items} if unknown else {}
    patients = await names_of_patients(ask, (each.patient_id for each in told.values()))
    now, zone = ask.ctx.clock.now(), zone_of(site)
    return Waiting([_line(told.get(each.id, each), patients, names, now, zone) for each in found.items], found.waiting)


async def request_of(ask: Ask, site: Location, encounter_id: UUID) -> BedRequest | None:
    """What a visit waits for at a site."""
    asked = ListBedRequests(site_id=site.id, encounter_id=encounter_id, whose=False)
    return next(iter((await ask.ctx.rooms.list_bed_requests(ask.ctx.actor, asked)).items), None)


def wished(request: BedRequest) -> dict[str, str]:
    """What somebody waits for, as the form of a visit has it."""
    said = {"type": request.room_type or "", "device": next(iter(request.devices), "")}
    return said | dict.fromkeys(request.precautions, "yes")


def wanted(said: Mapping[str, str]) -> dict[str, object]:
    """The same the other way: what the form of a visit says of the place that is looked for, as the contract has it."""
    devices = [said["device"]] if said.get("device") else []
    return {"room_type": said.get("type") or None, "devices": devices, "precautions": words.ticked(said)}


async def ask_for_bed(ask: Ask) -> Response:
    """Have whom a visit is about wait for the bed that the form describes."""
    given = {
        "encounter_id": str(ask.id), "site_id": ask.form.get("place", ""), "urgency": ask.form.get("urgency", ""), **wanted(ask.form),
    }  # fmt: skip
    request = await ask.ctx.rooms.ask_for_bed(ask.ctx.actor, valid(AskForBed, given), ask.key)
    return _back(ask, str(request.site_id), "waits")


async def cancel(ask: Ask) -> Response:
    """Nobody waits for it any more."""
    given = {"request_id": str(ask.id), "reason": ask.form.get("reason", ""), "expected_version": ask.version}
    done = "waits-no-more"
    try:
        await ask.ctx.rooms.cancel_bed_request(ask.ctx.actor, valid(CancelBedRequest, given), ask.key)
    except (BedRequestEnded, PreconditionFailed):
        done = "over"
    return _back(ask, ask.form.get("place", ""), done)


def _back(ask: Ask, site: str, done: str) -> Response:
    return ask.go(f"{BEDS}?{urlencode({'place': site, 'kind': 'bed', 'done': done})}")


def _line(
    request: BedRequest, patients: Mapping[UUID, str], names: Mapping[UUID | str | None, str], now: datetime, zone: ZoneInfo
) -> Line:  # fmt: skip
    of_type = names.get(request.room_type) or words.word_of(request.room_type) if request.room_type else ""
    against = ", ".join(words.PRECAUTIONS[each].lower() for each in request.precautions)
    wants = ", ".join(filter(None, (of_type, *map(words.word_of, request.devices), against and f"precautions: {against}")))
    who = patients.get(request.patient_id, UNNAMED) if request.patient_id else None
    since = words.clock_of(request.asked_at, now, zone)
    return Line(request, who, URGENCIES[request.urgency], wants, since, words.key_of(request))
