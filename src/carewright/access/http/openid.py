"""What apps check by who signed in: the description of OpenID Connect, and the public keys. Open to everybody."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.access.context import AccessContext
from carewright.access.service import id_tokens
from carewright.contracts import smart
from carewright.kernel.http.gate import address_of

KEPT_SECONDS = 300
"""A key that is new is found by who looks anew for a name that they do not know, as all do."""


def documents(ctx: AccessContext) -> Sequence[BaseRoute]:
    """The two documents."""

    def at(path: str, answer: Callable[[AccessContext], Awaitable[object]]) -> Route:
        async def endpoint(request: Request) -> Response:
            said = msgspec.json.encode(await answer(ctx.at(address_of(request.scope))))
            return Response(said, 200, {"Cache-Control": f"public, max-age={KEPT_SECONDS}"}, "application/json")

        return Route(path, endpoint, methods=["GET"])

    return [at(smart.OPENID_PATH, _configuration), at(smart.KEYS_PATH, id_tokens.published_keys)]


async def _configuration(ctx: AccessContext) -> object:
    return id_tokens.configuration(ctx)
