"""Patients of another system: known by their id there, put as they are said, a batch at a time."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.imports import Position
from carewright.contracts.patients import Patient, PutPatients
from carewright.kernel.errors import Refusal
from carewright.kernel.halves import in_halves
from carewright.migration.model.reading import PatientRow
from carewright.migration.model.reasons import RowRejected
from carewright.migration.service.run import Row, Run, sole

READ_AT_ONCE = 200


class _Ready(NamedTuple):
    at: Position
    value: Patient


async def bring_patients(run: Run, rows: Sequence[Row[PatientRow]]) -> None:
    """Put a batch. What a record has and the rows do not speak of stays."""
    owners = await run.patients_of(row.value.source_id for row in rows)
    known = await _records(run, [id_ for ids in owners.values() for id_ in ids])
    ready: list[_Ready] = []
    for row in rows:
        try:
            id_ = sole(owners.get(row.value.source_id)) or run.ctx.ids.new()
        except RowRejected as rejected:
            run.reject(row.at, rejected)
            continue
        ready.append(_Ready(row.at, row.value.onto(known.get(id_), id_)))
    if run.dry_run:
        run.tried.update(row.value.source_id for row in rows)
        for one in ready:
            run.tally.accept(one.at)
    else:
        await in_halves(ready, partial(_put, run), partial(_refused, run))


async def _records(run: Run, ids: Sequence[UUID]) -> dict[UUID, Patient]:
    found: dict[UUID, Patient] = {}
    for first in range(0, len(ids), READ_AT_ONCE):
        some = tuple(ids[first : first + READ_AT_ONCE])
        found |= {one.id: one for one in await run.ctx.patients.get_patients(run.ctx.actor, some)}
    return found


async def _put(run: Run, ready: Sequence[_Ready]) -> None:
    result = await run.ctx.patients.put_patients(run.ctx.actor, PutPatients(patients=tuple(one.value for one in ready)))
    run.tally.stored("Patient", created=result.created, changed=result.changed, unchanged=result.unchanged)
    for one in ready:
        run.tally.accept(one.at)


def _refused(run: Run, one: _Ready, refusal: Refusal) -> None:
    run.reject(one.at, refusal)
