"""Whatever the tests' runs leave in the journal, held to the shape of BALP as it is stored; and the names of the deeds that were met."""

from dataclasses import dataclass, field

import asyncpg
import msgspec
import pytest

from carewright.contracts.audit import AuditEvent
from carewright.contracts.fhir.audit import audit_event
from tests.balp import faults_of

ENTRIES = "SELECT body FROM kernel.audit_entry"
ROWS_TOGETHER = 2_000
FAULTS_SHOWN_MAX = 20


@dataclass
class Journals:
    """What was read of every journal so far: how many entries, and under which names a deed succeeded or was refused."""

    count: int = 0
    done: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    async def read(self, url: str) -> None:
        """Read a database's whole journal, as a superuser does. Fails the run for an entry that is not as BALP has it."""
        faults: list[str] = []
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                async for row in connection.cursor(ENTRIES, prefetch=ROWS_TOGETHER):
                    faults += self._read(row["body"])
        finally:
            await connection.close()
        assert faults[:FAULTS_SHOWN_MAX] == []

    def _read(self, body: str) -> list[str]:
        event = msgspec.json.decode(body, type=AuditEvent)
        self.count += 1
        (self.done if event.outcome == "success" else self.refused).add(event.event)
        return [f"{event.event}: {fault}" for fault in faults_of(audit_event(event))]


@pytest.fixture(scope="session")
def journals() -> Journals:
    """Those of this run."""
    return Journals()
