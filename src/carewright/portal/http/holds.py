"""Keeping a time, looking at it once more, booking it or letting it go."""

from uuid import UUID

from starlette.responses import Response

from carewright.contracts.scheduling import Appointment
from carewright.kernel.errors import Refusal
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.page import Ask, address
from carewright.portal.model import choices
from carewright.portal.model.appointments import appointment_view, is_hold, is_live_hold, time_left, was_only_held
from carewright.portal.model.notices import NOTICES
from carewright.portal.model.times import TimesQuery, parse_slot
from carewright.portal.service import Picked

NOTE_MAX = 2000
REFERRAL_MAX = 200


async def keep_time(ask: Ask) -> Response:
    """Hold the time whose button was pressed, and go on to review it. A refusal leads back to the times, where the patient was."""
    visit_type_id = ask.id()
    place = guard.local_path(ask.form.get("place", ""), times_address(visit_type_id))
    slot = parse_slot(ask.form.get("slot", ""))
    if slot is None:
        return ask.go(place, "portal.no_time_chosen")
    query = TimesQuery(visit_type_id, practitioner=wish(ask, "practitioner"), language=ask.form.get("language") or None)
    try:
        held = await service.keep_time(ask.ctx, Picked(query, *slot), f"{ask.key}:{ask.form['slot']}")
    except Refusal as refusal:
        return back_with(ask, refusal, place)
    response = ask.go(f"/holds/{held.id}")
    ask.cookies.put(response, guard.PLACE, place, guard.PLACE_SECONDS)
    return response


async def show_hold(ask: Ask) -> Response:
    """The held time in words, with what is left of it; where it has become something else, that."""
    one = await service.get_appointment(ask.ctx, ask.id())
    if not (is_hold(one) or was_only_held(one)):
        return ask.go(f"/appointments/{one.id}")
    return await _review(ask, one, errors={})


async def _review(ask: Ask, one: Appointment, errors: dict[str, str], status: int = 200) -> Response:
    now = ask.ctx.clock.now()
    if not is_live_hold(one, now):
        return ask.show("hold_gone.html", 200, one=one, times=times_place(ask, one.visit_type_id))
    known = await service.get_visit(ask.ctx, one.visit_type_id)
    wall = known.walls.of(one.site_id)
    site = next((site for site in known.sites if site.id == one.site_id), None)
    return ask.show(
        "hold.html",
        status,
        one=appointment_view(one, wall, now, site),
        left=time_left(one, wall, now),
        visit=choices.visit(known.kind, ask.language),
        errors=errors,
        form=ask.form,
        times=times_place(ask, one.visit_type_id),
    )


async def book_time(ask: Ask) -> Response:
    """Book the held time. What the form lacks is asked for beside its field, while the time stays held."""
    hold_id, referral, note = ask.id(), ask.form.get("referral", ""), ask.form.get("note", "")
    one = await service.get_appointment(ask.ctx, hold_id)
    if is_live_hold(one, ask.ctx.clock.now()) and (errors := await _missing(ask, one, referral, note)):
        return await _review(ask, one, errors, 422)
    try:
        booked = await service.book_held_time(ask.ctx, hold_id, referral, note, ask.key)
    except Refusal as refusal:
        return await _not_booked(ask, one, refusal)
    return ask.go(f"/appointments/{booked.id}")


async def _missing(ask: Ask, one: Appointment, referral: str, note: str) -> dict[str, str]:
    kind = await ask.ctx.directory.get_visit_type(ask.ctx.actor, one.visit_type_id)
    errors = {}
    if choices.needs_referral(kind) and not referral:
        errors["referral"] = "Enter the number or name on your referral."
    if len(referral) > REFERRAL_MAX:
        errors["referral"] = f"Keep this to {REFERRAL_MAX} characters."
    if len(note) > NOTE_MAX:
        errors["note"] = f"Keep your note to {NOTE_MAX} characters. It has {len(note)} now."
    return errors


async def _not_booked(ask: Ask, one: Appointment, refusal: Refusal) -> Response:
    """A hold that ended leads back to the times; every other refusal leaves it held, so the patient stays with it."""
    if refusal.code in ("scheduling.hold_expired", "scheduling.time_not_free"):
        return ask.go(times_place(ask, one.visit_type_id), refusal.code)
    return back_with(ask, refusal, f"/holds/{one.id}")


async def release_time(ask: Ask) -> Response:
    """Let the held time go and show the times again."""
    one = await service.get_appointment(ask.ctx, ask.id())
    place = times_place(ask, one.visit_type_id)
    if not is_hold(one):
        return ask.go(f"/appointments/{one.id}" if one.status != "cancelled" else place)
    try:
        await service.release_time(ask.ctx, one.id, ask.key)
    except Refusal as refusal:
        return back_with(ask, refusal, place)
    return ask.go(place, "done.released")


async def to_times(ask: Ask) -> Response:
    return ask.go(times_address(ask.id()))


async def to_hold(ask: Ask) -> Response:
    return ask.go(f"/holds/{ask.id()}")


def back_with(ask: Ask, refusal: Refusal, place: str) -> Response:
    """Back to where the patient was, with a kind word about the refusal. One that has none becomes a page of its own."""
    if refusal.code not in NOTICES:
        raise refusal
    return ask.go(place, refusal.code)


def wish(ask: Ask, name: str) -> UUID | None:
    try:
        return UUID(ask.form.get(name, ""))
    except ValueError:
        return None


def times_address(visit_type_id: UUID) -> str:
    return f"/visits/{visit_type_id}/times"


def times_place(ask: Ask, visit_type_id: UUID) -> str:
    """The times page as the patient last saw it, if that was for this kind of visit."""
    plain = times_address(visit_type_id)
    place = guard.local_path(ask.cookies.get(guard.PLACE), plain)
    return place if place.partition("?")[0] == plain else address(plain)
