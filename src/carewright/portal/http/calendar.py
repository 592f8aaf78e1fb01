"""Appointments in the patient's own calendar: addresses made, shown once, seen and turned off."""

from starlette.responses import Response

from carewright.contracts.calendars import MakeFeed, TooManyFeeds, UnknownFeed
from carewright.portal import service
from carewright.portal.http.page import Ask
from carewright.portal.model.calendars import feed_view
from carewright.portal.model.times import walls_of

PLACE = "/my-calendar"


async def show_feeds(ask: Ask) -> Response:
    """The patient's addresses. They are one's own: whoever acts for somebody else makes none."""
    return await _page(ask, "")


async def make_feed(ask: Ask) -> Response:
    """A new address, on this page and never again: a page that is loaded once more does not have it."""
    try:
        made = await ask.ctx.calendar_feeds.make_feed(ask.ctx.actor, MakeFeed(), ask.key)
    except TooManyFeeds as refusal:
        return ask.go(PLACE, refusal.code)
    if not made.path:
        return ask.go(PLACE)
    return await _page(ask, str(ask.request.base_url).rstrip("/") + made.path)


async def end_feed(ask: Ask) -> Response:
    try:
        await ask.ctx.calendar_feeds.end_feed(ask.ctx.actor, ask.id())
    except UnknownFeed as refusal:
        return ask.go(PLACE, refusal.code)
    return ask.go(PLACE, "done.feed_ended")


async def to_feeds(ask: Ask) -> Response:
    return ask.go(PLACE)


async def _page(ask: Ask, address: str) -> Response:
    ctx, now = ask.ctx, ask.ctx.clock.now()
    own = ctx.actor.role == "patient"
    feeds = (await ctx.calendar_feeds.list_feeds(ctx.actor)).items if own else ()
    wall = walls_of(await service.get_sites(ctx), ctx.settings.locale).home
    return ask.show("calendar.html", own=own, address_made=address, feeds=[feed_view(one, wall, now) for one in feeds])
