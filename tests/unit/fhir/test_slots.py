"""Calendars as slots: every minute of an opening is told once, and what is taken is told wherever it lies."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from carewright.contracts.hours import Busy, Opening
from carewright.contracts.schedules import Calendar
from carewright.fhir.model.ids import SlotId
from carewright.fhir.model.slots import slot_at, slots_of

MORNING = datetime(2026, 11, 26, 8, tzinfo=UTC)
ACTOR, SITE = UUID(int=1), UUID(int=2)


def at(minutes: int) -> datetime:
    return MORNING + timedelta(minutes=minutes)


def calendar(*busy: tuple[int, int, str], opens: int = 0, closes: int = 120) -> Calendar:
    return Calendar(
        schedule_id=ACTOR, kind="practitioner", display="", openings=(Opening(site_id=SITE, start=at(opens), end=at(closes)),),
        busy=tuple(Busy(status=status, start=at(start), end=at(end)) for start, end, status in busy),  # type: ignore[arg-type]  # words of a table
    )  # fmt: skip


def told(slots: object) -> list[tuple[str, int, int]]:
    def minutes(text: str) -> int:
        return int((datetime.fromisoformat(text) - MORNING).total_seconds() // 60)

    return [(each["status"], minutes(each["start"]), minutes(each["end"])) for each in slots]  # type: ignore[attr-defined]  # whatever is iterated over


def test_an_empty_day_is_one_free_stretch() -> None:
    assert told(slots_of(calendar())) == [("free", 0, 120)]


def test_what_is_taken_divides_it_and_may_reach_beyond_the_opening() -> None:
    day = calendar((30, 60, "busy"), (110, 150, "busy-unavailable"), (60, 70, "busy-tentative"))
    assert told(slots_of(day)) == [
        ("free", 0, 30), ("busy", 30, 60), ("busy-tentative", 60, 70), ("free", 70, 110), ("busy-unavailable", 110, 150),
    ]  # fmt: skip


def test_what_is_free_is_cut_into_whole_pieces() -> None:
    assert told(slots_of(calendar((30, 60, "busy")), 45)) == [("busy", 30, 60), ("free", 60, 105)]


@pytest.mark.parametrize(
    ("start", "minutes", "status"),
    [(0, 30, "free"), (0, 31, "busy"), (30, 30, "busy"), (60, 60, "free"), (100, 30, "busy-unavailable"), (200, 10, "busy-unavailable")],
)
def test_one_stretch_is_free_only_if_all_of_it_is(start: int, minutes: int, status: str) -> None:
    assert slot_at(SlotId(ACTOR, at(start), minutes), calendar((30, 60, "busy")))["status"] == status
