"""Choosing: a service, a kind of visit, a time."""

from datetime import date

from starlette.responses import Response

from carewright.kernel.values import LATEST
from carewright.portal import service
from carewright.portal.http.page import Ask, uuid_or_none
from carewright.portal.model import choices, times
from carewright.portal.model.appointments import appointment_view, is_ahead, soonest_first
from carewright.portal.model.times import PARTS, TimesQuery
from carewright.portal.model.wall import full_date, near_date

TEXT_MAX = 100


async def show_services(ask: Ask) -> Response:
    """The start: what may be booked, a search, and what is coming up for this patient."""
    text = ask.query("q")[:TEXT_MAX]
    groups = choices.cards(await service.list_services(ask.ctx), text)
    held, coming = [], []
    if not text:
        held = await service.own_holds(ask.ctx)
        coming = soonest_first(one for one in await service.list_appointments(ask.ctx) if is_ahead(one, ask.ctx.clock.now()))[:1]
    sites = {site.id: site for site in await service.get_sites(ask.ctx)}
    walls = times.walls_of(list(sites.values()), ask.ctx.settings.locale)
    now = ask.ctx.clock.now()
    views = [appointment_view(one, walls.of(one.site_id), now, sites.get(one.site_id)) for one in (*held, *coming)]
    return ask.show("services.html", q=text, groups=groups, coming=views)


async def show_service(ask: Ask) -> Response:
    """The kinds of visit of one service."""
    summary = await ask.ctx.directory.get_service(ask.ctx.actor, ask.id())
    names = {kind.id: kind.name for kind in summary.visit_types}
    visits = tuple(choices.visit(kind, ask.language, names) for kind in choices.bookable(summary))
    return ask.show("service.html", service=summary.service, visits=visits)


async def show_times(ask: Ask) -> Response:
    """Free times of one kind of visit, by the patient's wishes."""
    asked, day_error = read_query(ask)
    found = await service.find_free_times(ask.ctx, asked)
    moving = await service.get_appointment(ask.ctx, asked.moving) if asked.moving else None
    return ask.show("times.html", 200, **_times(ask, found), day_error=day_error, moving=moving)


def _times(ask: Ask, found: service.Found) -> dict[str, object]:
    now, walls, query = ask.ctx.clock.now(), found.visit.walls, found.query
    earlier, later = times.steps(list(found.firsts), found.today, found.last) if found.firsts else (None, None)
    asked_day = query.day if query.day and query.day != found.day else None
    return {
        "query": query,
        "visit": choices.visit(found.visit.kind, ask.language),
        "service": found.visit.summary.service,
        "wishes": choices.wishes(query, found.visit.sites, found.staff),
        "day": times.day_times(found.day, found.slots, walls, now) if found.day else None,
        "strip": times.strip(found.firsts, found.day, walls, now) if found.day else (),
        "first": times.offer(found.slots[0], walls, now) if found.slots and not query.day else None,
        "elsewhere": times.offer(found.elsewhere, walls, now) if found.elsewhere else None,
        "asked_day": near_date(asked_day, found.today, walls.home.locale) if asked_day else "",
        "later": query.but(day=later) if later else None,
        "earlier": query.but(day=earlier) if earlier else None,
        "today": found.today,
        "last": found.last,
        "last_words": full_date(found.last, walls.home.locale),
        "too_far": query.day is not None and query.day > found.last,
        "site_count": len(found.visit.sites),
        "phones": [(site.name, site.phone) for site in found.visit.sites if site.phone],
        "zone": walls.of(query.site).zone.key,
    }


def read_query(ask: Ask) -> tuple[TimesQuery, str]:
    """The wishes in the page's address. What cannot be read is no wish; a day that cannot be read is said so."""
    day, error = _day(ask.query("day"))
    part = next((one for one in PARTS if one == ask.query("part")), None)
    language = ask.query("language")
    query = TimesQuery(
        visit_type_id=ask.id(),
        site=uuid_or_none(ask.query("site")),
        practitioner=uuid_or_none(ask.query("practitioner")),
        language=language if _is_language(language) else None,
        part=part,
        day=day,
        moving=uuid_or_none(ask.query("moving")),
    )
    return query, error


def _is_language(text: str) -> bool:
    return 2 <= len(text) <= 35 and text.isascii() and text.replace("-", "").isalnum() and text[0].isalpha()


def _day(text: str) -> tuple[date | None, str]:
    if not text:
        return None, ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None, "Enter the day as year-month-day, for example 2026-11-24."
    return (day, "") if 2000 <= day.year < LATEST.year else (None, "Enter a day within the next months.")
