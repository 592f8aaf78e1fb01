"""The servers beneath are away, frozen, read-only or killed: what people are told meanwhile, and that all goes on by itself afterwards."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest

from carewright.roles.demo import AHEAD_OF_ALL, LOADING
from carewright.roles.embedded import Place, PostgresServer, start_postgres, start_valkey
from carewright.roles.embedded.valkey import ValkeyServer
from carewright.roles.up import is_ready
from tests.faults.ground import Ground, new_folder, on_linux
from tests.faults.test_kill import first_look, verified, words_of
from tests.system import TINY, System, descendants, launch, log_of, own_folder, started, stop, until_running

ANSWER_SECONDS_MAX = 28.0
"""Longer than any limit of the server's own."""


@dataclass
class Outside:
    """A system whose PostgreSQL and Valkey are the test's own, to be taken away and brought back."""

    system: System
    place: Place
    postgres: PostgresServer
    valkey: ValkeyServer
    visit_types: list[tuple[str, str]]
    patients: list[str]
    since: datetime

    async def find(self) -> httpx.Response:
        """Free times in three weeks, of the first kind of visit that has some."""
        day = (datetime.now(UTC) + timedelta(days=21)).strftime("%Y-%m-%dT00:00:00Z")
        for visit_type_id, site_id in self.visit_types:
            query = {"visit_type_id": visit_type_id, "site_id": site_id, "from_at": day, "limit": "20"}
            answer = await self.system.request("front-desk", "GET", "/api/v1/availability", params=query)
            if not answer.is_success or answer.json()["items"]:
                return answer
        raise AssertionError("nothing is free")

    async def has_free_times(self) -> bool:
        """Calendars are extended to their horizon in the background."""
        with contextlib.suppress(AssertionError):
            return (await self.find()).is_success
        return False

    async def wanted(self) -> dict[str, Any]:
        """What a booking would send."""
        slot = (await self.find()).json()["items"][0]
        time = {name: slot[name] for name in ("visit_type_id", "site_id", "start")}
        return {"patient_id": self.patients.pop(), "time": time}

    async def book(self, body: dict[str, Any], key: str) -> httpx.Response:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await self.system.request("front-desk", "POST", "/api/v1/appointments", key=key, json=body)

    async def booked_in_the_end(self, body: dict[str, Any], key: str) -> httpx.Response:
        """The answer of a client that repeats while it is told to."""
        async with asyncio.timeout(60):
            while (answer := await self.book(body, key)).status_code == httpx.codes.SERVICE_UNAVAILABLE:  # noqa: ASYNC110  (a server sets no asyncio.Event)
                await asyncio.sleep(0.1)
        return answer

    async def run_sql(self, statement: str, *arguments: object) -> Any:
        connection = await asyncpg.connect(self.postgres.dsn, server_settings={"default_transaction_read_only": "off"})
        try:
            return await connection.fetchval(statement, *arguments) if arguments else await connection.execute(statement)
        finally:
            await connection.close()

    def server(self) -> list[int]:
        return [pid for pid in descendants(self.system.process.pid) if "serve" in words_of(pid)]


@pytest.fixture(scope="module")
async def outside() -> AsyncIterator[Outside]:
    ground = Ground(new_folder())
    async with ground.place() as place:
        postgres, valkey = await start_postgres(place), await start_valkey(place)
        running: Outside | None = None
        try:
            with own_folder() as folder:
                options = ("--database-url", postgres.dsn, "--valkey-url", valkey.url)
                async with started(folder / "data", *TINY, *options) as system:
                    since, visit_types, patients = await first_look(system)
                    running = Outside(system, place, postgres, valkey, visit_types, patients, since)
                    await until(running.has_free_times)
                    before = running.server()
                    yield running
                    assert running.server() == before, "a server process ended that should have gone on"
                    assert await verified(system) == []
        finally:
            await (valkey if running is None else running.valkey).stop()
            await (postgres if running is None else running.postgres).stop()


def is_told_to_wait(answer: httpx.Response) -> bool:
    """A problem document that says so, and for how long."""
    problem = answer.json()
    return (
        answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        and answer.headers["content-type"] == "application/problem+json"
        and int(answer.headers["retry-after"]) > 0
        and problem["code"] in {"kernel.unavailable", "kernel.outcome_unknown"}
    )


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  (other processes set no asyncio.Event)
            await asyncio.sleep(0.05)


async def test_while_postgresql_is_away_people_are_told_to_wait_and_then_served_by_the_same_process(outside: Outside) -> None:
    body, key = await outside.wanted(), str(uuid4())
    await outside.postgres.stop()
    answers = [await outside.book(body, key) for _ in range(5)]
    reads = [await outside.system.request("front-desk", "GET", f"/api/v1/appointments/{uuid4()}") for _ in range(3)]
    live = await outside.system.client.get(outside.system.address_of("/live") + "/live")
    outside.postgres = await start_postgres(outside.place)
    assert [answer.text for answer in (*answers, *reads) if not is_told_to_wait(answer)] == []
    assert live.is_success
    assert (await outside.booked_in_the_end(body, key)).status_code == httpx.codes.CREATED


