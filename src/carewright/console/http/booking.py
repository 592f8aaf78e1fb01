"""A time for a patient at the desk: for which visit and where, the earliest that are free, and booking one of them."""

from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import groupby
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http.coverage_words import called
from carewright.console.http.page import Ask, valid, zone_of
from carewright.console.http.patients import PATIENT, VISIT
from carewright.console.http.sites import site_or_only, sites_of
from carewright.console.http.today import day_in
from carewright.contracts.directory import FindServices, Location
from carewright.contracts.scheduling import BookAppointment, PickedTime, Slot
from carewright.contracts.starts import FindTimes
from carewright.kernel.errors import Refusal

TIMES = f"{PATIENT}/times"
BOOK = "scheduling.appointment.book"
SERVICES_MAX = 200
TIMES_MAX = 60
IN_THE_WAY = frozenset({409, 422})
"""What may come between a page and its booking, or what a kind of visit asks for: it is said, and other times are shown."""


class Choice(NamedTuple):
    """A kind of visit that can be booked."""

    id: UUID
    name: str


class Day(NamedTuple):
    """The free starts of a day, with whom each would be."""

    words: str
    starts: Sequence[tuple[str, str, str]]


class Wish(NamedTuple):
    """What is looked for: nothing until visit and site were chosen."""

    visit_type_id: UUID
    site: Location
    day: date | None


async def show_times(ask: Ask) -> Response:
    """The earliest free times of what the address asks for."""
    return await _shown(ask, ask.request.query_params.get("type", ""), ask.request.query_params.get("place", ""))


async def book(ask: Ask) -> Response:
    """Book one of them; where that fails it says why, and shows what is free now."""
    kind, site = ask.form.get("type", ""), ask.form.get("place", "")
    time_ = valid(PickedTime, {"visit_type_id": kind, "site_id": site, "start": ask.form.get("start", "")})
    try:
        made = await ask.ctx.scheduling.book_appointment(ask.ctx.actor, BookAppointment(patient_id=ask.id, time=time_), ask.key)
    except Refusal as refusal:
        if refusal.status not in IN_THE_WAY:
            raise
        return await _shown(ask, kind, site, refusal.status, refusal.detail)
    return ask.go(f"{VISIT}{made.id}")


async def _shown(ask: Ask, kind: str, place: str, status: int = 200, error: str = "") -> Response:
    ask.ctx.actor.require(BOOK)
    patient = await ask.ctx.patients.get_patient(ask.ctx.actor, ask.id)
    sites = await sites_of(ask)
    site = site_or_only(sites, place)
    kinds = await _kinds(ask, site)
    chosen = next((each for each in kinds if str(each.id) == kind), None)
    day = day_in(ask.request.query_params.get("day", "") or ask.form.get("day", ""))
    found = await _found(ask, Wish(chosen.id, site, day)) if chosen and site else None
    return ask.show(
        "patient_times.html", status, patient=patient, who=called(patient), sites=sites, site=site, kinds=kinds, chosen=chosen,
        day=day.isoformat() if day else "", days=found, error=error,
    )  # fmt: skip


async def _kinds(ask: Ask, site: Location | None) -> Sequence[Choice]:
    """Every kind of visit that is booked at the site, or at any."""
    found = await ask.ctx.directory.find_services(ask.ctx.actor, FindServices(site_id=site.id if site else None, limit=SERVICES_MAX))
    names = (Choice(kind.id, f"{each.service.name}: {kind.name}") for each in found.items for kind in each.visit_types)
    return sorted(names, key=lambda choice: choice.name)


async def _found(ask: Ask, wish: Wish) -> Sequence[Day]:
    zone, now = zone_of(wish.site), ask.ctx.clock.now()
    begins = max(now, datetime.combine(wish.day, time.min, zone)) if wish.day else now
    query = FindTimes(visit_type_id=wish.visit_type_id, site_id=wish.site.id, from_at=begins, limit=TIMES_MAX)
    slots = (await ask.ctx.scheduling.find_times(ask.ctx.actor, query)).items
    return [
        Day(f"{day:%A, %d %B %Y}", [_start(each, zone) for each in of_day])
        for day, of_day in groupby(slots, key=lambda each: each.start.astimezone(zone).date())
    ]


def _start(slot: Slot, zone: ZoneInfo) -> tuple[str, str, str]:
    """The start as the form sends it and as people say it, and with whom it would be."""
    with_whom = ", ".join(each.display for each in slot.participants if each.display)
    return slot.start.isoformat(), f"{slot.start.astimezone(zone):%H:%M}", with_whom
