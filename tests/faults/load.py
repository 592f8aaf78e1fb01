"""People at work while servers die: clients that hold, book, move and cancel over HTTP, and remember every answer they were given.

Each change has a key of its own. An answer that says yes or no ends it. A broken connection, a 503 or "still being worked on" does
not: the client asks again with the same key until it has its answer, as a good client would.
"""

import asyncio
import contextlib
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import msgspec

from tests.system import System

What = Literal["hold", "book", "book-hold", "release", "move", "cancel", "register", "rename"]
ANSWER_SECONDS_MAX = 20.0
"""Nothing may hang: the server's own limits lie below this."""
PATIENCE_SECONDS = 90.0
"""How long a client repeats a change before it gives up, which fails the test."""
ASK_AGAIN_SECONDS = 0.05
THINK_SECONDS = 0.02
STILL_OPEN = {"kernel.unavailable", "kernel.outcome_unknown", "kernel.idempotency_in_flight"}
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Broken(Exception):
    """The connection ended, or nothing came: what became of the request is not known."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))

    @property
    def is_yes(self) -> bool:
        return self.status < 300


@dataclass
class Deed:
    """One change under one key, and what the client was told in the end."""

    what: What
    key: str
    answer: Answer | None = None

    @property
    def is_done(self) -> bool:
        return self.answer is not None and self.answer.is_yes

    @property
    def appointment_id(self) -> str:
        assert self.answer is not None
        return str(self.answer.body["id"])


class Line:
    """One connection that is opened when needed, and thrown away when it breaks."""

    def __init__(self, base: str, token: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, key: str | None = None, body: object = None) -> Answer:
        """Send one request and read its answer. Raises `Broken`."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self._ask(self._request(method, path, key, body))
        except (OSError, EOFError) as fault:
            self.close()
            raise Broken(type(fault).__name__) from fault

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    def _request(self, method: str, path: str, key: str | None, body: object) -> bytes:
        content = b"" if body is None else msgspec.json.encode(body)
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self._host}",
            f"Authorization: Bearer {self._token}",
            f"Content-Length: {len(content)}",
        ]
        lines += [f"Idempotency-Key: {key}"] * (key is not None) + ["Content-Type: application/json"] * (body is not None)
        return "\r\n".join([*lines, "", ""]).encode() + content

    async def _ask(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        assert length is not None, head
        body = await reader.readexactly(int(length[1]))
        return Answer(int(head.split(b" ", 2)[1]), msgspec.json.decode(body) if body else {})


@dataclass
class Shift:
    """Everybody who works during one test, and the book of what they were told."""

    system: System
    seed: int
    visit_types: Sequence[tuple[str, str]]
    """Kinds of visits and sites at which to look for times."""
    deeds: list[Deed] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    """Answers that must not be: anything but yes, a refusal, or a 503 that says when to ask again."""
    appointments: dict[str, Answer] = field(default_factory=dict)
    """The last state of each appointment that its client was told."""
    names: dict[str, str] = field(default_factory=dict)
    """The family name each practitioner was last given."""
    patients: list[str] = field(default_factory=list)
    """Patients registered during the shift."""
    interrupted: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def acknowledged(self) -> int:
        """How many changes were answered with yes."""
        return sum(deed.is_done for deed in self.deeds)

    @contextlib.asynccontextmanager
    async def at_work(self, clients: int, patients: Sequence[str], staff: Sequence[dict[str, Any]]) -> AsyncIterator[None]:
        """Clients work until the block ends, and then finish what they have begun."""
        workers: list[Client] = [Booker(self, number, patients[number::clients]) for number in range(clients)]
        workers += [Registrar(self, clients, staff)]
        tasks = [asyncio.ensure_future(worker.work()) for worker in workers]
        try:
            yield
        finally:
            self.ended.set()
            await asyncio.gather(*tasks)

    def summary(self) -> str:
        done = Counter(deed.what for deed in self.deeds if deed.is_done)
        refused = Counter(deed.answer.code for deed in self.deeds if deed.answer and not deed.is_done)
        return f"acknowledged {dict(done)}, refused {dict(refused)}, asked again {self.interrupted} times"


class Client:
    """One person at a desk, with two windows open."""

    role = "front-desk"

    def __init__(self, shift: Shift, number: int) -> None:
        self.shift = shift
        self.name = f"{shift.seed}-{number}"
        self.rng = random.Random(self.name)
        self._lines: dict[tuple[str, int], Line] = {}

    async def work(self) -> None:
        try:
            while not self.shift.ended.is_set():
                await self.visit()
                await asyncio.sleep(self.rng.expovariate(1 / THINK_SECONDS))
        finally:
            for line in self._lines.values():
                line.close()

    async def visit(self) -> None:
        raise NotImplementedError

    async def look(self, path: str, **query: object) -> dict[str, Any] | None:
        """Read something; None where it was refused or could not be had."""
        answer = await self._until_answered(0, None, "GET", f"{path}?{urlencode(query)}")
        return answer.body if answer is not None and answer.is_yes else None

    async def do(self, what: What, method: str, path: str, body: object = None) -> Answer | None:
        """Change something, now and then by two clicks at once. The answer, or None when it was refused."""
        deed = Deed(what, f"{self.name}-{len(self.shift.deeds)}")
        self.shift.deeds.append(deed)
        windows = range(2 if self.rng.random() < 0.1 else 1)
        answers = await asyncio.gather(*(self._until_answered(window, deed.key, method, path, body) for window in windows))
        yes = [answer for answer in answers if answer is not None and answer.is_yes]
        if len(yes) == 2 and yes[0].body != yes[1].body:
            self.shift.surprises.append(f"{deed.key}: two answers to one change, {yes[0].body} and {yes[1].body}")
        deed.answer = next(iter(yes), answers[0])
        return deed.answer if deed.is_done else None

    async def _until_answered(self, window: int, key: str | None, method: str, path: str, body: object = None) -> Answer | None:
        """A yes or a no. Nothing else counts: the question is asked again, with the same key."""
        line = self._line(window, path)
        give_up = time.monotonic() + PATIENCE_SECONDS
        heard: Counter[str] = Counter()
        while time.monotonic() < give_up:
            try:
                answer = await line.ask(method, path, key, body)
            except Broken as broken:
                heard[str(broken)] += 1
            else:
                if answer.code not in STILL_OPEN:
                    self._judge(method, path, answer)
                    return answer
                heard[answer.code] += 1
            self.shift.interrupted += 1
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        self.shift.surprises.append(f"{method} {path} got no answer within {PATIENCE_SECONDS:.0f} s, but {dict(heard)}")
        return None

    def _line(self, window: int, path: str) -> Line:
        """A window's connection to the process that serves this path."""
        address = self.shift.system.address_of(path.partition("?")[0])
        return self._lines.setdefault((address, window), Line(address, self.shift.system.token(self.role)))

    def _judge(self, method: str, path: str, answer: Answer) -> None:
        if answer.status >= 500 or (not answer.is_yes and not answer.code):
            self.shift.surprises.append(f"{method} {path} was answered {answer.status} {answer.body}")


class Booker(Client):
    """Finds times for patients of their own and fills them; some are moved or cancelled again."""

    def __init__(self, shift: Shift, number: int, patients: Sequence[str]) -> None:
        super().__init__(shift, number)
        self._patients = list(patients)

    async def visit(self) -> None:
        if self.rng.random() < 0.05:
            await self._register()
        time = await self._find()
        if time is None:
            return
        booked = await (self._hold_and_book(time) if self.rng.random() < 0.3 else self._book(time))
        if booked is None:
            return
        if self.rng.random() < 0.3 and (other := await self._find(time["visit_type_id"], time["site_id"])) is not None:
            await self._change("move", "POST", f"/api/v1/appointments/{booked}/reschedule", {"time": other})
        if self.rng.random() < 0.4:
            await self._change("cancel", "POST", f"/api/v1/appointments/{booked}/cancel", {"reason": "pat"})

    async def _register(self) -> None:
        answer = await self.do("register", "POST", "/api/v1/patients", {"family": "Newcomer", "given": [f"No {len(self._patients)}"]})
        if answer is not None:
            self.shift.patients.append(answer.body["id"])
            self._patients.append(answer.body["id"])

    async def _find(self, visit_type_id: str | None = None, site_id: str | None = None) -> dict[str, Any] | None:
        """A free time to ask for: among the first few of a day, so that clients meet."""
        if visit_type_id is None or site_id is None:
            visit_type_id, site_id = self.rng.choice(self.shift.visit_types)
        day = datetime.now(UTC) + timedelta(days=self.rng.randrange(2, 28))
        page = await self.look(
            "/api/v1/availability", visit_type_id=visit_type_id, site_id=site_id, limit=8, from_at=day.strftime("%Y-%m-%dT00:00:00Z")
        )
        slot = self.rng.choice(page["items"]) if page and page["items"] else None
        return {name: slot[name] for name in ("visit_type_id", "site_id", "start")} if slot else None

    async def _book(self, time: dict[str, Any]) -> str | None:
        return await self._change("book", "POST", "/api/v1/appointments", {"patient_id": self._patient(), "time": time})

    async def _hold_and_book(self, time: dict[str, Any]) -> str | None:
        patient_id = self._patient()
        hold_id = await self._change("hold", "POST", "/api/v1/holds", {"patient_id": patient_id, "time": time})
        if hold_id is None:
            return None
        if (choice := self.rng.random()) < 0.4:
            if choice < 0.2:  # the others are left to run out
                await self._change("release", "DELETE", f"/api/v1/holds/{hold_id}")
            return None
        return await self._change("book-hold", "POST", "/api/v1/appointments", {"patient_id": patient_id, "hold_id": hold_id})

    async def _change(self, what: What, method: str, path: str, body: object = None) -> str | None:
        answer = await self.do(what, method, path, body)
        if answer is None:
            return None
        appointment_id = str(answer.body["id"])
        self.shift.appointments[appointment_id] = answer
        return appointment_id

    def _patient(self) -> str:
        return self.rng.choice(self._patients)


class Registrar(Client):
    """Renames practitioners: the directory's changes must reach scheduling's copy, however the servers die in between."""

    role = "administrator"

    def __init__(self, shift: Shift, number: int, staff: Sequence[dict[str, Any]]) -> None:
        super().__init__(shift, number)
        self._staff = list(staff)

    async def visit(self) -> None:
        person = self.rng.choice(self._staff)
        name = f"Name {len(self.shift.deeds)}"
        if await self.do("rename", "PUT", "/api/v1/directory", {"practitioners": [person | {"family": name}]}) is not None:
            self.shift.names[person["id"]] = name
        await asyncio.sleep(0.2)
