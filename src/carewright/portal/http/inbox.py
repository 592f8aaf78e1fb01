"""The local inbox: messages of a made-up hospital as they would lie on people's telephones. Where messages are real, it is not there."""

from starlette.responses import Response

from carewright.contracts.directory import Location
from carewright.kernel.errors import Unavailable
from carewright.portal import service
from carewright.portal.http.page import Ask
from carewright.portal.model.messages import conversations, message_view, name_of
from carewright.portal.model.times import walls_of
from carewright.portal.model.wall import Wall


async def show_inbox(ask: Ask) -> Response:
    """Everybody who got a message, the latest first."""
    page, wall = await service.read_local_inbox(ask.ctx), await _wall(ask)
    return ask.show_asking("inbox.html", threads=conversations(page.items, wall, ask.ctx.clock.now()))


async def show_messages(ask: Ask) -> Response:
    """The messages of whoever got this one, the newest first."""
    page, wall = await service.read_local_inbox(ask.ctx, ask.id()), await _wall(ask)
    if not page.items:
        return ask.go("/inbox")
    views = [message_view(one, wall, ask.ctx.clock.now()) for one in page.items]
    return ask.show_asking("messages.html", name=name_of(page.items[0]), messages=views)


async def _wall(ask: Ask) -> Wall:
    return walls_of(await _sites(ask), ask.ctx.settings.locale).home


async def _sites(ask: Ask) -> tuple[Location, ...]:
    """The inbox opens even while the directory is away: it then tells the time in UTC."""
    try:
        return (await ask.ctx.directory.find_sites(ask.ctx.hosting())).items
    except Unavailable:
        return ()
