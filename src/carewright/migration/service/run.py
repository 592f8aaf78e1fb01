"""What the steps of one import share."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from carewright.contracts.directory import Identifier
from carewright.contracts.imports import Position, Tally
from carewright.kernel.errors import Refusal
from carewright.migration.context import MigrationContext
from carewright.migration.model.mapping import FileMapping
from carewright.migration.model.reading import AppointmentRow, PatientRow
from carewright.migration.model.reasons import RowRejected

V = TypeVar("V", PatientRow, AppointmentRow)


@dataclass(frozen=True, slots=True)
class Row(Generic[V]):
    """A row with the value that it became."""

    at: Position
    value: V


@dataclass(frozen=True, slots=True)
class Run:
    """One import: in whose name, by which mapping, and what became of its rows so far.

    `in_stead_of` names the system that it reads where that is master, and what it writes is written in its stead. `tried` are the patients
    that a dry run took and did not write: visits that follow in the same run find them.
    """

    ctx: MigrationContext
    mapping: FileMapping
    tally: Tally
    dry_run: bool
    in_stead_of: str | None = None
    tried: set[str] = field(default_factory=set)

    def reject(self, at: Position, why: RowRejected | Refusal) -> None:
        """Of a refusal only the title is told: a detail could hold something of a person's."""
        self.tally.reject(at, why.code, why.reason if isinstance(why, RowRejected) else why.title)

    async def patients_of(self, source_ids: Iterable[str]) -> dict[str, set[UUID]]:
        """Whom the source's ids name here."""
        named = tuple(Identifier(system=self.mapping.source, value=each) for each in dict.fromkeys(source_ids))
        found: dict[str, set[UUID]] = {}
        for match in await self.ctx.patients.find_patients_by_identifier(self.ctx.actor, named):
            found.setdefault(match.identifier.value, set()).add(match.id)
        for each in self.tried.intersection(one.value for one in named) - found.keys():
            found[each] = {self.ctx.ids.new()}
        return found


def sole(ids: set[UUID] | None) -> UUID | None:
    """The one that is named; None for none. Raises `RowRejected` for several."""
    if ids and len(ids) > 1:
        raise RowRejected("ambiguous_patient")
    return next(iter(ids or ()), None)
