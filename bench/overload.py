"""A server that is offered ten times what it can do, for two minutes: who is answered, how soon, and how soon all is as before.

Requests come at their own pace, whatever becomes of those before (an open loop), in one mix throughout:

| class | what |
| --- | --- |
| P0, P1 | somebody arrives: an Encounter is recorded durably, asked for by another process of ours as P0 or P1 |
| P2 | an appointment is booked durably, with practitioner, nurse and room |
| P3 | free times of a visit are looked for, department-wide |
| P4 | the journal is searched |

What a server can do (`peak`) is what callers who each wait for their answer get out of it. Goodput is what was answered, each request
weighed by what one of its class costs: in a flood other things are answered than before, so counting them would compare a find with a
booking. What one costs is the time that the server and PostgreSQL ran for it on a processor, when nothing else was asked, until all that
followed from it was done too (events, their handlers, the journal); how many there are in a second would depend on who else runs here, and
leave out what is put off.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, cast
from uuid import uuid4

import msgspec

from bench.fhir import published
from bench.processes import cpu_seconds
from bench.serving import server
from bench.world import KINDS, MINUTES, ORGANIZATION, SITE, VISIT_TYPE, Ground, actor_id, clinic, context_of, patient_id, system
from carewright.contracts.flow import Flow
from carewright.kernel.http.shedding import SAID_PRIORITY
from carewright.kernel.priority import Priority
from carewright.roles.lifecycle import System
from carewright.roles.protocols import methods_of

PEOPLE = 64
MIX: Mapping[Priority, float] = {
    Priority.EMERGENCY: 0.01, Priority.PRESENCE: 0.04, Priority.CHANGE: 0.2, Priority.LOOK: 0.65, Priority.REPORT: 0.1,
}  # fmt: skip
LINES: Mapping[Priority, int] = {
    Priority.EMERGENCY: 16, Priority.PRESENCE: 32, Priority.CHANGE: 256, Priority.LOOK: 384, Priority.REPORT: 128,
}  # fmt: skip
"""Connections of each class. A request for which none is free is not sent, and counts as refused."""
WAITING_CALLERS = (8, 16, 32)
ALONE_SECONDS, PEAK_SECONDS, IDLE_SECONDS = 4.0, 8.0, 3.0
SETTLED_BELOW = 0.1
"""Processors in use above what is idle, below which all that followed from requests is done."""
SETTLING_SECONDS_MAX = 60
PHASES = (("before", 0.5, 20.0), ("overload", 10.0, 120.0), ("after", 0.5, 30.0))
"""Each with how many times the peak is offered, and for how many seconds."""
TICK_SECONDS = 0.002
REST_SECONDS = 1.0
UNHURRIED = dict.fromkeys(
    ("CAREWRIGHT_EDGE_ACTOR_READS_PER_MINUTE", "CAREWRIGHT_EDGE_ACTOR_CHANGES_PER_MINUTE", "CAREWRIGHT_EDGE_MACHINE_REQUESTS_PER_MINUTE"),
    "100000000",
)
"""One account stands for many here."""
CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}
Write = Callable[[], bytes]


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each class in each phase, and one for all."""
    dsn = await ground.database("overload")
    async with system(ground, dsn) as started:
        await clinic(started, PEOPLE, PEOPLE)
        await published(started)
        calendars = await context_of(started).calendars()
        requests = requests_of(started, calendars.index.horizon.origin + timedelta(days=2))
    async with server(ground, dsn, **UNHURRIED) as (port, pid), lines_of(port) as lines:
        told("each class alone")
        costs = await _costs(lines, requests, [pid, ground.postgres.pid])
        told("what the server can do with the mix")
        peaks = [await _waiting(lines, requests, callers, PEAK_SECONDS) for callers in WAITING_CALLERS]
        peak, best = max((each.work_a_second(costs), each) for each in peaks)
        rate = best.rate
        rows: list[dict[str, Any]] = [{"phase": "alone", "class": each.label, "cpu_ms_each": costs[each] * 1000} for each in Priority]
        rows.append({"phase": "peak", "class": "all", "offered_a_second": rate, "answered_a_second": rate, "goodput_to_peak": 1.0})
        load, phases = Load(lines, requests, costs, peak), {}
        for phase, times, seconds in PHASES:
            told(f"{phase}: {times:g} times the peak for {seconds:g} s")
            phases[phase] = await load.offer(rate * times, seconds)
            rows += load.rows(phase, phases[phase])
        return [*rows, {"phase": "after", "class": "all", "normal_again_after_seconds": phases["after"].normal_after(phases["before"])}]


async def _costs(lines: Mapping[Priority, "Lines"], requests: Mapping[Priority, Write], pids: list[int]) -> dict[Priority, float]:
    """Processor seconds of these processes for one request of each class, with all that follows from it, and without what they use idle."""
    before = cpu_seconds(pids)
    await asyncio.sleep(IDLE_SECONDS)
    idle, costs = (cpu_seconds(pids) - before) / IDLE_SECONDS, {}
    for each in Priority:
        began, before = time.perf_counter(), cpu_seconds(pids)
        heard = await _waiting(lines, {each: requests[each]}, 16, ALONE_SECONDS)
        for _ in range(SETTLING_SECONDS_MAX):
            so_far = cpu_seconds(pids)
            await asyncio.sleep(1)
            if cpu_seconds(pids) - so_far < idle + SETTLED_BELOW:
                break
        spent = cpu_seconds(pids) - before - idle * (time.perf_counter() - began)
        costs[each] = spent / len(heard.answered[each])
    return costs


