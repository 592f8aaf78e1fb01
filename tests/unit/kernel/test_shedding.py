"""Requests let in by priority: who waits, who is refused and how, and when a place is given back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route as Page

from carewright.kernel import admission
from carewright.kernel.admission import LIMIT_FIRST, SHARES
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.errors import Overloaded
from carewright.kernel.http import app, shedding
from carewright.kernel.http.priorities import Address
from carewright.kernel.http.shedding import TURN_SECONDS, Place, Places, asked_as
from carewright.kernel.priority import Priority, current

SECRET = b"0" * 32
KINDS = {each.label: each for each in Priority}


def scope(path: str = "/", **headers: str) -> dict[str, Any]:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "GET", "path": path, "headers": given}


def entering(places: Places, priority: Priority) -> "asyncio.Task[Place | None]":
    return asyncio.create_task(places.enter(scope(), Address("/", priority)))


async def full(places: Places, priority: Priority = Priority.CHANGE) -> list[Place]:
    """Fill what this priority may have."""
    taken = []
    for _ in range(int(LIMIT_FIRST * SHARES[priority].until)):
        place = await places.enter(scope(), Address("/", priority))
        assert place is not None
        taken.append(place)
    return taken


@pytest.fixture
def places() -> Places:
    return Places()


async def test_whoever_waits_is_let_in_by_priority_and_then_by_who_came_first(places: Places) -> None:
    taken = await full(places, Priority.PRESENCE)
    order: list[str] = []

    async def wait(name: str, priority: Priority) -> None:
        place = await places.enter(scope(), Address("/", priority))
        order.append(name)
        assert place is not None
        place.end()

    named = {
        "report": Priority.REPORT,
        "look": Priority.LOOK,
        "first": Priority.CHANGE,
        "second": Priority.CHANGE,
        "here": Priority.PRESENCE,
    }
    waiting = [asyncio.create_task(wait(*each)) for each in named.items()]
    await asyncio.sleep(0)
    assert order == []
    for place in taken:
        place.end()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert order == ["here", "first", "second", "look", "report"]


async def test_an_emergency_enters_where_nobody_else_does(places: Places) -> None:
    await full(places, Priority.PRESENCE)
    assert await asyncio.wait_for(entering(places, Priority.EMERGENCY), 5)


async def test_whoever_finds_no_room_in_time_is_told_when_to_come_again(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried = {priority: share._replace(wait_seconds=0.01) for priority, share in SHARES.items()}
    monkeypatch.setattr(shedding, "SHARES", hurried)
    taken = await full(places, Priority.EMERGENCY)
    for priority in Priority:
        with pytest.raises(Overloaded) as refused:
            await places.enter(scope(), Address("/", priority))
        least, most = SHARES[priority].again_seconds
        assert int(str(refused.value.facts["retry_after_seconds"])) in range(least, most + 1)
    for place in taken:
        place.end()
    assert await asyncio.wait_for(entering(places, Priority.REPORT), 5), "nobody who gave up is in the way"


async def test_when_a_queue_is_full_the_next_is_refused_at_once(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "WAITING_MOST", 2)
    await full(places)
    waiting = [entering(places, Priority.CHANGE) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await places.enter(scope(), Address("/", Priority.CHANGE))
    for each in waiting:
        each.cancel()


async def test_whoever_goes_away_while_waiting_takes_no_place_along(places: Places) -> None:
    taken = await full(places)
    gone, patient = (entering(places, Priority.CHANGE) for _ in range(2))
    await asyncio.sleep(0)
    taken.pop().end()  # it is handed to the first, who is cancelled before taking it up
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await asyncio.wait_for(patient, 5)
    late = entering(places, Priority.CHANGE)
    await asyncio.sleep(0)
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    taken.pop().end()
    assert await asyncio.wait_for(entering(places, Priority.CHANGE), 5)


class Clock:
    """Stands until the test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_after_enough_work_in_a_turn_the_rest_begins_in_later_ones_and_the_urgent_at_once() -> None:
    clock, order = Clock(), []
    places = Places(clock)

    async def begin(name: str, priority: Priority) -> None:
        await places.enter(scope(), Address("/", priority))
        order.append(name)
        clock.now += 2 * TURN_SECONDS  # it works, and lets nobody else work meanwhile

    wanted = [("first", Priority.LOOK), ("look", Priority.LOOK), ("report", Priority.REPORT), ("look again", Priority.LOOK)]
    wanted += [("change", Priority.CHANGE), ("here", Priority.PRESENCE), ("alarm", Priority.EMERGENCY)]
    await asyncio.wait_for(asyncio.gather(*(begin(*each) for each in wanted)), 5)
    assert order == ["first", "here", "alarm", "change", "look", "look again", "report"]


