"""From a raw request to a use case and back: authenticate, authorise, parse, call, render. Nothing else happens here."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from carewright.kernel import audit, telemetry
from carewright.kernel.authz import Bearers, Quarantined
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import (
    BadInput,
    Forbidden,
    IdempotencyKeyMissing,
    Refusal,
    TooLarge,
    TooSlow,
    Unauthenticated,
)  # fmt: skip
from carewright.kernel.http import strict
from carewright.kernel.http.gate import address_of, ensure_pace
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.idempotency import KEY_LENGTH_MAX

BODY_BYTES_MAX = 256 * 1024
BODY_SECONDS_MAX = 20.0
QUERY_BYTES_MAX = 8 * 1024
VISIBLE = re.compile("[!-~]+")
ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,15})")
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def endpoint(
    route: Route, context: Context, bearers: Bearers, event_of: audit.EventOf = audit.named_after
) -> Callable[[Request], Awaitable[Response]]:
    """The Starlette endpoint of a route, bound to its module's context. `event_of` names what is refused."""
    event = event_of(module_of(route.handle), route.handle.__name__)

    async def answer(request: Request) -> Response:
        address = address_of(request.scope)
        actor = audit.NOBODY
        try:
            actor = (await bearers.actor_of(bearer_token(request))).at(address)
            ensure_pace(request.scope, actor)
            if route.permission is not None and not actor.may(route.permission):
                raise Forbidden(permission=route.permission)
            call, once = await _parse(route, request)
            with telemetry.span(route.handle.__name__, _traceparent(request)) as trace:
                value = await route.handle(context.acting(actor, once, trace), call)
        except Refusal as refusal:
            actor = (refusal.actor or actor) if isinstance(refusal, Quarantined) else actor
            asking = context.acting(actor.at(address), trace=_traceparent(request))
            ids = {name: request.path_params[name] for name in route.parameters}
            await audit.note_refusal(asking, event, ids, refusal)
            raise
        return _render(route, value)

    return answer


def module_of(handle: Callable[..., object]) -> str:
    """The module of ours that a function belongs to."""
    _, _, below = handle.__module__.partition(".")
    return below.partition(".")[0]


def _traceparent(request: Request) -> str | None:
    """The caller's trace, if it is written as W3C Trace Context has it; nothing else gets into our records."""
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else None


def bearer_token(request: Request) -> str:
    """The token that the request carries. Raises `Unauthenticated` where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token.strip()


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The body, within its limits. Raises `TooLarge` before reading more than is allowed, `TooSlow` when it takes too long."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise TooLarge(limit_bytes=bytes_max)
    except TimeoutError as fault:
        raise TooSlow(limit_seconds=int(BODY_SECONDS_MAX)) from fault
    return bytes(body)


async def _parse(route: Route, request: Request) -> tuple[Call[Any, Any], Once | None]:
    path = {name: request.path_params[name] for name in route.parameters}
    query = _query(route.query, request.scope["query_string"])
    raw = await read_body(request)
    body = _body(route.body, raw, request)
    call = Call(path, query, body, version_in(request.headers.get("if-match")) if route.versioned else None)
    return call, _once(request, raw) if route.keyed else None


def _query(kind: Any, raw: bytes) -> Any:
    if len(raw) > QUERY_BYTES_MAX:
        raise TooLarge(limit_bytes=QUERY_BYTES_MAX)
    fields = _query_fields(kind)
    given: dict[str, Any] = {}
    for name, text in query_pairs(raw):
        if name not in fields:
            raise BadInput(f"There is no query parameter called {name[:40]!r}.", parameter=name[:40])
        if fields[name].many:
            given.setdefault(name, []).append(fields[name].value(text))
        elif name in given:
            raise BadInput(f"The query parameter {name} may be given once.", parameter=name)
        else:
            given[name] = fields[name].value(text)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as fault:
        raise BadInput(f"A query parameter is not valid: {fault}.") from fault


class _QueryField(NamedTuple):
    """What the text of one query parameter may stand for. A date, an id or a word stays text: `convert` reads it strictly."""

    many: bool
    number: bool
    flag: bool

    def value(self, text: str) -> str | int | bool:
        if self.number and INTEGER.fullmatch(text):
            return int(text)
        if self.flag and text in ("true", "false"):
            return text == "true"
        return text


@lru_cache
def _query_fields(kind: type[Any]) -> dict[str, _QueryField]:
    fields = {field.encode_name: _parts(field.type) for field in msgspec.structs.fields(kind)}
    return {name: _QueryField(bool(parts & {tuple, list}), int in parts, bool in parts) for name, parts in fields.items()}


def _parts(kind: Any) -> set[Any]:
    """Every type that a field's type is made of: of `list[int] | None`, that itself, list, int and None."""
    inner = (*getattr(kind, "__args__", ()), getattr(kind, "__origin__", None))
    return {kind}.union(*(_parts(part) for part in inner if part is not None))


def query_pairs(raw: bytes) -> list[tuple[str, str]]:
    """Names and values of a query, or of a form, in their order. Raises `BadInput`."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as fault:
        raise BadInput("The query string cannot be read.") from fault
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise BadInput("The query string holds a NUL character.")
    return pairs


def _body(kind: type[Any], raw: bytes, request: Request) -> Any:
    if kind is Nothing:
        if raw.strip() not in (b"", b"{}"):
            raise BadInput("This request takes no body.")
        return Nothing()
    headers = request.headers
    return strict.decode(kind, raw, headers.get("content-type", ""), headers.get("content-encoding", ""))


def version_in(if_match: str | None) -> int | None:
    """The version in `If-Match: "3"`. `*` and no header mean any."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = ETAG.fullmatch(if_match.strip())
    if found is None:
        raise BadInput("If-Match must carry the ETag you were given, quotes included.")
    return int(found[1])


def key_in(request: Request) -> str | None:
    """The Idempotency-Key, if one was sent. Raises `BadInput` for one that is none."""
    key = request.headers.get("idempotency-key", "").strip()
    if key and (len(key) > KEY_LENGTH_MAX or VISIBLE.fullmatch(key) is None):
        raise BadInput(f"The Idempotency-Key may have at most {KEY_LENGTH_MAX} visible ASCII characters.")
    return key or None


def _once(request: Request, raw: bytes) -> Once:
    key = key_in(request)
    if key is None:
        raise IdempotencyKeyMissing
    return Once(key, hashlib.sha256(f"{request.method} {request.scope['path']}\n".encode() + raw).digest())


def _render(route: Route, value: Any) -> Response:
    headers = dict(HEADERS)
    if route.versioned:
        headers["ETag"] = f'"{value.version}"'
    if route.created:
        headers["Location"] = route.created.format(id=value.id)
    return Response(msgspec.json.encode(value), 201 if route.created else 200, headers, "application/json")
