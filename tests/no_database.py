"""For tests that need no database: it takes audit entries, keeps their lines, and has nothing else."""

from typing import Any
from uuid import UUID

from carewright.kernel.sql import Query


class Journal:
    """Stands where a context has its database, for every tenant."""

    joint = None

    def __init__(self) -> None:
        self.lines: list[str] = []

    def of(self, _: UUID) -> "Journal":
        return self

    async def execute(self, query: Query, *args: Any) -> None:
        """Take entries as `append_audit_entries` does. Any other statement fails the test."""
        assert query.name == "kernel.append_audit_entries", query.name
        self.lines += args[3]