async def test_whoever_goes_away_before_their_turn_takes_no_place_along() -> None:
    clock = Clock()
    places = Places(clock)

    async def work() -> None:
        await places.enter(scope(), Address("/", Priority.LOOK))
        clock.now += 2 * TURN_SECONDS

    working, gone = asyncio.create_task(work()), entering(places, Priority.LOOK)
    await working
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert inside("P3") == 1
    assert await asyncio.wait_for(entering(places, Priority.LOOK), 5)


@pytest.mark.parametrize(
    ("path", "said", "priority"),
    [
        ("/internal/v1/flow/find", "P0", Priority.EMERGENCY),
        ("/internal/v1/flow/find", "P4", Priority.REPORT),
        ("/internal/v1/flow/find", "P9", Priority.CHANGE),
        ("/visits", "P0", Priority.CHANGE),
    ],
)
def test_only_our_own_processes_say_how_urgent_a_call_is(path: str, said: str, priority: Priority) -> None:
    assert asked_as(scope(path, carewright_priority=said), Address(path, Priority.CHANGE)) is priority


def test_what_is_beyond_all_classes_stays_so() -> None:
    assert asked_as(scope("/internal/v1/x", carewright_priority="P4"), Address("/", None)) is None


@pytest.fixture
def held() -> dict[str, asyncio.Event]:
    """While one is clear, requests of that kind do not end."""
    return {label: asyncio.Event() for label in KINDS}


@pytest.fixture
async def client(held: dict[str, asyncio.Event]) -> AsyncIterator[httpx.AsyncClient]:
    async def wait(request: Request) -> Response:
        await held[request.path_params["label"]].wait()
        return PlainTextResponse(str(current()))

    async def take(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def events(_: Request) -> Response:
        async def shown() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            await held["P3"].wait()

        return StreamingResponse(shown(), media_type="text/event-stream")

    pages = [
        *(Page(f"/{label}/{{label}}", wait, methods=["GET", "POST"]) for label in KINDS),
        Page("/events", events), Page("/body", take, methods=["POST"]), Page("/fhir/find", wait),
    ]  # fmt: skip
    declared = {f"/{label}/{{label}}": priority for label, priority in KINDS.items()}
    bearers = Bearers(Tokens(SECRET, SystemClock(), {}), SystemClock())
    application = app.build([], pages, bearers, app.Health({}), priorities=declared)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test") as made:
        yield made


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  # a gauge sets no event
            await asyncio.sleep(0.001)


def inside(label: str) -> float:
    (family,) = shedding.INSIDE.collect()
    return next(sample.value for sample in family.samples if sample.labels["priority"] == label)


async def test_a_flood_of_searches_is_refused_in_form_while_the_urgent_is_answered(
    client: httpx.AsyncClient, held: dict[str, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "WAITING_MOST", 0)
    flood = [asyncio.create_task(client.get("/P3/P3")) for _ in range(int(LIMIT_FIRST * SHARES[Priority.LOOK].until))]
    await until(lambda: inside("P3") == len(flood))
    refused = await client.get("/P3/P3")
    page = await client.get("/P3/P3", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.json()["code"]) == (503, "kernel.overloaded")
    assert refused.headers["content-type"] == "application/problem+json"
    assert 2 <= int(refused.headers["retry-after"]) <= 8
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (503, "text/html")
    assert (await client.get("/live")).status_code == 200
    held["P0"].set()
    held["P1"].set()
    assert (await client.post("/P0/P0")).text == str(Priority.EMERGENCY)
    assert (await client.post("/P1/P1")).text == str(Priority.PRESENCE)
    held["P3"].set()
    assert {answer.status_code for answer in await asyncio.gather(*flood)} == {200}
    assert (await client.get("/P3/P3")).status_code == 200


async def test_a_stream_of_events_gives_its_place_back_when_it_begins(client: httpx.AsyncClient, held: dict[str, asyncio.Event]) -> None:
    watching = asyncio.create_task(client.get("/events"))
    await asyncio.sleep(0.01)
    assert (inside("P3"), watching.done()) == (0, False)
    held["P3"].set()
    assert (await watching).text == "data: 1\n\n"
    assert inside("P3") == 0
