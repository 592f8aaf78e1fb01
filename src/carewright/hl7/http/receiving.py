"""HL7 v2 over HTTP: a message, or a batch of them, as the body of a POST; its acknowledgements as the answer (HL7 over HTTP, HAPI)."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.hl7.context import Hl7Context
from carewright.hl7.service.receive import receive_all
from carewright.kernel import audit
from carewright.kernel.authz import Quarantined
from carewright.kernel.errors import Refusal, UnsupportedMedia
from carewright.kernel.http.endpoint import HEADERS, bearer_token, read_body
from carewright.kernel.http.gate import address_of, ensure_pace

PATH = "/hl7/v2"
MEDIA_TYPES = ("application/hl7-v2", "x-application/hl7-v2+er7")


def pages(ctx: Hl7Context) -> Sequence[BaseRoute]:
    """The one address. Whoever asks shows the bearer token of a registered client."""

    async def take(request: Request) -> Response:
        address, actor = address_of(request.scope), audit.NOBODY
        try:
            actor = (await ctx.bearers.actor_of(bearer_token(request))).at(address)
            ensure_pace(request.scope, actor)
            raw = await _body(request)
            (answer,) = await receive_all(ctx.acting(actor), [raw])
        except Refusal as refusal:
            turned_away = (refusal.actor or actor) if isinstance(refusal, Quarantined) else actor
            await audit.note_refusal(ctx.acting(turned_away.at(address)), "hl7.message.receive", {}, refusal)
            raise
        return Response(answer, 200, HEADERS, "application/hl7-v2; charset=utf-8")

    return [Route(PATH, take, methods=["POST"])]


async def _body(request: Request) -> bytes:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in MEDIA_TYPES or request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMedia("Send the message as application/hl7-v2.")
    return await read_body(request)