async def test_free_times_are_found_while_postgresql_is_away(outside: Outside) -> None:
    await outside.find()
    await outside.postgres.stop()
    found = await outside.find()
    outside.postgres = await start_postgres(outside.place)
    assert found.status_code == httpx.codes.OK
    assert found.json()["items"]


@on_linux
async def test_a_database_that_hangs_hangs_nobody_and_the_retry_tells_what_became_of_the_booking(outside: Outside) -> None:
    assert (await outside.booked_in_the_end(await outside.wanted(), str(uuid4()))).is_success
    body, key = await outside.wanted(), str(uuid4())
    family = [outside.postgres.pid, *descendants(outside.postgres.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        answer = await outside.book(body, key)
    finally:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert is_told_to_wait(answer)
    booked = await outside.booked_in_the_end(body, key)
    assert booked.status_code == httpx.codes.CREATED, booked.text
    assert (await outside.book(body, key)).json() == booked.json()


async def test_a_read_only_database_refuses_changes_and_shows_no_record_that_it_cannot_note(outside: Outside) -> None:
    """Free times are nobody's record, and are found. To show a patient's appointments is a deed, which is recorded or does not happen."""
    body, key = await outside.wanted(), str(uuid4())
    await outside.run_sql("ALTER SYSTEM SET default_transaction_read_only = on")
    await outside.run_sql("SELECT pg_reload_conf()")
    try:
        await until(lambda: is_refused(outside, body, key))
        free = await outside.system.request("front-desk", "GET", f"/api/v1/availability?visit_type_id={outside.visit_types[0][0]}")
        shown = await outside.system.request("front-desk", "GET", f"/api/v1/appointments?patient_id={body['patient_id']}")
    finally:
        await outside.run_sql("ALTER SYSTEM RESET default_transaction_read_only")
        await outside.run_sql("SELECT pg_reload_conf()")
    assert free.status_code == httpx.codes.OK
    assert is_told_to_wait(shown)
    booked = await outside.booked_in_the_end(body, key)
    assert booked.status_code == httpx.codes.CREATED, booked.text


async def is_refused(outside: Outside, body: dict[str, Any], key: str) -> bool:
    answer = await outside.book(body, key)
    assert answer.status_code in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CREATED}, answer.text
    return is_told_to_wait(answer)


async def test_without_valkey_everything_works_and_events_still_arrive(outside: Outside) -> None:
    await outside.valkey.stop()
    body, key = await outside.wanted(), str(uuid4())
    booked = await outside.book(body, key)
    registered = await outside.system.request("front-desk", "POST", "/api/v1/patients", json={"family": "Newcomer"})
    patient_id = registered.json()["id"]
    await until(lambda: is_known_to_scheduling(outside, patient_id))
    outside.valkey = await start_valkey(outside.place)
    assert booked.status_code == httpx.codes.CREATED
    assert (await outside.book(await outside.wanted() | {"patient_id": patient_id}, str(uuid4()))).status_code == httpx.codes.CREATED


async def is_known_to_scheduling(outside: Outside, patient_id: str) -> bool:
    return await outside.run_sql("SELECT active FROM scheduling.patient WHERE id = $1::text::uuid", patient_id) is True


async def test_a_follower_misses_nothing_when_a_crash_takes_transaction_ids_back(outside: Outside) -> None:
    """Ids of transactions that left nothing durable are given out again after a crash: a place read before it may lie too far ahead."""
    visit_type_id = outside.visit_types[-1][0]
    ahead = await crash_after_idle_transactions(outside)
    async with contextlib.AsyncExitStack() as stack:
        connection = await asyncpg.connect(outside.postgres.dsn)
        stack.push_async_callback(connection.close)
        async with connection.transaction():
            xid = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
            await change_behind_the_back(connection, outside, visit_type_id, active=False)
        assert xid < ahead
        await until(lambda: is_offered(outside, visit_type_id, offered=False), 10)
        async with connection.transaction():
            await change_behind_the_back(connection, outside, visit_type_id, active=True)
        await until(lambda: is_offered(outside, visit_type_id, offered=True), 10)


async def crash_after_idle_transactions(outside: Outside) -> int:
    """Take 150 ids, let the follower read past them, and crash before anything is flushed. The id that would have come next."""
    for _ in range(20):
        connection = await asyncpg.connect(outside.postgres.dsn)
        await connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        await connection.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.1)
        for _ in range(150):
            transaction = connection.transaction()
            await transaction.start()
            await connection.fetchval("SELECT pg_current_xact_id()::text")
            await transaction.rollback()
        await asyncio.sleep(1.0)
        ahead = int(await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))
        os.kill(outside.postgres.pid, signal.SIGKILL)
        connection.terminate()
        await outside.postgres.wait()
        outside.postgres = await start_postgres(outside.place)
        after = await outside.run_sql("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint WHERE $1", True)
        if after < ahead - 20:
            return ahead
    raise AssertionError("no crash took transaction ids back")


