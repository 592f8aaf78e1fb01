"""Calendars over HTTP: feeds made, listed and turned off by whoever is signed in, and one address where a feed is fetched by anybody."""

import hashlib
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as Path

from carewright.calendars.context import CalendarsContext
from carewright.calendars.service import feeds
from carewright.calendars.service.showing import show_feed
from carewright.contracts.calendars import Feed, FeedPatientGone, FeedsList, MadeFeed, MakeFeed, TooManyFeeds, UnknownFeed
from carewright.contracts.icalendar import MEDIA_TYPE
from carewright.contracts.scheduling import UnknownSchedule
from carewright.kernel import audit
from carewright.kernel.errors import Refusal
from carewright.kernel.http.gate import address_of
from carewright.kernel.http.priorities import Declared
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

FEEDS = "/api/v1/calendar-feeds"
Ctx = CalendarsContext


async def make_feed(ctx: Ctx, call: Call[Nothing, MakeFeed]) -> MadeFeed:
    return await feeds.make_feed(ctx, call.body)


async def list_feeds(ctx: Ctx, _: Call[Nothing, Nothing]) -> FeedsList:
    return await feeds.list_feeds(ctx)


async def end_feed(ctx: Ctx, call: Call[Nothing, Nothing]) -> Feed:
    return await feeds.end_feed(ctx, call.path["feed_id"])


ROUTES = (
    Route(
        "POST", FEEDS, make_feed, "An address to read a calendar from, told this once: one's own as a patient, a calendar's as staff.",
        permission=feeds.MANAGE, body=MakeFeed, answer=MadeFeed, keyed=True,
        refusals=(UnknownSchedule, TooManyFeeds, FeedPatientGone),
    ),
    Route("GET", FEEDS, list_feeds, "Your own calendar addresses.", permission=feeds.MANAGE, answer=FeedsList),
    Route(
        "DELETE", FEEDS + "/{feed_id}", end_feed, "Turn a calendar address off.", permission=feeds.MANAGE, answer=Feed,
        refusals=(UnknownFeed,),
    ),
)  # fmt: skip

FEED = feeds.ADDRESS.format("{token}")
PRIORITIES: Declared = {FEED: Priority.REPORT}
"""Calendar programs come again by themselves."""


def pages(ctx: CalendarsContext) -> Sequence[BaseRoute]:
    """Where calendar programs fetch feeds: they cannot sign in, so the address is all they show."""

    async def fetch(request: Request) -> Response:
        address = address_of(request.scope)
        try:
            content = await show_feed(ctx, request.path_params["token"], address)
        except Refusal as refusal:
            await audit.note_refusal(ctx.acting(audit.NOBODY.at(address)), "calendars.feed.read", {}, refusal)
            raise
        return _answer(request, content)

    return [Path(FEED, fetch, methods=["GET"])]


def _answer(request: Request, content: bytes) -> Response:
    """200, or 304 to whoever has it already. Programs may keep it, and nobody between them and us."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": tag, "X-Robots-Tag": "noindex"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=MEDIA_TYPE)
