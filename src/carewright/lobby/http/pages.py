"""Every address of the lobby."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from carewright.kernel.http.priorities import Declared
from carewright.kernel.priority import Priority
from carewright.lobby.http import code, kiosk, screen
from carewright.lobby.http.page import CODE, Handle, page
from carewright.lobby.service import LobbyContext

KIOSK = (kiosk.START, kiosk.CODE, kiosk.CHECK_IN, kiosk.SERVICES, kiosk.TICKET)
PRIORITIES: Declared = dict.fromkeys((CODE, screen.SCREEN, screen.LIVE, *KIOSK), Priority.PRESENCE) | {kiosk.HELP: Priority.EMERGENCY}


def pages(ctx: LobbyContext) -> Sequence[BaseRoute]:
    """The lobby's routes, bound to its context."""

    def at_kiosk(path: str, method: str, handle: Handle) -> Route:
        return Route(path, page(ctx, kiosk.told_plainly(handle), "kiosk"), methods=[method])

    return [
        Route(CODE, page(ctx, code.show_code, None), methods=["GET"]),
        Route(CODE, page(ctx, code.enter_code, None), methods=["POST"]),
        Route(screen.SCREEN, page(ctx, screen.show_screen, "screen"), methods=["GET"]),
        Route(screen.LIVE, screen.stream(ctx), methods=["GET"]),
        at_kiosk(kiosk.START, "GET", kiosk.show_start),
        at_kiosk(kiosk.CODE, "GET", kiosk.show_code),
        at_kiosk(kiosk.CHECK_IN, "POST", kiosk.check_in),
        at_kiosk(kiosk.SERVICES, "GET", kiosk.show_services),
        at_kiosk(kiosk.TICKET, "POST", kiosk.take_ticket),
        at_kiosk(kiosk.HELP, "POST", kiosk.call_for_help),
    ]
