"""Appointments and their claims as columns, with the rows that a loader copies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal
from uuid import UUID

import numpy as np

from carewright.contracts.directory import ActorKind, UrgencyTier
from carewright.contracts.scheduling import AppointmentStatus
from carewright.simulation.hospital.arrays import Bytes, Ints, uuids_of

STATUSES: tuple[AppointmentStatus, ...] = ("booked", "pending")
URGENCIES: tuple[UrgencyTier, ...] = ("P0", "P1", "P2")

_CHUNK = 2_000
"""Appointments turned into rows at once: rows already copied need not stay in memory."""

ParticipantRecord = tuple[ActorKind | Literal["patient"], UUID, datetime, datetime]
AppointmentRecord = tuple[UUID, AppointmentStatus, UUID, UUID, UUID, datetime, datetime, UrgencyTier, str | None, list[ParticipantRecord]]
ClaimRecord = tuple[UUID, datetime, datetime, UUID]
OpeningRecord = tuple[UUID, UUID, datetime, datetime]


@dataclass(frozen=True)
class Registry:
    """What the numbers in the columns stand for.

    A schedule number below `len(kinds)` is an actor; from there on it is a patient. `instants` holds the instant of every tick.
    """

    kinds: Sequence[ActorKind]
    schedules: Sequence[UUID]
    visit_types: Sequence[UUID]
    sites: Sequence[UUID]
    instants: Sequence[datetime]


@dataclass(frozen=True)
class Claims:
    """Time taken: appointment, schedule, first tick, tick after the last. Buffers are inside; a patient's claim is the visit's span."""

    appointment: Ints
    schedule: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.appointment)

    def ordered(self, order: Ints) -> "Claims":
        return Claims(self.appointment[order], self.schedule[order], self.start[order], self.end[order])

    def between(self, first: int, last: int) -> "Claims":
        """The claims at positions from `first` up to `last`."""
        which = slice(first, last)
        return Claims(self.appointment[which], self.schedule[which], self.start[which], self.end[which])

    @cached_property
    def by_schedule(self) -> "Claims":
        """The same claims sorted by schedule and start: the order in which an index over them is built fastest."""
        return self.ordered(np.lexsort((self.start, self.schedule)))


@dataclass(frozen=True)
class Appointments:
    """All appointments in the order of their starts. `claims` are sorted by appointment: leading actor, other actors, patient last."""

    ids: Bytes
    status: Ints
    visit_type: Ints
    site: Ints
    patient: Ints
    start: Ints
    end: Ints
    urgency: Ints
    referral: Ints
    claims: Claims

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def uuids(self) -> list[UUID]:
        return uuids_of(self.ids)

    def records(self, registry: Registry) -> Iterator[AppointmentRecord]:
        """(id, status, visit type, site, patient, start, end, urgency, referral or None, participants) of every appointment.

        A participant is (kind, actor, claimed from, claimed to): the leading actor first, the patient last.
        """
        for first in range(0, len(self), _CHUNK):
            yield from self._records(registry, first, min(first + _CHUNK, len(self)))

    def _records(self, registry: Registry, first: int, last: int) -> Iterator[AppointmentRecord]:
        which, instants = slice(first, last), registry.instants
        begin, *ends = np.searchsorted(self.claims.appointment, np.arange(first, last + 1)).tolist()
        participants = _participants(self.claims.between(begin, ends[-1]), registry)
        ends = [end - begin for end in ends]
        rows = zip(
            self.uuids[which],
            self.status[which].tolist(),
            self.visit_type[which].tolist(),
            self.site[which].tolist(),
            self.start[which].tolist(),
            self.end[which].tolist(),
            self.urgency[which].tolist(),
            self.referral[which].tolist(),
            [0, *ends[:-1]],
            ends,
            strict=True,
        )
        for appointment_id, status, visit_type, site, start, end, urgency, referral, since, until in rows:
            present = participants[since:until]
            yield (
                appointment_id,
                STATUSES[status],
                registry.visit_types[visit_type],
                registry.sites[site],
                present[-1][1],
                instants[start],
                instants[end],
                URGENCIES[urgency],
                f"ServiceRequest/demo-{referral:07d}" if referral >= 0 else None,
                present,
            )

    def claim_records(self, registry: Registry) -> Iterator[ClaimRecord]:
        """(schedule, start, end, appointment) of every claim, sorted by schedule and start."""
        claims, instants, uuids = self.claims.by_schedule, registry.instants, self.uuids
        return zip(
            map(registry.schedules.__getitem__, claims.schedule.tolist()),
            map(instants.__getitem__, claims.start.tolist()),
            map(instants.__getitem__, claims.end.tolist()),
            map(uuids.__getitem__, claims.appointment.tolist()),
            strict=True,
        )


def _participants(claims: Claims, registry: Registry) -> list[ParticipantRecord]:
    kinds, actors = registry.kinds, len(registry.kinds)
    schedules = claims.schedule.tolist()
    return list(
        zip(
            (kinds[schedule] if schedule < actors else "patient" for schedule in schedules),
            map(registry.schedules.__getitem__, schedules),
            map(registry.instants.__getitem__, claims.start.tolist()),
            map(registry.instants.__getitem__, claims.end.tolist()),
            strict=True,
        )
    )
