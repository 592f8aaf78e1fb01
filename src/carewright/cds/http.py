"""CDS Hooks over HTTP: our service (what there is, calls, feedback), our keys, and asking services of others."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.cds.context import CdsContext
from carewright.cds.model.offering import OFFERED, SERVICE
from carewright.cds.service import asking, connecting
from carewright.cds.service.advising import advise
from carewright.cds.service.feedback import take_feedback
from carewright.contracts.callers import ProveCaller
from carewright.contracts.cds import (
    AdviceFound,
    AskAdvice,
    FeedbackGiven,
    FeedbackSent,
    HookCall,
    SendFeedback,
    UnknownAskedService,
    UnknownService,
)
from carewright.contracts.fhir.outcomes import outcome_of
from carewright.contracts.patients import UnknownPatient
from carewright.contracts.scheduling import TimeNotFree, UnknownSite, UnknownVisitType
from carewright.kernel.errors import Refusal
from carewright.kernel.http import guard, problems, strict
from carewright.kernel.http.endpoint import HEADERS, bearer_token, read_body
from carewright.kernel.http.gate import address_of, ensure_pace
from carewright.kernel.http.priorities import Declared
from carewright.kernel.http.routes import Call, Nothing
from carewright.kernel.http.routes import Route as Typed
from carewright.kernel.priority import Priority

PREFIX = "/cds-services"
FEEDBACK = "/feedback"
KEYS, API = asking.KEYS, "/api/v1/cds"
BODY_BYTES_MAX = 1024 * 1024
ASKED = "cds.request"
"""The audit log's name for what this rim refuses by itself."""
PRIORITIES: Declared = {f"{PREFIX}/{{id}}": Priority.LOOK}
"""Advice only reads, and a booking goes on without."""
Handle = Callable[[CdsContext, Any], Awaitable[Any]]


def pages(ctx: CdsContext) -> Sequence[BaseRoute]:
    """Discovery is for everybody; whoever calls a service signs the request."""

    async def discovered(_: Request) -> Response:
        return _answer({"services": [OFFERED]})

    async def published(request: Request) -> Response:
        return _answer(await connecting.published_keys(ctx, _id(request)))

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
        Route(KEYS + "/{id}", published, methods=["GET"]),
        at(PREFIX + "/{id}", HookCall, advise, service),
        at(PREFIX + "/{id}" + FEEDBACK, FeedbackGiven, take_feedback, service + FEEDBACK, service),
    ]


async def ask_advice(ctx: CdsContext, call: Call[Nothing, AskAdvice]) -> AdviceFound:
    """What services of others say of a booking."""
    return await asking.ask_advice(ctx, call.body)


async def send_feedback(ctx: CdsContext, call: Call[Nothing, SendFeedback]) -> FeedbackSent:
    """What became of a card."""
    return await asking.send_feedback(ctx, call.body)


ROUTES = (
    Typed(
        "POST", API + "/advice", ask_advice, "What services of others say of a booking", asking.ASK, AdviceFound, body=AskAdvice,
        refusals=(TimeNotFree, UnknownPatient, UnknownVisitType, UnknownSite),
    ),
    Typed(
        "POST", API + "/feedback", send_feedback, "Tell a service what became of its card", asking.ASK, FeedbackSent, body=SendFeedback,
        refusals=(UnknownAskedService,),
    ),
)  # fmt: skip


async def _caller(ctx: CdsContext, request: Request, audiences: tuple[str, ...]) -> CdsContext:
    """The context of the client that signed the request. Raises `Unauthenticated`, `ClientNotBelieved`, `TooManyRequests`."""
    here = ctx.at(address_of(request.scope))
    async with guard.noted(here, ASKED):
        assertion = bearer_token(request)
    actor = (await ctx.access.actor_of_caller(here.actor, ProveCaller(assertion=assertion, paths=audiences))).at(here.actor.address)
    ensure_pace(request.scope, actor)
    return here.acting(actor)


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError as fault:
        raise UnknownAskedService from fault


async def _body(request: Request, kind: type[Any]) -> Any:
    raw = await read_body(request, BODY_BYTES_MAX)
    return strict.decode(kind, raw, request.headers.get("content-type", ""), request.headers.get("content-encoding", ""))


def _answer(value: Any) -> Response:
    return Response(msgspec.json.encode(value), 200, HEADERS, "application/json")


def refused(_: Request, refusal: Refusal) -> Response:
    """A refusal as an OperationOutcome (CDS Hooks, Returning OperationOutcome)."""
    content = msgspec.json.encode(outcome_of(refusal))
    return Response(content, refusal.status, problems.headers_for(refusal), "application/fhir+json; charset=utf-8")
