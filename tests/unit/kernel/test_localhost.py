"""One name for this machine: a browser that came under the number is sent on, and nobody else is."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from carewright.kernel.http.localhost import UnderOneName

PAGE = {"Sec-Fetch-Mode": "navigate"}


async def here(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


async def answer(address: str, method: str = "GET", **headers: str) -> httpx.Response:
    route = Route("/{path:path}", here, methods=["GET", "POST"])
    transport = httpx.ASGITransport(Starlette(routes=[route], middleware=[Middleware(UnderOneName)]))
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.request(method, address, headers=headers)


@pytest.mark.parametrize("number", ["127.0.0.1", "[::1]"])
async def test_a_browser_that_opens_a_page_under_a_number_is_sent_to_the_name(number: str) -> None:
    answered = await answer(f"http://{number}:8080/sign-in?next=/devices%3Fa", **PAGE)
    assert (answered.status_code, answered.headers["location"]) == (307, "http://localhost:8080/sign-in?next=/devices%3Fa")


@pytest.mark.parametrize("address", ["http://localhost:8080/", "http://care.example.org/", "http://127.0.0.1.example.org:8080/"])
async def test_whoever_came_under_a_name_stays(address: str) -> None:
    assert (await answer(address, **PAGE)).text == "here"


async def test_programs_and_forms_stay_where_they_are() -> None:
    assert (await answer("http://127.0.0.1:8080/")).text == "here"
    assert (await answer("http://127.0.0.1:8080/", **{"Sec-Fetch-Mode": "cors"})).text == "here"
    assert (await answer("http://127.0.0.1:8080/", "POST", **PAGE)).text == "here"
