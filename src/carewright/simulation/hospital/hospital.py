"""A hospital as built: its directory as values, everything large as columns."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import UUID

import msgspec
import numpy as np

from carewright.contracts.directory import ActorKind, PutResources
from carewright.contracts.hours import DayException, LeavePeriod, WeeklyHours
from carewright.simulation.hospital.appointments import (
    AppointmentRecord,
    Appointments,
    ClaimRecord,
    OpeningRecord,
    Registry,
)
from carewright.simulation.hospital.arrays import TICK_MINUTES
from carewright.simulation.hospital.openings import Openings
from carewright.simulation.hospital.patients import PatientRecord, Patients
from carewright.simulation.hospital.size import HospitalSize


class BookableActor(msgspec.Struct, frozen=True, kw_only=True):
    """One actor with a calendar: what requirements match on (`codes`, each `system|code`), where, and the rules of the calendar."""

    schedule_id: UUID
    kind: ActorKind
    display: str
    codes: tuple[str, ...]
    site_ids: tuple[UUID, ...]
    weekly: tuple[WeeklyHours, ...]
    exceptions: tuple[DayException, ...] = ()
    leave: tuple[LeavePeriod, ...] = ()


@dataclass(frozen=True)
class Hospital:
    """The hospital. Times in columns are ticks of 5 minutes from `origin`; actors, sites, visit types and patients are numbered.

    Actors are numbered as in `actors`; as schedules, patients follow them. Sites are numbered as in `site_ids`, visit types as in the
    directory.
    """

    organization_id: UUID
    start_on: date
    size: HospitalSize
    origin: datetime
    site_ids: tuple[UUID, ...]
    directory: PutResources
    actors: tuple[BookableActor, ...]
    patients: Patients
    openings: Openings
    appointments: Appointments

    @property
    def last_on(self) -> date:
        """The last local day of the calendars."""
        return self.start_on + timedelta(days=self.size.days - 1)

    @cached_property
    def registry(self) -> Registry:
        """What the numbers in the columns stand for."""
        return Registry(
            kinds=[actor.kind for actor in self.actors],
            schedules=[*(actor.schedule_id for actor in self.actors), *self.patients.uuids],
            visit_types=[visit_type.id for visit_type in self.directory.visit_types],
            sites=self.site_ids,
            instants=self._instants(),
        )

    def opening_records(self) -> Iterator[OpeningRecord]:
        """(schedule, site, start, end) of every opening, sorted by actor and start."""
        columns, names = self.openings, self.registry
        return zip(
            map(names.schedules.__getitem__, columns.actor.tolist()),
            map(names.sites.__getitem__, columns.site.tolist()),
            map(names.instants.__getitem__, columns.start.tolist()),
            map(names.instants.__getitem__, columns.end.tolist()),
            strict=True,
        )

    def patient_records(self) -> Iterator[PatientRecord]:
        """(id, family, given, birth date, gender, language, phone or None, e-mail or None, medical record number)."""
        return self.patients.records()

    def appointment_records(self) -> Iterator[AppointmentRecord]:
        """(id, status, visit type, site, patient, start, end, urgency, referral or None, participants), by start.

        A participant is (kind, actor, claimed from, claimed to); the leading actor comes first, the patient last.
        """
        return self.appointments.records(self.registry)

    def claim_records(self) -> Iterator[ClaimRecord]:
        """(schedule, start, end, appointment), sorted by schedule and start; a patient's schedule is the patient's id."""
        return self.appointments.claim_records(self.registry)

    def digest(self) -> str:
        """A hash over everything: two hospitals are the same if their digests are."""
        sha = hashlib.sha256(msgspec.json.encode((self.organization_id, self.start_on, self.directory, self.actors)))
        appointments, claims = self.appointments, self.appointments.claims
        for part in (self.patients.people, self.patients, self.openings, appointments, claims):
            for column in vars(part).values():
                if isinstance(column, np.ndarray):
                    sha.update(column.tobytes())
        return sha.hexdigest()

    def _instants(self) -> Sequence[datetime]:
        last = int(max(self.openings.end.max(), self.appointments.claims.end.max()))
        tick = timedelta(minutes=TICK_MINUTES)
        return [self.origin + tick * number for number in range(last + 1)]
