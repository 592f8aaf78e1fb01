"""A browser's end of a stream of server-sent events, read as the HTML standard says (section 9.2), over a socket of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from carewright.console.http.page import SESSION
from tests.plain_browser import Browser
from tests.system import System

WAIT_SECONDS_MAX = 20
LATEST = "latest"


@dataclass(frozen=True)
class Heard:
    """One event; `id` is the last that the browser would send back."""

    name: str
    fields: dict[str, str]
    id: str


class Stream:
    """One connection. `events` come until the server ends it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.status, self.headers = 0, {}  # type: ignore[var-annotated]  # filled by `head`
        self.last_id = ""
        self.ended = False

    async def head(self) -> None:
        first, *rest = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}

    async def body(self) -> bytes:
        """The body of a refusal."""
        return await self.reader.readexactly(int(self.headers["content-length"]))

    async def next(self) -> Heard | None:
        """The next event that a page would hear; None when the server has ended the stream."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            return await self._next()

    async def fact(self) -> dict[str, str]:
        """The fields of the next fact; signs of life are passed over."""
        while (heard := await self.next()) is not None:
            if heard.name != "beat":
                assert heard.name == "appointment", heard
                return heard.fields
        raise AssertionError("the stream has ended")

    async def until(self, name: str) -> Heard:
        """The next event of this name."""
        while (heard := await self.next()) is not None:
            if heard.name == name:
                return heard
        raise AssertionError("the stream has ended")

    async def _next(self) -> Heard | None:
        name, data = "message", ""
        while (line := await self._line()) is not None:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                self.last_id = value
            elif field == "data":
                data = value
            elif not line and name != "message":
                return Heard(name, {key: values[0] for key, values in parse_qs(data).items()}, self.last_id)
        return None

    _lines: list[str] | None = None
    _rest = ""

    async def _line(self) -> str | None:
        """Chunks of the transfer coding may end anywhere in a line."""
        self._lines = self._lines or []
        while not self._lines:
            size = int((await self.reader.readline()).strip() or b"0", 16)
            chunk = (await self.reader.readexactly(size)).decode()
            await self.reader.readline()
            if not size:
                self.ended = True
                return None
            *self._lines, self._rest = (self._rest + chunk).split("\n")
        return self._lines.pop(0)


@asynccontextmanager
async def watching(base: str, session: str, site_id: str, after: str, last_id: str = "", **more: str) -> AsyncIterator[Stream]:
    """A stream from `base` for whoever has this session."""
    where = urlsplit(base)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    query = urlencode({"site": site_id, "after": after} | more)
    sent_back = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
    cookie = f"Cookie: {SESSION}={session}\r\n"
    writer.write(f"GET /staff/live?{query} HTTP/1.1\r\nHost: localhost\r\n{cookie}{sent_back}Accept: text/event-stream\r\n\r\n".encode())
    stream = Stream(reader, writer)
    try:
        await stream.head()
        yield stream
    finally:
        writer.close()


def place_of(page: str) -> str:
    """The place that a page was read at."""
    found = page.partition('data-place="')[2].partition('"')[0]
    assert parse_qs(f"x={found}"), page
    return found


def staff_base(system: System) -> str:
    return system.address_of("/staff")


def session_of(browser: Browser) -> str:
    """The session of a member of staff who signed in with this browser."""
    session = browser.client.cookies.get(SESSION)
    assert session
    return session
