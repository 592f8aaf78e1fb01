"""CDS Hooks over HTTP: what there is, a call of a service, and what became of its cards."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.cds.context import CdsContext
from carewright.cds.model.offering import OFFERED, SERVICE
from carewright.cds.service.advising import advise
from carewright.cds.service.feedback import take_feedback
from carewright.contracts.callers import ProveCaller
from carewright.contracts.cds import FeedbackGiven, HookCall, UnknownService
from carewright.contracts.fhir.outcomes import outcome_of
from carewright.kernel.errors import Refusal
from carewright.kernel.http import guard, problems, strict
from carewright.kernel.http.endpoint import HEADERS, bearer_token, read_body
from carewright.kernel.http.gate import address_of, ensure_pace

PREFIX = "/cds-services"
FEEDBACK = "/feedback"
BODY_BYTES_MAX = 1024 * 1024
ASKED = "cds.request"
"""The audit log's name for what this rim refuses by itself."""
Handle = Callable[[CdsContext, Any], Awaitable[Any]]


def pages(ctx: CdsContext) -> Sequence[BaseRoute]:
    """Discovery is for everybody; whoever calls a service signs the request."""

    async def discovered(_: Request) -> Response:
        return _answer({"services": [OFFERED]})

    def at(path: str, kind: type[Any], handle: Handle, *audiences: str) -> Route:
        async def answer(request: Request) -> Response:
            here = await _caller(ctx, request, audiences)
            async with guard.noted(here, ASKED):
                if request.path_params["id"] != SERVICE:
                    raise UnknownService
                return _answer(await handle(here, await _body(request, kind)))

        return Route(path, answer, methods=["POST"])

    service = f"{PREFIX}/{SERVICE}"
    return [
        Route(PREFIX, discovered, methods=["GET"]),
        at(PREFIX + "/{id}", HookCall, advise, service),
        at(PREFIX + "/{id}" + FEEDBACK, FeedbackGiven, take_feedback, service + FEEDBACK, service),
    ]


async def _caller(ctx: CdsContext, request: Request, audiences: tuple[str, ...]) -> CdsContext:
    """The context of the client that signed the request. Raises `Unauthenticated`, `ClientNotBelieved`, `TooManyRequests`."""
    here = ctx.at(address_of(request.scope))
    async with guard.noted(here, ASKED):
        assertion = bearer_token(request)
    actor = (await ctx.access.actor_of_caller(here.actor, ProveCaller(assertion=assertion, paths=audiences))).at(here.actor.address)
    ensure_pace(request.scope, actor)
    return here.acting(actor)


async def _body(request: Request, kind: type[Any]) -> Any:
    raw = await read_body(request, BODY_BYTES_MAX)
    return strict.decode(kind, raw, request.headers.get("content-type", ""), request.headers.get("content-encoding", ""))


def _answer(value: Any) -> Response:
    return Response(msgspec.json.encode(value), 200, HEADERS, "application/json")


def refused(_: Request, refusal: Refusal) -> Response:
    """A refusal as an OperationOutcome (CDS Hooks, Returning OperationOutcome)."""
    content = msgspec.json.encode(outcome_of(refusal))
    return Response(content, refusal.status, problems.headers_for(refusal), "application/fhir+json; charset=utf-8")
