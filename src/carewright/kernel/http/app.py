"""The web application of one process: its modules' routes, the system's own, and one edge where every fault becomes an answer."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carewright.kernel import telemetry
from carewright.kernel.audit import EventOf, named_after
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.errors import BadInput, InternalFault, MethodNotAllowed, NotFound, Overloaded, Refusal, Unavailable
from carewright.kernel.http import docs, headers, openapi, problems
from carewright.kernel.http.cross_origin import PREFLIGHT, CrossOrigin, is_preflight
from carewright.kernel.http.endpoint import endpoint
from carewright.kernel.http.gate import Gate
from carewright.kernel.http.localhost import UnderOneName
from carewright.kernel.http.priorities import Addresses, Declared, listed
from carewright.kernel.http.routes import Route
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.http.shedding import Place, Places
from carewright.kernel.limits import Limits
from carewright.kernel.priority import working_as
from carewright.kernel.rng import new_secret

log = telemetry.logger(__name__)
REQUESTS = Counter("carewright_http_requests_total", "Requests, by route and status.", ["method", "route", "status"])
SECONDS = Histogram(
    "carewright_http_seconds",
    "Time to answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10),
)
IN_FLIGHT = Gauge("carewright_http_in_flight", "Requests being worked on.")
BEYOND: Declared = {"/live": None, "/ready": None, "/roles": None, "/metrics": None}
"""Never refused, so that whoever watches us still sees."""
LONG_WAY = frozenset({"HEAD", "OPTIONS"})
ACCEPT_LENGTH_MAX = 200
WRITTEN_KEPT_MAX = 1024
FOR_PROGRAMS = "/api/"
Speaking = Mapping[str, Callable[[Request, Refusal], Response]]
"""How addresses that begin so say no, where they do not by problem documents: other standards have their own form for it."""


@dataclass(slots=True)
class Health:
    """What `/live`, `/ready` and `/roles` say. `draining` is set on SIGTERM: no new work comes, what is here is finished."""

    roles: dict[str, list[str]]
    ready: dict[str, Callable[[], bool]] = field(default_factory=dict)
    draining: bool = False

    def missing(self) -> list[str]:
        """What is not ready yet."""
        return [name for name, holds in self.ready.items() if not holds()] + (["draining"] if self.draining else [])


def build(  # noqa: PLR0913  # each is a part of the process that only composition knows
    served: Sequence[tuple[Route, Context]],
    pages: Sequence[BaseRoute],
    bearers: Bearers,
    health: Health,
    described: Sequence[Route] | None = None,
    gate: Gate | None = None,
    event_of: EventOf = named_after,
    *,
    speaking: Speaking | None = None,
    priorities: Declared | None = None,
    cross_origin: CrossOrigin | None = None,
    under_one_name: bool = False,
) -> ASGIApp:
    """The ASGI application of a process that serves `served` routes and `pages`, behind `gate` or one with the default settings.

    It describes the routes `described`, its own unless told otherwise: behind one address, each process speaks for the whole API.
    `event_of` is what the audit log calls a use case that it refuses. `priorities` are the pages'. Other sites' pages read what
    `cross_origin` says, else nothing. `under_one_name` is for this machine alone (`localhost.py`).
    """
    system = system_pages(health, [route for route, _ in served] if described is None else described)
    routes: list[BaseRoute] = [
        *(
            Path(_matching_ids(route.path), endpoint(route, context, bearers, event_of), methods=[route.method])
            for route, context in served
        ),
        *system,
        *pages,
    ]
    addresses = Addresses(listed((route for route, _ in served), [*pages, *system], {**BEYOND, **(priorities or {})}))
    between = [Middleware(UnderOneName)] if under_one_name else []
    application = Starlette(routes=_one_entry_a_path(routes), middleware=between)
    return Edge(application, gate or Gate(EdgeSettings(), Limits(), new_secret(32)), Answers(speaking or {}), addresses, cross_origin)


def _matching_ids(path: str) -> str:
    """The path as the router takes it: what stands in braces is an id, so that a word such as `find` is never taken for one."""
    return path.replace("}", ":uuid}")


def _one_entry_a_path(routes: list[BaseRoute]) -> list[BaseRoute]:
    """Join the methods of one path into one entry, so that a wrong method is answered with the right Allow header."""
    by_path: dict[str, list[Path]] = {}
    rest: list[BaseRoute] = []
    for route in routes:
        if isinstance(route, Path) and route.methods and route.path.startswith("/api/"):
            by_path.setdefault(route.path, []).append(route)
        else:
            rest.append(route)
    return [*(_joined(path, group) for path, group in by_path.items()), *rest]


def _joined(path: str, group: list[Path]) -> BaseRoute:
    by_method = {method: route.endpoint for route in group for method in route.methods or ()}

    async def dispatch(request: Request) -> Response:
        answer: Response = await by_method[request.method](request)
        return answer

    return Path(path, dispatch, methods=sorted(by_method))


def system_pages(health: Health, routes: Sequence[Route]) -> list[BaseRoute]:
    described = msgspec.json.encode(openapi.document(routes))
    page = docs.page(msgspec.json.decode(described))

    async def live(_: Request) -> Response:
        return _json({"live": True})

    async def ready(_: Request) -> Response:
        missing = health.missing()
        return _json({"ready": not missing, "waiting_for": missing}, 503 if missing else 200)

    async def roles(_: Request) -> Response:
        return _json(health.roles)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def described_api(_: Request) -> Response:
        return Response(described, media_type="application/json", headers={"Cache-Control": "max-age=60"})

    async def human_docs(_: Request) -> Response:
        return Response(page, media_type="text/html", headers={"Cache-Control": "max-age=60"} | docs.HEADERS)

    async def api_root(_: Request) -> Response:
        return RedirectResponse("/api/docs")

    return [
        Path("/live", live), Path("/ready", ready), Path("/roles", roles), Path("/metrics", metrics),
        Path("/api/openapi.json", described_api), Path("/api/docs", human_docs), Path("/api", api_root),
    ]  # fmt: skip


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, {"Cache-Control": "no-store"}, "application/json")


_PREFLIGHT = Response(status_code=204, headers={name.decode(): value.decode() for name, value in PREFLIGHT})


class Edge:
    """The outermost layer: asks the gate, finds each request a place, measures it, completes the headers, turns faults into answers."""

    def __init__(self, app: Starlette, gate: Gate, answers: "Answers", addresses: Addresses, cross_origin: CrossOrigin | None) -> None:
        self._app = app
        self._gate = gate
        self._addresses = addresses
        self._places = Places()
        self._cross_origin = cross_origin
        self._answers = answers
        app.add_exception_handler(Refusal, answers.refused)
        app.add_exception_handler(HTTPException, answers.http_fault)
        app.add_exception_handler(Exception, answers.failed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        address = self._addresses.of(scope["method"], scope["path"])
        place: Place | None = None
        allowed = await self._cross_origin.headers_for(scope) if self._cross_origin else ()

        async def completed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = headers.completed([*message["headers"], *allowed], over_https=scope["scheme"] == "https")
                if place is not None:
                    place.answers(message)
            await send(message)

        IN_FLIGHT.inc()
        try:
            await self._gate.admit(scope)
            if is_preflight(scope, allowed):
                await _PREFLIGHT(scope, receive, completed)
            else:
                place = await self._places.enter(scope, address)
                await self._answer(scope, receive, completed, place)
        except Refusal as refusal:  # of the gate, or for want of a place: those of the application are answers already
            await self._answers.to(Request(scope), refusal)(scope, receive, completed)
        except Exception as fault:  # noqa: BLE001  # the edge: every fault becomes an answer and a record
            log.error(
                "request.failed",
                method=scope["method"],
                route=address.pattern,
                error=type(fault).__name__,
                where=telemetry.where(fault),
            )
        finally:
            IN_FLIGHT.dec()
            if place is not None:
                place.end()
            self._note(scope, address.pattern, status, time.perf_counter() - started)

    def turn_away(self, scope: Scope) -> bytes | None:
        """The whole answer to a request that there is no room for, or None: see `StrictProtocol`.

        A page of another site reads more headers, and HEAD is answered without a body: those go the long way.
        """
        asked = dict(scope["headers"])
        if scope["method"] in LONG_WAY or b"origin" in asked or len(accept := asked.get(b"accept", b"")) > ACCEPT_LENGTH_MAX:
            return None
        address = self._addresses.of(scope["method"], scope["path"])
        refusal = self._places.refused(scope, address)
        if refusal is None:
            return None
        REQUESTS.labels(scope["method"], address.pattern, str(refusal.status)).inc()
        return self._answers.on_the_wire(scope["path"], accept, scope["scheme"], cast("int", refusal.facts["retry_after_seconds"]))

    async def _answer(self, scope: Scope, receive: Receive, send: Send, place: Place | None) -> None:
        """Have the application answer; what it asks for on the way is asked for by the priority of the place."""
        if place is None:
            await self._app(scope, receive, send)
            return
        with working_as(place.priority):
            await self._app(scope, place.hearing(receive), send)

    def _note(self, scope: Scope, pattern: str, status: int, seconds: float) -> None:
        """What became of it, under the pattern of its address: an address itself holds ids and whatever somebody typed."""
        if status == 401:
            self._gate.note_unknown(scope)
        self._gate.note_refused(scope, pattern, status)
        REQUESTS.labels(scope["method"], pattern, str(status)).inc()
        SECONDS.labels(pattern).observe(seconds)


class Answers:
    """Every fault as an answer: a page for a person who came by browser, else what the address speaks, else a problem document."""

    def __init__(self, speaking: Speaking) -> None:
        self._speaking = speaking
        self._written = lru_cache(maxsize=WRITTEN_KEPT_MAX)(self._write)

    def to(self, request: Request, refusal: Refusal) -> Response:
        path = request.url.path
        for prefix, say in self._speaking.items():
            if path.startswith(prefix):
                return say(request, refusal)
        by_browser = "text/html" in request.headers.get("accept", "") and not path.startswith(FOR_PROGRAMS)
        return docs.refused(refusal) if by_browser else problems.response(refusal)

    def on_the_wire(self, path: str, accept: bytes, scheme: str, retry_after_seconds: int) -> bytes:
        """`Overloaded` as `to` says it, with everything that the server adds. Those that were said before are kept."""
        spoken = next((prefix for prefix in (*self._speaking, FOR_PROGRAMS) if path.startswith(prefix)), "/")
        return self._written(spoken, accept, scheme, retry_after_seconds)

    def _write(self, path: str, accept: bytes, scheme: str, retry_after_seconds: int) -> bytes:
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [(b"accept", accept)], "scheme": scheme}
        answer = self.to(Request(scope), Overloaded(retry_after_seconds=retry_after_seconds))
        said = headers.completed(answer.raw_headers, over_https=scheme == "https")
        head = b"".join(name + b": " + value + b"\r\n" for name, value in said)
        return b"HTTP/1.1 503 Service Unavailable\r\n" + head + b"\r\n" + bytes(answer.body)

    async def refused(self, request: Request, fault: Exception) -> Response:
        return self.to(request, fault if isinstance(fault, Refusal) else InternalFault())

    async def http_fault(self, request: Request, fault: Exception) -> Response:
        """What the web framework refuses by itself: unknown paths and methods."""
        kinds: dict[int, type[Refusal]] = {404: NotFound, 405: MethodNotAllowed, 503: Unavailable}
        answer = self.to(request, kinds.get(getattr(fault, "status_code", 400), BadInput)())
        answer.headers.update(getattr(fault, "headers", None) or {})
        return answer

    async def failed(self, request: Request, _: Exception) -> Response:
        """The answer to a fault of ours. Starlette raises the fault again behind it, and the edge records it."""
        return self.to(request, InternalFault())
