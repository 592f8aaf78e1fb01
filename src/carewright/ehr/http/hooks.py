"""Where EHRs wake us. They cannot sign in: the secret that we gave them is all they show, and all that is looked at."""

from collections.abc import Sequence
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.ehr.context import EhrContext
from carewright.ehr.service.connections import HOOKS
from carewright.ehr.service.waking import wake
from carewright.kernel import audit
from carewright.kernel.errors import Refusal, Unauthenticated
from carewright.kernel.http.endpoint import bearer_token, read_body
from carewright.kernel.http.gate import address_of

HOOK = HOOKS + "/{connection_id}"
BODY_BYTES_MAX = 16 * 1024
"""We ask for no payload. What comes all the same is read to its end, so that the EHR has its answer, and forgotten."""


def pages(ctx: EhrContext) -> Sequence[BaseRoute]:
    """One address for each connection."""

    async def hear(request: Request) -> Response:
        address = address_of(request.scope)
        try:
            await wake(ctx, _id(request), bearer_token(request))
        except Refusal as refusal:
            await audit.note_refusal(ctx.acting(audit.NOBODY.at(address)), "ehr.wake", {}, refusal)
            raise
        await read_body(request, BODY_BYTES_MAX)
        return Response(status_code=204)

    return [Route(HOOK, hear, methods=["POST"])]


def _id(request: Request) -> UUID:
    """Raises `Unauthenticated` for what is none: nobody is told which connections there are."""
    try:
        return UUID(request.path_params["connection_id"])
    except ValueError:
        raise Unauthenticated from None
