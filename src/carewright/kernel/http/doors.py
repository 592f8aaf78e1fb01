"""Doors for other processes of the same system: a body of JSON in, a value out, for whom the signed token names.

A session opens none of them: it is a person's, and persons come by the API and the pages.
"""

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.kernel.authz import Actor, Quarantined, Tokens
from carewright.kernel.errors import Refusal, Unauthenticated
from carewright.kernel.http.endpoint import bearer_token, read_body


def door(
    path: str, call: Callable[[Actor, bytes], Awaitable[object]], tokens: Tokens, turned_away: Callable[[Refusal], Awaitable[None]]
) -> BaseRoute:
    """A route that answers `call(actor, body)` as JSON. Who may do what, the use case behind it decides.

    `turned_away` hears of everybody who comes without a valid token, or is held back.
    """

    async def answer(request: Request) -> Response:
        try:
            actor = tokens.read(bearer_token(request))
        except (Unauthenticated, Quarantined) as refusal:
            await turned_away(refusal)
            raise
        value = await call(actor, await read_body(request))
        return Response(msgspec.json.encode(value), media_type="application/json")

    return Route(path, answer, methods=["POST"])
