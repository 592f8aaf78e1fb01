"""Bulk Data's addresses: kick-off, status, files, cancelling (https://hl7.org/fhir/uv/bulkdata/STU2/export.html)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from email.utils import format_datetime
from functools import partial
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from carewright.contracts.fhir.refusals import UnknownExport
from carewright.fhir.context import FhirContext
from carewright.fhir.http.interaction import PREFIX, base_of, body_of, noted, signed_in
from carewright.fhir.model.exports import Export, Level, piece_named, wish_in
from carewright.fhir.model.ndjson import NDJSON
from carewright.fhir.model.parameters import Parameters
from carewright.fhir.model.pointing import known_uuid, uuid_or_none
from carewright.fhir.service import exporting
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.http.endpoint import bearer_token, query_pairs

EXPORT = "/$export"
ADDRESSES = tuple(
    PREFIX + path for path in (EXPORT, f"/Patient{EXPORT}", f"/Group/{{group_id}}{EXPORT}", f"{EXPORT}/{{id}}", f"{EXPORT}/{{id}}/{{name}}")
)
Handle = Callable[[FhirContext, Request], Awaitable[Response]]


def pages(ctx: FhirContext) -> Sequence[BaseRoute]:
    """The routes of exports."""

    def at(path: str, method: str, handle: Handle) -> Route:
        async def answer(request: Request) -> Response:
            here = await signed_in(ctx, request)
            async with noted(here):
                return await handle(here, request)

        return Route(PREFIX + path, answer, methods=[method])

    return [
        *(at(EXPORT, method, partial(_kick_off, "system")) for method in ("GET", "POST")),
        *(at(f"/Patient{EXPORT}", method, partial(_kick_off, "Patient")) for method in ("GET", "POST")),
        *(at(f"/Group/{{group_id}}{EXPORT}", method, partial(_kick_off, "Group")) for method in ("GET", "POST")),
        at(f"{EXPORT}/{{id}}", "GET", _status),
        at(f"{EXPORT}/{{id}}", "DELETE", _cancel),
        at(f"{EXPORT}/{{id}}/{{name}}", "GET", _file),
    ]


async def _kick_off(level: Level, ctx: FhirContext, request: Request) -> Response:
    preferred = request.headers.get("prefer", "")
    if "respond-async" not in preferred:
        raise BadInput("An export is asked for with `Prefer: respond-async`.", parameter="Prefer")
    lenient = "handling=lenient" in preferred
    pairs = [*query_pairs(request.scope["query_string"])]
    if (sent := await body_of(request)) is not None:
        pairs += Parameters.of_resource(sent).texts()
    wish = wish_in(pairs, lenient=lenient)
    group_id = known_uuid(request.path_params["group_id"]) if level == "Group" else None
    made = await exporting.start_export(ctx, level, wish, _asked(ctx, request), lenient=lenient, group_id=group_id)
    return Response(b"", 202, {"Content-Location": _address(ctx, request, made), "Cache-Control": "no-store"})


async def _status(ctx: FhirContext, request: Request) -> Response:
    """Complete from the first moment on: what takes time is the reading."""
    found = await exporting.get_export(ctx, _id(request))
    said = exporting.manifest(found, await exporting.pieces_of(ctx, found), _address(ctx, request, found))
    headers = {"Expires": format_datetime(found.until, usegmt=True), "Cache-Control": "no-store"}
    return Response(msgspec.json.encode(said), 200, headers, "application/json")


async def _cancel(ctx: FhirContext, request: Request) -> Response:
    await exporting.cancel_export(ctx, _id(request))
    return Response(b"", 202, {"Cache-Control": "no-store"})


async def _file(ctx: FhirContext, request: Request) -> Response:
    found, piece = await exporting.get_export(ctx, _id(request)), piece_named(request.path_params["name"])
    if piece is None:
        raise UnknownExport
    lines = exporting.lines_of(ctx, found, piece)
    first = await anext(lines)
    return StreamingResponse(_held_to(ctx, bearer_token(request), first, lines), 200, {"Cache-Control": "no-store"}, NDJSON)


async def _held_to(ctx: FhirContext, token: str, first: bytes, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines, as long as the token holds: who is shut out meanwhile gets an answer that breaks off."""
    yield first
    async for page in lines:
        actor = await ctx.bearers.actor_of(token, scoped=True)
        if not actor.may(exporting.EXPORT):
            raise Forbidden
        yield page


def _asked(ctx: FhirContext, request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{base_of(ctx, request)}{request.url.path.removeprefix(PREFIX)}{query}"


def _address(ctx: FhirContext, request: Request, export: Export) -> str:
    return f"{base_of(ctx, request)}{EXPORT}/{export.id}"


def _id(request: Request) -> UUID:
    found = uuid_or_none(request.path_params["id"])
    if found is None:
        raise UnknownExport
    return found
