"""Time that turns in queues take from calendars: who gets it, for how long, how it comes back, and which gaps there are."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.flow import QueueEntryMoved
from carewright.contracts.in_use import Gap, ListGaps, TakeTime, TimeInUse
from carewright.contracts.schedules import GetCalendar
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    ClaimedTime,
    NoTimeForTurn,
    TimeNotFree,
    UnknownSchedule,
    UnknownSite,
)
from carewright.kernel.context import Once
from carewright.kernel.errors import Forbidden, Refusal
from carewright.kernel.sql import Query
from carewright.scheduling import checks, handlers
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.in_use import Held, parts
from carewright.scheduling.service import calendars, change, gaps, in_use
from carewright.scheduling.store import in_use as rows
from tests.scheduling_hospital import HALF_HOUR, Hospital
from tests.scheduling_world import MONDAY, Process

MINUTE = timedelta(minutes=1)
CLAIMS = Query("test.claims", """
SELECT lane, starts_at, ends_at FROM scheduling.claim WHERE organization_id = $1 AND appointment_id = $2
ORDER BY starts_at, lane, schedule_id
""")  # fmt: skip
IN_USE = Query("test.in_use", "SELECT entry_id, ends_at, kept FROM scheduling.in_use WHERE organization_id = $1 ORDER BY entry_id")


def nurse(hospital: Hospital, process: Process | None = None, once: Once | None = None) -> SchedulingContext:
    return (process or hospital.here).acting("nurse", hospital.world, once=once)


def asked(hospital: Hospital, entry: UUID, minutes: int = 15, **said: Any) -> TakeTime:
    who = {"site_id": hospital.world.city.id, "practitioner_id": hospital.physician()}
    return TakeTime(entry_id=entry, minutes=minutes, **who | said)


async def take(hospital: Hospital, entry: UUID, minutes: int = 15, process: Process | None = None, **said: Any) -> TimeInUse:
    return await in_use.take_time(nurse(hospital, process), asked(hospital, entry, minutes, **said))


def moved(hospital: Hospital, entry: UUID, status: Any, **said: Any) -> QueueEntryMoved:
    ids, service = hospital.here.ids, hospital.world.kinds.solo.healthcare_service_id
    return QueueEntryMoved(**{
        "organization_id": hospital.world.organization_id, "entry_id": entry, "queue_id": ids.new(), "site_id": hospital.world.city.id,
        "service_id": service, "patient_id": hospital.world.patients[0], "encounter_id": ids.new(), "action": "call", "status": status,
        "level": 4, "ticket": "A001", "ranked_from": MONDAY, "version": 2, "practitioner_id": hospital.physician(),
    } | said)  # fmt: skip


async def hear(hospital: Hospital, entry: UUID, status: Any = "called", **said: Any) -> None:
    """Scheduling is told of a turn, as the relay does."""
    ctx = nurse(hospital)
    async with ctx.db.transaction() as tx:
        await handlers.follow_turn(ctx, tx, moved(hospital, entry, status, **said))
    await hospital.here.settle()


async def pass_(hospital: Hospital, minutes: float) -> None:
    """So much time passes, in which the timer comes round."""
    hospital.here.clock.advance(seconds=minutes * 60)
    await in_use.prolong(hospital.here.system())
    await hospital.here.settle()


async def has(hospital: Hospital, entry: UUID) -> list[tuple[int, int, int]]:
    """What a turn has, as (lane, from, until) in minutes since seven."""
    ctx = nurse(hospital)
    rows = await ctx.db.fetch(CLAIMS, hospital.world.organization_id, entry)
    return [(row["lane"], (row["starts_at"] - MONDAY) // MINUTE, (row["ends_at"] - MONDAY) // MINUTE) for row in rows]


async def becomes(hospital: Hospital, appointment: Appointment, status: Any) -> None:
    await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=appointment.id, status=status))


async def found(hospital: Hospital, **said: Any) -> list[tuple[str, int, int, int]]:
    """Gaps as (kind, number of the physician, from, until) in minutes since seven."""
    query = ListGaps(site_id=hospital.world.city.id, service_id=hospital.world.kinds.solo.healthcare_service_id, **said)
    return [_shown(hospital, each) for each in (await gaps.list_gaps(nurse(hospital), query)).items]


def _shown(hospital: Hospital, gap: Gap) -> tuple[str, int, int, int]:
    number = [hospital.physician(each) for each in range(2)].index(gap.practitioner_id)
    return gap.kind, number, (gap.start - MONDAY) // MINUTE, (gap.end - MONDAY) // MINUTE


async def test_time_that_was_taken_is_booked_by_nobody_until_it_is_given_back(hospital: Hospital) -> None:
    entry = hospital.here.ids.new()
    taken = await take(hospital, entry, 20)
    assert (taken.start, taken.end, taken.is_kept) == (MONDAY, MONDAY + 20 * MINUTE, False)
    for process in (hospital.here, hospital.there):
        with pytest.raises(TimeNotFree):
            await hospital.book(MONDAY, process=process)
    query = GetCalendar(schedule_id=hospital.physician(), from_at=MONDAY, until_at=MONDAY + HALF_HOUR)
    (busy,) = (await calendars.get_calendar(hospital.desk(), query)).busy
    assert (busy.status, busy.appointment_id, busy.queue_entry_id) == ("busy", None, entry)
    assert (await in_use.give_time_back(nurse(hospital), entry)).is_given_back
    assert not (await in_use.give_time_back(nurse(hospital), entry)).is_given_back
    await hospital.book(MONDAY)
    await hospital.ensure_sound()


async def test_a_call_keeps_it_and_what_becomes_of_the_turn_gives_it_back(hospital: Hospital) -> None:
    entry = hospital.here.ids.new()
    ends = {"completed": "complete", "waiting": "undo", "on-hold": "hold", "transferred": "transfer", "left": "leave"}
    for status, action in ends.items():
        entry = hospital.here.ids.new()
        await take(hospital, entry, 30)
        await hear(hospital, entry)
        await pass_(hospital, 3)
        assert not (await in_use.give_time_back(nurse(hospital), entry)).is_given_back, "who was called keeps it"
        await hear(hospital, entry, "in-service", action="start", version=3)
        assert len(await has(hospital, entry)) == 1
        await hear(hospital, entry, status, action=action, version=4)
        assert await has(hospital, entry) == []
    await hear(hospital, entry, "in-service", action="undo", version=5)
    assert len(await has(hospital, entry)) == 1, "who was sent away by mistake has it again"
    await hospital.ensure_sound()


async def test_an_arrival_that_is_heard_late_gives_nothing_back(hospital: Hospital) -> None:
    """The fact of how the turn was before the time was taken."""
    entry = hospital.here.ids.new()
    await take(hospital, entry)
    before = await has(hospital, entry)
    await hear(hospital, entry, "waiting", action="arrive", version=1)
    assert await has(hospital, entry) == before != []


async def test_what_is_never_called_goes_back_by_itself(hospital: Hospital) -> None:
    """As when whoever took it broke off between the two."""
    entry = hospital.here.ids.new()
    await take(hospital, entry)
    await pass_(hospital, 1.9)
    assert await has(hospital, entry) != []
    await pass_(hospital, 0.2)
    assert await has(hospital, entry) == []
    await hospital.ensure_sound()


async def test_a_booked_patient_has_their_time_and_the_turn_what_is_before(hospital: Hospital) -> None:
    await hospital.book(MONDAY + HALF_HOUR)
    hospital.here.clock.advance(seconds=17 * 60)
    with pytest.raises(NoTimeForTurn) as refused:
        await take(hospital, hospital.here.ids.new(), 30, least_minutes=14)
    assert refused.value.facts["free_minutes"] == 13
    assert (await take(hospital, hospital.here.ids.new(), 30, least_minutes=13)).end == MONDAY + HALF_HOUR
    hospital.here.clock.advance(seconds=15 * 60)
    with pytest.raises(NoTimeForTurn):
        await take(hospital, hospital.here.ids.new(), 5)
    await hospital.ensure_sound()


async def test_who_is_missed_keeps_nobody_from_it_and_does_not_lose_it(hospital: Hospital) -> None:
    missed = await hospital.book(MONDAY)
    hospital.here.clock.advance(seconds=15 * 60)
    with pytest.raises(NoTimeForTurn):
        await take(hospital, hospital.here.ids.new())
    hospital.here.clock.advance(seconds=60)
    entry = hospital.here.ids.new()
    await take(hospital, entry, 20)
    assert await has(hospital, entry) == [(1, 15, 30), (0, 30, 40)]
    await becomes(hospital, missed, "arrived")
    assert await has(hospital, missed.id) == [(0, 0, 30), (0, 0, 30)]
    await hear(hospital, entry)
    await hear(hospital, entry, "completed", action="complete")
    await hospital.ensure_sound()


async def test_time_beside_one_who_was_missed_is_not_booked_when_they_cancel(hospital: Hospital) -> None:
    missed = await hospital.book(MONDAY)
    hospital.here.clock.advance(seconds=14 * 60)
    await take(hospital, entry := hospital.here.ids.new(), 10, grace_minutes=10)
    assert await has(hospital, entry) == [(1, 10, 25)]
    await hospital.cancel(missed)
    with pytest.raises(TimeNotFree):
        await hospital.book(MONDAY + 15 * MINUTE)


async def test_who_was_done_early_leaves_the_rest(hospital: Hospital) -> None:
    seen = await hospital.book(MONDAY)
    hospital.here.clock.advance(seconds=10 * 60)
    await becomes(hospital, seen, "fulfilled")
    assert await found(hospital) == [("idle", 0, 10, 190), ("idle", 1, 10, 190)]
    await take(hospital, entry := hospital.here.ids.new(), 15)
    assert await has(hospital, entry) == [(1, 10, 25)]
    await hospital.ensure_sound()


@pytest.mark.parametrize(("was", "is_now"), [("booked", "checked-in"), ("arrived", "arrived"), ("noshow", "noshow")])
async def test_who_has_a_turn_for_what_is_only_booked_has_checked_in_by_themselves(hospital: Hospital, was: Any, is_now: str) -> None:
    one = await hospital.book(MONDAY)
    if was != "booked":
        await becomes(hospital, one, was)
    for _ in range(2):
        await hear(hospital, hospital.here.ids.new(), "waiting", action="arrive", appointment_id=one.id, version=1)
    assert (await change.get_appointment(hospital.desk(), one.id)).status == is_now
    await hospital.ensure_sound()


async def test_of_many_who_want_it_at_once_one_gets_it(hospital: Hospital) -> None:
    """Two desks, in two processes, and somebody who books; again and again."""
    for number in range(12):
        who = [
            take(hospital, hospital.here.ids.new(), 30), take(hospital, hospital.there.ids.new(), 30, hospital.there),
            hospital.book(MONDAY, patient=number), hospital.book(MONDAY, patient=number + 20, process=hospital.there),
        ]  # fmt: skip
        got: list[Any] = await asyncio.gather(*who, return_exceptions=True)
        winners = [each for each in got if not isinstance(each, BaseException)]
        assert all(isinstance(each, NoTimeForTurn | TimeNotFree) for each in got if isinstance(each, BaseException))
        assert len(winners) == 1
        (winner,) = winners
        if isinstance(winner, Appointment):
            await hospital.cancel(winner)
        else:
            await in_use.give_time_back(nurse(hospital), winner.entry_id)
        await hospital.ensure_sound()


async def test_who_books_between_the_look_and_the_claim_has_it(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    look = rows.held_by_others
    booked: list[Appointment] = []

    async def and_somebody_books(*about: Any) -> list[Held]:
        found = await look(*about)
        if not booked:
            booked.append(await hospital.book(MONDAY, process=hospital.there))
        return found

    monkeypatch.setattr(rows, "held_by_others", and_somebody_books)
    with pytest.raises(NoTimeForTurn):
        await take(hospital, entry := hospital.here.ids.new(), 30)
    assert await has(hospital, entry) == []
    await hospital.ensure_sound()


async def test_the_same_turn_asks_twice_and_has_it_once(hospital: Hospital) -> None:
    entry, once = hospital.here.ids.new(), Once.of("k1", "take")
    first = await take(hospital, entry)
    assert await take(hospital, entry) == first
    assert await in_use.take_time(nurse(hospital, once=once), asked(hospital, entry)) == first
    with pytest.raises(NoTimeForTurn):
        await take(hospital, entry, practitioner_id=hospital.physician(1))
    assert len(await has(hospital, entry)) == 1


async def test_a_call_that_is_heard_while_time_is_taken_keeps_it(hospital: Hospital) -> None:
    """Whichever comes first: one has the time, and nothing gives it back while the turn goes on."""
    for _ in range(8):
        entry = hospital.here.ids.new()
        await asyncio.gather(take(hospital, entry, 30), hear(hospital, entry))
        (row,) = await nurse(hospital).db.fetch(IN_USE, hospital.world.organization_id)
        assert (row["entry_id"], row["kept"]) == (entry, True)
        assert len(await has(hospital, entry)) == 1
        await hear(hospital, entry, "completed", action="complete")
    await hospital.ensure_sound()


async def test_what_takes_longer_is_prolonged_until_somebody_is_booked(hospital: Hospital) -> None:
    await hospital.book(MONDAY + HALF_HOUR)
    entry = hospital.here.ids.new()
    await take(hospital, entry, 15)
    await hear(hospital, entry)
    await pass_(hospital, 13)
    assert await has(hospital, entry) == [(0, 0, 15)]
    await pass_(hospital, 1.5)
    assert await has(hospital, entry) == [(0, 0, 15), (0, 15, 20)]
    with pytest.raises(TimeNotFree):
        await hospital.book(MONDAY + 15 * MINUTE, patient=3)
    for _ in range(20):
        await pass_(hospital, 1)
    assert sum(until - since for _, since, until in await has(hospital, entry)) == 30, "the booked patient has what is theirs"
    for _ in range(25):
        await pass_(hospital, 1)
    assert (await has(hospital, entry))[-1][2] == 65, "and it goes on after them"
    await hospital.ensure_sound()


async def test_a_turn_whose_end_was_never_noted_ends_some_day(hospital: Hospital) -> None:
    entry = hospital.here.ids.new()
    await hear(hospital, entry)
    await pass_(hospital, 12 * 60)
    assert await has(hospital, entry) == []


async def test_who_is_called_without_more_has_what_is_free(hospital: Hospital) -> None:
    """The desk called whom it named, though somebody is booked soon; the room is theirs, too."""
    await hospital.book(MONDAY + 10 * MINUTE + HALF_HOUR / 6)
    (room, _) = hospital.world.of("room")
    entry = hospital.here.ids.new()
    await hear(hospital, entry, location_id=room.id)
    assert sorted(await has(hospital, entry)) == [(0, 0, 15), (0, 0, 30)], "half an hour, as planned on the average, of the room"
    await hospital.ensure_sound()
    other = hospital.here.ids.new()
    await hear(hospital, other)
    assert await has(hospital, other) == [], "one practitioner sees one patient; of the second nothing is refused afterwards"


async def test_what_has_no_calendar_takes_none(hospital: Hospital) -> None:
    stranger = hospital.here.ids.new()
    for other in ({"practitioner_id": stranger}, {"practitioner_id": None}, {"appointment_id": stranger}):
        entry = hospital.here.ids.new()
        await hear(hospital, entry, **other)
        assert await has(hospital, entry) == []
    unknown: tuple[dict[str, Any], ...] = (
        {"practitioner_id": stranger}, {"location_id": stranger}, {"site_id": hospital.world.village.id},
    )  # fmt: skip
    for said in unknown:
        with pytest.raises(UnknownSchedule):
            await take(hospital, hospital.here.ids.new(), **said)


async def test_only_who_works_with_queues_takes_time_and_at_their_sites(hospital: Hospital) -> None:
    with pytest.raises(Forbidden):
        await in_use.take_time(hospital.patient(), asked(hospital, hospital.here.ids.new()))
    elsewhere = hospital.here.acting("nurse", hospital.world, site_ids=(hospital.world.village.id,))
    with pytest.raises(Forbidden):
        await in_use.take_time(elsewhere, asked(hospital, hospital.here.ids.new()))
    with pytest.raises(UnknownSite):
        await gaps.list_gaps(nurse(hospital), ListGaps(site_id=hospital.here.ids.new(), service_id=hospital.here.ids.new()))


async def test_gaps_are_what_is_free_soon_and_who_is_missed(hospital: Hospital) -> None:
    await hospital.book(MONDAY, patient=0)
    await hospital.book(MONDAY + 45 * MINUTE, patient=1)
    await hospital.book(MONDAY, patient=2, physician=1)
    await hospital.book(MONDAY + HALF_HOUR, patient=3, physician=1)
    hospital.here.clock.advance(seconds=10 * 60)
    assert await found(hospital) == [("idle", 0, 30, 45), ("idle", 1, 60, 190)]
    hospital.here.clock.advance(seconds=10 * 60)
    assert await found(hospital) == [("no-show", 0, 20, 45), ("no-show", 1, 20, 30), ("idle", 1, 60, 200), ("idle", 0, 75, 200)]
    assert await found(hospital, grace_minutes=30) == [("idle", 0, 30, 45), ("idle", 1, 60, 200), ("idle", 0, 75, 200)]
    await take(hospital, hospital.here.ids.new(), 10, practitioner_id=hospital.physician(1))
    assert ("no-show", 1, 20, 30) not in await found(hospital), "somebody has it"


async def test_what_is_free_later_than_within_the_hour_is_no_gap(hospital: Hospital) -> None:
    for number in range(3):
        for physician in range(2):
            await hospital.book(MONDAY + number * HALF_HOUR, patient=number * 2 + physician, physician=physician)
    assert await found(hospital) == []


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_in_whatever_order_nothing_overlaps_and_nothing_is_lost(hospital: Hospital, seed: int) -> None:
    """Turns are called, end, are taken back; others book and cancel; time passes. In the end all turns are over, and nothing is held."""
    rng = random.Random(seed)
    entries = [hospital.here.ids.new() for _ in range(6)]
    booked: list[Appointment] = []
    codes: set[str] = set()
    for step in range(60):
        entry, who = rng.choice(entries), {"practitioner_id": hospital.physician(rng.randrange(2))}
        try:
            match rng.randrange(8):
                case 0 | 1:
                    await take(hospital, entry, rng.choice([5, 15, 40]), rng.choice([hospital.here, hospital.there]), **who)
                case 2:
                    await in_use.give_time_back(nurse(hospital), entry)
                case 3 | 4:
                    await hear(hospital, entry, rng.choice(["called", "in-service", "waiting", "completed", "skipped"]), **who)
                case 5:
                    start = _quarter(hospital.here.clock.now()) + rng.randrange(4) * 15 * MINUTE
                    booked.append(await hospital.book(start, patient=step, physician=rng.randrange(2)))
                case 6 if booked:
                    one = booked.pop(rng.randrange(len(booked)))
                    status = rng.choice(["cancelled", "arrived", "fulfilled"])
                    await (hospital.cancel(one) if status == "cancelled" else becomes(hospital, one, status))
                case _:
                    await pass_(hospital, rng.choice([0.5, 3, 11]))
        except Refusal as refusal:
            codes.add(refusal.code)
        for check in checks.CHECKS.values():
            assert await check(hospital.desk()) == []
    assert codes <= {"scheduling.no_time_for_turn", "scheduling.time_not_free", "scheduling.illegal_step", "scheduling.outside_rules"}
    for entry in entries:
        await hear(hospital, entry, "completed", action="complete")
    assert await nurse(hospital).db.fetch(IN_USE, hospital.world.organization_id) == []
    await hospital.ensure_sound()


def _quarter(now: datetime) -> datetime:
    return now + (MONDAY - now) % (15 * MINUTE)


def test_a_claim_beside_others_is_cut_where_they_end() -> None:
    """By hand: one is missed from 0 to 30 and somebody has the next lane from 10 to 20."""
    who, at = UUID(int=1), [MONDAY + number * 10 * MINUTE for number in range(6)]
    others = [Held(lane=0, start=at[0], end=at[3], status="booked"), Held(lane=1, start=at[1], end=at[2], status="fulfilled")]
    claims = parts(who, at[0], at[5], others)
    made = [ClaimedTime(schedule_id=who, lane=1, start=at[0], end=at[1]), ClaimedTime(schedule_id=who, lane=2, start=at[1], end=at[2])]
    made += [ClaimedTime(schedule_id=who, lane=1, start=at[2], end=at[3]), ClaimedTime(schedule_id=who, lane=0, start=at[3], end=at[5])]
    assert claims == made
    assert parts(who, at[0], at[1], [replace(others[0], lane=lane) for lane in range(8)]) == []
