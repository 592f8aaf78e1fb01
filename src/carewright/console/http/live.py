"""The stream of what becomes true at a site, for the staff's pages (docs/concepts/live.md)."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from carewright.console.http.page import OPENED, cookies_of, session_of
from carewright.console.service import ConsoleContext
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput, NotFound
from carewright.kernel.feed import Viewer
from carewright.kernel.http import guard
from carewright.kernel.http.event_stream import EventStream
from carewright.kernel.http.gate import address_of, ensure_pace
from carewright.kernel.server_sent import place_in

LIVE = "/staff/live"
SITES_MAX = 100
RETRY_MILLISECONDS = (500, 3_000)
"""Browsers come again after a break at different moments, so that not all knock at once."""


def stream(ctx: ConsoleContext) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint: `?site=<id>&after=<place>`, more sites if wanted, and `kind=` for each kind. `Last-Event-ID` goes before `after`.

    A page follows no redirect to the sign-in from here, so whoever is turned away gets a refusal.
    """

    async def answer(request: Request) -> Response:
        here = ctx.at(address_of(request.scope))
        actor = await guard.actor_of_session(here, ctx.bearers, session_of(cookies_of(ctx, request)), OPENED)
        ensure_pace(request.scope, actor)
        async with guard.noted(here.acting(actor), OPENED):
            viewer = await _viewer(here, actor, request)
        return EventStream(viewer, ctx.rng.randint(*RETRY_MILLISECONDS))

    return answer


async def _viewer(ctx: ConsoleContext, actor: Actor, request: Request) -> Viewer:
    """Raises `BadInput` for what is no site, `NotFound` for one that is not of their hospital, and what the feed refuses."""
    query = request.query_params
    try:
        site_ids = {UUID(each) for each in query.getlist("site")}
    except ValueError as fault:
        raise BadInput("Say which site to watch.", parameter="site") from fault
    if not 0 < len(site_ids) <= SITES_MAX:
        raise BadInput(f"Say which site to watch, {SITES_MAX} at most.", parameter="site")
    if not site_ids <= {site.id for site in (await ctx.directory.find_sites(actor)).items}:
        raise NotFound
    after = place_in(request.headers.get("last-event-id") or query.get("after", ""))
    return await ctx.feed.watch(actor, sorted(site_ids), query.getlist("kind"), after)
