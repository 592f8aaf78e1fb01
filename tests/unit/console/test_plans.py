"""Plans of days in words: for how long a form plans, what has come between a move and its appointment, and who is in its way."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from carewright.console.http import plan_words as words
from carewright.console.http.plans import asked
from carewright.contracts.directory import Location
from carewright.contracts.planner import KeptPlan, MoveMade, PlanDay, PlannedMove
from carewright.contracts.scheduling import Appointment, Participant

ZONE = ZoneInfo("America/Chicago")
TEN = datetime(2026, 11, 27, 16, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
SITE = Location(id=uuid4(), kind="site", name="Lakeside", site_id=uuid4(), time_zone=ZONE.key)
PHYSICIAN, OTHER = uuid4(), uuid4()
MOVE = PlannedMove(
    appointment_id=uuid4(), version=3, visit_type_name="Foot check", urgency="P2", booked_start=TEN, start=TEN + 2 * HALF_HOUR,
    end=TEN + 3 * HALF_HOUR, actor_ids=(OTHER,), reason="cannot-take-place",
)  # fmt: skip
KEPT = KeptPlan(
    id=uuid4(), site_id=SITE.id, state="proposed", cause="asked", asked=PlanDay(site_id=SITE.id), asked_at=TEN, from_at=TEN,
    until_at=TEN + timedelta(hours=14), version=2,
)  # fmt: skip


def visit(start: datetime = TEN, actor_id: UUID = PHYSICIAN, **more: object) -> Appointment:
    taken = Participant(kind="practitioner", actor_id=actor_id, display="Dr. Ada", claimed_from=start, claimed_to=start + HALF_HOUR)
    made = Appointment(
        id=MOVE.appointment_id, status="booked", visit_type_id=uuid4(), visit_type_name="Foot check", service_name="Podiatry",
        site_id=SITE.id, site_name="Lakeside", time_zone=ZONE.key, patient_id=uuid4(), start=start, end=start + HALF_HOUR,
        participants=(taken,), created_at=TEN, version=3,
    )  # fmt: skip
    return replace(made, **more)


def said(one: Appointment | None, made: MoveMade | None = None, now: datetime = TEN, *without: Appointment) -> words.Move:
    named = words.Named({one.id: one} if one else {}, {}, {OTHER: "Dr. Ben"})
    return words.move_of(MOVE, made, named, KEPT, ZONE, now, without)


@pytest.mark.parametrize(
    ("what", "now", "from_at", "hours"),
    [
        ("rest", datetime(2026, 11, 27, 10, 15, tzinfo=ZONE), None, 14), ("rest", datetime(2026, 11, 27, 23, 59, tzinfo=ZONE), None, 1),
        ("tomorrow", datetime(2026, 11, 27, 10, 15, tzinfo=ZONE), datetime(2026, 11, 28, tzinfo=ZONE), 24),
        ("tomorrow", datetime(2026, 10, 31, 9, tzinfo=ZONE), datetime(2026, 11, 1, tzinfo=ZONE), 25),
        ("tomorrow", datetime(2027, 3, 13, 9, tzinfo=ZONE), datetime(2027, 3, 14, tzinfo=ZONE), 23),
    ],
    ids=str,
)  # fmt: skip
def test_a_form_plans_to_the_end_of_the_day_by_the_clock_of_the_site(
    what: str, now: datetime, from_at: datetime | None, hours: int
) -> None:
    wanted = asked(SITE, what, "thorough", now)
    assert (wanted.from_at, wanted.hours, wanted.seconds) == (from_at, hours, 20.0)


def test_a_move_that_nothing_stands_against_is_chosen() -> None:
    move = said(visit())
    assert (move.was, move.was_with, move.goes, move.goes_with) == ("10:00", "Dr. Ada", "11:00", "Dr. Ben")
    assert (move.became, move.may_choose, move.is_chosen) == ("", True, True)


@pytest.mark.parametrize(
    ("one", "now", "told"),
    [
        (None, TEN, words.GONE), (visit(), TEN + 2 * HALF_HOUR, words.OVER),
        (visit(status="cancelled", version=4), TEN, "Cancelled since this plan was made."),
        (visit(TEN + HALF_HOUR, version=4), TEN, "Moved since this plan was made, to Friday 10:30."),
        (visit(version=4), TEN, "Changed since this plan was made."), (visit(MOVE.start, OTHER, version=4), TEN, words.THERE),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_what_came_between_is_said_and_the_move_cannot_be_chosen(one: Appointment | None, now: datetime, told: str) -> None:
    move = said(one, None, now)
    assert (move.became, move.may_choose, move.is_over) == (told, False, True)


def test_what_became_of_a_move_is_said_and_what_was_refused_can_be_chosen_again() -> None:
    made = said(visit(MOVE.start, OTHER, version=4), MoveMade(appointment_id=MOVE.appointment_id, outcome="moved", by_itself=True))
    assert (made.became, made.is_made, made.may_choose) == ("Moved by itself. The patient is told.", True, False)
    refused = MoveMade(appointment_id=MOVE.appointment_id, outcome="refused", code="scheduling.time_not_free")
    again = said(visit(), refused)
    assert (again.became[:10], again.may_choose, again.is_chosen) == ("Not moved.", True, False)


def test_a_move_to_the_time_of_somebody_whom_the_plan_leaves_without_a_place_is_not_chosen() -> None:
    there = visit(MOVE.start, OTHER, id=uuid4())
    move = said(visit(), None, TEN, there)
    assert "gives up 11:00" in move.became
    assert (move.may_choose, move.is_chosen, move.is_over) == (True, False, False)
    assert said(visit(), None, TEN, replace(there, status="cancelled")).is_chosen
    assert said(visit(), None, TEN, visit(MOVE.start, PHYSICIAN, id=uuid4())).is_chosen
