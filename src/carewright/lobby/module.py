"""Wiring of the lobby."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from carewright.contracts.access import Access
from carewright.contracts.flow import Kiosks, Lobby
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.feed import Feed
from carewright.kernel.modules import Module, Running
from carewright.lobby.http.pages import PRIORITIES, pages
from carewright.lobby.service import LobbyContext
from carewright.lobby.settings import LobbySettings


async def start(base: Context, settings: LobbySettings, resolve: Callable[[type], Any]) -> Running:
    """The lobby keeps nothing: it runs as soon as those whom it asks can be reached."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = LobbyContext(
        **world, settings=settings, bearers=resolve(Bearers), access=resolve(Access), lobby=resolve(Lobby),
        kiosks=resolve(Kiosks), feed=resolve(Feed),
    )  # fmt: skip
    return Running(context)


MODULE = Module(
    name="lobby",
    start=start,
    settings=LobbySettings,
    needs=(Access, Kiosks, Lobby),
    prefixes=("/station", "/screen", "/kiosk"),
    has_tables=False,
    pages=pages,
    priorities=PRIORITIES,
)
