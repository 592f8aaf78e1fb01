"""A system that is told things over HTTP: a real server, which behaves as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
HEARD_SECONDS_MAX = 30


@dataclass(frozen=True)
class Heard:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def bundle(self) -> Json:
        found: Json = json.loads(self.body)
        return found

    def parameters(self) -> list[Json]:
        parameters: list[Json] = self.bundle["entry"][0]["resource"]["parameter"]
        return parameters

    def said(self, name: str) -> Any:
        """The value of the first parameter of this name."""
        return next((value(each) for each in self.parameters() if each["name"] == name), None)

    @property
    def events(self) -> list[Json]:
        """Number, timestamp and focus of each event."""
        told = [each["part"] for each in self.parameters() if each["name"] == "notification-event"]
        return [{part["name"]: value(part) for part in parts} for parts in told]


def value(parameter: Json) -> Any:
    found = next(each for name, each in parameter.items() if name.startswith("value"))
    return found["reference"] if isinstance(found, dict) and "reference" in found else found


@dataclass
class Receiver:
    """`answer` is the status to answer with; 0 hangs up without an answer, and a negative one hangs.

    `asked` counts requests, whatever became of them.
    """

    address: str = ""
    answer: int = 200
    location: str = ""
    asked: int = 0
    heard: list[Heard] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, holds: Callable[["Receiver"], object]) -> None:
        """Wait until what was heard is as expected."""
        async with asyncio.timeout(HEARD_SECONDS_MAX):
            while not holds(self):
                self.news.clear()
                await self.news.wait()

    def told(self, kind: str = "event-notification", subscription_id: str = "") -> list[Heard]:
        """What was said of this kind, for one subscription or any."""
        return [each for each in self.heard if each.said("type") == kind and each.said("subscription").endswith(subscription_id)]

    def numbers(self) -> list[int]:
        """The numbers of all events that were taken, each once, in the order in which they came."""
        return list(dict.fromkeys(int(event["event-number"]) for each in self.told() for event in each.events))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head.split("\r\n")[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked += 1
            if self.answer < 0:
                await self.closing.wait()
            elif self.answer:
                if 200 <= self.answer < 300:
                    self.heard.append(Heard(headers, body))
                where = f"Location: {self.location}\r\n" if self.location else ""
                writer.write(f"HTTP/1.1 {self.answer} X\r\n{where}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.news.set()
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver at a port of its own on this machine."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.close()
