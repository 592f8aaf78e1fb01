"""How an older system's appointments and ours differ, field by field and service by service. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from uuid import UUID

from carewright.contracts.masters import Master
from carewright.contracts.migration import Difference, DifferenceReport, FieldDifference
from carewright.contracts.scheduling import Appointment, AppointmentStatus
from carewright.migration.model.reading import AppointmentRow, Status

STANDS_FOR: Mapping[AppointmentStatus, Status] = {
    "proposed": "booked", "pending": "booked", "waitlist": "booked", "booked": "booked", "arrived": "booked", "checked-in": "booked",
    "fulfilled": "fulfilled", "cancelled": "cancelled", "entered-in-error": "cancelled", "noshow": "noshow",
}  # fmt: skip
"""Our states, as rows have them: whoever has come is still expected by a system that knows bookings alone."""
MOVES = frozenset({"site", "start", "practitioner"})
"""What a move brings to what they have."""


LISTED_MAX = 1_000
"""Differences that a report lists; it counts all."""


class Comparison:
    """One service at a site, while the rows of an export pass. What is over on both sides counts only where the two differ."""

    def __init__(self, master: Master, now: datetime) -> None:
        self.master, self._now = master, now
        self._same = self._theirs_only = self._differing = 0
        self._differences: list[Difference] = []

    def agrees(self, line: int, theirs: AppointmentRow, patient_id: UUID | None, ours: Appointment | None, code: str | None) -> bool:
        """Take one row in; `ours` is what we have of it, `code` says why it was not taken. Whether there is nothing to look at."""
        if ours is None:
            expected = theirs.status == "booked" and theirs.start > self._now
            if expected:
                self._theirs_only += 1
                self._note(Difference(kind="theirs-only", line=line, code=code))
            return not expected
        fields = differences_of(theirs, patient_id, ours)
        if fields:
            self._differing += 1
            self._note(Difference(kind="differs", line=line, appointment_id=ours.id, code=code, fields=fields))
        elif max(theirs.start, ours.start) > self._now:
            self._same += 1
        return not fields

    def report(self, id_: UUID, ours: int, ours_only: Iterable[UUID], unread: int) -> DifferenceReport:
        """The account: `ours` of our appointments are expected, of which the export does not know `ours_only`."""
        unknown = list(ours_only)
        for each in unknown:
            self._note(Difference(kind="ours-only", appointment_id=each))
        return DifferenceReport(
            id=id_, service_id=self.master.service_id, site_id=self.master.site_id, source=self.master.source, made_at=self._now,
            theirs=self._same + self._differing + self._theirs_only, ours=ours, same=self._same, theirs_only=self._theirs_only,
            ours_only=len(unknown), differing=self._differing, unread=unread, differences=tuple(self._differences),
        )  # fmt: skip

    def _note(self, difference: Difference) -> None:
        if len(self._differences) < LISTED_MAX:
            self._differences.append(difference)


def differences_of(theirs: AppointmentRow, patient_id: UUID | None, ours: Appointment) -> tuple[FieldDifference, ...]:
    """Field by field, as far as the row says something. Of what took place no more on both sides, whom it was for and what became of it."""
    return tuple(_differences(theirs, patient_id, ours))


def _differences(theirs: AppointmentRow, patient_id: UUID | None, ours: Appointment) -> Iterator[FieldDifference]:
    status = STANDS_FOR[ours.status]
    if patient_id != ours.patient_id:
        yield FieldDifference(field="patient")
    if theirs.status != status:
        yield FieldDifference(field="status", theirs=theirs.status, ours=ours.status)
    if theirs.status == status == "cancelled":
        return
    if theirs.visit_type_id != ours.visit_type_id:
        yield FieldDifference(field="visit_type", theirs=str(theirs.visit_type_id), ours=str(ours.visit_type_id))
    if theirs.site_id != ours.site_id:
        yield FieldDifference(field="site", theirs=str(theirs.site_id), ours=str(ours.site_id))
    if theirs.start != ours.start:
        yield FieldDifference(field="start", theirs=_instant(theirs.start), ours=_instant(ours.start))
    if theirs.end is not None and theirs.end != ours.end:
        yield FieldDifference(field="end", theirs=_instant(theirs.end), ours=_instant(ours.end))
    practitioners = [each.actor_id for each in ours.participants if each.kind == "practitioner"]
    if theirs.practitioner_id is not None and theirs.practitioner_id not in practitioners:
        yield FieldDifference(field="practitioner", theirs=str(theirs.practitioner_id), ours=" ".join(map(str, practitioners)))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
