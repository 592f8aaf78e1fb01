"""What is somebody's own: a patient sees theirs, staff everybody's at their sites, and the journal knows of each who saw it."""

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol, TypeVar
from uuid import UUID

from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service.cursors import Known, page_of


class Owned(Known, Protocol):
    """Something of a patient's."""

    @property
    def patient_id(self) -> UUID: ...


class Asked(Protocol):
    """Which of them are asked for; of everybody's, where no patient is named."""

    @property
    def patient_id(self) -> UUID | None: ...

    @property
    def limit(self) -> int: ...


T = TypeVar("T", bound=Owned)
Q = TypeVar("Q", bound=Asked)
Read = Callable[[Session, UUID, Q, UUID | None, Collection[UUID]], Awaitable[list[T]]]
"""The query of a page and one more: of an organization, as asked, of one patient or of all, at any of these sites or at all."""


async def list_own(ctx: SchedulingContext, query: Q, read: Read[Q, T], deed: str, kind: str) -> tuple[tuple[T, ...], UUID | None]:
    """A page of one's own, or of everybody's at one's sites, and behind which id the next begins.

    `deed` is its name in the journal, `kind` what is shown. Raises `Forbidden`, also for who speaks for no patient.
    """
    patient_id = query.patient_id or ctx.actor.patient_id
    if ctx.by_patient and (patient_id is None or patient_id != ctx.actor.patient_id):
        raise Forbidden("You can act for yourself only.")
    async with ctx.db.transaction() as tx:
        items, after = page_of(await read(tx, ctx.actor.organization_id, query, patient_id, ctx.actor.site_ids), query.limit)
        seen = ((each.patient_id, audit.Entity(type=kind, id=each.id)) for each in items)
        await audit.record(tx, *audit.entries_about(ctx, deed, seen))
    return items, after
