"""What is booked: the list, one appointment, its calendar file; cancelling it, moving it."""

from starlette.responses import Response

from carewright.contracts.scheduling import Appointment
from carewright.kernel.errors import Refusal
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.holds import back_with
from carewright.portal.http.page import Ask, address, uuid_or_none
from carewright.portal.http.texts import ENGLISH, languages
from carewright.portal.model import choices
from carewright.portal.model.appointments import (
    AppointmentView,
    appointment_view,
    is_ahead,
    is_live_hold,
    newest_first,
    soonest_first,
)
from carewright.portal.model.calendar_file import calendar_file
from carewright.portal.model.times import TimesQuery, offer_of, parse_slot, walls_of
from carewright.portal.model.turn import late_words
from carewright.portal.service import Picked


async def show_appointments(ask: Ask) -> Response:
    """Everything that is kept, booked or past."""
    now, found = ask.ctx.clock.now(), await service.list_appointments(ask.ctx)
    sites = {site.id: site for site in await service.get_sites(ask.ctx)}
    walls = walls_of(list(sites.values()), ask.ctx.settings.locale)

    def views(some: list[Appointment]) -> list[AppointmentView]:
        return [appointment_view(one, walls.of(one.site_id), now, sites.get(one.site_id)) for one in some]

    held = soonest_first(one for one in found if is_live_hold(one, now))
    ahead = soonest_first(one for one in found if is_ahead(one, now))
    rest = newest_first(one for one in found if one not in held and one not in ahead)
    return ask.show("appointments.html", held=views(held), ahead=views(ahead), rest=views(rest))


async def show_appointment(ask: Ask) -> Response:
    one = await service.get_appointment(ask.ctx, ask.id())
    view = await _view(ask, one)
    if view.state in ("held", "gone"):
        return ask.go(f"/holds/{one.id}")
    kind = await ask.ctx.directory.get_visit_type(ask.ctx.actor, one.visit_type_id)
    late = (await service.late_starts(ask.ctx)).get(one.id)
    wall = walls_of(await service.get_sites(ask.ctx), ask.ctx.settings.locale).of(one.site_id)
    words = late_words(late, wall, languages()[ENGLISH]) if late else ""
    code = await service.check_in_code(ask.ctx, one)
    return ask.show("appointment.html", one=view, visit=choices.visit(kind, ask.language), late=words, code=code)


async def download_calendar_file(ask: Ask) -> Response:
    """The appointment for the patient's own calendar."""
    view = await _view(ask, await service.get_appointment(ask.ctx, ask.id()))
    content = calendar_file(view, ask.ctx.settings.hospital_name, ask.ctx.clock.now())
    headers = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return Response(content, 200, headers, "text/calendar; charset=utf-8")


async def ask_to_cancel(ask: Ask) -> Response:
    """One more look before it is gone."""
    view = await _view(ask, await service.get_appointment(ask.ctx, ask.id()))
    if not view.can_change:
        return ask.go(f"/appointments/{view.id}", "scheduling.illegal_step")
    return ask.show("cancel.html", one=view)


async def cancel(ask: Ask) -> Response:
    place = f"/appointments/{ask.id()}"
    try:
        await service.cancel(ask.ctx, ask.id(), _version(ask), ask.key)
    except Refusal as refusal:
        return back_with(ask, refusal, place)
    return ask.go(place)


async def ask_to_move(ask: Ask) -> Response:
    """The old time beside the new one, before they change places."""
    one = await service.get_appointment(ask.ctx, ask.id())
    view, slot = await _view(ask, one), parse_slot(ask.query("slot"))
    if not view.can_change:
        return ask.go(f"/appointments/{one.id}", "scheduling.illegal_step")
    if slot is None:
        return ask.go(address(f"/visits/{one.visit_type_id}/times", moving=one.id), "portal.no_time_chosen")
    known = await service.get_visit(ask.ctx, one.visit_type_id)
    place = guard.local_path(ask.query("place"), address(f"/visits/{one.visit_type_id}/times", moving=one.id))
    return ask.show(
        "move.html",
        one=view,
        new=offer_of(*slot, known.walls, ask.ctx.clock.now()),
        practitioner=ask.query("practitioner"),
        language=ask.query("language"),
        place=place,
    )


async def move(ask: Ask) -> Response:
    """Give the appointment its new time. Where somebody was faster, the patient chooses again and keeps the old time."""
    one = await service.get_appointment(ask.ctx, ask.id())
    place = guard.local_path(ask.form.get("place", ""), address(f"/visits/{one.visit_type_id}/times", moving=one.id))
    slot = parse_slot(ask.form.get("slot", ""))
    if slot is None:
        return ask.go(place, "portal.no_time_chosen")
    query = TimesQuery(
        one.visit_type_id, practitioner=uuid_or_none(ask.form.get("practitioner", "")), language=ask.form.get("language") or None
    )
    try:
        await service.move(ask.ctx, one.id, Picked(query, *slot), _version(ask), ask.key)
    except Refusal as refusal:
        changed = refusal.code in ("scheduling.illegal_step", "kernel.precondition_failed")
        return back_with(ask, refusal, f"/appointments/{one.id}" if changed else place)
    return ask.go(f"/appointments/{one.id}", "done.moved")


async def _view(ask: Ask, one: Appointment) -> AppointmentView:
    sites = await service.get_sites(ask.ctx)
    walls = walls_of(sites, ask.ctx.settings.locale)
    site = next((site for site in sites if site.id == one.site_id), None)
    return appointment_view(one, walls.of(one.site_id), ask.ctx.clock.now(), site)


def _version(ask: Ask) -> int | None:
    text = ask.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else None