def requests_of(started: System, first: datetime) -> dict[Priority, Write]:
    """What is asked in each class, each request another."""

    def token(role: str) -> str:
        actor = started.tokens.actor(role, "bench", ORGANIZATION)
        return started.tokens.issue(actor, timedelta(hours=2))

    desk, officer = token("front-desk"), token("privacy-officer")
    numbers = count()
    record = methods_of(Flow)["record_encounter"].path

    def arrive(priority: Priority) -> bytes:
        command = {"patient_id": patient_id(next(numbers) % PEOPLE), "status": "in-progress", "encounter_class": CLASS}
        return _post(record, desk, {"command": command}, f"{SAID_PRIORITY}: {priority.label}")

    def book() -> bytes:
        number, turn = next(numbers) % PEOPLE, next(numbers) // PEOPLE
        actors = [actor_id(kind, number) for kind in KINDS]
        start = first + timedelta(minutes=MINUTES * turn)
        wanted = {"visit_type_id": VISIT_TYPE, "site_id": SITE, "start": start, "actor_ids": actors}
        body = {"patient_id": patient_id(number), "time": wanted}
        return _post("/api/v1/appointments", desk, body, f"Idempotency-Key: {uuid4()}")

    look = _get(f"/api/v1/availability?visit_type_id={VISIT_TYPE}", desk)
    search = _get("/api/v1/audit/events", officer)
    return {
        Priority.EMERGENCY: lambda: arrive(Priority.EMERGENCY), Priority.PRESENCE: lambda: arrive(Priority.PRESENCE),
        Priority.CHANGE: book, Priority.LOOK: lambda: look, Priority.REPORT: lambda: search,
    }  # fmt: skip


def _get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _post(path: str, token: str, body: object, *more: str) -> bytes:
    content = msgspec.json.encode(body)
    lines = ("Content-Type: application/json", f"Content-Length: {len(content)}", *more, "", "")
    return f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n".encode() + "\r\n".join(lines).encode() + content


