"""One FHIR request: who asks, in which form, and how an answer or a refusal looks (https://hl7.org/fhir/R4/http.html)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from carewright.contracts import smart
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.outcomes import done, outcome_of
from carewright.contracts.fhir.refusals import UnknownExport
from carewright.fhir.context import FhirContext
from carewright.fhir.model.xml import from_xml, to_xml
from carewright.fhir.service.validity import ensure_valid
from carewright.fhir.store import r4_definitions
from carewright.kernel import audit
from carewright.kernel.authz import Actor
from carewright.kernel.errors import NotAcceptable, Refusal, UnsupportedMedia
from carewright.kernel.http import guard, problems, strict
from carewright.kernel.http.endpoint import bearer_token, key_in, query_pairs, read_body, version_in
from carewright.kernel.http.gate import address_of, ensure_pace

PREFIX = smart.FHIR_PATH
SEARCH = "/_search"
MEDIA_TYPE = "application/fhir+json"
XML_TYPE = "application/fhir+xml"
PATCH_TYPE = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"
TAKEN = (MEDIA_TYPE, "application/json", XML_TYPE, PATCH_TYPE)
JSON_NAMES = frozenset({MEDIA_TYPE, "application/json", "json", "application/*", "*/*", ""})
XML_NAMES = frozenset({XML_TYPE, "application/xml", "text/xml", "xml"})
BODY_BYTES_MAX = 1024 * 1024
ASKED = "fhir.request"
"""The audit log's name for what this rim refuses by itself."""
MINIMAL, OUTCOME = "return=minimal", "return=OperationOutcome"
"""What the answer to a write may be instead of the resource."""
REFUSED_HERE = (smart.ScopeMissing, UnknownExport)
APPOINTMENT = "Appointment"
"""The type of addresses that name none: operations."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, understood. `body` is the resource that was sent, `pairs` the query, `base` the address we are reached under."""

    ctx: FhirContext
    request: Request
    base: str
    pairs: tuple[tuple[str, str], ...]
    body: Any = None

    @property
    def key(self) -> str | None:
        """The Idempotency-Key, if one was sent: other systems' FHIR clients know none, and need none."""
        return key_in(self.request)

    @property
    def version(self) -> int | None:
        """The version in `If-Match: W/"3"`."""
        return version_in(self.request.headers.get("if-match"))

    def sent(self) -> Any:
        """The resource in the body, held against R4's form. Raises `InvalidResource`."""
        ensure_valid(self.body)
        return self.body

    @property
    def kind(self) -> str:
        """The type in the address."""
        return str(self.request.path_params["kind"])

    def id(self) -> str:
        return str(self.request.path_params["id"])


@dataclass(frozen=True, slots=True)
class Answer:
    """A resource on its way out. After a write, `left_out` names the elements that were not kept."""

    resource: Resource
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] | None = None


Handle = Callable[[Ask], Awaitable[Answer]]


def interaction(ctx: FhirContext, handle: Handle, *, public: bool = False, letters: str = "") -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `handle`. Unless `public`, whoever asks shows a token.

    `letters` are the scopes, of SMART's `cruds`, that a SMART token needs for it; without any it is closed to such tokens.
    """

    async def answer(request: Request) -> Response:
        _media_type(request)
        here = ctx.at(address_of(request.scope)) if public else await signed_in(ctx, request)
        async with noted(here):
            _ensure_scopes(here.actor, request, letters)
            return _rendered(request, await handle(await _understood(here, request)))

    return answer


async def signed_in(ctx: FhirContext, request: Request) -> FhirContext:
    """The context of whoever's token the request carries. Raises `Unauthenticated`, recorded, and `TooManyRequests`."""
    here = ctx.at(address_of(request.scope))
    async with guard.noted(here, ASKED):
        actor = (await ctx.bearers.actor_of(bearer_token(request), scoped=True)).at(here.actor.address)
    ensure_pace(request.scope, actor)
    return here.acting(actor)


