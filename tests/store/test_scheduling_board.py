"""What a day board is told, and what a move is told before it is made, against what a move then does."""

from datetime import timedelta
from typing import Any

import pytest

from carewright.contracts.board import Board, MovePreview, ReadBoard, ReadUse
from carewright.contracts.hours import Override
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    AppointmentFact,
    PickedTime,
    RescheduleAppointment,
    TimeNotFree,
    UnknownAppointment,
)
from carewright.kernel.errors import BadInput, Forbidden, PreconditionFailed
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.shown import shown_of
from carewright.scheduling.service import board, change, preview
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import REASON
from tests.servers import facts_of


async def read(hospital: Hospital, ctx: SchedulingContext | None = None, **more: Any) -> Board:
    query = ReadBoard(site_id=hospital.world.city.id, from_at=TOMORROW, until_at=TOMORROW + timedelta(hours=10), **more)
    return await board.read_board(ctx or hospital.desk(), query)


def move(hospital: Hospital, made: Appointment, time: PickedTime, **more: Any) -> RescheduleAppointment:
    return RescheduleAppointment(appointment_id=made.id, time=time, **more)


async def told(hospital: Hospital, made: Appointment, time: PickedTime) -> MovePreview:
    """The preview; and a move does what it says: it is made if nothing is in the way, and refused otherwise."""
    said = await preview.preview_move(hospital.desk(), move(hospital, made, time))
    if said.conflicts:
        with pytest.raises(TimeNotFree):
            await change.reschedule_appointment(hospital.desk(), move(hospital, made, time))
    else:
        after = await change.reschedule_appointment(hospital.desk(), move(hospital, made, time))
        assert (after.start, {each.actor_id for each in after.participants if each.kind != "patient"}) == (
            said.start, {each.actor_id for each in said.actors},
        )  # fmt: skip
    return said


async def test_a_board_has_who_works_and_what_takes_place_and_no_patient(hospital: Hospital) -> None:
    made = await hospital.book()
    cancelled = await hospital.book(TOMORROW + HALF_HOUR, patient=1)
    await hospital.cancel(cancelled)
    held = await hospital.hold(TOMORROW + HALF_HOUR, patient=2)
    await hospital.block(TOMORROW + timedelta(hours=2))
    shown = await read(hospital)
    assert [(each.id, each.status, each.taken[0].actor_id) for each in shown.visits] == [
        (made.id, "booked", hospital.physician()), (held.id, "pending", hospital.physician()),
    ]  # fmt: skip
    assert shown.visits[1].expires_at == held.expires_at
    assert str(made.patient_id) not in str(shown)
    assert sorted({each.kind for each in shown.rows}) == ["device", "nurse", "practitioner", "room"]
    (row,) = [each for each in shown.rows if each.schedule_id == hospital.physician()]
    assert [(each.start, each.end) for each in row.openings] == [(TOMORROW, TOMORROW + timedelta(hours=4))]
    assert [each.start for each in row.blocks] == [TOMORROW + timedelta(hours=2)]


async def test_a_board_shows_what_began_before_and_goes_on(hospital: Hospital) -> None:
    made = await hospital.book()
    query = ReadBoard(site_id=hospital.world.city.id, from_at=made.start + timedelta(minutes=5), until_at=made.start + timedelta(hours=1))
    assert [each.id for each in (await board.read_board(hospital.desk(), query)).visits] == [made.id]


async def test_rows_are_of_a_kind_and_of_those_who_could_serve(hospital: Hospital) -> None:
    await hospital.book()
    rooms = await read(hospital, kinds=("room",))
    assert {each.kind for each in rooms.rows} == {"room"}
    assert len(rooms.visits) == 1
    pair = await read(hospital, visit_type_ids=(hospital.world.kinds.pair.id,))
    assert ({each.kind for each in pair.rows}, pair.visits) == ({"nurse"}, ())


async def test_whoever_sees_no_patients_of_others_or_another_site_reads_no_board(hospital: Hospital) -> None:
    with pytest.raises(Forbidden):
        await read(hospital, hospital.patient())
    elsewhere = hospital.here.acting("scheduler", hospital.world, site_ids=frozenset({hospital.world.village.id}))
    with pytest.raises(Forbidden):
        await read(hospital, elsewhere)
    with pytest.raises(BadInput):
        await board.read_board(
            hospital.desk(), ReadBoard(site_id=hospital.world.city.id, from_at=TOMORROW, until_at=TOMORROW + timedelta(days=3))
        )


