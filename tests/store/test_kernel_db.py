"""The database as the rest of the system sees it: refusals instead of the driver's faults, limits, a pool that finds its server again."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from carewright.kernel import db as db_module
from carewright.kernel.db import Database
from carewright.kernel.errors import BadInput, Unavailable, UpstreamRefused
from carewright.kernel.sql import Query
from tests.servers import run_sql

ONE = Query("test.one", "SELECT 1 AS one")
SLEEP = Query("test.sleep", "SELECT pg_sleep(30)")
PID = Query("test.pid", "SELECT pg_backend_pid() AS pid")
REFUSE = Query("test.refuse", "SELECT kernel.refuse($1)")
LOCK = Query("test.lock", "SELECT pg_advisory_lock(42)")
TRY_LOCK = Query("test.try_lock", "SELECT pg_try_advisory_lock(42) AS locked")
SET_TIMER = Query("test.set_timer", "INSERT INTO kernel.timer (name, next_at) VALUES ($1, now())")
TIMERS = Query("test.timers", "SELECT count(*) AS count FROM kernel.timer WHERE name = $1")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "carewright_scheduling", 2)
    yield opened
    await opened.close()


async def pid_of(db: Database) -> int:
    row = await db.fetch_one(PID)
    assert row is not None
    return int(row["pid"])


async def count_of(db: Database, name: str) -> int:
    row = await db.fetch_one(TIMERS, name)
    return int(row["count"]) if row else 0


async def test_a_statement_that_refuses_raises_the_refusal_of_its_code(db: Database) -> None:
    with pytest.raises(BadInput):
        await db.execute(REFUSE, "kernel.bad_input")
    with pytest.raises(UpstreamRefused) as refused:
        await db.execute(REFUSE, "nobody.knows_this")
    assert refused.value.facts == {"upstream_code": "nobody.knows_this"}
    await db.execute(REFUSE, None)


async def test_a_refusal_inside_a_transaction_rolls_it_back(db: Database) -> None:
    with pytest.raises(BadInput):
        await write_and_refuse(db)
    assert await count_of(db, "refused") == 0


async def write_and_refuse(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(SET_TIMER, "refused")
        await tx.execute(REFUSE, "kernel.bad_input")


async def test_a_statement_that_takes_too_long_is_ended(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_module, "STATEMENT_TIMEOUT_MS", 50)
    db = await Database.connect(database_url, None, 1)
    with pytest.raises(Unavailable):
        await db.fetch(SLEEP)
    assert await db.fetch_one(ONE)
    await db.close()


async def test_a_transaction_that_stands_idle_is_ended(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would hold every reader of the log back."""
    monkeypatch.setattr(db_module, "IDLE_IN_TRANSACTION_TIMEOUT_MS", 50)
    db = await Database.connect(database_url, None, 1)
    with pytest.raises(Unavailable):
        await stand_idle(db)
    assert await db.fetch_one(ONE)
    await db.close()


async def stand_idle(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.fetch(ONE)
        await asyncio.sleep(0.5)
        await tx.fetch(ONE)


async def test_a_lock_that_does_not_come_free_is_not_waited_for_without_end(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_module, "LOCK_TIMEOUT_MS", 50)
    db = await Database.connect(database_url, None, 2)
    async with db.reserved() as holder:
        await holder.fetch(LOCK)
        with pytest.raises(Unavailable):
            await db.fetch(LOCK)
    await db.close()


async def test_a_reserved_connection_keeps_its_lock_for_the_block_and_no_longer(db: Database) -> None:
    async with db.reserved() as holder:
        await holder.fetch(LOCK)
        row = await db.fetch_one(TRY_LOCK)
        assert row is not None
        assert not row["locked"]
    async with db.reserved() as other:
        row = await other.fetch_one(TRY_LOCK)
        assert row is not None
        assert row["locked"]


async def test_an_argument_that_does_not_fit_is_our_mistake_and_no_outage(db: Database) -> None:
    with pytest.raises(asyncpg.DataError):
        await db.fetch(Query("test.number", "SELECT $1::int"), "not a number")


async def test_the_pool_survives_the_loss_of_every_connection(db: Database, database_url: str) -> None:
    victims = {await pid_of(db)}
    async with db.transaction(), db.transaction():
        pass
    await run_sql(
        database_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'carewright carewright_scheduling'",
    )
    for _ in range(3):
        try:
            victims.discard(await pid_of(db))
        except Unavailable:
            continue
    assert await pid_of(db) not in victims


async def test_a_connection_that_dies_in_a_transaction_leaves_the_outcome_unknown(db: Database, database_url: str) -> None:
    with pytest.raises(Unavailable):
        await write_and_die(db, database_url)
    assert await count_of(db, "died") == 0


async def write_and_die(db: Database, database_url: str) -> None:
    async with db.transaction() as tx:
        await tx.execute(SET_TIMER, "died")
        row = await tx.fetch_one(PID)
        assert row is not None
        await run_sql(database_url, f"SELECT pg_terminate_backend({row['pid']})")
        await tx.execute(SET_TIMER, "died too")


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Database.connect("postgresql://nobody@127.0.0.1:1/none", None, 1)


async def test_json_travels_as_bytes_both_ways(db: Database) -> None:
    row = await db.fetch_one(Query("test.json", "SELECT $1::jsonb AS value"), b'{"a": [1, "\xc3\xa9"]}')
    assert row is not None
    assert bytes(row["value"]) == '{"a": [1, "é"]}'.encode()
