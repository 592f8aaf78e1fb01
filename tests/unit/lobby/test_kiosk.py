"""What a kiosk says to whoever stands at it: their ticket and where to wait, or what stands in the way and what to do."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from carewright.contracts.flow import WalkInsPaused
from carewright.contracts.kiosk import (
    CheckedIn,
    CheckInAtDesk,
    CheckInCodeNotRight,
    CheckInElsewhere,
    CheckInTooEarly,
    KioskQueue,
    KioskTicket,
    TooManyCodes,
)
from carewright.contracts.relief import OtherSite
from carewright.kernel.errors import Refusal, TooManyRequests
from carewright.lobby.http.texts import languages
from carewright.lobby.model import kiosk

WORDS = languages()["en"].kiosk
START = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
NORTH = OtherSite(queue_id=UUID(int=1), site_id=UUID(int=2), site_name="North Clinic", waiting=2, minutes=20, waits_less=True)


def told(**said: Any) -> CheckedIn:
    usual: dict[str, Any] = {
        "ticket": "K001", "queue": "Cardiology", "waits_at": "", "status": "waiting", "ahead": 0, "low_minutes": 4, "high_minutes": 11,
        "start": START, "time_zone": "Europe/Berlin", "is_late": False, "again": False,
    }  # fmt: skip
    return CheckedIn(**usual | said)


def test_who_waits_is_told_where_how_long_and_how_many_are_before_them() -> None:
    answer = kiosk.checked_in(WORDS, told(waits_at="Area 2", ahead=1))
    assert (answer.title, answer.ticket) == ("You are checked in", "K001")
    assert list(answer.lines) == [
        "For: Cardiology", "Please wait here: Area 2", "One person is before you. It will probably take 0–15 minutes.",
        WORDS["order"], WORDS["remember"],
    ]  # fmt: skip


def test_of_what_the_queue_does_not_tell_nothing_is_said() -> None:
    answer = kiosk.checked_in(WORDS, told(ahead=None, low_minutes=None, high_minutes=None))
    assert list(answer.lines) == ["For: Cardiology", WORDS["waits_anywhere"], WORDS["remember"]]
    unknown = kiosk.checked_in(WORDS, told(low_minutes=None, high_minutes=None)).lines
    assert f"{WORDS['next']} {WORDS['wait_unknown']}" in unknown


def test_who_is_late_is_told_the_time_of_their_appointment_on_the_sites_clock() -> None:
    assert kiosk.checked_in(WORDS, told(is_late=True)).lines[0].startswith("Your appointment was at 09:30.")


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ({"status": "called", "place": "Room 5"}, "It is your turn now. Please go to: Room 5"),
        ({"status": "called"}, WORDS["called_desk"]),
        ({"status": "skipped"}, WORDS["desk_now"]),
    ],
)  # fmt: skip
def test_who_was_called_meanwhile_is_told_where_to_go(said: dict[str, Any], first: str) -> None:
    answer = kiosk.checked_in(WORDS, told(again=True, **said))
    assert (answer.title, answer.lines[0]) == ("You are checked in already", first)


@pytest.mark.parametrize(
    ("refusal", "title", "line"),
    [
        (CheckInCodeNotRight(), "We do not find this code", WORDS["not_found"]),
        (CheckInTooEarly(from_at=START.isoformat(), time_zone="Europe/Berlin"), "You are early", WORDS["early"].format(time="09:30")),
        (CheckInElsewhere(site_name="North Clinic"), WORDS["elsewhere_title"], WORDS["elsewhere_site"].format(site="North Clinic")),
        (CheckInAtDesk(why="cancelled"), "This appointment was cancelled", WORDS["cancelled"]),
        (CheckInAtDesk(why="over"), "The time of this appointment is over", WORDS["over"]),
        (CheckInAtDesk(why="unclear"), "Please go to the desk", WORDS["desk"]),
        (TooManyCodes(retry_after_seconds=9), "Please go to the desk", WORDS["too_many"]),
        (TooManyRequests(retry_after_seconds=9), "Please go to the desk", WORDS["desk"]),
        (WalkInsPaused(), "Please go to the desk", WORDS["desk"]),
    ],
)  # fmt: skip
def test_whatever_stands_in_the_way_is_said_plainly_with_what_to_do(refusal: Refusal, title: str, line: str) -> None:
    answer = kiosk.not_possible(WORDS, refusal)
    assert (answer.title, answer.lines[0], answer.ticket) == (title, line, "")
    assert answer.may_retry is isinstance(refusal, CheckInCodeNotRight)
    assert any("desk" in each for each in (answer.title, *answer.lines))


def test_a_ticket_without_an_appointment_says_that_the_desk_calls_first_and_where_one_waits_less() -> None:
    ticket = KioskTicket(ticket="K002", queue="Cardiology", waits_at="", status="waiting", ahead=3, elsewhere=(NORTH,))
    answer = kiosk.ticket_taken(WORDS, ticket)
    assert answer.lines[0] == WORDS["who_first"]
    assert f"3 people are before you. {WORDS['wait_unknown']}" in answer.lines
    assert answer.lines[-1] == "Shorter wait: North Clinic, about 20 minutes"


def test_a_queue_that_takes_nobody_now_is_no_button_and_says_where_else() -> None:
    queue = KioskQueue(id=UUID(int=3), name="Cardiology", waiting=40, is_paused=True, elsewhere=(NORTH,))
    shown = kiosk.choice(WORDS, queue)
    assert (shown.id, list(shown.lines)) == (
        None, [WORDS["paused"], "Shorter wait: North Clinic, about 20 minutes", WORDS["desk_now"]],
    )  # fmt: skip
    open_ = kiosk.choice(WORDS, KioskQueue(id=UUID(int=3), name="Cardiology", waiting=2, is_paused=False, low_minutes=10, high_minutes=21))
    assert (open_.id, list(open_.lines)) == (UUID(int=3), ["2 waiting, about 10–25 minutes"])
