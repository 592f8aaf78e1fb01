"""When a calendar is busy: zones, whole days, exceptions, and files that are no calendars."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from carewright.calendars.model.busy import Stretch, busy_in, changed
from carewright.contracts.calendars import CalendarNotUnderstood

BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = Stretch(datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC))


def event(*lines: str, uid: str = "1") -> str:
    return "\r\n".join(("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"))


def calendar(*events: str) -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR", "")).encode()


def busy(*events: str) -> list[tuple[str, str]]:
    """Stretches as UTC month-day and time."""
    return [(f"{each.start:%m-%dT%H:%M}", f"{each.end:%m-%dT%H:%M}") for each in busy_in(calendar(*events), BERLIN, WINDOW)]


def refusal(content: bytes) -> object:
    with pytest.raises(CalendarNotUnderstood) as refused:
        busy_in(content, BERLIN, WINDOW)
    return refused.value.facts["reason"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("DTSTART:20261102T090000Z", "DTEND:20261102T100000Z"), ("11-02T09:00", "11-02T10:00")),
        (("DTSTART;TZID=America/New_York:20261102T090000", "DURATION:PT1H"), ("11-02T14:00", "11-02T15:00")),
        (("DTSTART;TZID=W. Europe Standard Time:20261102T090000", "DURATION:PT1H"), ("11-02T08:00", "11-02T09:00")),
        (('DTSTART;TZID="Europe/Berlin":20261102T090000', "DURATION:PT1H"), ("11-02T08:00", "11-02T09:00")),
        (("DTSTART:20261102T090000", "DURATION:P1DT30M"), ("11-02T08:00", "11-03T08:30")),
        (("DTSTART;VALUE=DATE:20261102",), ("11-01T23:00", "11-02T23:00")),
        (("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261026"), ("10-23T22:00", "10-25T23:00")),
        (("DTSTART:20261102T090230Z", "DTEND:20261102T095501Z"), ("11-02T09:00", "11-02T10:00")),
        (("DTSTART:20261001T000000Z", "DTEND:20270101T000000Z"), ("10-19T00:00", "11-30T00:00")),
    ],
)
def test_an_event_is_busy_from_when_until_when(lines: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert busy(event(*lines)) == [expected]


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:20261102T090000Z", "DTEND:20261102T100000Z", "TRANSP:TRANSPARENT"),
        ("DTSTART:20261102T090000Z", "DTEND:20261102T100000Z", "STATUS:CANCELLED"),
        ("DTSTART:20261102T090000Z", "DTEND:20261102T100000Z", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"),
        ("DTSTART:20261102T090000Z",),
        ("DTSTART:20261102T090000Z", "DTEND:20261102T080000Z"),
        ("DTSTART:20251102T090000Z", "DTEND:20251102T100000Z"),
    ],
)
def test_what_takes_no_time_or_is_free_is_not_busy(lines: tuple[str, ...]) -> None:
    assert busy(event(*lines)) == []


def test_a_weekly_event_stays_at_its_wall_time_over_the_clock_change() -> None:
    weekly = event("DTSTART;TZID=Europe/Berlin:20261019T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3")
    assert [start for start, _ in busy(weekly)] == ["10-19T07:00", "10-26T08:00", "11-02T08:00"]


def test_exceptions_and_changed_occurrences_take_the_place_of_theirs() -> None:
    master = event(
        "DTSTART;TZID=Europe/Berlin:20261102T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261105T080000Z",
        "EXDATE;TZID=Europe/Berlin:20261103T090000", "RDATE:20261110T080000Z",
    )  # fmt: skip
    moved = event("RECURRENCE-ID;TZID=Europe/Berlin:20261104T090000", "DTSTART:20261104T150000Z", "DURATION:PT1H")
    assert [start for start, _ in busy(master, moved)] == ["11-02T08:00", "11-04T15:00", "11-05T08:00", "11-10T08:00"]
    gone = event("RECURRENCE-ID:20261104T080000Z", "DTSTART:20261104T080000Z", "DURATION:PT1H", "STATUS:CANCELLED")
    assert [start for start, _ in busy(master, gone)] == ["11-02T08:00", "11-05T08:00", "11-10T08:00"]


def test_whole_days_recur_and_end_with_the_day_of_their_until() -> None:
    days = event("DTSTART;VALUE=DATE:20261102", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261104")
    assert busy(days) == [("11-01T23:00", "11-02T23:00"), ("11-03T23:00", "11-04T23:00")]


def test_what_overlaps_or_touches_is_one_stretch() -> None:
    first = event("DTSTART:20261102T090000Z", "DTEND:20261102T100000Z")
    others = [event(f"DTSTART:20261102T{at}Z", "DURATION:PT1H", uid=at) for at in ("100000", "103000", "120000")]
    assert busy(first, *others) == [("11-02T09:00", "11-02T11:30"), ("11-02T12:00", "11-02T13:00")]


def test_folded_lines_alarms_and_other_components_are_read_over() -> None:
    alarm = "BEGIN:VALARM\r\nTRIGGER;VALUE=DATE-TIME:20260101T000000Z\r\nDTSTART:nonsense\r\nEND:VALARM"
    content = calendar("BEGIN:VTIMEZONE\r\nTZID:x\r\nEND:VTIMEZONE", event("DTSTART:20261102T0900\r\n 00Z", "DURATION:PT1H", alarm))
    assert len(busy_in(content, BERLIN, WINDOW)) == 1
    assert len(busy_in(b"\xef\xbb\xbf" + content.replace(b"\r\n", b"\n"), BERLIN, WINDOW)) == 1


GOOD = calendar(event("DTSTART:20261102T090000Z", "DURATION:PT1H"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut-off"),
        (b"<html>\r\n", "line"),
        (GOOD[:-20], "structure"),
        (GOOD[:-15], "cut-off"),
        (b"\xef\xbb\xbf\r\n", "cut-off"),
        (GOOD.replace(b"END:VEVENT\r\n", b""), "structure"),
        (GOOD.replace(b"UID:1\r\n", b""), "event"),
        (GOOD.replace(b"20261102T090000Z", b"20261302T090000Z"), "time"),
        (GOOD.replace(b"20261102T090000Z", b"tomorrow"), "time"),
        (GOOD.replace(b"DTSTART:", b"DTSTART;TZID=Nowhere:"), "unknown-zone"),
        (GOOD.replace(b"DTSTART:", b"DTSTART;TZID=../../etc/passwd:"), "unknown-zone"),
        (GOOD.replace(b"PT1H", b"an hour"), "time"),
        (GOOD.replace(b"DURATION", b"RRULE:FREQ=MINUTELY\r\nDURATION"), "unsupported-rule"),
        (GOOD.replace(b"DURATION", b"RDATE;VALUE=PERIOD:20261102T090000Z/PT1H\r\nDURATION"), "time"),
        (GOOD.replace(b"UID", b"RECURRENCE-ID;RANGE=THISANDFUTURE:20261102T090000Z\r\nUID"), "unsupported-rule"),
        (b"\xff\xfe" + GOOD, "not-utf-8"),
        (calendar(*(event("DTSTART:20261102T090000Z", uid=str(number)) for number in range(10_001))), "too-many-events"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "structure"),
        (GOOD.replace(b"VEVENT", b"VFREEBUSY"), "free-busy"),
        (b" " * (8 * 1024 * 1024 + 1), "too-large"),
        (GOOD.replace(b"20261102T090000Z", b"00010101T000000Z\r\nRRULE:FREQ=WEEKLY;COUNT=9;WKST=SU"), "time"),
        (b"\n" * 200_001, "too-many-lines"),
    ],
)
def test_what_cannot_be_read_whole_is_refused(content: bytes, reason: str) -> None:
    assert refusal(content) == reason


def test_rules_that_make_a_bomb_are_refused_quickly() -> None:
    bombs = [event("DTSTART:19000101T090000Z", "DURATION:PT1M", "RRULE:FREQ=DAILY;COUNT=99999", uid=str(number)) for number in range(50)]
    assert refusal(calendar(*bombs)) == "rules-too-long"
    daily = [event(f"DTSTART:20261020T{hour:02}{minute:02}00Z", "DURATION:PT1M", "RRULE:FREQ=DAILY", uid=f"{hour}-{minute}")
             for hour in range(24) for minute in range(0, 60, 10)]  # fmt: skip
    assert refusal(calendar(*daily)) == "too-many-events"


def test_a_change_is_what_to_block_and_what_to_open() -> None:
    one, other, third = (Stretch(WINDOW.start + timedelta(hours=at), WINDOW.start + timedelta(hours=at + 1)) for at in (1, 3, 5))
    assert changed([one, other], [other, third]) == ([third], [one])
