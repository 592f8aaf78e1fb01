"""The waitlist in PostgreSQL: who is asked about time that falls free, in which turn, who gets it, and what is left when nobody does."""

import asyncio
from collections.abc import Awaitable
from datetime import date, timedelta
from typing import Any

import pytest

from carewright.contracts.notifications import CommunicationNotDone
from carewright.contracts.offers import AnswerByLink, AnswerOffer, OfferByLink, OfferNotOpen, WithdrawOffer
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    OutsideRules,
    RescheduleAppointment,
    TimeNotFree,
    UnknownAppointment,
)
from carewright.contracts.waitlist import (
    LeaveWaitlist,
    NotWaiting,
    UnknownWaiting,
    WaitWindow,
)
from carewright.kernel import jobs, merges
from carewright.kernel.context import Once
from carewright.scheduling.jobs import JOBS
from carewright.scheduling.module import MODULE
from carewright.scheduling.service import change, expire, freed, offer_links, offers, waitlist
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.servers import code_of
from tests.store.test_offers import host, link
from tests.waitlist import Relay, asked, now, open_ones, policy, say, wait


@pytest.fixture
def relay(hospital: Hospital) -> Relay:
    return Relay(hospital)


async def test_cancelled_time_is_offered_to_who_waits_and_a_yes_books_it(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital, answer_minutes=20)
    one, entry = await hospital.book(), await wait(hospital)
    await hospital.cancel(one)
    await relay.run()
    (offer,) = await asked(hospital)
    assert (offer.purpose, offer.status, offer.patient_id, offer.entry_id) == ("waitlist", "open", entry.patient_id, entry.id)
    assert (offer.start, offer.booked_start, offer.actor_ids) == (one.start, one.start, (hospital.physician(),))
    assert offer.expires_at == hospital.here.clock.now() + timedelta(minutes=20)
    assert (await now(hospital, entry)).state == "offered"
    assert one.start not in await hospital.starts()
    with pytest.raises(TimeNotFree):
        await hospital.book(patient=2, process=hospital.there)
    await hospital.ensure_sound()
    assert (await say(hospital, offer)).status == "accepted"
    booked = await change.get_appointment(hospital.desk(), entry.id)
    assert (booked.start, booked.status, booked.patient_id) == (one.start, "booked", entry.patient_id)
    assert (await now(hospital, entry)).state == "booked"
    await relay.run()
    await hospital.ensure_sound()
    assert len(await asked(hospital)) == 1


async def test_noshow_moved_and_expired_time_is_offered_too(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital, answer_minutes=5)
    first, second = await hospital.book(), await hospital.book(TOMORROW + HALF_HOUR, patient=2)
    held = await hospital.hold(TOMORROW + 2 * HALF_HOUR, patient=3)
    entries = [await wait(hospital, 1)]
    await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=first.id, status="noshow"))
    await relay.run()
    assert [each.start for each in await asked(hospital)] == [first.start]
    await say(hospital, (await open_ones(hospital))[0])
    await relay.run()
    entries.append(await wait(hospital, 0))
    time = hospital.world.at(hospital.world.kinds.solo, TOMORROW + 6 * HALF_HOUR, hospital.physician())
    await change.reschedule_appointment(hospital.desk(), RescheduleAppointment(appointment_id=second.id, time=time))
    await relay.run()
    assert [each.start for each in await asked(hospital)] == [first.start, second.start]
    await say(hospital, (await open_ones(hospital))[0], "declined")
    await relay.run()
    hospital.here.clock.advance(minutes=11)
    await expire.expire_holds(hospital.here.system())
    await relay.run()
    assert [each.start for each in await asked(hospital)] == [first.start, second.start, held.start]
    await hospital.ensure_sound()


async def test_nobody_is_asked_where_the_site_does_not_offer_or_nothing_suits(hospital: Hospital, relay: Relay) -> None:
    await wait(hospital)
    await hospital.cancel(await hospital.book())
    await relay.run()
    await policy(hospital, "off")
    await hospital.cancel(await hospital.book())
    await relay.run()
    assert await asked(hospital) == []
    assert TOMORROW in await hospital.starts()


@pytest.mark.parametrize(
    "wishes",
    [
        {"earliest_on": date(2026, 11, 4)}, {"latest_on": date(2026, 11, 2)}, {"windows": (WaitWindow(weekdays=(0,)),)},
        {"windows": (WaitWindow(from_minute=496),)}, {"windows": (WaitWindow(until_minute=509),)}, {"notice_minutes": 1500},
    ],
)  # fmt: skip
async def test_who_wants_something_else_is_not_asked(hospital: Hospital, relay: Relay, wishes: dict[str, Any]) -> None:
    await policy(hospital)
    await wait(hospital, **wishes)
    await hospital.cancel(await hospital.book())
    await relay.run()
    assert await asked(hospital) == []
    await hospital.ensure_sound()