async def change_behind_the_back(
    connection: "asyncpg.Connection[asyncpg.Record]", outside: Outside, visit_type_id: str, *, active: bool
) -> None:
    """What another process would write: a visit type closed or opened, and the event that says so."""
    await connection.execute("UPDATE scheduling.visit_type SET active = $2 WHERE id = $1", UUID(visit_type_id), active)
    await connection.execute(
        "INSERT INTO kernel.outbox (organization_id, id, topic, subject, payload, occurred_at, origin, actor) "
        "VALUES ($1, $2, 'scheduling.catalogue.changed.v1', $3, "
        "jsonb_build_object('organization_id', $1::uuid::text, 'entry_id', $3::uuid::text), clock_timestamp(), $2, 'test')",
        outside.system.known.organization_id, uuid4(), UUID(visit_type_id),
    )  # fmt: skip


async def is_offered(outside: Outside, visit_type_id: str, *, offered: bool) -> bool:
    answer = await outside.system.request("front-desk", "GET", "/api/v1/availability", params={"visit_type_id": visit_type_id})
    assert answer.status_code in {httpx.codes.OK, httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.SERVICE_UNAVAILABLE}, answer.text
    return (answer.status_code == httpx.codes.OK) is offered and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE


async def until_said(data: Path, said: str) -> None:
    async with asyncio.timeout(90):
        while said not in log_of(data).read_text(errors="replace"):  # noqa: ASYNC110  (another process writes it)
            await asyncio.sleep(0.005)


async def test_a_killed_supervisor_takes_everything_with_it_and_up_again_resumes() -> None:
    with own_folder() as folder:
        data = folder / "data"
        process = await launch(data, "up", "--data", str(data), *TINY)
        async with asyncio.timeout(90):
            before = await until_running(process, data)
        process.kill()
        await process.wait()
        async with started(data, *TINY) as system:
            assert system.known.organization_id == before.organization_id
            assert await verified(system) == []


@pytest.mark.parametrize("said", ["brought the database up to date", "building the demonstration", "loading"])
async def test_a_first_start_that_was_broken_off_is_completed_by_the_next(said: str) -> None:
    with own_folder() as folder:
        data = folder / "data"
        process = await launch(data, "up", "--data", str(data), *TINY)
        await until_said(data, said)
        process.kill()
        await process.wait()
        async with started(data, *TINY) as system:
            _, visit_types, patients = await first_look(system)
            assert (len(patients), bool(visit_types)) == (200, True)
            assert await verified(system) == []


async def test_a_load_that_was_complete_but_not_yet_remembered_is_done_again() -> None:
    """The crash came between the last row and the file that says whose hospital it is."""
    with own_folder() as folder:
        data = folder / "data"
        async with started(data, *TINY) as system:
            connection = await asyncpg.connect(system.known.database_url)
            await connection.execute("INSERT INTO kernel.consumer VALUES ($1, $2::text::xid8, 0, now())", LOADING, str(AHEAD_OF_ALL))
            await connection.close()
        msgspec.structs.replace(system.known, organization_id=None, demonstration_patient_id=None).write(data)
        async with started(data, *TINY) as system:
            _, visit_types, patients = await first_look(system)
            assert (len(patients), bool(visit_types)) == (200, True)
            assert await verified(system) == []


async def test_the_loss_of_postgresql_during_the_first_load_ends_the_start_in_one_line_and_the_next_completes_it() -> None:
    with own_folder() as folder:
        data = folder / "data"
        process = await launch(data, "up", "--data", str(data), *TINY)
        await until_said(data, "loading")
        os.kill(next(pid for pid in descendants(process.pid) if "-D" in words_of(pid)), signal.SIGKILL)
        async with asyncio.timeout(90):
            with contextlib.suppress(AssertionError):
                await until_running(process, data)
        assert "Traceback" not in (printed := log_of(data).read_text(errors="replace")), printed
        if process.returncode is None:
            await stop(process, data)
        async with started(data, *TINY) as system:
            assert await verified(system) == []


async def test_asking_a_server_that_is_just_dying_is_an_answer_not_a_fault() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert [await is_ready("127.0.0.1", port) for _ in range(20)] == [False] * 20
    assert not await is_ready("127.0.0.1", port)
