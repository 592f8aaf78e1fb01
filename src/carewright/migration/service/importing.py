"""Import of a CSV file: its rows are read by the mapping and brought in batches, each told once."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from carewright.contracts.imports import ImportReport, Position, Tally
from carewright.contracts.migration import InvalidMapping
from carewright.migration.context import MigrationContext
from carewright.migration.model.mapping import FileMapping, Kind
from carewright.migration.model.reading import read_appointment, read_patient
from carewright.migration.model.reasons import REASONS, RowRejected
from carewright.migration.service.appointments import bring_appointments
from carewright.migration.service.patients import bring_patients
from carewright.migration.service.run import Row, Run
from carewright.migration.store import files
from carewright.migration.store.files import Record

BATCH_ROWS = 200
Progress = Callable[[int, int], None]
TYPES: Mapping[Kind, str] = {"patient": "Patient", "appointment": "Appointment"}
READS: Mapping[Kind, Callable[[FileMapping, Mapping[str, str]], Any]] = {"patient": read_patient, "appointment": read_appointment}
BRINGS: Mapping[Kind, Callable[[Run, Any], Awaitable[None]]] = {"patient": bring_patients, "appointment": bring_appointments}


async def import_csv(
    ctx: MigrationContext, path: Path, mapping: FileMapping, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Import one file. A second run recognises what is here and changes nothing; a dry run reads all and writes nothing.

    `progress(done, total)` counts lines. Raises `FileUnreadable`, `InvalidMapping` for a column that the file lacks, and what the modules
    refuse the actor as a whole.
    """
    run = Run(ctx, mapping, Tally(), dry_run)
    await bring_file(run, path, partial(BRINGS[mapping.kind], run), progress)
    return run.tally.report(1)


async def bring_file(run: Run, path: Path, bring: Callable[[Any], Awaitable[None]], progress: Progress | None) -> None:
    """Read a file and hand its good rows to `bring`, a batch at a time; the others are told in the run's tally."""
    form = files.form_of(path, run.mapping.encoding, run.mapping.separator)
    _ensure_columns(run.mapping, files.header_of(path, form))
    await bring_records(run, path.name, files.records_of(path, form), bring, lambda line: progress(line, form.lines) if progress else None)
    if progress:
        progress(form.lines, form.lines)


async def bring_records(
    run: Run, file: str, records: Iterable[Record], bring: Callable[[Any], Awaitable[None]], reached: Callable[[int], None]
) -> None:
    """Hand the good rows of `records` to `bring`, a batch at a time, and tell the others; `reached` hears the last line of each batch."""
    rows = _rows(run, file, records)
    while batch := list(islice(rows, BATCH_ROWS)):
        await bring(batch)
        reached(batch[-1].at.line)


def _ensure_columns(mapping: FileMapping, header: list[str]) -> None:
    missing = sorted(mapping.named_columns - set(header))
    if missing:
        raise InvalidMapping(f"The file has no column {missing[0]!r}.", field=missing[0])


def _rows(run: Run, file: str, records: Iterable[Record]) -> Iterator[Row[Any]]:
    """The good rows, each id once. The others are settled on the way."""
    seen: set[str] = set()
    for record in records:
        at = Position(file, record.line, TYPES[run.mapping.kind], record.source_id)
        if record.aside:
            run.tally.skip(at, record.aside, REASONS[record.aside])
            continue
        try:
            row = Row(at, _value(run.mapping, record, seen))
        except RowRejected as rejected:
            run.reject(at, rejected)
            continue
        yield row


def _value(mapping: FileMapping, record: Record, seen: set[str]) -> Any:
    """What the record says, of an id that was not `seen`, and is now."""
    if record.fault:
        raise RowRejected(record.fault)
    value = READS[mapping.kind](mapping, record.values)
    if value.source_id in seen:
        raise RowRejected("repeated")
    seen.add(value.source_id)
    return value
