"""What payers said stops bookings: every way to take time, but never an urgent visit, nor one that a scheduler books with a reason."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.coverage import NotAuthorised, NotCovered, StoppedVisits, VisitsStopped
from carewright.contracts.directory import Coding, HealthcareService, UrgencyTier, VisitType, VisitTypeChanged
from carewright.contracts.hours import Override
from carewright.contracts.scheduling import (
    BookAppointment,
    ConfirmAppointment,
    HoldTime,
    RescheduleAppointment,
)
from carewright.contracts.series import BookSeries
from carewright.scheduling import handlers
from carewright.scheduling.service import book, change
from tests.samples import known_id
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import MONDAY, REASON

DAY = timedelta(days=1)


async def told(hospital: Hospital, *stops: StoppedVisits) -> None:
    """What the relay does with coverage's event."""
    fact = VisitsStopped(organization_id=hospital.world.organization_id, patient_id=hospital.world.patients[0], stops=stops)
    async with hospital.here.db.transaction() as tx:
        await handlers.copy_stops(hospital.here.system(), tx, fact)


def stop(hospital: Hospital, **changes: Any) -> StoppedVisits:
    """Tomorrow, every kind of visit at the city's site."""
    common = StoppedVisits(
        site_id=hospital.world.city.id, why="not-covered", visit_type_ids=(), all_but=True, starts_from=MONDAY,
        starts_before=MONDAY + 2 * DAY, counts_until=MONDAY + DAY,
    )  # fmt: skip
    return replace(common, **changes)


async def test_nothing_is_held_or_booked_that_the_payer_said_no_to(hospital: Hospital) -> None:
    await told(hospital, stop(hospital))
    for refused in (hospital.book, hospital.hold):
        with pytest.raises(NotCovered):
            await refused()
    assert await hospital.starts() == await hospital.starts(hospital.there), "the time is free for others"
    assert (await hospital.book(patient=1)).status == "booked"
    assert (await hospital.book(TOMORROW + 3 * DAY)).status == "booked"
    await hospital.ensure_sound()


async def test_a_held_time_is_not_booked_once_the_payer_said_no(hospital: Hospital) -> None:
    held = await hospital.hold()
    await told(hospital, stop(hospital, why="not-authorised"))
    command = BookAppointment(hold_id=held.id, patient_id=held.patient_id)
    with pytest.raises(NotAuthorised):
        await book.book_appointment(hospital.patient(), command)
    await told(hospital)
    assert (await book.book_appointment(hospital.patient(), command)).status == "booked"
    await hospital.ensure_sound()


async def test_a_series_is_booked_whole_or_not_at_all(hospital: Hospital) -> None:
    await told(hospital, stop(hospital, starts_from=TOMORROW + 6 * DAY, starts_before=TOMORROW + 8 * DAY))
    first = hospital.world.at(hospital.world.kinds.solo, TOMORROW, hospital.physician())
    with pytest.raises(NotCovered):
        await book.book_series(hospital.desk(), BookSeries(patient_id=hospital.world.patients[0], first=first, count=2))
    assert TOMORROW in await hospital.starts()
    await hospital.ensure_sound()


async def test_a_visit_is_neither_moved_into_it_nor_is_a_request_accepted(hospital: Hospital) -> None:
    made = await hospital.book(TOMORROW + 3 * DAY)
    kinds = hospital.world.kinds
    wanted = hospital.world.at(kinds.request, TOMORROW + 2 * HALF_HOUR)
    asked = await book.hold_time(hospital.patient(), HoldTime(time=wanted, patient_id=hospital.world.patients[0]))
    asked = await book.book_appointment(hospital.patient(), BookAppointment(hold_id=asked.id, patient_id=asked.patient_id))
    assert asked.status == "pending"
    await told(hospital, stop(hospital))
    to = hospital.world.at(kinds.solo, TOMORROW, hospital.physician())
    desk = hospital.desk()
    with pytest.raises(NotCovered):
        await change.reschedule_appointment(desk, RescheduleAppointment(appointment_id=made.id, time=to))
    with pytest.raises(NotCovered):
        await change.confirm_appointment(desk, ConfirmAppointment(appointment_id=asked.id))
    moving = RescheduleAppointment(appointment_id=made.id, time=to, override=Override(reason=REASON))
    assert (await change.reschedule_appointment(desk, moving)).override_reason == REASON
    keeping = RescheduleAppointment(appointment_id=asked.id, time=wanted, override=Override(reason=REASON))
    await change.reschedule_appointment(desk, keeping)
    assert (await change.confirm_appointment(desk, ConfirmAppointment(appointment_id=asked.id))).status == "booked"
    await hospital.ensure_sound()


async def test_a_scheduler_books_it_with_a_reason(hospital: Hospital) -> None:
    await told(hospital, stop(hospital))
    assert (await hospital.override()).override_reason == REASON


async def open_to(hospital: Hospital, urgency: UrgencyTier) -> VisitType:
    """The plain kind of visit, as it is booked under that urgency too."""
    before = hospital.world.kinds.solo
    kind = replace(before, rules=replace(before.rules, urgency_tiers=(urgency, "P2")), version=2)
    service = HealthcareService(id=kind.healthcare_service_id, name="General practice", specialty=Coding(system="s", code="gp"))
    fact = VisitTypeChanged(organization_id=hospital.world.organization_id, visit_type=kind, service=service)
    async with hospital.here.db.transaction() as tx:
        await handlers.copy_visit_type(hospital.here.system(), tx, fact)
    await hospital.here.settle()
    return kind


@pytest.mark.parametrize("urgency", ["P0", "P1"])
async def test_an_urgent_visit_is_never_stopped(hospital: Hospital, urgency: UrgencyTier) -> None:
    kind = await open_to(hospital, urgency)
    await told(hospital, stop(hospital), stop(hospital, why="not-authorised", starts_before=None))
    time = replace(hospital.world.at(kind, TOMORROW, hospital.physician()), urgency=urgency)
    booking = book.book_appointment(hospital.desk(), BookAppointment(time=time, patient_id=hospital.world.patients[0]))
    assert (await booking).urgency == urgency


CASES: dict[str, tuple[Callable[[Hospital], dict[str, Any]], bool]] = {
    "this kind": (lambda h: {"all_but": False, "visit_type_ids": (h.world.kinds.solo.id,)}, True),
    "another kind": (lambda h: {"all_but": False, "visit_type_ids": (h.world.kinds.team.id,)}, False),
    "all but another kind": (lambda h: {"visit_type_ids": (h.world.kinds.team.id,)}, True),
    "all but this kind": (lambda h: {"visit_type_ids": (h.world.kinds.solo.id,)}, False),
    "elsewhere": (lambda _: {"site_id": known_id(0x404)}, False),
    "the day before": (lambda _: {"starts_before": TOMORROW}, False),
    "from then on": (lambda _: {"starts_from": TOMORROW, "starts_before": None}, True),
    "a moment later": (lambda _: {"starts_from": TOMORROW + HALF_HOUR}, False),
    "an answer that counts no more": (lambda _: {"counts_until": MONDAY}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_only_what_was_said_is_stopped(hospital: Hospital, case: str) -> None:
    changes, stopped = CASES[case]
    await told(hospital, stop(hospital, **changes(hospital)))
    booking: Awaitable[Any] = hospital.book()
    if stopped:
        with pytest.raises(NotCovered):
            await booking
    else:
        assert (await booking).status == "booked"
