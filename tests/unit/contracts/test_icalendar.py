"""What we write in iCalendar is what a reader that we did not write understands, whatever the texts hold."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.icalendar import LINE_OCTETS_MAX, Entry, calendar, status_of
from tests.ical_reading import events_of

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def entry(title: str = "Visit", where: str = "", start: datetime = START, end: datetime | None = None, **more: Any) -> Entry:
    given: dict[str, Any] = {"uid": "1@carewright", "sequence": 3, "stamped_at": START, "status": "CONFIRMED"} | more
    return Entry(start=start, end=end or start + timedelta(minutes=30), title=title, where=where, **given)


@given(title=st.text(max_size=300), where=st.text(max_size=300))
def test_another_reader_finds_every_text_as_it_was(title: str, where: str) -> None:
    printable = {ord(each): None for each in map(chr, [*range(32), 127, *range(0x80, 0xA0), 0x2028, 0x2029]) if each != "\n"}
    title, where = title.translate(printable), where.translate(printable)
    content = calendar([entry(title, where)])
    assert all(len(line) <= LINE_OCTETS_MAX for line in content.split(b"\r\n"))
    [event] = events_of(content)
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == (title, where)


@pytest.mark.parametrize(
    ("wall", "minutes"),
    [
        (datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), 30),  # until the hour that is left out
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), 30),  # the hour that comes twice, first time
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), 30),
    ],
)
def test_the_hour_of_a_clock_change_is_the_right_one(wall: datetime, minutes: int) -> None:
    start = wall.astimezone(UTC)
    [event] = events_of(calendar([entry(start=start, end=start + timedelta(minutes=minutes))]))
    assert event.decoded("DTSTART") == start
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=minutes)


def test_a_change_is_known_by_its_sequence_and_a_subscriber_told_when_to_look_again() -> None:
    content = calendar([entry(status="CANCELLED")], name="Dr. Ü", refresh=timedelta(hours=1))
    read = icalendar.Calendar.from_ical(content)
    assert str(read["METHOD"]) == "PUBLISH"
    assert str(read["NAME"]) == str(read["X-WR-CALNAME"]) == "Dr. Ü"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT60M\r\n" in content
    [event] = events_of(content)
    assert (int(event["SEQUENCE"]), str(event["STATUS"]), str(event["UID"])) == (3, "CANCELLED", "1@carewright")


def test_a_reminder_comes_a_day_before() -> None:
    [event] = events_of(calendar([entry(reminder=True)]))
    [alarm] = event.walk("VALARM")
    assert alarm.decoded("TRIGGER") == timedelta(days=-1)
    assert events_of(calendar([entry()]))[0].walk("VALARM") == []


@pytest.mark.parametrize(
    ("status", "said"),
    [("booked", "CONFIRMED"), ("fulfilled", "CONFIRMED"), ("pending", "TENTATIVE"), ("held", "TENTATIVE"), ("cancelled", "CANCELLED"),
     ("entered-in-error", "CANCELLED")],
)  # fmt: skip
def test_every_state_has_its_word(status: str, said: str) -> None:
    assert status_of(status) == said
