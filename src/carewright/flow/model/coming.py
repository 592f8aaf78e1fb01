"""Flow's small copy of appointments, and what it has to do with who is called: who is booked with whom, and when."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.queue import KeptFor, QueuePolicy
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


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment of a practitioner that is still to be kept; `arrived_at` of a patient who has come and waits."""

    start: datetime
    arrived_at: datetime | None = None


def kept_for(due: Iterable[Due], usual_minutes: float, policy: QueuePolicy, now: datetime) -> KeptFor | None:
    """For whom a practitioner's time is kept from walk-ins now, if for anybody.

    Who is not here is waited for until `grace_minutes` after their start; who came later than that has given their time up, and waits as
    everybody does.
    """
    if policy.booked_may_wait_minutes is None:
        return None
    ends = now + timedelta(minutes=usual_minutes - policy.booked_may_wait_minutes)
    grace = timedelta(minutes=policy.grace_minutes)
    first = min((each for each in due if each.start < ends and (each.arrived_at or now) <= each.start + grace), key=_start, default=None)
    if first is None:
        return None
    usual = round(usual_minutes)
    return KeptFor(booked_at=first.start, is_here=first.arrived_at is not None, usual_minutes=usual, text=_why(first, usual, now))


def _start(due: Due) -> datetime:
    return due.start


def _why(due: Due, usual_minutes: int, now: datetime) -> str:
    ahead = round((due.start - now).total_seconds() / 60)
    who = "The next booked patient has not come yet" if due.arrived_at is None else "The next booked patient is here"
    when = f"is due in {_minutes(ahead)}" if ahead > 0 else f"was due {_minutes(-ahead)} ago" if ahead < 0 else "is due now"
    return f"{who} and {when}. A service here usually takes {_minutes(usual_minutes)}, so a walk-in does not fit before them."


def _minutes(number: int) -> str:
    return f"{number} minute{'' if number == 1 else 's'}"
