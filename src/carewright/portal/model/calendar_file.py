"""The calendar file of an appointment: iCalendar, RFC 5545."""

from datetime import UTC, datetime

from carewright.portal.model.appointments import AppointmentView

LINE_OCTETS_MAX = 75  # RFC 5545 section 3.1


def calendar_file(one: AppointmentView, hospital: str, stamped_at: datetime) -> bytes:
    """One event with a reminder a day before. The title says where to be, not what for: calendars are often shared."""
    where = ", ".join(part for part in (one.place, one.site, one.address) if part)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Carewright//Portal//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{one.id}@carewright",
        f"SEQUENCE:{one.version}",
        f"DTSTAMP:{_instant(stamped_at)}",
        f"DTSTART:{_instant(one.start)}",
        f"DTEND:{_instant(one.end)}",
        f"SUMMARY:{_text(f'Appointment at {hospital}')}",
        f"LOCATION:{_text(where)}",
        f"STATUS:{'CANCELLED' if one.state == 'cancelled' else 'CONFIRMED' if one.state == 'booked' else 'TENTATIVE'}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(f'Appointment at {hospital}')}",
        "TRIGGER:-P1D",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(_folded(line) for line in lines).encode()


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """RFC 5545 section 3.3.11."""
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, never cut inside a character."""
    pieces, piece = list[str](), ""
    for character in line:
        if len((piece + character).encode()) > LINE_OCTETS_MAX - (1 if pieces else 0):
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece]) + "\r\n"
