"""A hospital import to try: two stores, rows written to a folder, and the import run on it."""

import gzip
import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from carewright.contracts.imports import ImportReport, Issue
from carewright.fhir.service.importing import Into, import_directory
from carewright.kernel.authz import Actor
from carewright.kernel.clock import ManualClock
from carewright.kernel.ids import Ids
from tests.unit.fhir.doubles import MemoryDirectory, MemoryFlow, MemoryPatients, MemoryVitals

Rows = Mapping[str, Sequence[dict[str, Any] | str | bytes]]


class Trial:
    """One folder, one directory, one set of patients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.directory = MemoryDirectory()
        self.patients = MemoryPatients()
        self.flow = MemoryFlow()
        self.vitals = MemoryVitals()
        self.progress: list[tuple[int, int]] = []
        self.issues: list[Issue] = []
        self.actor = Actor(subject="test", organization_id=UUID(int=1), role="integration")
        self._ids = Ids(ManualClock(datetime(2026, 1, 5, tzinfo=UTC)), random.Random(1))

    def write(self, rows: Rows) -> None:
        for name, lines in rows.items():
            data = b"".join(as_bytes(line) + b"\n" for line in lines)
            (self.folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    async def run(self, rows: Rows | None = None, **options: Any) -> ImportReport:
        self.write(rows or {})
        return await import_directory(
            Into(self.directory, self.patients, self.flow, self.vitals, self.actor), options.pop("paths", [self.folder]), self._ids,
            lambda done, total: self.progress.append((done, total)), note=self.issues.append, **options,
        )  # fmt: skip

    def one(self, resource_type: str, source_id: str) -> Any:
        """The stored resource that came from this FHIR id."""
        rows = self.patients.rows.values() if resource_type == "Patient" else self.directory.all(resource_type)
        system = f"urn:carewright:source:{resource_type}"
        found = [row for row in rows if any(one.system == system and one.value == source_id for one in row.identifiers)]
        assert len(found) == 1, f"{len(found)} stored for {resource_type}/{source_id}"
        return found[0]


def as_bytes(line: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line)).encode()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


@pytest.fixture
def new_trial(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Trial]:
    return lambda: Trial(tmp_path_factory.mktemp("import"))
