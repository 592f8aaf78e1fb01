"""Data directories for the tests of the embedded servers."""

import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.faults.ground import Ground, copy_tree, new_folder, processes_of


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Path]:
    """A data directory with a stopped cluster in it, to be copied: making one takes most of a second."""
    ground = Ground(new_folder())
    async with ground.postgres() as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("CREATE TABLE kept (number int); INSERT INTO kept VALUES (1)")
        await connection.close()
    yield ground.data
    shutil.rmtree(ground.folder)


@pytest.fixture
def fresh() -> Iterator[Ground]:
    """An empty ground. Whatever a test leaves running there fails it."""
    ground = Ground(new_folder())
    yield ground
    left = processes_of(ground.folder)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(ground.folder, ignore_errors=True)
    assert left == []


@pytest.fixture
def made(fresh: Ground, cluster: Path) -> Ground:
    """A ground whose data directory has been used before."""
    copy_tree(cluster, fresh.data)
    return fresh
