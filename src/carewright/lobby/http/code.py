"""Where a screen or a kiosk signs in: by the code that staff were shown."""

import msgspec
from starlette.responses import Response

from carewright.contracts.access import StartedSession, StationCodeNotRight
from carewright.contracts.stations import RedeemStationCode
from carewright.lobby.http.page import SESSION, SESSION_SECONDS, Ask


async def show_code(ask: Ask) -> Response:
    """The form for the code."""
    return ask.show("code.html", error="")


async def enter_code(ask: Ask) -> Response:
    """In, and on to what the station is."""
    try:
        started = await _redeemed(ask)
    except (StationCodeNotRight, msgspec.ValidationError):
        return ask.show("code.html", 422, error=StationCodeNotRight.title)
    response = ask.go(f"/{started.session.role}")
    ask.cookies.put(response, SESSION, started.token, SESSION_SECONDS)
    return response


async def _redeemed(ask: Ask) -> StartedSession:
    command = msgspec.convert({"code": ask.form.get("code", "")}, RedeemStationCode)
    return await ask.ctx.access.redeem_station_code(ask.ctx.actor, command)
