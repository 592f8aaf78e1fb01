"""Recurrence rules, held against python-dateutil's, and what is refused of them."""

import datetime as calendar_of_python
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from types import SimpleNamespace

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from carewright.calendars.model.recurring import DAYS, Budget, rule_in, starts_of
from carewright.contracts.calendars import CalendarNotUnderstood

SINCE, BEFORE = datetime(2026, 11, 1), datetime(2027, 12, 1)  # noqa: DTZ001  # wall times
FIRSTS = st.datetimes(min_value=datetime(2023, 1, 1), max_value=datetime(2027, 6, 1)).map(lambda at: at.replace(second=0, microsecond=0))  # noqa: DTZ001  # wall times


@pytest.fixture(scope="module", autouse=True)
def near() -> Iterator[None]:
    """The other reader looks until the last year there is for a date that never comes; here the world ends in 2030."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dateutil.rrule.datetime", SimpleNamespace(**vars(calendar_of_python) | {"MAXYEAR": 2030}))
        yield


def some(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Nothing, or up to three of `values` under a name."""
    return st.lists(values, max_size=3, unique=True).map(lambda found: f";{name}={','.join(found)}" if found else "")


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    is_counted = frequency in ("MONTHLY", "YEARLY") and draw(st.booleans())  # for all: the other reader wants days to be both, not either
    nth = st.sampled_from(["1", "2", "-1", "-2"] if is_counted else [""])
    days = draw(some("BYDAY", st.tuples(nth, st.sampled_from(DAYS)).map("".join)))
    month_days = draw(some("BYMONTHDAY", st.sampled_from(["1", "13", "29", "31", "-1", "-7"]))) if frequency != "WEEKLY" else ""
    if month_days:
        days = "".join(letter for letter in days if not (letter.isdigit() or letter == "-"))
    months = draw(some("BYMONTH", st.sampled_from(["2", "11", "12"])))
    text = f"FREQ={frequency};INTERVAL={draw(st.integers(1, 4))}{days}{month_days}{months}"
    counts_in_weeks = frequency == "WEEKLY"  # where the other reader begins to count at the first event, and RFC 5545 with its week
    if (days or month_days) and not counts_in_weeks and draw(st.booleans()):
        text += f";BYSETPOS={draw(st.sampled_from(['1', '-1', '2']))}"
    ends = draw(st.sampled_from(["", ";COUNT=7", ";UNTIL=20270315T120000", ";WKST=SU"]))
    return text + ends


@settings(deadline=None, max_examples=200)
@given(text=rules(), first=FIRSTS)
def test_a_rule_means_what_another_reader_takes_it_to_mean(text: str, first: datetime) -> None:
    until = datetime(2027, 3, 15, 12) if "UNTIL" in text else None  # noqa: DTZ001  # a wall time
    ours = list(starts_of(rule_in(text, until), first, SINCE, BEFORE, Budget()))
    assert ours == [at for at in takewhile(lambda at: at < BEFORE, rrulestr(text, dtstart=first)) if at >= SINCE]


def test_a_place_is_counted_in_the_whole_week_that_the_first_event_lies_in() -> None:
    friday, rule = datetime(2026, 11, 6), rule_in("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1;COUNT=2", None)  # noqa: DTZ001  # a wall time
    assert [at.day for at in starts_of(rule, friday, SINCE, BEFORE, Budget())] == [9, 16]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FREQ=SECONDLY", "unsupported-rule"), ("FREQ=DAILY;BYHOUR=1,2", "unsupported-rule"),
        ("FREQ=YEARLY;BYWEEKNO=1", "unsupported-rule"),
        ("INTERVAL=2", "unsupported-rule"), ("FREQ=DAILY;INTERVAL=0", "rule"), ("FREQ=DAILY;COUNT=x", "rule"),
        ("FREQ=WEEKLY;BYDAY=XX", "rule"), ("FREQ=MONTHLY;BYMONTHDAY=0", "rule"), ("FREQ=YEARLY;BYMONTH=13", "rule"),
        ("FREQ=WEEKLY;BYDAY=2MO", "rule"), ("FREQ=WEEKLY;BYMONTHDAY=1", "rule"), ("FREQ=YEARLY;INTERVAL=" + "9" * 5000, "rule"),
    ],
)  # fmt: skip
def test_what_we_do_not_know_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CalendarNotUnderstood) as refused:
        rule_in(text, None)
    assert refused.value.facts["reason"] == reason


def test_no_rule_works_without_end() -> None:
    budget, first = Budget(100_000), datetime(1900, 1, 1)  # noqa: DTZ001  # a wall time
    assert list(starts_of(rule_in("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", None), first, SINCE, BEFORE, budget)) == []
    endless = rule_in("FREQ=DAILY;COUNT=1000000", None)
    for _ in range(2):
        assert len(list(starts_of(endless, first, SINCE, BEFORE, budget))) == (BEFORE - SINCE).days
    with pytest.raises(CalendarNotUnderstood):
        list(starts_of(endless, first, SINCE, BEFORE, budget))
