"""The made-up systems behind a socket of their own."""

import asyncio
from socket import socket

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from carewright.kernel.http.app import Health
from carewright.kernel.http.server import serve as serve_http
from carewright.mock.ehr.answers import Asked
from carewright.mock.ehr.hooks import Hooks
from carewright.mock.ehr.server import Ehr
from carewright.mock.eligibility.server import House

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
STOP_SECONDS_MAX = 2
TRIES, PAUSE_SECONDS, HOOK_SECONDS_MAX = 3, 0.5, 5.0
"""How often a subscriber is told something, how long is waited between, and for an answer."""


async def serve(application: Starlette, listener: socket) -> None:
    """Answer until SIGTERM or SIGINT."""
    await serve_http(application, listener, Health(roles={}), drain_seconds=0.0, stop_seconds_max=STOP_SECONDS_MAX, tls=None)


def ehr_application(ehr: Ehr) -> Starlette:
    """Every address leads to the EHR, which knows what is served."""

    async def answer(request: Request) -> Response:
        await asyncio.sleep(ehr.faults.slow_seconds)
        said = ehr.answer(
            Asked(
                method=request.method, path=request.url.path, query=tuple(request.query_params.multi_items()),
                headers=dict(request.headers.items()), body=await request.body(),
            )
        )  # fmt: skip
        content = msgspec.json.encode(said.body) if said.body is not None else b""
        form = "application/fhir+json" if said.body is not None and "resourceType" in said.body else "application/json"
        return Response(content, said.status, said.headers, media_type=form if content else None)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


async def tell_subscribers(hooks: Hooks) -> None:
    """Tell subscribers until cancelled, one after another. One who does not take it has their subscription in `error`."""
    async with httpx.AsyncClient(trust_env=False, timeout=HOOK_SECONDS_MAX) as client:
        while True:
            id_ = await hooks.queue.get()
            if not await _told(client, hooks, id_):
                hooks.give_up(id_, f"Nobody took it in {TRIES} tries.")


async def _told(client: httpx.AsyncClient, hooks: Hooks, id_: str) -> bool:
    """Whether it was taken, or is not wanted any more."""
    for _ in range(TRIES):
        if (wanted := hooks.request(id_)) is None:
            return True
        endpoint, headers = wanted
        try:
            if (await client.post(endpoint, headers=headers)).is_success:
                return True
        except httpx.HTTPError:
            pass
        await asyncio.sleep(PAUSE_SECONDS)
    return hooks.request(id_) is None


def clearing_house_application(house: House) -> Starlette:
    """One address, to which X12 is posted, and one each for the two operations of PAS."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        await asyncio.sleep(house.faults.slow_seconds)
        status, said, form = house.answer(request.headers.get("content-type", ""), body)
        return Response(said, status, media_type=form)

    async def claim(request: Request) -> Response:
        body = await request.body()
        await asyncio.sleep(house.faults.slow_seconds)
        status, said = house.claimed(request.path_params["operation"], body)
        content = said.encode() if isinstance(said, str) else msgspec.json.encode(said)
        return Response(content, status, media_type="application/fhir+json")

    operations = Route("/fhir/Claim/{operation}", claim, methods=["POST"])
    return Starlette(routes=[Route("/core", answer, methods=["POST"]), operations])
