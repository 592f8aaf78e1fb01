"""Offers in PostgreSQL: what is kept for whom, what an answer does, who wins, and what is left when it is over."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from carewright.contracts.links import ListLinks
from carewright.contracts.notifications import CommunicationNotDone
from carewright.contracts.offers import (
    AnswerByLink,
    AnswerOffer,
    LinkToOffer,
    ListOffers,
    MakeOffer,
    NoteOfferUnreached,
    Offer,
    OfferAnswer,
    OfferByLink,
    OfferEnded,
    OfferFact,
    OfferMade,
    OfferNotOpen,
    OfferStillOpen,
    OfferUnreached,
    TooLateToAsk,
    UnknownOffer,
    WithdrawOffer,
)
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.planner import ProposeInstead
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    ConfirmAppointment,
    IllegalStep,
    OutsideRules,
    PatientBusy,
    RescheduleAppointment,
    TimeNotFree,
    UnknownAppointment,
)
from carewright.contracts.waitlist import ListWaiting
from carewright.kernel import merges
from carewright.kernel.audit import Entry
from carewright.kernel.context import Once
from carewright.kernel.errors import Forbidden, PreconditionFailed, Refusal
from carewright.kernel.links import LinkRefused
from carewright.scheduling import handlers
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.module import MODULE
from carewright.scheduling.service import change, expire, instead, links, offer_links, offers, waitlist
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import Process, invent, store_world
from tests.servers import code_of, facts_of

LATER = TOMORROW + 2 * HALF_HOUR


async def made(hospital: Hospital, one: Appointment, start: datetime = LATER, **more: Any) -> Offer:
    actors = more.pop("actors", (hospital.physician(),))
    return await offers.make_offer(hospital.desk(), MakeOffer(appointment_id=one.id, start=start, actor_ids=actors, **more))


def answer(offer: Offer, said: OfferAnswer = "accepted", version: int | None = None) -> AnswerOffer:
    return AnswerOffer(offer_id=offer.id, answer=said, expected_version=version)


def host(hospital: Hospital) -> SchedulingContext:
    """The portal itself, for somebody who has a link."""
    desk = hospital.desk()
    may = frozenset({offer_links.LINK, offer_links.OPEN, offers.NOTE})
    return desk.acting(msgspec.structs.replace(desk.actor, role="system", permissions=may))


async def link(hospital: Hospital, offer: Offer) -> str:
    return (await offer_links.link_to_offer(host(hospital), LinkToOffer(offer_id=offer.id))).token


async def now(hospital: Hospital, what: Offer) -> Offer:
    return await offers.get_offer(hospital.desk(), what.id)


async def visit(hospital: Hospital, one: Appointment) -> Appointment:
    return await change.get_appointment(hospital.desk(), one.id)


async def move(hospital: Hospital, one: Appointment, start: datetime, process: Process | None = None) -> Appointment:
    time = hospital.world.at(hospital.world.kinds.solo, start, hospital.physician())
    return await change.reschedule_appointment(hospital.desk(process), RescheduleAppointment(appointment_id=one.id, time=time))


async def deliver(hospital: Hospital) -> None:
    """What the relay does with what became of appointments."""
    ctx = hospital.here.system()
    for fact in await facts_of(hospital.desk()):
        if MODULE.subscriptions.get(type(fact)) is handlers.follow_appointment:
            async with ctx.db.transaction() as tx:
                await handlers.follow_appointment(ctx, tx, fact)


async def told(hospital: Hospital) -> list[tuple[str, str]]:
    return [(type(each).__name__, each.status) for each in await facts_of(hospital.desk()) if isinstance(each, OfferFact)]


async def journal(database: Any, hospital: Hospital) -> list[Entry]:
    """What was noted, oldest first."""
    said = "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 ORDER BY id"
    return [msgspec.json.decode(row["body"], type=Entry) for row in await database.fetch(said, hospital.world.organization_id)]


async def test_what_is_offered_is_nobody_elses_and_the_appointment_stays(hospital: Hospital) -> None:
    one = await hospital.book()
    await hospital.there.settle()  # so that what it learns of the time next, it learns of the offer
    offer = await made(hospital, one, answer_minutes=30)
    assert (offer.status, offer.purpose, offer.version, offer.is_unreached) == ("open", "moved", 1, False)
    assert (offer.booked_start, offer.start, offer.expires_at) == (one.start, LATER, hospital.here.clock.now() + timedelta(minutes=30))
    assert LATER not in await hospital.starts()
    await hospital.there.settle()
    assert LATER not in await hospital.starts(hospital.there)
    with pytest.raises(TimeNotFree):
        await hospital.book(LATER, patient=1, process=hospital.there)
    assert (await visit(hospital, one)).version == one.version
    assert await told(hospital) == [("OfferMade", "open")]
    await hospital.ensure_sound()


async def test_yes_moves_the_appointment_to_the_time_that_was_kept(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    done = await offers.answer_offer(hospital.patient(), answer(offer, version=1))
    assert (done.status, done.version, done.ended_at) == ("accepted", 2, hospital.here.clock.now())
    after = await visit(hospital, one)
    assert (after.start, after.version, after.status) == (LATER, one.version + 1, "booked")
    assert {each.actor_id for each in after.participants if each.kind != "patient"} == set(offer.actor_ids)
    assert one.start in await hospital.starts()
    assert LATER not in await hospital.starts()
    assert await told(hospital) == [("OfferMade", "open"), ("OfferEnded", "accepted")]
    await hospital.ensure_sound()


async def test_no_gives_the_time_back_at_once(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    done = await offers.answer_offer(hospital.patient(), answer(offer, "declined"))
    assert done.status == "declined"
    assert LATER in await hospital.starts()
    assert await visit(hospital, one) == one
    assert (await made(hospital, one, LATER + HALF_HOUR)).status == "open", "whoever declined may be asked about another time"
    await hospital.ensure_sound()


async def test_nobody_is_asked_two_things_at_once(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    with pytest.raises(OfferStillOpen) as refused:
        await made(hospital, one, LATER + HALF_HOUR)
    assert refused.value.facts == {"offer_id": str(offer.id)}
    other = await hospital.book(TOMORROW + 7 * HALF_HOUR, patient=1)
    codes = await asyncio.gather(*(code_of(made(hospital, other, LATER + each * HALF_HOUR)) for each in (1, 2)))
    assert sorted(codes) == ["done", OfferStillOpen.code]
    await hospital.ensure_sound()


async def test_it_runs_out_by_itself_and_the_time_is_free_again(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    token = await link(hospital, offer)
    hospital.here.clock.advance(minutes=60)
    assert LATER in await hospital.starts(), "shown as free even before it is noted"
    with pytest.raises(OfferNotOpen) as refused:
        await offer_links.answer_by_link(host(hospital), AnswerByLink(token=token, answer="accepted"))
    assert refused.value.facts["offer_status"] == "expired"
    assert await expire.expire_offers(hospital.here.system()) >= 1
    assert await expire.expire_offers(hospital.here.system()) == 0
    assert (await now(hospital, offer)).status == "expired"
    assert await visit(hospital, one) == one
    assert await told(hospital) == [("OfferMade", "open"), ("OfferEnded", "expired")]
    await hospital.ensure_sound()


async def test_whoever_books_a_time_that_ran_out_need_not_wait_for_the_timer(hospital: Hospital) -> None:
    offer = await made(hospital, await hospital.book())
    hospital.here.clock.advance(minutes=61)
    assert (await hospital.book(LATER, patient=1)).start == LATER
    assert (await now(hospital, offer)).status == "expired"
    await hospital.ensure_sound()


async def test_one_that_ran_out_does_not_keep_anybody_from_being_asked_again(hospital: Hospital) -> None:
    one = await hospital.book()
    first = await made(hospital, one)
    hospital.here.clock.advance(minutes=61)
    assert (await made(hospital, one)).status == "open"
    assert (await now(hospital, first)).status == "expired"
    await hospital.ensure_sound()


async def test_of_two_taps_one_moves_it_and_the_other_is_told(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    token = await link(hospital, offer)
    taps = (code_of(offer_links.answer_by_link(host(hospital), AnswerByLink(token=token, answer="accepted"))) for _ in range(2))
    assert sorted(await asyncio.gather(*taps)) == ["done", OfferNotOpen.code]
    after = await visit(hospital, one)
    assert (after.start, after.version) == (LATER, one.version + 1)
    await hospital.ensure_sound()


async def test_a_tap_that_is_repeated_under_its_key_answers_as_before(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    patient = hospital.patient(once=Once("tap", b"t" * 32))
    first = await offers.answer_offer(patient, answer(offer))
    assert await offers.answer_offer(patient, answer(offer)) == first


async def test_yes_and_no_at_once_leave_one_of_them(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    both: tuple[OfferAnswer, OfferAnswer] = ("accepted", "declined")
    codes = await asyncio.gather(*(code_of(offers.answer_offer(hospital.patient(), answer(offer, said))) for said in both))
    assert sorted(codes) == ["done", OfferNotOpen.code]
    ended, after = await now(hospital, offer), await visit(hospital, one)
    assert (after.start == LATER) == (ended.status == "accepted")
    await hospital.ensure_sound()


@pytest.mark.parametrize("turn", range(6))
async def test_a_tap_while_the_desk_moves_it_leaves_one_winner(hospital: Hospital, turn: int) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    elsewhere = TOMORROW + 5 * HALF_HOUR
    works = [offers.answer_offer(hospital.patient(), answer(offer)), move(hospital, one, elsewhere, hospital.there)]
    codes = await asyncio.gather(*map(code_of, works[::-1] if turn % 2 else works))
    after = await visit(hospital, one)
    assert "done" in codes
    assert after.start in (LATER, elsewhere)
    await deliver(hospital)
    assert (await now(hospital, offer)).status == ("withdrawn" if OfferNotOpen.code in codes else "accepted")
    await hospital.ensure_sound()


@pytest.mark.parametrize("what", ["cancel", "move", "arrive"])
async def test_what_becomes_of_the_appointment_takes_the_offer_back(hospital: Hospital, what: str) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    token = await link(hospital, offer)
    if what == "cancel":
        await hospital.cancel(one)
    elif what == "move":
        await move(hospital, one, TOMORROW + 5 * HALF_HOUR)
    else:
        await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=one.id, status="arrived"))
    with pytest.raises(OfferNotOpen) as refused:
        await offer_links.answer_by_link(host(hospital), AnswerByLink(token=token, answer="accepted"))
    assert refused.value.facts["offer_status"] == "withdrawn", "whether or not that was noted yet"
    await deliver(hospital)
    await deliver(hospital)  # delivered at least once
    assert (await now(hospital, offer)).status == "withdrawn"
    seen = await offer_links.offer_by_link(host(hospital), OfferByLink(token=token))
    assert (seen.offer.status, seen.is_to_come) == ("withdrawn", what == "move")
    assert await told(hospital) == [("OfferMade", "open"), ("OfferEnded", "withdrawn")]
    await hospital.ensure_sound()


async def test_an_older_change_takes_no_newer_offer_back(hospital: Hospital) -> None:
    one = await move(hospital, await hospital.book(), TOMORROW + HALF_HOUR)
    offer = await made(hospital, one)
    await deliver(hospital)
    assert (await now(hospital, offer)).status == "open"
    await change.confirm_appointment(hospital.patient(), ConfirmAppointment(appointment_id=one.id))
    assert (await offers.answer_offer(hospital.patient(), answer(offer))).status == "accepted", "who said that they come may still move"


async def test_time_that_was_closed_meanwhile_is_told_and_the_offer_is_taken_back(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    await hospital.block(LATER)
    with pytest.raises(TimeNotFree):
        await offers.answer_offer(hospital.patient(), answer(offer))
    assert (await now(hospital, offer)).status == "withdrawn"
    assert await visit(hospital, one) == one, "nothing was lost"
    await hospital.ensure_sound()


async def test_who_is_expected_elsewhere_then_is_not_asked_and_does_not_accept(hospital: Hospital) -> None:
    one, other = await hospital.book(), await hospital.book(LATER, physician=1)
    with pytest.raises(PatientBusy):
        await made(hospital, one)
    await hospital.cancel(other)
    offer = await made(hospital, one)
    await hospital.book(LATER, physician=1)
    with pytest.raises(PatientBusy):
        await offers.answer_offer(hospital.patient(), answer(offer))
    assert (await now(hospital, offer)).status == "open"
    assert await visit(hospital, one) == one


async def test_nobody_is_asked_about_what_begins_too_soon_or_is_over(hospital: Hospital) -> None:
    one = await hospital.book()
    hospital.here.clock.advance(seconds=(one.start - hospital.here.clock.now()).total_seconds() - 299)
    with pytest.raises(TooLateToAsk):
        await made(hospital, one, LATER)
    hospital.here.clock.advance(seconds=-60)
    assert (await made(hospital, one, LATER, answer_minutes=120)).expires_at == one.start, "no later than it begins"
    with pytest.raises(IllegalStep):
        await made(hospital, await hospital.cancel(await hospital.book(TOMORROW + 6 * HALF_HOUR, patient=1)))


@pytest.mark.parametrize("start", [TOMORROW + timedelta(minutes=7), TOMORROW + timedelta(days=60), TOMORROW + timedelta(hours=-3)])
async def test_what_is_no_time_to_move_to_is_refused_and_keeps_nothing(hospital: Hospital, start: datetime) -> None:
    one = await hospital.book()
    with pytest.raises(Refusal):
        await made(hospital, one, start)
    assert (await offers.list_offers(hospital.desk(), ListOffers(appointment_id=one.id))).items == ()
    await hospital.ensure_sound()


async def test_what_staff_offered_is_accepted_though_patients_could_not_book_it_themselves(hospital: Hospital) -> None:
    """They book an hour before at the latest (`lead_minutes`)."""
    early = hospital.here.clock.now() + timedelta(minutes=30)
    one = await hospital.book(early + 2 * HALF_HOUR)
    offer = await made(hospital, one, early)
    with pytest.raises(OutsideRules):
        await hospital.hold(early + timedelta(minutes=15), patient=1)
    assert (await offers.answer_offer(hospital.patient(), answer(offer))).status == "accepted"
    assert (await visit(hospital, one)).start == early


async def test_the_desk_takes_an_offer_back_or_answers_for_the_patient(hospital: Hospital) -> None:
    one = await hospital.book()
    first = await made(hospital, one)
    with pytest.raises(PreconditionFailed):
        await offers.withdraw_offer(hospital.desk(), WithdrawOffer(offer_id=first.id, expected_version=7))
    assert (await offers.withdraw_offer(hospital.desk(), WithdrawOffer(offer_id=first.id, expected_version=1))).status == "withdrawn"
    assert LATER in await hospital.starts()
    second = await made(hospital, one)
    assert (await offers.answer_offer(hospital.desk(), answer(second))).status == "accepted", "they said so by telephone"
    with pytest.raises(OfferNotOpen):
        await offers.withdraw_offer(hospital.desk(), WithdrawOffer(offer_id=second.id))
    await hospital.ensure_sound()


async def test_nobody_is_proposed_what_they_declined_or_where_they_are_expected_elsewhere(hospital: Hospital) -> None:
    one = await hospital.book()

    async def proposed() -> datetime | None:
        return (await instead.propose_instead(hospital.desk(), ProposeInstead(appointment_ids=(one.id,)))).items[0].start

    said_no: list[datetime] = []
    while (start := await proposed()) is not None and start < one.end:
        await offers.answer_offer(hospital.patient(), answer(await made(hospital, one, start, actors=()), "declined"))
        said_no.append(start)
    assert said_no == sorted(set(said_no)) != []
    assert start is not None
    await hospital.book(start, physician=1)
    after = await proposed()
    assert after is not None
    assert after >= start + HALF_HOUR


async def test_patients_make_no_offers_and_see_and_answer_their_own_alone(hospital: Hospital) -> None:
    one = await hospital.book()
    with pytest.raises(Forbidden):
        await offers.make_offer(hospital.patient(), MakeOffer(appointment_id=one.id, start=LATER))
    offer = await made(hospital, one)
    stranger = hospital.patient(1)
    works: tuple[Callable[[], Awaitable[Offer]], ...] = (
        lambda: offers.get_offer(stranger, offer.id),
        lambda: offers.answer_offer(stranger, answer(offer)),
        lambda: offers.answer_offer(stranger, answer(offer, "declined")),
    )
    for work in works:
        with pytest.raises(UnknownOffer):
            await work()
    with pytest.raises(Forbidden):
        await offers.list_offers(stranger, ListOffers(patient_id=one.patient_id))
    assert (await offers.list_offers(stranger, ListOffers(appointment_id=one.id))).items == ()
    assert (await offers.list_offers(hospital.patient(), ListOffers())).items == (offer,)


async def test_who_speaks_for_no_patient_has_none_of_their_own_to_list(hospital: Hospital) -> None:
    await made(hospital, await hospital.book())
    nobody = hospital.here.acting("patient", hospital.world)
    assert nobody.actor.patient_id is None
    works: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: offers.list_offers(nobody, ListOffers()),
        lambda: links.list_links(nobody, ListLinks()),
        lambda: waitlist.list_waiting(nobody, ListWaiting()),
    )
    for work in works:
        with pytest.raises(Forbidden):
            await work()


async def test_staff_of_another_site_see_and_answer_nothing(hospital: Hospital) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    village = hospital.here.acting("scheduler", hospital.world, site_ids=(hospital.world.village.id,))
    with pytest.raises(UnknownOffer):
        await offers.get_offer(village, offer.id)
    with pytest.raises(UnknownOffer):
        await offers.withdraw_offer(village, WithdrawOffer(offer_id=offer.id))
    with pytest.raises(UnknownAppointment):
        await offers.make_offer(village, MakeOffer(appointment_id=one.id, start=LATER))
    assert (await offers.list_offers(village, ListOffers())).items == ()


async def test_offers_are_found_by_appointment_patient_site_and_day(hospital: Hospital) -> None:
    kept = [await made(hospital, await hospital.book(TOMORROW + 2 * each * HALF_HOUR, patient=each), TOMORROW + (2 * each + 1) * HALF_HOUR)
            for each in range(3)]  # fmt: skip
    desk = hospital.desk()

    async def found(**conditions: Any) -> list[int]:
        page = await offers.list_offers(desk, ListOffers(**conditions))
        return [kept.index(each) for each in page.items]

    assert await found() == [0, 1, 2]
    assert await found(appointment_id=kept[2].appointment_id) == [2]
    assert await found(patient_id=kept[1].patient_id) == [1]
    assert await found(site_id=hospital.world.village.id) == []
    assert await found(actor_id=hospital.physician(), from_at=TOMORROW + 3 * HALF_HOUR) == [2]
    assert await found(actor_id=hospital.physician(1)) == []
    assert await found(site_id=hospital.world.city.id, from_at=TOMORROW + HALF_HOUR, until_at=TOMORROW + 3 * HALF_HOUR) == [1]
    first = await offers.list_offers(desk, ListOffers(limit=2))
    assert first.next == kept[1].id
    assert await found(after=first.next) == [2]


async def test_a_link_opens_its_offer_and_speaks_for_its_patient(hospital: Hospital, database: Any) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    token = await link(hospital, offer)
    seen = await offer_links.offer_by_link(host(hospital), OfferByLink(token=token))
    assert (seen.offer, seen.start, seen.is_to_come) == (offer, one.start, True)
    await offer_links.answer_by_link(host(hospital), AnswerByLink(token=token, answer="declined", expected_version=1))
    entries = await journal(database, hospital)
    by = {each.event: each.agent for each in entries if each.event.startswith("scheduling.offer.")}
    assert by["scheduling.offer.answer"] == by["scheduling.offer.open"] == f"link/{offer.id}"
    hospital.here.clock.advance(minutes=60, hours=23)
    assert (await offer_links.offer_by_link(host(hospital), OfferByLink(token=token))).offer.status == "declined", "it says so for a day"
    hospital.here.clock.advance(hours=1)
    with pytest.raises(LinkRefused):
        await offer_links.offer_by_link(host(hospital), OfferByLink(token=token))
    with pytest.raises(OfferNotOpen):
        await link(hospital, offer)


async def test_a_link_of_another_hospital_or_none_opens_nothing(hospital: Hospital) -> None:
    offer = await made(hospital, await hospital.book())
    token = await link(hospital, offer)
    other = await store_world(hospital.here, invent(hospital.here.ids))
    stranger = host(Hospital(hospital.here, hospital.there, other))
    with pytest.raises(LinkRefused):
        await offer_links.offer_by_link(stranger, OfferByLink(token=token))
    with pytest.raises(LinkRefused):
        await offer_links.answer_by_link(stranger, AnswerByLink(token=token, answer="accepted"))
    for nonsense in ("", "x", "cwl_" + "0" * 32):
        with pytest.raises(LinkRefused):
            await offer_links.answer_by_link(host(hospital), AnswerByLink(token=nonsense, answer="accepted"))
    assert (await now(hospital, offer)).status == "open"


async def test_whom_no_message_reaches_is_noted_while_the_offer_is_open(hospital: Hospital) -> None:
    offer, other = (
        await made(hospital, await hospital.book()),
        await made(hospital, await hospital.book(LATER + HALF_HOUR, 1), LATER + 2 * HALF_HOUR),
    )
    for _ in range(2):
        await offers.note_unreached(host(hospital), NoteOfferUnreached(offer_id=offer.id))
    ctx = hospital.here.system()
    lost = CommunicationNotDone(organization_id=hospital.world.organization_id, communication_id=ctx.ids.new(), about_id=other.id)
    async with ctx.db.transaction() as tx:
        await handlers.note_unreached(ctx, tx, lost)
        await handlers.note_unreached(ctx, tx, msgspec.structs.replace(lost, about_id=None))
        await handlers.note_unreached(ctx, tx, msgspec.structs.replace(lost, about_id=ctx.ids.new()))
    assert [(each.is_unreached, each.version) for each in (await now(hospital, offer), await now(hospital, other))] == [
        (True, 2),
        (True, 2),
    ]
    assert [each for each in await facts_of(hospital.desk()) if isinstance(each, OfferUnreached)] != []
    done = await offers.answer_offer(hospital.patient(), answer(offer))
    assert (done.status, done.is_unreached) == ("accepted", True), "they heard of it after all"
    await offers.note_unreached(host(hospital), NoteOfferUnreached(offer_id=done.id))
    assert (await now(hospital, offer)).version == done.version
    with pytest.raises(Forbidden):
        await offers.note_unreached(hospital.desk(), NoteOfferUnreached(offer_id=offer.id))


async def test_of_an_erased_patient_nothing_is_kept_and_nobody_waits_for_an_answer(hospital: Hospital) -> None:
    one = await hospital.book()
    await offers.answer_offer(hospital.patient(), answer(await made(hospital, one), "declined"))
    offer = await made(hospital, one)
    token = await link(hospital, offer)
    ctx = hospital.here.system()
    erased = PatientErased(organization_id=hospital.world.organization_id, patient_id=one.patient_id, version=9)
    for _ in range(2):
        async with ctx.db.transaction() as tx:
            await handlers.erase_patient(ctx, tx, erased)
    with pytest.raises(UnknownOffer):
        await offer_links.answer_by_link(host(hospital), AnswerByLink(token=token, answer="accepted"))
    assert (await offers.list_offers(hospital.desk(), ListOffers(appointment_id=one.id))).items == ()
    await hospital.ensure_sound()
    assert LATER in await hospital.starts()


async def test_a_merge_takes_the_offer_along(hospital: Hospital) -> None:
    offer = await made(hospital, await hospital.book())
    prior_id, survivor_id = hospital.world.patients[:2]
    ctx = hospital.here.system()
    merged = PatientMerged(organization_id=hospital.world.organization_id, patient_id=survivor_id, prior_id=prior_id)
    async with ctx.db.transaction() as tx:
        await merges.note_merged(tx, merged.organization_id, prior_id, survivor_id, ctx.clock.now())
        await handlers.take_over(ctx, tx, merged)
    assert (await offers.answer_offer(hospital.patient(1), answer(offer))).status == "accepted"
    await hospital.ensure_sound()


async def test_each_step_is_in_the_journal_of_the_patient(hospital: Hospital, database: Any) -> None:
    one = await hospital.book()
    offer = await made(hospital, one)
    await offers.answer_offer(hospital.patient(), answer(offer))
    deeds = {each.event: each for each in await journal(database, hospital) if each.patient_id == one.patient_id}
    for name in ("scheduling.offer.make", "scheduling.offer.answer", "scheduling.appointment.reschedule"):
        assert deeds[name].entities[0].id in (offer.id, one.id)
    kinds = [type(each) for each in await facts_of(hospital.desk())]
    assert OfferMade in kinds
    assert OfferEnded in kinds
