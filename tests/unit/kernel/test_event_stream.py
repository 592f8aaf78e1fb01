"""A stream's own end: who takes nothing is cut off, and whoever hangs up is forgotten."""

import asyncio
from typing import Any, cast

import pytest

from carewright.kernel.feed import Viewer
from carewright.kernel.http import event_stream
from carewright.kernel.http.event_stream import EventStream
from carewright.kernel.http.protocol import BREAK_OFF
from carewright.kernel.server_sent import Place, event, place_in, text_of


class Watching:
    """A viewer with this to be told."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = [*chunks]
        self.over: list[str] = []
        self.told = asyncio.Event()

    async def next(self) -> bytes:
        if not self.chunks:
            await self.told.wait()
        return self.chunks.pop(0) if self.chunks else b""

    def end(self, _: bytes, reason: str) -> None:
        self.over.append(reason)
        self.told.set()

    def leave(self) -> None:
        self.over.append("left")


def streamed(viewer: Watching) -> EventStream:
    return EventStream(cast(Viewer, viewer), 1000)


async def never() -> Any:
    await asyncio.Event().wait()


async def test_who_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "SEND_SECONDS_MAX", 0.01)
    viewer, broken = Watching(b"fact"), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await broken.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await streamed(viewer)({"type": "http", "state": {BREAK_OFF: broken.set}}, receive, send)
    assert broken.is_set()
    assert viewer.over[0] == "stuck"
    assert viewer.over[-1] == "left"


async def test_whoever_hangs_up_is_forgotten() -> None:
    viewer, sent = Watching(b"fact"), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await streamed(viewer)({"type": "http", "state": {}}, receive, send)
    assert viewer.over == ["gone", "left"]


async def test_a_stream_says_how_long_to_wait_then_what_is_told_then_that_it_is_over() -> None:
    viewer, sent = Watching(b"one", b"two", b""), []

    async def send(message: Any) -> None:
        sent.append(message)

    await streamed(viewer)({"type": "http", "state": {}}, never, send)
    assert [each.get("body") for each in sent] == [None, b"retry: 1000\n\n", b"one", b"two", b""]
    assert not sent[-1]["more_body"]
    assert (b"content-length" in dict(sent[0]["headers"]), dict(sent[0]["headers"])[b"cache-control"]) == (False, b"no-store")


def test_an_event_is_one_however_its_fields_are_written() -> None:
    assert event("beat", {}) == b"event: beat\ndata: \n\n"
    assert event("a", {"x": "1\n\nevent: b", "y": "&="}, (7, 8)) == b"event: a\nid: 7-8\ndata: x=1%0A%0Aevent%3A+b&y=%26%3D\n\n"


@pytest.mark.parametrize("text", ["", "1", "1-", "-1", "1-2-3", "1 -2", "\u0661-1", "9" * 30 + "-1", "1-2\n"])
def test_what_is_no_place_is_none(text: str) -> None:
    assert place_in(text) is None


def test_a_place_is_what_it_was() -> None:
    place: Place = (2**62, 5)
    assert place_in(text_of(place)) == place