@asynccontextmanager
async def noted(ctx: FhirContext) -> AsyncIterator[None]:
    """Record what this rim refuses by itself to whoever signed in: what a module refuses, it records."""
    try:
        yield
    except REFUSED_HERE as refusal:
        await audit.note_refusal(ctx, ASKED, {}, refusal)
        raise


async def _understood(ctx: FhirContext, request: Request) -> Ask:
    pairs = tuple(query_pairs(request.scope["query_string"]))
    if request.url.path.endswith(SEARCH):
        return Ask(ctx, request, base_of(ctx, request), pairs + await _form(request))
    return Ask(ctx, request, base_of(ctx, request), pairs, await body_of(request))


def _ensure_scopes(actor: Actor, request: Request, letters: str) -> None:
    """Raise `ScopeMissing` where a SMART token does not reach as far as this address.

    An operation's answer is no stored resource, so that no constraint can be asked of it.
    """
    kind = request.path_params.get("kind")
    held = actor.scopes is None or (letters and all(smart.may(actor, kind or APPOINTMENT, each, whole=not kind) for each in letters))
    if not held:
        raise smart.ScopeMissing


def refused(request: Request, refusal: Refusal) -> Response:
    """A refusal as an OperationOutcome, in JSON where what was asked for is not to be had."""
    try:
        media_type = _media_type(request)
    except NotAcceptable:
        media_type = MEDIA_TYPE
    return _response(media_type, outcome_of(refusal), refusal.status, problems.headers_for(refusal))


def base_of(ctx: FhirContext, request: Request) -> str:
    return ctx.settings.base_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}{PREFIX}"


def _media_type(request: Request) -> str:
    """JSON or XML: `_format` has the last word over Accept, and what is named first is taken. Raises `NotAcceptable`."""
    given = request.query_params.get("_format", "").replace(" ", "+") or request.headers.get("accept", "")
    for part in given.split(","):
        name = part.partition(";")[0].strip().lower()
        if name in JSON_NAMES:
            return MEDIA_TYPE
        if name in XML_NAMES:
            return XML_TYPE
    raise NotAcceptable(f"This server answers with {MEDIA_TYPE} or {XML_TYPE}.")


async def _form(request: Request) -> tuple[tuple[str, str], ...]:
    """The criteria of a search that were posted (https://hl7.org/fhir/R4/http.html#search)."""
    raw = await read_body(request)
    if raw and request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMedia(f"Send the criteria as {FORM}.")
    return tuple(query_pairs(raw))


async def body_of(request: Request) -> Any:
    """What was sent, read as JSON or XML; None where nothing was."""
    if request.method in ("GET", "DELETE", "HEAD"):
        return None
    raw = await read_body(request, BODY_BYTES_MAX)
    headers = request.headers
    if not raw:
        return None
    if headers.get("content-type", "").partition(";")[0].strip().lower() in XML_NAMES:
        return from_xml(r4_definitions(), raw)
    return strict.decode(Any, raw, headers.get("content-type", ""), headers.get("content-encoding", ""), TAKEN)


def _rendered(request: Request, answer: Answer) -> Response:
    one, headers = answer.resource, dict(answer.headers)
    meta = one.get("meta", {})
    if "versionId" in meta:
        headers["ETag"] = f'W/"{meta["versionId"]}"'
    if "lastUpdated" in meta:
        headers["Last-Modified"] = format_datetime(datetime.fromisoformat(meta["lastUpdated"]).astimezone(UTC), usegmt=True)
    preferred = request.headers.get("prefer", "")
    if answer.left_out is not None and MINIMAL in preferred:
        return Response(b"", answer.status, headers | {"Cache-Control": "no-store"})
    if answer.left_out is not None and OUTCOME in preferred:
        one = done(answer.left_out)
    return _response(_media_type(request), one, answer.status, headers)


def _response(media_type: str, one: Resource, status: int, headers: Mapping[str, str]) -> Response:
    content = to_xml(r4_definitions(), one) if media_type == XML_TYPE else msgspec.json.encode(one)
    return Response(content, status, {"Cache-Control": "no-store", **headers}, f"{media_type}; charset=utf-8")
