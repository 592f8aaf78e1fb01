"""Who waits, in PostgreSQL: joining, changing and leaving the list, who sees what of it, and a site's policy."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest

from carewright.contracts.scheduling import (
    OutsideRules,
    UnknownSite,
)
from carewright.contracts.waitlist import (
    WAITS_AT_ONCE_MAX,
    AlreadyWaiting,
    ChangeWaiting,
    LeaveWaitlist,
    ListWaiting,
    NothingToGiveUp,
    PolicyTerms,
    SetWaitlistPolicy,
    UnknownWaiting,
    WaitingChanged,
    Wishes,
)
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.scheduling.service import waitlist
from tests.scheduling_hospital import Hospital
from tests.servers import code_of, facts_of
from tests.waitlist import now, policy, wait


async def test_nobody_waits_twice_or_for_everything(hospital: Hospital) -> None:
    entry = await wait(hospital, 1)
    with pytest.raises(AlreadyWaiting) as refused:
        await wait(hospital, 1)
    assert refused.value.facts == {"entry_id": str(entry.id)}
    codes = await asyncio.gather(*(code_of(wait(hospital, 2)) for _ in range(3)))
    assert sorted(codes) == ["done", AlreadyWaiting.code, AlreadyWaiting.code]
    assert len(hospital.world.kinds.all) < WAITS_AT_ONCE_MAX


async def test_what_makes_no_sense_is_refused(hospital: Hospital) -> None:
    other = await hospital.book(patient=2)
    with pytest.raises(NothingToGiveUp):
        await wait(hospital, 1, given_up=other)
    with pytest.raises(NothingToGiveUp):
        await wait(hospital, 2, given_up=await hospital.cancel(other))
    with pytest.raises(UnknownSite):
        await wait(hospital, 1, site_ids=(hospital.here.ids.new(),))
    entry = await wait(hospital, 1)
    with pytest.raises(PreconditionFailed):
        await waitlist.change_waiting(hospital.desk(), ChangeWaiting(entry_id=entry.id, wishes=entry.wishes, expected_version=7))
    for wrong in (
        {"earliest_on": date(2026, 11, 5), "latest_on": date(2026, 11, 4)},
        {"windows": ({"from_minute": 5, "until_minute": 5},)},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"site_ids": [str(hospital.world.city.id)]} | wrong, Wishes)


async def test_patients_wait_for_themselves_see_their_own_and_do_not_say_how_urgent_it_is(hospital: Hospital) -> None:
    entry = await wait(hospital, 1)
    stranger = hospital.patient(2)
    with pytest.raises(UnknownWaiting):
        await waitlist.get_waiting(stranger, entry.id)
    with pytest.raises(UnknownWaiting):
        await waitlist.leave_waitlist(stranger, LeaveWaitlist(entry_id=entry.id))
    with pytest.raises(Forbidden):
        await waitlist.list_waiting(stranger, ListWaiting(patient_id=entry.patient_id))
    assert (await waitlist.list_waiting(stranger, ListWaiting())).items == ()
    mine = hospital.patient(1)
    assert (await waitlist.list_waiting(mine, ListWaiting())).items == (entry,)
    with pytest.raises(Forbidden):
        await waitlist.set_waitlist_policy(mine, SetWaitlistPolicy(site_id=hospital.world.city.id, terms=PolicyTerms()))
    wishes = msgspec.structs.replace(entry.wishes, urgency="P1", notice_minutes=90)
    with pytest.raises((Forbidden, OutsideRules)):
        await waitlist.change_waiting(mine, ChangeWaiting(entry_id=entry.id, wishes=wishes))
    after = await waitlist.change_waiting(
        mine, ChangeWaiting(entry_id=entry.id, wishes=msgspec.structs.replace(wishes, urgency=None), expected_version=1)
    )
    assert (after.wishes.notice_minutes, after.wishes.urgency, after.since, after.version) == (90, "P2", entry.since, 2)


async def test_staff_of_another_site_see_nothing_and_the_list_is_by_site_and_state(hospital: Hospital) -> None:
    first, second = await wait(hospital, 1), await wait(hospital, 2)
    await waitlist.leave_waitlist(hospital.desk(), LeaveWaitlist(entry_id=first.id))
    village = hospital.here.acting("scheduler", hospital.world, site_ids=(hospital.world.village.id,))
    with pytest.raises(UnknownWaiting):
        await waitlist.get_waiting(village, second.id)
    assert (await waitlist.list_waiting(village, ListWaiting())).items == ()
    with pytest.raises(Forbidden):
        await waitlist.get_waitlist_policy(village, hospital.world.city.id)

    async def found(**conditions: Any) -> list[UUID]:
        return [each.id for each in (await waitlist.list_waiting(hospital.desk(), ListWaiting(**conditions))).items]

    assert await found(site_id=hospital.world.city.id) == [first.id, second.id]
    assert await found(site_id=hospital.world.village.id) == []
    assert await found(states=("waiting",)) == [second.id]
    assert await found(states=("offered", "withdrawn")) == [first.id]
    page = await waitlist.list_waiting(hospital.desk(), ListWaiting(limit=1))
    assert page.next == first.id
    assert await found(after=first.id) == [second.id]


async def test_whose_last_day_is_over_waits_no_more(hospital: Hospital) -> None:
    entry = await wait(hospital, 1, latest_on=date(2026, 11, 3))
    hospital.here.clock.advance(hours=24 * 2)
    await waitlist.end_overdue(hospital.here.system())
    assert (await now(hospital, entry)).state == "waiting", "it is not over on every clock"
    hospital.here.clock.advance(hours=12)
    await waitlist.end_overdue(hospital.here.system())
    assert (await now(hospital, entry)).state == "expired"


async def test_a_policy_is_changed_as_it_was_read(hospital: Hospital) -> None:
    site_id = hospital.world.city.id
    assert (await waitlist.get_waitlist_policy(hospital.desk(), site_id)).version == 0
    await policy(hospital, "race")
    again = SetWaitlistPolicy(site_id=site_id, terms=PolicyTerms(way="off"), expected_version=2)
    with pytest.raises(PreconditionFailed):
        await waitlist.set_waitlist_policy(hospital.desk(), again)
    done = await waitlist.set_waitlist_policy(hospital.desk(), msgspec.structs.replace(again, expected_version=1))
    assert (done.version, done.terms.way) == (2, "off")
    with pytest.raises(UnknownSite):
        await waitlist.get_waitlist_policy(hospital.desk(), hospital.here.ids.new())


async def test_events_say_who_waits_and_nothing_that_can_be_read(hospital: Hospital) -> None:
    entry = await wait(hospital, 1)
    (fact,) = [each for each in await facts_of(hospital.desk()) if isinstance(each, WaitingChanged)]
    assert (fact.entry_id, fact.state, fact.version) == (entry.id, "waiting", 1)
