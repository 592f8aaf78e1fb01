"""The calendar file of an appointment."""

from datetime import datetime

from carewright.contracts.icalendar import Entry, calendar, status_of
from carewright.portal.model.appointments import AppointmentView


def calendar_file(one: AppointmentView, hospital: str, stamped_at: datetime) -> bytes:
    """One event with a reminder a day before. The title says where to be, not what for: calendars are often shared."""
    where = ", ".join(part for part in (one.place, one.site, one.address) if part)
    entry = Entry(
        uid=f"{one.id}@carewright", sequence=one.version, stamped_at=stamped_at, start=one.start, end=one.end,
        title=f"Appointment at {hospital}", where=where, status=status_of(one.state), reminder=True,
    )  # fmt: skip
    return calendar([entry])
