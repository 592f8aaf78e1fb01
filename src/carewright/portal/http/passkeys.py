"""Signing in by a passkey. The page's script has the browser sign what access asks, and sends the answer as the page's form.

What was asked is of use in this browser alone: a sealed cookie holds its secret for the minutes that the question is good for.
"""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from carewright.contracts.access import PasskeyNotRight
from carewright.contracts.passkeys import PasskeyAsked
from carewright.kernel.rng import new_secret
from carewright.portal import service
from carewright.portal.context import PortalContext
from carewright.portal.http import guard
from carewright.portal.http.page import Ask, address

PURPOSE = "portal.passkey"


async def begin_sign_in(ask: Ask) -> Response:
    """What the browser is to sign, the same for everybody."""
    return await asked_of_browser(ask, service.start_passkey_sign_in)


async def sign_in(ask: Ask) -> Response:
    """In, by what the browser signed. Whatever does not hold is told in one wording."""
    place = guard.local_path(ask.form.get("next", ""), "/")
    try:
        started = await service.redeem_passkey(ask.ctx, binding_of(ask), ask.form.get("credential", ""))
    except PasskeyNotRight as refusal:
        return ask.go(address("/sign-in", next=place), refusal.code)
    response = ask.enter(place, started)
    await service.end_replaced(ask.ctx, ask.cookies.get(guard.SESSION))
    ask.cookies.drop(response, guard.PASSKEY)
    return response


async def asked_of_browser(ask: Ask, start: Callable[[PortalContext, str], Awaitable[PasskeyAsked]]) -> Response:
    """The options for `navigator.credentials`, and a cookie with the secret that the answer will be held against."""
    binding = new_secret(16).hex()
    asked = await start(ask.ctx, binding)
    response = Response(asked.options, 200, media_type="application/json")
    seconds = int((asked.expires_at - ask.ctx.clock.now()).total_seconds())
    ask.cookies.put(response, guard.PASSKEY, ask.ctx.sealer.seal(PURPOSE, binding.encode()), seconds)
    return response


def binding_of(ask: Ask) -> str:
    """This browser's secret. One that has none gets one under which nothing was asked: so it is refused, and recorded, like any other."""
    kept = ask.ctx.sealer.open(PURPOSE, ask.cookies.get(guard.PASSKEY))
    return new_secret(16).hex() if kept is None else kept.decode()
