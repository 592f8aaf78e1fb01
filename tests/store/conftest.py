"""A small hospital of scheduling's for each test, and a whole system for each file that wants one."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from carewright.kernel.db import Database
from carewright.kernel.sql import Query
from tests.scheduling_hospital import Hospital
from tests.scheduling_world import invent, processes_on, store_world
from tests.whole_system import Inside, inside

POOL_SIZE = 12
PATIENTS = 210
NOW = Query("test.now", "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now")


@pytest.fixture(scope="module")
async def db(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "carewright_scheduling", POOL_SIZE)
    yield opened
    await opened.close()


@pytest.fixture
async def hospital(db: Database) -> Hospital:
    here, there = processes_on(db, 2)
    row = await db.fetch_one(NOW)
    assert row is not None
    here.ids._last_ms = int(row["now"])  # the seed is the same for every test: later ids are other ids
    world = await store_world(here, invent(here.ids, patients=PATIENTS))
    for process in (here, there):
        await process.settle()
        await process.live.of(world.organization_id)
    return Hospital(here, there, world)


@pytest.fixture(scope="module")
async def whole(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    """Every module in this process. A file that wants other settings has a fixture of its own by this name."""
    async with inside(database_url, tmp_path_factory.mktemp("whole"), uuid4()) as running:
        yield running


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Any]:
    """What lies in the tables, past every rule: a connection of the superuser's."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back at the whole tier runs last."""
    items.sort(key=lambda item: item.path.name == "test_every_deed.py")
