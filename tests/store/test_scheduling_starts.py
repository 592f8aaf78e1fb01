"""Every start that patients may choose: what `list_starts` says is free can be booked by a patient, and what is taken is said to be."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import VisitType
from carewright.contracts.scheduling import OutsideRules, UnknownSite, UnknownVisitType
from carewright.contracts.starts import FindTimes, ListStarts
from carewright.kernel.errors import BadInput, Forbidden
from carewright.scheduling.live import Kind
from carewright.scheduling.service import find, starts
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital

UNTIL = TOMORROW + timedelta(hours=8)


def asked(hospital: Hospital, kind: VisitType | None = None, until_at: datetime = UNTIL) -> ListStarts:
    kind = kind or hospital.world.kinds.solo
    return ListStarts(visit_type_id=kind.id, site_id=hospital.world.city.id, until_at=until_at)


async def free_at(hospital: Hospital, kind: VisitType | None = None) -> dict[datetime, int]:
    return {start.at: start.free for start in await starts.list_starts(hospital.desk(), asked(hospital, kind))}


@pytest.mark.parametrize("name", ["solo", "consult", "team", "pair"])
async def test_what_is_free_is_what_a_patient_finds_whoever_asks(hospital: Hospital, name: str) -> None:
    """Scheduling Links S3: a free slot is bookable under current rules; the desk, who may book without lead time, sees no other."""
    await hospital.book()
    kind = getattr(hospital.world.kinds, name)
    query = FindTimes(visit_type_id=kind.id, site_id=hospital.world.city.id, until_at=UNTIL, limit=200)
    found = [slot.start for slot in (await find.find_times(hospital.patient(), query)).items]
    free = [at for at, count in (await free_at(hospital, kind)).items() if count]
    assert free == [start for start in found if start < UNTIL]
    assert free


async def test_each_visit_takes_one_place_and_the_last_makes_the_start_a_taken_one(hospital: Hospital) -> None:
    """Scheduling Links: capacity, and busy slots in addition to free ones."""
    counts = [(await free_at(hospital))[TOMORROW]]
    for number in range(2):
        await hospital.book(patient=number, physician=number)
        counts.append((await free_at(hospital))[TOMORROW])
    assert counts == [2, 1, 0]
    assert (await free_at(hospital))[TOMORROW + HALF_HOUR] == 2


async def test_a_held_time_is_taken_and_a_blocked_one_is_none(hospital: Hospital) -> None:
    pair = hospital.world.kinds.solo
    await hospital.hold()
    assert (await free_at(hospital, pair))[TOMORROW] == 1
    for physician in (0, 1):
        await hospital.override(patient=physician, physician=physician, start=TOMORROW + HALF_HOUR)
    assert (await free_at(hospital, pair))[TOMORROW + HALF_HOUR] == 0


async def test_what_patients_do_not_book_themselves_is_refused(hospital: Hospital) -> None:
    solo = hospital.world.kinds.solo
    calendars = await hospital.desk().calendars()
    calendars.visit_types[solo.id] = Kind(replace(solo, rules=replace(solo.rules, patient_bookable=False)), "Care")
    with pytest.raises(OutsideRules):
        await free_at(hospital)


async def test_the_question_has_limits_and_is_not_for_everybody(hospital: Hospital) -> None:
    with pytest.raises(BadInput):
        await starts.list_starts(hospital.desk(), asked(hospital, until_at=TOMORROW + timedelta(days=90)))
    with pytest.raises(Forbidden):
        await starts.list_starts(hospital.here.acting("privacy-officer", hospital.world), asked(hospital))
    with pytest.raises(UnknownSite):
        await starts.list_starts(hospital.desk(), replace(asked(hospital), site_id=hospital.world.kinds.solo.id))
    with pytest.raises(UnknownVisitType):
        await starts.list_starts(hospital.desk(), replace(asked(hospital), visit_type_id=hospital.world.city.id))
