"""An appointment as its patient reads it, and as their calendar does."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from carewright.contracts.scheduling import Appointment
from carewright.kernel.errors import Refusal
from carewright.portal.model import appointments, notices
from carewright.portal.model.calendar_file import calendar_file
from carewright.portal.model.wall import wall_of
from tests.unit.portal.double import MORNING, Hospital, build

WALL = wall_of("America/Chicago", "en-US")


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def booked(hospital: Hospital) -> Appointment:
    kind = hospital.visit_named("Cardiology", "Follow-up visit")
    return hospital.take(kind.id, hospital.sites[0].id, MORNING + timedelta(days=1, minutes=53))


def changed(one: Appointment, **changes: Any) -> Appointment:
    return msgspec.structs.replace(one, **changes)


def test_an_appointment_says_what_when_where_and_with_whom(hospital: Hospital, booked: Appointment) -> None:
    view = appointments.appointment_view(booked, WALL, MORNING, hospital.sites[0])
    assert (view.day, view.time, view.length) == ("Tuesday, November 24, 2026", "3:00 AM", "20 minutes")
    assert (view.visit, view.service, view.site) == ("Follow-up visit", "Cardiology", "Main Hospital")
    assert (view.place, view.address) == ("Exam room 4, second floor", "1200 Lakeside Drive")
    assert view.people[0].startswith("Dr. ")
    assert view.can_change


def test_a_site_that_is_gone_leaves_no_gap(booked: Appointment) -> None:
    view = appointments.appointment_view(booked, WALL, MORNING, None)
    assert (view.address, view.phone) == ("", "")


def test_a_hold_is_live_until_it_ends(booked: Appointment) -> None:
    hold = changed(booked, status="pending", expires_at=MORNING + timedelta(minutes=10))
    assert appointments.is_live_hold(hold, MORNING)
    assert not appointments.is_live_hold(hold, MORNING + timedelta(minutes=10))
    assert appointments.appointment_view(hold, WALL, MORNING, None).state == "held"
    assert appointments.appointment_view(hold, WALL, MORNING + timedelta(hours=1), None).state == "gone"
    assert not appointments.appointment_view(hold, WALL, MORNING, None).can_change


def test_a_request_without_an_end_is_no_hold(booked: Appointment) -> None:
    request = changed(booked, status="pending")
    view = appointments.appointment_view(request, WALL, MORNING, None)
    assert (view.state, view.state_words, view.can_change) == ("pending", "Waiting for confirmation", True)
    assert appointments.is_ahead(request, MORNING)


def test_a_begun_visit_can_no_longer_be_changed_by_its_patient(booked: Appointment) -> None:
    assert not appointments.appointment_view(booked, WALL, booked.start, None).can_change
    assert appointments.is_ahead(booked, booked.start)
    assert not appointments.is_ahead(booked, booked.end)


@pytest.mark.parametrize(
    ("seconds", "words"), [(600, "about 10 minutes"), (61, "about 2 minutes"), (1, "about 1 minute"), (-5, "about 0 minutes")]
)
def test_the_time_left_is_rounded_up_and_never_negative(booked: Appointment, seconds: int, words: str) -> None:
    hold = changed(booked, status="pending", expires_at=MORNING + timedelta(seconds=seconds))
    left = appointments.time_left(hold, WALL, MORNING)
    assert (left.seconds, left.words) == (max(0, seconds), words)


def test_lists_are_ordered_by_time(booked: Appointment) -> None:
    later = changed(booked, start=booked.start + timedelta(days=1))
    assert appointments.soonest_first([later, booked]) == [booked, later]
    assert appointments.newest_first([booked, later]) == [later, booked]


def test_the_calendar_file_keeps_to_its_standard(hospital: Hospital, booked: Appointment) -> None:
    odd = msgspec.structs.replace(hospital.sites[0], address="1; Höhenstraße, floor\\2\nBEGIN:VEVENT " + "ä" * 60)
    content = calendar_file(appointments.appointment_view(booked, WALL, MORNING, odd), "St. Élan; Hospital", MORNING).decode()
    lines = content.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in content.replace("\r\n", "")
    unfolded = content.replace("\r\n ", "").split("\r\n")
    assert "DTSTART:20261124T090000Z" in unfolded
    assert "SUMMARY:Appointment at St. Élan\\; Hospital" in unfolded
    assert unfolded.count("BEGIN:VEVENT") == 1
    assert "STATUS:CONFIRMED" in unfolded


def test_the_calendar_file_does_not_say_what_the_visit_is_for(booked: Appointment) -> None:
    content = calendar_file(appointments.appointment_view(booked, WALL, MORNING, None), "Lakeside", MORNING).decode()
    assert "Cardiology" not in content
    assert "Follow-up" not in content


def test_every_word_about_a_refusal_belongs_to_one_that_exists() -> None:
    codes = {code for code in (*notices.NOTICES, *notices.STOPS) if not code.startswith(("done.", "portal."))}
    assert codes <= set(Refusal.by_code)


def test_an_unforeseen_refusal_is_kind_too() -> None:
    assert notices.stop_for("scheduling.never_heard_of") == notices.DEFAULT_STOP
    assert notices.stop_for("scheduling.booked_elsewhere", "Call 030 1234567").text == "Call 030 1234567"
    assert notices.stop_for("scheduling.time_not_free", "anything").text != "anything", "only what is meant for people is shown to them"
    assert notices.stop_for("scheduling.time_not_free").title == "That time has just been taken"
