"""The local inbox: messages of a made-up hospital as they would lie on people's telephones. Where messages are real, it is not there."""

from starlette.responses import Response

from carewright.contracts.directory import Location
from carewright.kernel.errors import Unavailable
from carewright.portal import service
from carewright.portal.http.page import Ask
from carewright.portal.model.messages import conversations, message_view, name_of
from carewright.portal.model.times import walls_of
from carewright.portal.model.wall import Wall

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""As every page's, and it may ask for itself again: that is how it stays fresh."""


async def show_inbox(ask: Ask) -> Response:
    """Everybody who got a message, the latest first."""
    page, wall = await service.read_local_inbox(ask.ctx), await _wall(ask)
    return _fresh(ask.show("inbox.html", threads=conversations(page.items, wall, ask.ctx.clock.now())))


async def show_messages(ask: Ask) -> Response:
    """The messages of whoever got this one, the newest first."""
    page, wall = await service.read_local_inbox(ask.ctx, ask.id()), await _wall(ask)
    if not page.items:
        return ask.go("/inbox")
    views = [message_view(one, wall, ask.ctx.clock.now()) for one in page.items]
    return _fresh(ask.show("messages.html", name=name_of(page.items[0]), messages=views))


async def _wall(ask: Ask) -> Wall:
    return walls_of(await _sites(ask), ask.ctx.settings.locale).home


async def _sites(ask: Ask) -> tuple[Location, ...]:
    """The inbox opens even while the directory is away: it then tells the time in UTC."""
    try:
        return (await ask.ctx.directory.find_sites(ask.ctx.hosting())).items
    except Unavailable:
        return ()


def _fresh(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    return response
