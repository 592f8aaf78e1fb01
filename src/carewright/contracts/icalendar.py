"""How appointments look in iCalendar (RFC 5545, RFC 7986): one writer for the file of one appointment and for the feed of a calendar.

Instants are written in UTC, so that no reader needs a time zone of ours and no day of a clock change is ambiguous.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

MEDIA_TYPE = "text/calendar; charset=utf-8"
LINE_OCTETS_MAX = 75  # RFC 5545 section 3.1
Status = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One VEVENT. `uid` stays for ever and `sequence` rises with each change; `reminder` says whether to remind a day before."""

    uid: str
    sequence: int
    stamped_at: datetime
    start: datetime
    end: datetime
    title: str
    where: str
    status: Status
    reminder: bool = False


def status_of(appointment_status: str) -> Status:
    """The VEVENT status (RFC 5545 section 3.8.1.11) of an appointment in a state of FHIR's."""
    if appointment_status in ("cancelled", "entered-in-error"):
        return "CANCELLED"
    return "CONFIRMED" if appointment_status in ("booked", "arrived", "checked-in", "fulfilled", "noshow") else "TENTATIVE"


def calendar(entries: Iterable[Entry], *, name: str = "", refresh: timedelta | None = None) -> bytes:
    """A VCALENDAR of `entries`. Readers that subscribe to it look again after `refresh`, as far as they obey."""
    return "".join(_folded(line) for line in _lines(entries, name, refresh)).encode()


def _lines(entries: Iterable[Entry], name: str, refresh: timedelta | None) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Carewright//Calendar//EN", "METHOD:PUBLISH")
    if name:
        yield from (f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}")
    if refresh:
        span = f"PT{int(refresh.total_seconds() // 60)}M"
        yield from (f"REFRESH-INTERVAL;VALUE=DURATION:{span}", f"X-PUBLISHED-TTL:{span}")
    for entry in entries:
        yield from _event(entry)
    yield "END:VCALENDAR"


def _event(entry: Entry) -> Iterator[str]:
    yield from (
        "BEGIN:VEVENT",
        f"UID:{entry.uid}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTAMP:{_instant(entry.stamped_at)}",
        f"DTSTART:{_instant(entry.start)}",
        f"DTEND:{_instant(entry.end)}",
        f"SUMMARY:{_text(entry.title)}",
        f"LOCATION:{_text(entry.where)}",
        f"STATUS:{entry.status}",
    )
    if entry.reminder:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(entry.title)}", "TRIGGER:-P1D", "END:VALARM")
    yield "END:VEVENT"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """RFC 5545 section 3.3.11."""
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, never cut inside a character."""
    pieces, piece, size = list[str](), "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE_OCTETS_MAX:
            pieces.append(piece)
            piece, size = "", 1  # the space that a continued line begins with
        piece, size = piece + character, size + octets
    return "\r\n ".join([*pieces, piece]) + "\r\n"
