"""Screens and kiosks: which there are, when each was seen last, and letting one in or out."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from starlette.responses import Response

from carewright.console.http.page import Ask
from carewright.contracts.access import UnknownStation
from carewright.contracts.directory import Location
from carewright.contracts.queue import ListQueues
from carewright.contracts.stations import EnrolledStation, EnrolStation, Station

STATIONS = "/staff/stations"
STATION = f"{STATIONS}/{{id}}"
LANGUAGES = {"en": "English", "es": "Español"}
"""Those that are written (`lobby/texts`)."""
SECONDS_AGO_NOW = 300
UNCLEAR = "Say what it is, where it is, what people call it, and at least one language."


class Line(NamedTuple):
    """A station as the page shows it."""

    station: Station
    site: str
    state: str
    is_well: bool


async def show_stations(ask: Ask) -> Response:
    """Every screen and kiosk of the sites where the member of staff works."""
    return await _shown(ask)


async def enrol(ask: Ask) -> Response:
    """A new one, and the code to type at it."""
    queues = [name.removeprefix("queue-") for name in ask.form if name.startswith("queue-")]
    given = {
        "kind": ask.form.get("kind", ""), "name": ask.form.get("name", ""), "site_id": ask.form.get("site", ""),
        "languages": [tag for tag in LANGUAGES if ask.form.get(f"language-{tag}")], "queue_ids": queues,
    }  # fmt: skip
    try:
        command = msgspec.convert(given, EnrolStation)
    except msgspec.ValidationError:
        return await _shown(ask, 422, error=UNCLEAR)
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    if not command.name or all(each.id != command.site_id for each in sites):
        return await _shown(ask, 422, error=UNCLEAR)
    return await _shown(ask, enrolled=await ask.ctx.access.enrol_station(ask.ctx.actor, command))


async def renew_code(ask: Ask) -> Response:
    """Another code for a station that is there, as for a new device."""
    try:
        return await _shown(ask, enrolled=await ask.ctx.access.renew_station_code(ask.ctx.actor, ask.id))
    except UnknownStation as refusal:
        return await _shown(ask, refusal.status, error=refusal.title)


async def retire(ask: Ask) -> Response:
    """Signed out for good."""
    try:
        await ask.ctx.access.retire_station(ask.ctx.actor, ask.id)
    except UnknownStation as refusal:
        return await _shown(ask, refusal.status, error=refusal.title)
    return ask.go(STATIONS)


async def _shown(ask: Ask, status: int = 200, *, error: str = "", enrolled: EnrolledStation | None = None) -> Response:
    found = (await ask.ctx.access.list_stations(ask.ctx.actor)).items
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    queues = (await ask.ctx.queues.list_queues(ask.ctx.actor, ListQueues())).items if ask.ctx.actor.may("flow.queue.read") else ()
    now = ask.ctx.clock.now()
    lines = [_line(each, sites, now) for each in found if not each.retired]
    return ask.show(
        "stations.html", status, lines=lines, retired=sum(each.retired for each in found), sites=sites, languages=LANGUAGES,
        queues=[each.queue for each in queues], error=error, enrolled=enrolled, form=ask.form,
        base=f"{ask.request.url.scheme}://{ask.request.url.netloc}",
    )  # fmt: skip


def _line(station: Station, sites: Sequence[Location], now: datetime) -> Line:
    site = next((each.name for each in sites if each.id == station.site_id), "another site")
    if station.last_seen_at is None:
        return Line(station, site, "waits for its code" if station.code_until and station.code_until > now else "signed out", is_well=False)
    minutes = int((now - station.last_seen_at).total_seconds() // 60)
    if minutes * 60 < SECONDS_AGO_NOW:
        return Line(station, site, "working", is_well=True)
    return Line(station, site, f"last seen {_ago(minutes)} ago", is_well=False)


def _ago(minutes: int) -> str:
    """How long that is, as people say it."""
    for unit, length in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= length:
            count = minutes // length
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "a moment"
