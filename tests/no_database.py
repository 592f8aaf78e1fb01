"""A database for tests that need none: every tenant's, and empty hands for whoever asks it something."""

from typing import Any
from uuid import UUID

from carewright.kernel.db import Database
from carewright.kernel.pool import Pool


async def _open() -> Any:
    raise AssertionError("This test has no database.")


async def _move(_: Any, __: UUID | None) -> None:
    raise AssertionError("This test has no connection.")


NO_DATABASE = Database(Pool(_open, _move, 1), Pool(_open, _move, 1))
