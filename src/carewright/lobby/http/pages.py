"""Every address of the lobby."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from carewright.kernel.http.priorities import Declared
from carewright.kernel.priority import Priority
from carewright.lobby.http import code, screen
from carewright.lobby.http.page import CODE, page
from carewright.lobby.service import LobbyContext

PRIORITIES: Declared = dict.fromkeys((CODE, screen.SCREEN, screen.LIVE), Priority.PRESENCE)


def pages(ctx: LobbyContext) -> Sequence[BaseRoute]:
    """The lobby's routes, bound to its context."""
    return [
        Route(CODE, page(ctx, code.show_code, None), methods=["GET"]),
        Route(CODE, page(ctx, code.enter_code, None), methods=["POST"]),
        Route(screen.SCREEN, page(ctx, screen.show_screen, "screen"), methods=["GET"]),
        Route(screen.LIVE, screen.stream(ctx), methods=["GET"]),
    ]
