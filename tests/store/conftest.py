"""A small hospital of scheduling's for each test."""

from collections.abc import AsyncIterator

import pytest

from carewright.kernel.db import Database
from carewright.kernel.sql import Query
from tests.scheduling_hospital import Hospital
from tests.scheduling_world import invent, processes_on, store_world

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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back at the whole tier runs last."""
    items.sort(key=lambda item: item.path.name == "test_every_deed.py")