class Line(asyncio.Protocol):
    """One kept connection with one request on it at a time. It costs little: what is measured is the server."""

    def __init__(self) -> None:
        self.is_open = True
        self._left = 0
        self._status = 0
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._heard: Callable[[int], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        """Whoever waits for an answer gets none. One that nobody used for long is closed by the server, too."""
        self.is_open = False
        self._say(0)

    def ask(self, request: bytes, heard: Callable[[int], None]) -> None:
        """Send it; `heard` is told the status of the answer once it is here, 0 where there is none."""
        assert self._transport is not None
        self._heard = heard
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if not self._left:
            data = self._head + data
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            self._head, self._status = b"", int(head[9:12])
            place = head.lower().index(b"content-length:") + 15
            self._left = int(head[place : place + 12].partition(b"\r")[0])
        self._left -= len(data)
        if not self._left:
            self._say(self._status)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _say(self, status: int) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(status)


class Lines:
    """The connections of one class, used in turn."""

    def __init__(self, port: int, most: int) -> None:
        self._port = port
        self.most = most
        self._free: deque[Line] = deque()
        self._all: list[Line] = []
        self._opening: set[asyncio.Task[None]] = set()

    @property
    def are_idle(self) -> bool:
        """Whether nothing is asked on any."""
        return len(self._free) == len(self._all)

    async def open(self) -> None:
        """Have as many as there may be."""
        while len(self._all) < self.most:
            _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self._port)
            self._all.append(line)
            self._free.append(line)

    def take(self) -> Line | None:
        """A free one, if there is any. One that was closed is opened anew."""
        while self._free:
            line = self._free.popleft()
            if line.is_open:
                return line
            self._all.remove(line)
            task = asyncio.create_task(self.open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        return None

    def give(self, line: Line) -> None:
        self._free.append(line)

    def close(self) -> None:
        for line in self._all:
            line.close()


@asynccontextmanager
async def lines_of(port: int) -> AsyncIterator[dict[Priority, Lines]]:
    """The connections of every class."""
    lines = {each: Lines(port, LINES[each]) for each in Priority}
    try:
        yield lines
    finally:
        for each in lines.values():
            each.close()


@dataclass
class Heard:
    """What became of requests: when each was answered and how long that took, what was refused, and what was not sent."""

    seconds: float = 0.0
    answered: dict[Priority, list[tuple[float, float]]] = field(default_factory=lambda: {each: [] for each in Priority})
    refused: dict[Priority, int] = field(default_factory=lambda: dict.fromkeys(Priority, 0))
    failed: dict[Priority, int] = field(default_factory=lambda: dict.fromkeys(Priority, 0))
    unsent: dict[Priority, int] = field(default_factory=lambda: dict.fromkeys(Priority, 0))

    @property
    def rate(self) -> float:
        return sum(self.rate_of(each) for each in Priority)

    def rate_of(self, priority: Priority) -> float:
        return len(self.answered[priority]) / self.seconds

    def work_a_second(self, costs: Mapping[Priority, float]) -> float:
        """How many processors worked for what was answered."""
        return sum(self.rate_of(each) * costs[each] for each in Priority)

    def note(self, priority: Priority, sent: float, began: float, status: int) -> None:
        now = time.perf_counter()
        if status in {200, 201}:
            self.answered[priority].append((sent - began, now - sent))
        elif status == 503:
            self.refused[priority] += 1
        else:
            self.failed[priority] += 1

    def took(self) -> list[float]:
        """How long each answer took, of all classes."""
        return [took for answers in self.answered.values() for _, took in answers]

    def normal_after(self, before: "Heard") -> int:
        """The second from which on no second's p99 was more than twice the p99 of `before` (10 ms more, where that is more)."""
        usual = _quantile(before.took(), 0.99)
        seconds: dict[int, list[float]] = {}
        for sent, took in (each for answers in self.answered.values() for each in answers):
            seconds.setdefault(int(sent), []).append(took)
        slow = [second for second, took in seconds.items() if _quantile(took, 0.99) > max(2 * usual, usual + 0.01)]
        return max(slow, default=-1) + 1


async def _waiting(lines: Mapping[Priority, Lines], requests: Mapping[Priority, Write], callers: int, seconds: float) -> Heard:
    """So many callers, each of whom asks again once it is answered, in the proportions of the mix."""
    heard, began = Heard(seconds), time.perf_counter()
    total = sum(MIX[each] for each in requests)
    turns: dict[Priority, float] = dict.fromkeys(requests, 0.0)
    for each in requests:
        await lines[each].open()

    async def call() -> None:
        loop = asyncio.get_running_loop()
        while (sent := time.perf_counter()) < began + seconds:
            for each in turns:
                turns[each] += MIX[each] / total
            priority = max(turns, key=lambda each: turns[each])
            turns[priority] -= 1
            line, answer = lines[priority].take(), loop.create_future()
            if line is None:
                await lines[priority].open()
                continue
            line.ask(requests[priority](), answer.set_result)
            heard.note(priority, sent, began, await answer)
            lines[priority].give(line)

    await asyncio.gather(*(call() for _ in range(callers)))
    await asyncio.sleep(REST_SECONDS)
    return heard


@dataclass
class Load:
    """What is offered, and how it is counted."""

    lines: Mapping[Priority, Lines]
    requests: Mapping[Priority, Write]
    costs: Mapping[Priority, float]
    peak: float

    async def offer(self, rate: float, seconds: float) -> Heard:
        """Ask at this rate for so long, whatever is answered."""
        for lines in self.lines.values():
            await lines.open()
        heard, began = Heard(seconds), time.perf_counter()
        asked = dict.fromkeys(Priority, 0)
        while (passed := time.perf_counter() - began) < seconds:
            for priority, part in MIX.items():
                due = int(passed * rate * part)
                for _ in range(due - asked[priority]):
                    self._ask(priority, heard, began)
                asked[priority] = due
            await asyncio.sleep(TICK_SECONDS)
        while not all(lines.are_idle for lines in self.lines.values()):  # noqa: ASYNC110  (asked thousands of times, an event would cost)
            await asyncio.sleep(TICK_SECONDS)
        return heard

    def _ask(self, priority: Priority, heard: Heard, began: float) -> None:
        line, sent = self.lines[priority].take(), time.perf_counter()
        if line is None:
            heard.unsent[priority] += 1
            return

        def hear(status: int) -> None:
            heard.note(priority, sent, began, status)
            self.lines[priority].give(line)

        line.ask(self.requests[priority](), hear)

    def rows(self, phase: str, heard: Heard) -> list[dict[str, Any]]:
        """A row for each class, and one for all."""
        rows: list[dict[str, Any]] = []
        for each in Priority:
            took = [seconds * 1000 for _, seconds in heard.answered[each]]
            refused = heard.refused[each] + heard.unsent[each] + heard.failed[each]
            rows.append(
                {
                    "phase": phase, "class": each.label, "offered_a_second": (len(took) + refused) / heard.seconds,
                    "answered_a_second": heard.rate_of(each), "answered_percent": 100 * len(took) / max(1, len(took) + refused),
                    "failed": heard.failed[each], "not_sent": heard.unsent[each],
                    "p50_ms": _quantile(took, 0.5), "p99_ms": _quantile(took, 0.99),
                }
            )  # fmt: skip
        rows.append(
            {
                "phase": phase, "class": "all", "offered_a_second": sum(row["offered_a_second"] for row in rows),
                "answered_a_second": heard.rate,
                "p99_ms": _quantile(heard.took(), 0.99) * 1000, "goodput_to_peak": heard.work_a_second(self.costs) / self.peak,
            }
        )  # fmt: skip
        return rows


def _quantile(values: Sequence[float], part: float) -> float:
    """0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0