async def test_a_site_is_as_full_as_the_time_of_those_who_could_serve_is_taken(hospital: Hospital) -> None:
    await hospital.book()
    await hospital.book(patient=1, physician=1)
    await hospital.cancel(await hospital.book(TOMORROW + HALF_HOUR, patient=2))
    await hospital.block(TOMORROW + timedelta(hours=1))
    query = ReadUse(site_id=hospital.world.city.id, from_at=TOMORROW - timedelta(hours=1), hours=6)
    (service,) = (await board.read_use(hospital.desk(), query)).services
    people = len(hospital.world.of("practitioner")) + len(hospital.world.of("nurse"))  # two nurses alone serve one kind of visit
    assert [(each.open_minutes, each.taken_minutes) for each in service.hours] == [
        (0, 0), (60 * people, 60), (60 * people - 30, 0), (60 * people, 0), (60 * people, 0), (0, 0),
    ]  # fmt: skip
    elsewhere = hospital.here.acting("scheduler", hospital.world, site_ids=frozenset({hospital.world.village.id}))
    with pytest.raises(Forbidden):
        await board.read_use(elsewhere, query)


async def test_a_move_into_free_time_has_no_conflict(hospital: Hospital) -> None:
    made = await hospital.book()
    said = await told(hospital, made, hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR, hospital.physician()))
    assert (said.conflicts, said.version, said.by_override) == ((), 1, False)
    assert [each.actor_id for each in said.actors] == [hospital.physician()]


async def test_the_time_that_it_has_is_not_in_its_own_way(hospital: Hospital) -> None:
    made = await hospital.book()
    solo = hospital.world.kinds.solo
    said = await preview.preview_move(hospital.desk(), move(hospital, made, hospital.world.at(solo, made.start, hospital.physician())))
    assert said.conflicts == ()


async def test_a_move_onto_another_appointment_says_which_and_could_be_made_with_a_reason(hospital: Hospital) -> None:
    made, other = await hospital.book(), await hospital.book(TOMORROW + HALF_HOUR, patient=1)
    time = hospital.world.at(hospital.world.kinds.solo, other.start, hospital.physician())
    said = await told(hospital, made, time)
    (conflict,) = said.conflicts
    assert (conflict.reason, conflict.kind, conflict.appointment_id, conflict.start) == ("taken", "practitioner", other.id, other.start)
    assert said.by_override
    after = await change.reschedule_appointment(hospital.desk(), move(hospital, made, time, override=Override(reason=REASON)))
    assert after.start == other.start


async def test_a_move_into_a_block_or_outside_hours_says_so(hospital: Hospital) -> None:
    made = await hospital.book()
    await hospital.block(TOMORROW + timedelta(hours=1))
    solo = hospital.world.kinds.solo
    blocked = await told(hospital, made, hospital.world.at(solo, TOMORROW + timedelta(hours=1), hospital.physician()))
    assert [each.reason for each in blocked.conflicts] == ["blocked"]
    late = await told(hospital, made, hospital.world.at(solo, TOMORROW + timedelta(hours=5), hospital.physician()))
    assert [each.reason for each in late.conflicts] == ["closed"]


async def test_a_patient_who_is_elsewhere_then_is_a_conflict(hospital: Hospital) -> None:
    made = await hospital.book()
    other = await hospital.book(TOMORROW + HALF_HOUR, physician=1)
    said = await preview.preview_move(
        hospital.desk(), move(hospital, made, hospital.world.at(hospital.world.kinds.solo, other.start, hospital.physician()))
    )
    assert [(each.reason, each.kind, each.display) for each in said.conflicts] == [("taken", "patient", "")]


async def test_what_has_passed_can_be_moved_to_by_no_reason(hospital: Hospital) -> None:
    made = await hospital.book()
    past = hospital.here.clock.now() - timedelta(hours=1)
    said = await preview.preview_move(hospital.desk(), move(hospital, made, hospital.world.at(hospital.world.kinds.solo, past)))
    assert ([each.reason for each in said.conflicts], said.by_override) == (["rule"], False)
    assert said.conflicts[0].text == "This time has passed."


async def test_a_preview_of_what_is_not_theirs_or_another_by_now_is_refused(hospital: Hospital) -> None:
    made = await hospital.book()
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR)
    with pytest.raises(UnknownAppointment):
        await preview.preview_move(hospital.patient(1), move(hospital, made, time))
    with pytest.raises(PreconditionFailed):
        await preview.preview_move(hospital.desk(), move(hospital, made, time, expected_version=9))


async def test_a_preview_leaves_everything_as_it_was(hospital: Hospital) -> None:
    made = await hospital.book()
    before = await facts_of(hospital.desk())
    await preview.preview_move(
        hospital.desk(), move(hospital, made, hospital.world.at(hospital.world.kinds.solo, TOMORROW + HALF_HOUR, hospital.physician()))
    )
    assert await facts_of(hospital.desk()) == before
    await hospital.ensure_sound()


async def test_whoever_watches_is_told_whose_calendars_a_visit_takes_and_not_the_patients(hospital: Hospital) -> None:
    made = await hospital.book()
    await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=made.id, status="arrived"))
    facts = [fact for fact in await facts_of(hospital.desk()) if isinstance(fact, AppointmentFact)]
    told = [fields["taken"] for fact in facts for _, fields in shown_of(fact)]
    assert told == [f"{hospital.physician()}:0:30"] * 2
