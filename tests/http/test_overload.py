"""A running system that is asked more than it can answer: the urgent is answered, the rest told when to come, and then all is as before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import msgspec

from carewright.kernel.admission import LIMIT_FIRST, SHARES, WAITING_MOST
from carewright.kernel.priority import Priority
from tests.clinic import ok
from tests.system import System

FLOOD = int(LIMIT_FIRST * SHARES[Priority.LOOK].until) + WAITING_MOST + 2000
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answer(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def code(self) -> str:
        return str(msgspec.json.decode(self.content)["code"])


@asynccontextmanager
async def lines(system: System, count: int) -> AsyncIterator[list[Line]]:
    """Open connections, so that whatever is asked on them comes at once."""
    where = urlsplit(system.address_of("/api/v1/sites"))
    opened = [await asyncio.open_connection(where.hostname, where.port) for _ in range(count)]
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.close()


def ask(line: Line, path: str, token: str = "", accept: str = "*/*") -> None:
    line[1].write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())


async def answer(line: Line) -> Answer:
    head = (await line[0].readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
    return Answer(int(first.split()[1]), headers, await line[0].readexactly(int(headers["content-length"])))


async def test_in_a_flood_of_searches_the_urgent_is_answered_and_the_rest_told_when_to_come(one_process: System) -> None:
    token = one_process.token("front-desk")
    async with lines(one_process, FLOOD) as flood, lines(one_process, 3) as urgent:
        for api, fhir in zip(flood[::2], flood[1::2], strict=True):
            ask(api, "/api/v1/practitioners", token)
            ask(fhir, "/fhir/R4/Practitioner", token)
        for line, path in zip(urgent, ("/staff/incident", "/staff/sign-in", "/live"), strict=True):
            ask(line, path)
        answers = await asyncio.gather(*(answer(line) for line in flood))
        assert [(await answer(line)).status for line in urgent] == [303, 200, 200]
        assert {each.status for each in answers} == {200, 503}
        refused, outcomes = ([each for each in answers[begin::2] if each.status == 503] for begin in (0, 1))
        assert {each.code for each in refused} == {"kernel.overloaded"}
        assert {each.headers["content-type"] for each in refused} == {"application/problem+json"}
        assert {msgspec.json.decode(each.content)["resourceType"] for each in outcomes} == {"OperationOutcome"}
        assert {each.headers["content-type"].partition(";")[0] for each in outcomes} == {"application/fhir+json"}
        assert len({each.headers["retry-after"] for each in refused + outcomes}) > 1, "not all are to come again together"
        assert {each.headers["x-content-type-options"] for each in refused + outcomes} == {"nosniff"}
    for _ in range(20):
        ok(await one_process.request("front-desk", "GET", "/api/v1/practitioners"))
