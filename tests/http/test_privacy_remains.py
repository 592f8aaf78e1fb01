"""What the canary leaves where nobody looks every day: traces on their way to a collector, and processes that die at work."""

import asyncio
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.canary import WORDS, found_in, life_of_the_canary, words_in_file
from tests.clinic import Clinic, open_clinic
from tests.collector import Collector
from tests.system import TINY, descendants, log_of, own_folder, started

NO_CORE = "Max core file size        0                    0                    bytes"
"""A line of /proc/<pid>/limits."""
HEARD_SECONDS_MAX = 20


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    server = Collector()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
async def traced(collector: Collector) -> AsyncIterator[Clinic]:
    """A practice in a system of its own that traces every request, and whose processes show their stacks when they die."""
    environ = {
        "CAREWRIGHT_SYSTEM_TRACE_ENDPOINT": f"http://127.0.0.1:{collector.server_port}/v1/traces", "CAREWRIGHT_SYSTEM_TRACE_RATIO": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "100", "PYTHONFAULTHANDLER": "1",
    }  # fmt: skip
    with own_folder() as folder:
        async with started(folder / "data", *TINY, environ=environ) as system:
            yield await open_clinic(system)


@pytest.fixture(scope="module")
async def answers(traced: Clinic) -> list[httpx.Response]:
    return await life_of_the_canary(traced)


@pytest.mark.usefixtures("answers")
async def test_no_trace_holds_a_word_of_it(collector: Collector) -> None:
    async with asyncio.timeout(HEARD_SECONDS_MAX):
        for name in (b"register_patient", b"find_patients", b"book_appointment", b"cancel_appointment", b"accept_consent", b"act_for"):
            while name not in b"".join(collector.bodies):  # noqa: ASYNC110  (the collector is a thread)
                await asyncio.sleep(0.1)
    sent = b"".join(collector.bodies)
    assert b"notifications scheduling.appointment.booked.v1" in sent or b"portal scheduling.appointment.booked.v1" in sent
    assert b"TimeNotFree" in sent, "faults are traced too, by their kind"
    assert list(found_in(sent.decode("utf-8", errors="replace"))) == []


@pytest.mark.usefixtures("answers")
async def test_no_process_may_write_an_image_of_its_memory(traced: Clinic) -> None:
    family = [traced.system.process.pid, *descendants(traced.system.process.pid)]
    limits = {pid: told_of(pid, "limits") for pid in family}
    assert len(limits) > 5, "the servers are among them"
    assert [pid for pid, text in limits.items() if text and NO_CORE not in text] == []


@pytest.mark.usefixtures("answers")
async def test_nothing_is_written_but_to_the_places_of_the_policies(traced: Clinic) -> None:
    """A process of ours holds no file open for writing but the one that standard error leads to, and connections."""
    family = [traced.system.process.pid, *descendants(traced.system.process.pid)]
    ours = [pid for pid in family if "carewright" in told_of(pid, "cmdline").split("\0")]
    assert len(ours) >= 2, "the supervisor, and the process that serves"
    written = {path for pid in ours for path in written_by(pid)}
    assert str(log_of(traced.system.data)) in written, "the search sees what is written"
    assert {path for path in written if Path(path).name not in (log_of(traced.system.data).name, "lock")} == set()


def written_by(pid: int) -> Iterator[str]:
    """The files that a process has open for writing."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        flags = re.search(r"flags:\s*(\d+)", told_of(pid, f"fdinfo/{link.name}"))
        if flags and int(flags[1], 8) & (os.O_WRONLY | os.O_RDWR) and link.is_file():
            yield str(link.readlink())


@pytest.mark.usefixtures("answers")
async def test_a_server_that_dies_at_a_statement_writes_no_word_of_it(traced: Clinic) -> None:
    """PostgreSQL names the statement of a process that crashed in the detail of a message, which is left out."""
    data, url = traced.system.data, traced.system.known.database_url
    connection, ended = await asyncpg.connect(url), (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
    with pytest.raises(asyncpg.PostgresError):
        await connection.execute("INSERT INTO kernel.wrapping SELECT 'Quokkaline', 'Zyxwella', 'numbatty-note'::int")
    with pytest.raises(asyncpg.PostgresError):
        await connection.fetchval("SELECT $1::text::smallint", "2025550176")
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    slow = asyncio.ensure_future(connection.execute("SELECT 'Quokkaline', 'wombatish@canary.example', pg_sleep(60)"))
    await asyncio.sleep(0.3)
    os.kill(pid, signal.SIGSEGV)
    with pytest.raises(ended):
        await slow
    logs = [path for path in data.rglob("*.log") if path.is_file()]
    async with asyncio.timeout(HEARD_SECONDS_MAX):
        while not any(b"terminated by signal 11" in log.read_bytes() for log in logs):  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.1)
    assert left_by(data) == []


@pytest.mark.usefixtures("answers")
async def test_a_process_of_ours_that_dies_at_work_writes_no_word_of_it(traced: Clinic) -> None:
    system = traced.system
    (server,) = [pid for pid in descendants(system.process.pid) if "serve" in told_of(pid, "cmdline").split("\0")]
    os.kill(server, signal.SIGABRT)
    async with asyncio.timeout(HEARD_SECONDS_MAX):
        while b"Fatal Python error: Aborted" not in log_of(system.data).read_bytes():  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.1)
    assert left_by(system.data) == []


def told_of(pid: int, what: str) -> str:
    """What Linux says of a process; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/{what}").read_text("utf-8", errors="replace")
    except OSError:
        return ""


def left_by(data: Path) -> list[str]:
    """Images of memory, and files with a word of the canary."""
    places = [path for path in (log_of(data), *data.rglob("*"), *Path.cwd().glob("core*")) if path.is_file()]
    images = [path.name for path in places if path.name.startswith("core")]
    assert any(path.name.endswith(".log") for path in places)
    return images + [f"{path.name}: {word}" for path in places for word in words_in_file(path)]


def test_a_word_in_a_trace_would_be_seen() -> None:
    assert [list(found_in(word)) for word in WORDS] == [[word] for word in WORDS]
