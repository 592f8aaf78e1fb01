"""The screen of a waiting room: who is called, and where to; how many wait, and how long. Kept up by the stream of its site."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from carewright.contracts.lobby import ShowCalls
from carewright.kernel.http.event_stream import EventStream
from carewright.kernel.http.gate import address_of
from carewright.kernel.server_sent import place_in, text_of
from carewright.lobby.http.page import Ask, asked_by
from carewright.lobby.model.words import call_line, clock, queue_line
from carewright.lobby.service import LobbyContext

SCREEN = "/screen"
LIVE = f"{SCREEN}/live"
CALLS_READ, CALLS_BIG, HERE_SHOWN = 16, 4, 6
"""As many tickets as are legible from the far end of the room are big; the others who were called stand below them."""
RETRY_MILLISECONDS = (500, 3_000)
"""Screens come again after a break at different moments, so that not all knock at once."""


async def show_screen(ask: Ask) -> Response:
    """What is called now."""
    if ask.station is None:
        raise LookupError("a screen's page is for screens")
    place = text_of(await ask.ctx.feed.place())  # before anything is read: what is told from here on may be known, but never missing
    query = ShowCalls(site_id=ask.station.site_id, queue_ids=ask.station.queue_ids, limit=CALLS_READ)
    shown = await ask.ctx.lobby.show_calls(ask.ctx.actor, query)
    zone = ZoneInfo(shown.time_zone)
    calls, now = [call_line(each, zone) for each in shown.calls], ask.ctx.clock.now()
    coming = [each for each in calls if not each.is_here]
    return ask.show(
        "screen.html", place=place, site=shown.site_name, zone=zone.key, clock=clock(now, zone), now=now.isoformat(),
        coming=coming[:CALLS_BIG], also=coming[CALLS_BIG:], here=[each for each in calls if each.is_here][:HERE_SHOWN],
        queues=[queue_line(each) for each in shown.queues], watched=" ".join(str(each.id) for each in shown.queues),
    )  # fmt: skip


def stream(ctx: LobbyContext) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint: `?after=<place>`; `Last-Event-ID` goes before it. A stream follows no redirect: who is turned away is refused."""

    async def answer(request: Request) -> Response:
        acting, station = await asked_by(ctx.at(address_of(request.scope)), request, "screen")
        after = place_in(request.headers.get("last-event-id") or request.query_params.get("after", ""))
        viewer = await acting.feed.watch(acting.actor, [station.site_id], ["call"], after)
        return EventStream(viewer, ctx.rng.randint(*RETRY_MILLISECONDS))

    return answer
