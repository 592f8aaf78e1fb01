"""The extract without names from the command line: `carewright extract`. Past appointments of an organization as NDJSON."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.patients import Traits
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.rng import new_secret, new_shift
from carewright.kernel.settings import StartFailed
from carewright.patients.service.records import read_traits
from carewright.records.model.deidentified import SHIFT_WEEKS_MAX, rows_of
from carewright.roles.lifecycle import NOBODY, running
from carewright.roles.registry import MODULES
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service.past import past_by_patient

CODE_BYTES = 16
NOTHING_KNOWN = Traits()


class Counts(NamedTuple):
    patients: int
    rows: int


async def extract(
    sections: Mapping[str, Any], organization_id: UUID, operator: str, path: Path, *, dated: bool, tell: Callable[[str], None]
) -> Counts:
    """Write the rows into a new file that only its owner reads. What is not whole does not stay.

    Whoever may run this has the keys: no sign-in is asked for. Raises `StartFailed` for a file that is there.
    """
    async with running([module for module in MODULES if module.name in ("patients", "scheduling")], sections) as system:
        actor = msgspec.structs.replace(NOBODY, subject=f"operator/{operator}", organization_id=organization_id, purpose="HOPERAT")
        scheduling, patients = (system.context(name).acting(actor) for name in ("scheduling", "patients"))
        with new_file(path) as file:
            return await write(scheduling, patients, file, dated=dated, tell=tell)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there, for its owner alone; gone again if what it is for does not come to its end."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as fault:
        raise StartFailed(f"{path} cannot be made: {fault.strerror}. Nothing is ever written over.") from fault
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise


async def write(scheduling: SchedulingContext, patients: Context, file: BinaryIO, *, dated: bool, tell: Callable[[str], None]) -> Counts:
    """A pseudonym is random, and forgotten as soon as its patient's rows are written: nobody can be asked whose it was (164.514(c))."""
    await audit.record(patients.db, audit.entry(patients, "records.extract.create", "E"))
    sites: dict[UUID, str] = {}
    people, rows, on = 0, 0, patients.clock.now().date()
    async for histories in past_by_patient(scheduling):
        traits = await read_traits(patients, list(histories)) if histories else {}
        for patient_id, history in histories.items():
            weeks = new_shift(SHIFT_WEEKS_MAX) if dated else None
            known = traits.get(patient_id, NOTHING_KNOWN)
            for row in rows_of(history, known, _code(), partial(_code_of, sites), on, weeks):
                file.write(msgspec.json.encode(row) + b"\n")
                rows += 1
        people += len(histories)
        tell(f"{people:,} patients, {rows:,} rows")
    return Counts(people, rows)


def _code_of(codes: dict[UUID, str], site_id: UUID) -> str:
    return codes.setdefault(site_id, _code())


def _code() -> str:
    return new_secret(CODE_BYTES).hex()