async def test_who_wants_another_practitioner_site_or_is_expected_elsewhere_is_passed_by(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    await wait(hospital, 0, practitioner_ids=(hospital.physician(1),))
    await hospital.book(patient=1, physician=1)
    busy = await wait(hospital, 1)
    last = await wait(hospital, 2)
    await hospital.cancel(await hospital.book(patient=3))
    await relay.run()
    assert [each.entry_id for each in await asked(hospital)] == [last.id]
    assert (await now(hospital, busy)).state == "waiting"


async def test_no_and_no_answer_ask_the_next_and_then_the_time_is_simply_free(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital, answer_minutes=10)
    entries = [await wait(hospital, each) for each in (1, 2, 3)]
    await hospital.cancel(await hospital.book())
    await relay.run()
    await say(hospital, (await open_ones(hospital))[0], "declined")
    await relay.run()
    hospital.here.clock.advance(minutes=10)
    await expire.expire_offers(hospital.here.system())
    await relay.run()
    await offers.withdraw_offer(hospital.desk(), WithdrawOffer(offer_id=(await open_ones(hospital))[0].id))
    await relay.run()
    assert [(each.entry_id, each.status) for each in await asked(hospital)] == [
        (entries[0].id, "declined"), (entries[1].id, "expired"), (entries[2].id, "withdrawn"),
    ]  # fmt: skip
    assert TOMORROW in await hospital.starts()
    counts = [(each.declined, each.unanswered, each.passed_over) for each in [await now(hospital, one) for one in entries]]
    assert counts == [(1, 0, 0), (0, 1, 1), (0, 0, 2)]
    await hospital.ensure_sound()


async def test_the_more_urgent_is_asked_first_whoever_waits_longer(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    await wait(hospital, 1)
    hospital.here.clock.advance(minutes=30)
    kind = hospital.world.kinds.solo
    assert kind.rules.urgency_tiers == ("P2",)
    with pytest.raises(OutsideRules):
        await wait(hospital, 2, urgency="P1")


async def test_a_fact_or_a_job_that_comes_twice_asks_nobody_twice(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    for each in (1, 2, 3):
        await wait(hospital, each)
    await hospital.cancel(await hospital.book())
    await relay.run()
    await relay.again()
    assert len(await asked(hospital)) == 1
    await say(hospital, (await open_ones(hospital))[0], "declined")
    await relay.run()
    await relay.again()
    assert [each.status for each in await asked(hospital)] == ["declined", "open"]
    (offer,) = await open_ones(hospital)
    ctx = hospital.here.system().working_in(hospital.world.organization_id)
    await asyncio.gather(*(freed.offer_freed_time(ctx, offer.freed_id) for _ in range(3) if offer.freed_id))
    assert len(await asked(hospital)) == 2
    await say(hospital, offer, "declined")
    await relay.run()
    assert [each.status for each in await asked(hospital)] == ["declined", "declined", "open"], (
        "nor is a time given up that somebody has yet"
    )
    await hospital.ensure_sound()


async def test_a_race_has_one_winner_however_many_tap_at_once(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital, "race", racers=3)
    entries = [await wait(hospital, each) for each in (1, 2, 3)]
    await hospital.cancel(await hospital.book())
    await relay.run()
    racing = await open_ones(hospital)
    assert {each.entry_id for each in racing} == {each.id for each in entries}
    assert len({each.freed_id for each in racing}) == 1
    await hospital.ensure_sound()
    taps = (code_of(say(hospital, each, process=process)) for each in racing for process in (hospital.here, hospital.there))
    codes = await asyncio.gather(*taps)
    assert codes.count("done") == 1, codes
    assert set(codes) == {"done", OfferNotOpen.code}
    await relay.run()
    assert sorted(each.status for each in await asked(hospital)) == ["accepted", "withdrawn", "withdrawn"]
    states = [(await now(hospital, each)).state for each in entries]
    assert sorted(states) == ["booked", "waiting", "waiting"]
    booked = [each for each in entries if await code_of(change.get_appointment(hospital.desk(), each.id)) == "done"]
    assert len(booked) == 1
    await hospital.ensure_sound()


async def test_in_a_race_one_no_leaves_the_time_to_the_others_and_the_last_gives_it_back(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital, "race", racers=2)
    for each in (1, 2, 3):
        await wait(hospital, each)
    await hospital.cancel(await hospital.book())
    await relay.run()
    first, second = await open_ones(hospital)
    await say(hospital, first, "declined")
    await relay.run()
    assert [each.id for each in await open_ones(hospital)] == [second.id], "no other turn while somebody is asked"
    assert TOMORROW not in await hospital.starts()
    await hospital.ensure_sound()
    await say(hospital, second, "declined")
    assert TOMORROW in await hospital.starts()
    await relay.run()
    (third,) = await open_ones(hospital)
    assert (await say(hospital, third)).status == "accepted"
    await relay.run()
    await hospital.ensure_sound()


@pytest.mark.parametrize("turn", range(4))
async def test_yes_and_no_and_running_out_at_once_leave_no_time_behind(hospital: Hospital, relay: Relay, turn: int) -> None:
    await policy(hospital, "race", racers=3)
    for each in (1, 2, 3):
        await wait(hospital, each)
    await hospital.cancel(await hospital.book())
    await relay.run()
    one, two, three = await open_ones(hospital)
    works: list[Awaitable[Any]] = [
        say(hospital, one, "declined"), say(hospital, two, "declined" if turn % 2 else "accepted"), say(hospital, three, "declined"),
    ]  # fmt: skip
    codes = await asyncio.gather(*map(code_of, works[::-1] if turn > 1 else works))
    assert set(codes) <= {"done", OfferNotOpen.code}
    await relay.run()
    await hospital.ensure_sound()
    assert (TOMORROW in await hospital.starts()) == bool(turn % 2)


async def test_who_gives_up_a_later_appointment_frees_a_place_for_the_next(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    later = await hospital.book(TOMORROW + 4 * HALF_HOUR, patient=1)
    chained = await wait(hospital, 1, given_up=later)
    await hospital.cancel(await hospital.book())
    await relay.run()
    (offer,) = await open_ones(hospital)
    assert (offer.purpose, offer.appointment_id, offer.booked_start, offer.start) == ("earlier", later.id, later.start, TOMORROW)
    last = await wait(hospital, 2)
    await say(hospital, offer)
    assert (await change.get_appointment(hospital.desk(), later.id)).start == TOMORROW
    assert (await now(hospital, chained)).state == "booked"
    await relay.run()
    (next_one,) = await open_ones(hospital)
    assert (next_one.entry_id, next_one.start) == (last.id, later.start)
    await say(hospital, next_one)
    await relay.run()
    await hospital.ensure_sound()


async def test_where_chains_are_off_or_it_is_no_earlier_nobody_moves(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital, chains=False)
    later = await hospital.book(TOMORROW + 4 * HALF_HOUR, patient=1)
    await wait(hospital, 1, given_up=later)
    await hospital.cancel(await hospital.book())
    await relay.run()
    assert await asked(hospital) == []
    await policy(hospital, chains=True)
    await hospital.cancel(await hospital.book(TOMORROW + 5 * HALF_HOUR))
    await relay.run()
    assert await asked(hospital) == []


async def test_what_becomes_of_an_appointment_to_give_up_ends_the_wait(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    later = await hospital.book(TOMORROW + 4 * HALF_HOUR, patient=1)
    entry = await wait(hospital, 1, given_up=later)
    await hospital.cancel(await hospital.book())
    await relay.run()
    (offer,) = await open_ones(hospital)
    await hospital.cancel(later)
    with pytest.raises(OfferNotOpen):
        await say(hospital, offer)
    await relay.run()
    assert (await now(hospital, entry)).state == "withdrawn"
    assert await open_ones(hospital) == []
    await hospital.ensure_sound()


async def test_who_leaves_the_list_is_asked_no_more_and_the_next_is(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    first, second = await wait(hospital, 1), await wait(hospital, 2)
    await hospital.cancel(await hospital.book())
    await relay.run()
    (offer,) = await open_ones(hospital)
    left = await waitlist.leave_waitlist(hospital.patient(1), LeaveWaitlist(entry_id=first.id, expected_version=1))
    assert (left.state, left.version) == ("withdrawn", 2)
    with pytest.raises(OfferNotOpen):
        await say(hospital, offer)
    await relay.run()
    assert [(each.entry_id, each.status) for each in await asked(hospital)] == [(first.id, "withdrawn"), (second.id, "open")]
    with pytest.raises(NotWaiting):
        await waitlist.leave_waitlist(hospital.desk(), LeaveWaitlist(entry_id=first.id))
    await hospital.ensure_sound()


async def test_who_books_meanwhile_waits_no_more(hospital: Hospital, relay: Relay) -> None:
    entry = await wait(hospital, 1)
    await hospital.book(patient=1)
    await relay.run()
    assert (await now(hospital, entry)).state == "booked"
    assert (await wait(hospital, 1)).id != entry.id


async def test_what_somebody_books_before_anybody_is_asked_is_not_offered(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    await wait(hospital, 1)
    await hospital.cancel(await hospital.book())
    await hospital.book(patient=2, process=hospital.there)
    await relay.run()
    assert await asked(hospital) == []
    await hospital.ensure_sound()


async def test_time_that_is_closed_while_somebody_is_asked_cannot_be_had(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    entry = await wait(hospital, 1)
    await hospital.cancel(await hospital.book())
    await relay.run()
    (offer,) = await open_ones(hospital)
    await hospital.block(TOMORROW)
    with pytest.raises(TimeNotFree):
        await say(hospital, offer)
    await relay.run()
    assert await open_ones(hospital) == []
    assert (await now(hospital, entry)).state == "waiting"
    with pytest.raises(UnknownAppointment):
        await change.get_appointment(hospital.desk(), entry.id)
    await hospital.ensure_sound()


async def test_whom_no_message_reaches_keeps_nobody_waiting(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    first, second = await wait(hospital, 1), await wait(hospital, 2)
    await hospital.cancel(await hospital.book())
    await relay.run()
    (offer,) = await open_ones(hospital)
    lost = CommunicationNotDone(organization_id=hospital.world.organization_id, communication_id=hospital.here.ids.new(), about_id=offer.id)
    await relay.deliver(lost)
    await relay.run()
    assert [(each.entry_id, each.status, each.is_unreached) for each in await asked(hospital)] == [
        (first.id, "withdrawn", True), (second.id, "open", False),
    ]  # fmt: skip


async def test_two_times_at_once_are_not_both_offered_to_one_person(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    first, second = await wait(hospital, 1), await wait(hospital, 2)
    one, two = await hospital.book(), await hospital.book(TOMORROW + HALF_HOUR, patient=3)
    await hospital.cancel(one)
    await hospital.cancel(two)
    await relay._facts()
    await asyncio.gather(*(jobs.run_due(hospital.here.system(), JOBS) for _ in range(2)))
    await relay.run()
    assert {each.entry_id for each in await open_ones(hospital)} == {first.id, second.id}
    await hospital.ensure_sound()


async def test_an_answer_that_is_repeated_under_its_key_is_as_before(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    await wait(hospital, 1)
    await hospital.cancel(await hospital.book())
    await relay.run()
    (offer,) = await open_ones(hospital)
    patient = hospital.patient(1, once=Once("tap", b"t" * 32))
    done = await offers.answer_offer(patient, AnswerOffer(offer_id=offer.id, answer="accepted"))
    assert await offers.answer_offer(patient, AnswerOffer(offer_id=offer.id, answer="accepted")) == done


async def test_its_link_says_what_a_yes_would_book_and_what_it_did(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital)
    await wait(hospital, 1)
    await hospital.cancel(await hospital.book())
    await relay.run()
    (offer,) = await open_ones(hospital)
    token = await link(hospital, offer)
    seen = await offer_links.offer_by_link(host(hospital), OfferByLink(token=token))
    assert (seen.offer, seen.start, seen.is_to_come) == (offer, TOMORROW, True)
    said = AnswerByLink(token=token, answer="accepted", expected_version=1)
    assert (await offer_links.answer_by_link(host(hospital), said)).status == "accepted"
    seen = await offer_links.offer_by_link(host(hospital), OfferByLink(token=token))
    assert (seen.offer.status, seen.start, seen.is_to_come) == ("accepted", TOMORROW, True)


async def test_of_an_erased_patient_nothing_is_kept_and_the_next_is_asked(hospital: Hospital, relay: Relay) -> None:
    await policy(hospital, "race", racers=2)
    first, second = await wait(hospital, 1), await wait(hospital, 2)
    await hospital.cancel(await hospital.book())
    await relay.run()
    erased = PatientErased(organization_id=hospital.world.organization_id, patient_id=first.patient_id, version=9)
    for _ in range(2):
        await relay.deliver(erased)
    await relay.run()
    with pytest.raises(UnknownWaiting):
        await now(hospital, first)
    assert [each.entry_id for each in await asked(hospital)] == [second.id]
    await hospital.ensure_sound()


async def test_a_merge_takes_the_wait_along_and_ends_one_of_two(hospital: Hospital) -> None:
    prior, survivor = await wait(hospital, 0), await wait(hospital, 1)
    ctx = hospital.here.system()
    merged = PatientMerged(
        organization_id=hospital.world.organization_id, patient_id=hospital.world.patients[1], prior_id=hospital.world.patients[0]
    )
    async with ctx.db.transaction() as tx:
        await merges.note_merged(tx, merged.organization_id, merged.prior_id, merged.patient_id, ctx.clock.now())
        await MODULE.subscriptions[PatientMerged](ctx, tx, merged)
    taken = await now(hospital, prior)
    assert (taken.patient_id, taken.state) == (survivor.patient_id, "withdrawn")
    assert (await now(hospital, survivor)).state == "waiting"
