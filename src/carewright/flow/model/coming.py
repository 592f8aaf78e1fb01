"""Appointments as a queue knows them: flow's small copy of who is booked with whom, and when."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.scheduling import AppointmentStatus


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment of today at a queue's service and site. Whose it is the copy does not say."""

    appointment_id: UUID
    practitioner_ids: tuple[UUID, ...]
    level: int
    status: AppointmentStatus
    start: datetime
    end: datetime

    @property
    def practitioner_id(self) -> UUID | None:
        """Who alone calls the patient; None where several take part, or nobody."""
        return self.practitioner_ids[0] if len(self.practitioner_ids) == 1 else None
