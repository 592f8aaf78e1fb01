"""One system and one practice for all tests of the API, and a watch over what refused requests leave behind."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from tests.app import App, opened, registered_app
from tests.clinic import Clinic, open_clinic, register
from tests.plain_browser import Browser, browser
from tests.staff_browser import staff_signed_in
from tests.system import System

ROWS = """
SELECT (SELECT count(*) FROM scheduling.appointment), (SELECT count(*) FROM scheduling.claim), (SELECT count(*) FROM scheduling.block),
       (SELECT md5(string_agg(hours::text, '' ORDER BY id)) FROM scheduling.schedule), (SELECT count(*) FROM patients.patient),
       (SELECT count(*) FROM directory.visit_type), (SELECT count(*) FROM kernel.idempotency),
       (SELECT count(*) FROM kernel.outbox WHERE topic NOT LIKE 'scheduling.schedule.%')
"""
"""Calendars are left out of the outbox: a timer extends them, and says so there."""


@pytest.fixture(scope="session")
async def clinic(one_process: System) -> Clinic:
    return await open_clinic(one_process)


@pytest.fixture(scope="session")
async def patient(clinic: Clinic) -> UUID:
    return await register(clinic.system)


@pytest.fixture(scope="session")
async def database(one_process: System) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(one_process.known.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def nothing_written(database: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    """Fails a test that leaves anything in the database."""
    before = await database.fetchrow(ROWS)
    yield
    assert await database.fetchrow(ROWS) == before, "a refused request left something behind"


@pytest.fixture
async def scheduler(one_process: System) -> AsyncIterator[Browser]:
    """Somebody who plans, signed in to the staff's pages."""
    made = await staff_signed_in(one_process, "scheduler")
    yield made
    await made.client.aclose()


@pytest.fixture
async def telephone(one_process: System) -> AsyncIterator[Browser]:
    """The browser of somebody who opens what was sent to them, not signed in."""
    async with browser(one_process) as client:
        yield Browser(client)


@pytest.fixture(scope="module")
async def client_id(one_process: System) -> str:
    return await registered_app(one_process)


@pytest.fixture
async def app(one_process: System, client_id: str) -> AsyncIterator[App]:
    """The app in the browser of a new patient, who is signed in."""
    made = await opened(one_process, client_id, await register(one_process))
    yield made
    await made.browser.client.aclose()
