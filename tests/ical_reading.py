"""What somebody else's reader (the library `icalendar`) makes of the iCalendar that we write."""

from typing import Any

import icalendar


def events_of(content: bytes) -> list[Any]:
    """The events of a calendar that breaks no rule that the reader knows."""
    read = icalendar.Calendar.from_ical(content)
    assert read.errors == []
    events: list[Any] = list(read.walk("VEVENT"))
    for event in events:
        assert event.errors == []
        assert {"UID", "DTSTAMP", "DTSTART"} <= set(event)
    return events
