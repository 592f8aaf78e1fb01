"""Appointments that depend on others, in PostgreSQL: what is refused, and what a change of one makes of the rest."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import msgspec
import pytest

from carewright.contracts.hours import Override
from carewright.contracts.links import (
    WITHOUT_OTHER,
    AlreadyLinked,
    AppointmentLink,
    LinkAppointments,
    LinkContradicts,
    LinkDoesNotFit,
    LinkFact,
    LinkNotBroken,
    ListLinks,
    NoteLinkSeen,
    TooManyLinks,
    UnknownLink,
    UnlinkAppointments,
)
from carewright.contracts.offers import AnswerOffer, ListOffers
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.permissions import ALL
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    AdvanceStatus,
    Appointment,
    AppointmentFact,
    BookAppointment,
    IllegalStep,
    RescheduleAppointment,
    UnknownAppointment,
)
from carewright.kernel import merges
from carewright.kernel.context import Once
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.events import Event
from carewright.scheduling import handlers, store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.module import MODULE
from carewright.scheduling.service import book, change, following, links, mending, offers
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.scheduling_world import REASON, Process
from tests.servers import code_of, facts_of

NEXT_DAY = timedelta(days=1)


async def at(hospital: Hospital, halves: int, physician: int = 0, patient: int = 0) -> Appointment:
    """An appointment so many half hours into the morning."""
    return await hospital.book(TOMORROW + halves * HALF_HOUR, patient=patient, physician=physician)


async def beside(hospital: Hospital, other: Appointment) -> Appointment:
    """The other physician, booked for the patient at the same time."""
    time = hospital.world.at(hospital.world.kinds.solo, other.start, hospital.physician(1))
    command = BookAppointment(time=time, patient_id=other.patient_id, override=Override(reason=REASON))
    return await book.book_appointment(hospital.desk(), command)


async def link(
    hospital: Hospital, one: Appointment, other: Appointment, ctx: SchedulingContext | None = None, **said: Any
) -> AppointmentLink:
    command = LinkAppointments(appointment_id=one.id, depends_on_id=other.id, **({"kind": "before"} | said))
    return await links.link_appointments(ctx or hospital.desk(), command)


async def now(hospital: Hospital, one: Appointment) -> Appointment:
    return await change.get_appointment(hospital.desk(), one.id)


async def stands(hospital: Hospital, one: AppointmentLink) -> AppointmentLink:
    return await links.get_link(hospital.desk(), one.id)


async def said_of(hospital: Hospital, one: AppointmentLink) -> tuple[str, str | None, str | None]:
    found = await stands(hospital, one)
    return found.status, found.cause, found.attempt


async def move(hospital: Hospital, one: Appointment, start: datetime, physician: int = 0, process: Process | None = None) -> Appointment:
    time = hospital.world.at(hospital.world.kinds.solo, start, hospital.physician(physician))
    return await change.reschedule_appointment(hospital.desk(process), RescheduleAppointment(appointment_id=one.id, time=time))


async def advance(hospital: Hospital, one: Appointment, status: AdvanceStatus) -> Appointment:
    return await change.advance_appointment(hospital.desk(), AdvanceAppointment(appointment_id=one.id, status=status))


def system(hospital: Hospital) -> SchedulingContext:
    """What jobs work in."""
    ctx = hospital.here.system()
    return replace(ctx, actor=msgspec.structs.replace(ctx.actor, permissions=ALL))


async def deliver(hospital: Hospital, facts: Sequence[Event]) -> None:
    ctx = system(hospital)
    for fact in facts:
        if MODULE.subscriptions.get(type(fact)) is handlers.follow_appointment:
            async with ctx.db.transaction() as tx:
                await handlers.follow_appointment(ctx, tx, cast(AppointmentFact, fact))


async def hear_new(hospital: Hospital) -> None:
    """The last fact alone, and what follows from it: the relay has told the rest."""
    await deliver(hospital, (await facts_of(hospital.desk()))[-1:])
    await work(hospital)


async def hear(hospital: Hospital) -> None:
    """What the relay and the worker do, until nobody has anything more to say."""
    heard = 0
    while new := (await facts_of(hospital.desk()))[heard:]:
        await deliver(hospital, new)
        await work(hospital)
        heard += len(new)


async def work(hospital: Hospital) -> None:
    """What the worker does."""
    await hospital.here.settle()
    for each in (await links.list_links(hospital.desk(), ListLinks())).items:
        if each.attempt == "due":
            await mending.mend_link(system(hospital), following.ToMend(hospital.world.organization_id, each.id))


# --- linking --------------------------------------------------------------------------------------------------------------------


async def test_one_depends_on_the_other_and_both_ends_know(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit, why="lab", least_minutes=30, most_minutes=240)
    assert (made.status, made.otherwise, made.version, made.patient_id) == ("holds", "ask", 1, lab.patient_id)
    for each in (lab, visit):
        assert (await links.list_links(hospital.desk(), ListLinks(appointment_id=each.id))).items == (made,)
    assert await stands(hospital, made) == made
    assert [type(each).__name__ for each in await facts_of(hospital.desk()) if isinstance(each, LinkFact)] == ["LinkMade"]
    await hospital.ensure_sound()


async def test_a_repeated_request_links_once(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    key = Once("k1", b"same")
    first = await link(hospital, lab, visit, hospital.desk(once=key))
    assert await link(hospital, lab, visit, hospital.desk(once=key)) == first
    with pytest.raises(AlreadyLinked) as refused:
        await link(hospital, visit, lab, kind="after")
    assert refused.value.facts == {"link_id": str(first.id)}


async def test_what_contradicts_itself_is_refused(hospital: Hospital) -> None:
    first, second, third = [await at(hospital, number) for number in (0, 2, 4)]
    await link(hospital, first, second)
    await link(hospital, second, third)
    other = await at(hospital, 6, patient=1)

    async def rule(work: Awaitable[object]) -> object:
        with pytest.raises(LinkContradicts) as refused:
            await work
        return refused.value.facts["rule"]

    assert await rule(link(hospital, third, first, kind="after")) == "circle"
    assert await rule(link(hospital, first, first)) == "itself"
    assert await rule(link(hospital, third, other)) == "other-patient"
    assert await rule(link(hospital, first, third, least_minutes=10, most_minutes=5)) == "minutes"
    assert await rule(link(hospital, first, third, kind="concurrent", otherwise="ask")) == "ask"
    with pytest.raises(LinkDoesNotFit):
        await link(hospital, first, third, most_minutes=30)
    assert (await link(hospital, first, third, most_minutes=90)).status == "holds", "two ways to the same are no circle"


async def test_a_circle_made_from_two_sides_at_once_is_refused(hospital: Hospital) -> None:
    one, two, three, four = [await at(hospital, number) for number in (0, 2, 4, 6)]
    await link(hospital, two, three)
    await link(hospital, one, four)
    ended = await asyncio.gather(
        code_of(link(hospital, one, two, kind="before")), code_of(link(hospital, three, one, hospital.desk(hospital.there), kind="after"))
    )  # fmt: skip
    assert sorted(ended) == ["done", "links.contradicts"]


async def test_only_what_is_booked_and_to_come_can_depend(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    await hospital.cancel(visit)
    with pytest.raises(IllegalStep):
        await link(hospital, lab, visit)
    held = await hospital.hold(TOMORROW + 6 * HALF_HOUR)
    with pytest.raises(IllegalStep):
        await link(hospital, lab, held)


async def test_an_appointment_has_so_many_links_and_no_more(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "LINKS_MAX", 2)
    visits = [await at(hospital, number) for number in range(4)]
    for each in visits[:2]:
        await link(hospital, each, visits[3])
    with pytest.raises(TooManyLinks):
        await link(hospital, visits[2], visits[3])


async def test_who_may_not_change_appointments_links_none_and_others_do_not_know_of_it(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    with pytest.raises(Forbidden):
        await link(hospital, lab, visit, hospital.patient())
    made = await link(hospital, lab, visit)
    assert await links.get_link(hospital.patient(), made.id) == made, "whoever it is about may read it"
    with pytest.raises(UnknownLink):
        await links.get_link(hospital.patient(1), made.id)
    elsewhere = hospital.here.acting("scheduler", hospital.world, site_ids=[hospital.world.village.id])
    with pytest.raises(UnknownAppointment):
        await link(hospital, lab, visit, elsewhere)
    with pytest.raises(UnknownLink):
        await links.unlink_appointments(elsewhere, UnlinkAppointments(link_id=made.id))
    assert (await links.list_links(elsewhere, ListLinks())).items == ()


async def test_a_link_that_is_taken_away_binds_nothing(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit)
    with pytest.raises(PreconditionFailed):
        await links.unlink_appointments(hospital.desk(), UnlinkAppointments(link_id=made.id, expected_version=2))
    assert await links.unlink_appointments(hospital.desk(), UnlinkAppointments(link_id=made.id, expected_version=1)) == made
    with pytest.raises(UnknownLink):
        await stands(hospital, made)
    await hospital.cancel(visit)
    await hear(hospital)
    assert (await now(hospital, lab)).status == "booked"


# --- cancelled, missed ------------------------------------------------------------------------------------------------------------


async def test_what_is_worth_nothing_without_the_other_goes_with_it_three_deep(hospital: Hospital) -> None:
    chain = [await at(hospital, number) for number in (4, 3, 2, 1)]
    made = [await link(hospital, lower, upper, most_minutes=30) for upper, lower in pairwise(chain)]
    own = await at(hospital, 6)
    kept = await link(hospital, own, chain[0], kind="after", needs=False)
    await hospital.cancel(chain[0])
    await hear(hospital)
    for each in chain[1:]:
        gone = await now(hospital, each)
        assert (gone.status, gone.cancelation_reason, gone.version) == ("cancelled", WITHOUT_OTHER, 2)
        assert each.start in await hospital.starts()
    assert [await said_of(hospital, each) for each in made] == [("ended", "cancelled", None)] * 3
    assert await now(hospital, own) == own
    assert await said_of(hospital, kept) == ("ended", "cancelled", None)
    await hospital.ensure_sound()


async def test_heard_again_it_changes_nothing_more(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit)
    await hospital.cancel(visit)
    await hear(hospital)
    facts = await facts_of(hospital.desk())
    before = await now(hospital, lab), await stands(hospital, made)
    await deliver(hospital, facts)
    assert (await now(hospital, lab), await stands(hospital, made)) == before
    assert await facts_of(hospital.desk()) == facts


async def test_what_is_missed_releases_what_was_to_follow_and_says_so_when_they_come_after_all(hospital: Hospital) -> None:
    visit, after = await at(hospital, 0), await at(hospital, 2)
    made = await link(hospital, after, visit, kind="after", why="imaging")
    hospital.here.clock.advance(minutes=24 * 60 + 20)
    missed = await advance(hospital, visit, "noshow")
    await hear(hospital)
    assert (await now(hospital, after)).cancelation_reason == WITHOUT_OTHER
    assert await said_of(hospital, made) == ("ended", "missed", None)
    await advance(hospital, missed, "arrived")
    await hear(hospital)
    assert await said_of(hospital, made) == ("broken", "back", None), "somebody has to book it anew"
    at_site = ListLinks(site_id=hospital.world.city.id, status="broken")
    assert [each.id for each in (await links.list_links(hospital.desk(), at_site)).items] == [made.id]


async def test_nobody_who_is_here_is_sent_away(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit)
    await advance(hospital, lab, "arrived")
    await hospital.cancel(visit)
    await hear(hospital)
    assert (await now(hospital, lab)).status == "arrived"
    assert await said_of(hospital, made) == ("broken", "cancelled", None)


async def test_what_another_system_is_master_of_is_left_to_somebody(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit)
    await hospital.cancel(visit)
    locked = store.appointment_for_change

    async def theirs(*given: Any) -> Any:
        return (await locked(*given))[0], "older"

    monkeypatch.setattr(store, "appointment_for_change", theirs)
    await hear(hospital)
    monkeypatch.undo()
    assert (await now(hospital, lab)).status == "booked"
    assert await said_of(hospital, made) == ("broken", "cancelled", None)


async def test_cancelled_while_somebody_moves_what_depends_on_it(hospital: Hospital) -> None:
    """Whichever comes first, in the end the one is off and its time is free."""
    for number in range(3):
        lab, visit = await at(hospital, 0, patient=number), await at(hospital, 4, patient=number)
        made = await link(hospital, lab, visit)
        await hospital.cancel(visit)
        facts = await facts_of(hospital.desk())
        moving = code_of(move(hospital, lab, TOMORROW + HALF_HOUR, process=hospital.there))
        ended, _ = await asyncio.gather(moving, deliver(hospital, facts))
        await hear(hospital)
        assert ended in ("done", IllegalStep.code)
        assert (await now(hospital, lab)).cancelation_reason == WITHOUT_OTHER
        assert await said_of(hospital, made) == ("ended", "cancelled", None)
        await hospital.ensure_sound()


# --- moved ------------------------------------------------------------------------------------------------------------------------


async def test_what_still_fits_is_kept(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit, most_minutes=300)
    await move(hospital, visit, TOMORROW + 6 * HALF_HOUR)
    await hear(hospital)
    assert (await now(hospital, lab), await stands(hospital, made)) == (lab, made)


async def test_the_patient_is_asked_about_another_time_that_fits_and_yes_mends_it(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 2)
    made = await link(hospital, lab, visit, least_minutes=0, most_minutes=60)
    await move(hospital, visit, visit.start + NEXT_DAY)
    await hear(hospital)
    assert await said_of(hospital, made) == ("broken", "moved", "asked")
    assert await now(hospital, lab) == lab, "nothing is moved before they say yes"
    (offer,) = (await offers.list_offers(hospital.desk(), ListOffers(appointment_id=lab.id))).items
    assert timedelta(0) <= visit.start + NEXT_DAY - offer.end <= timedelta(minutes=60)
    await offers.answer_offer(hospital.patient(), AnswerOffer(offer_id=offer.id, answer="accepted"))
    await hear(hospital)
    assert await said_of(hospital, made) == ("holds", None, None)
    await hospital.ensure_sound()


async def test_what_is_asked_about_a_time_that_does_not_fit_any_more_is_asked_anew(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 2)
    made = await link(hospital, lab, visit, most_minutes=60)
    await move(hospital, visit, visit.start + NEXT_DAY)
    await hear(hospital)
    await move(hospital, visit, visit.start + 2 * NEXT_DAY)
    await hear(hospital)
    asked = (await offers.list_offers(hospital.desk(), ListOffers(appointment_id=lab.id))).items
    assert [each.status for each in asked] == ["withdrawn", "open"]
    assert timedelta(0) <= visit.start + 2 * NEXT_DAY - asked[1].end <= timedelta(minutes=60)
    assert await said_of(hospital, made) == ("broken", "moved", "asked")


async def test_an_interpreter_is_moved_along_and_whatever_depends_on_that_too(hospital: Hospital) -> None:
    visit = await at(hospital, 4)
    interpreter = await beside(hospital, visit)
    made = await link(hospital, interpreter, visit, kind="concurrent", why="interpreter", most_minutes=0)
    follow_up = await at(hospital, 6)
    again = await link(hospital, follow_up, interpreter, kind="after", otherwise="move", most_minutes=60)
    assert made.otherwise == "move"
    await move(hospital, visit, TOMORROW + NEXT_DAY)
    await hear(hospital)
    moved = await now(hospital, interpreter)
    assert (moved.start, moved.override_reason) == (TOMORROW + NEXT_DAY, mending.WITH_IT.reason)
    assert {each.actor_id for each in moved.participants if each.kind != "patient"} == {hospital.physician(1)}
    assert timedelta(0) <= (await now(hospital, follow_up)).start - moved.end <= timedelta(minutes=60)
    assert [await said_of(hospital, each) for each in (made, again)] == [("holds", None, None)] * 2
    await hospital.ensure_sound()


async def test_an_interpreter_who_is_taken_then_is_not_booked_twice_but_seen_to(hospital: Hospital) -> None:
    visit = await at(hospital, 4)
    interpreter = await beside(hospital, visit)
    made = await link(hospital, interpreter, visit, kind="concurrent", why="interpreter", most_minutes=0)
    for physician in (0, 1):
        await hospital.book(TOMORROW + NEXT_DAY, patient=5 + physician, physician=physician)
    third = TOMORROW + NEXT_DAY + HALF_HOUR
    await hospital.book(third, patient=7, physician=1)
    await move(hospital, visit, third)
    await hear(hospital)
    assert (await now(hospital, interpreter)).start == interpreter.start
    assert await said_of(hospital, made) == ("broken", "moved", "none-free")


async def test_the_desk_sees_to_what_is_only_flagged_by_one_tap(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 2)
    made = await link(hospital, lab, visit, most_minutes=60, otherwise="flag")
    await move(hospital, visit, TOMORROW + 7 * HALF_HOUR)
    await hear(hospital)
    assert await said_of(hospital, made) == ("broken", "moved", None)
    seen = await links.note_link_seen(hospital.desk(), NoteLinkSeen(link_id=made.id, expected_version=2))
    assert (seen.status, seen.version) == ("seen", 3)
    with pytest.raises(LinkNotBroken):
        await links.note_link_seen(hospital.desk(), NoteLinkSeen(link_id=made.id))
    await advance(hospital, await now(hospital, lab), "arrived")
    await hear_new(hospital)
    assert await said_of(hospital, made) == ("seen", "moved", None), "that somebody came moves nothing"
    await move(hospital, visit, TOMORROW + 6 * HALF_HOUR)
    await hear_new(hospital)
    assert await said_of(hospital, made) == ("broken", "moved", None)
    await move(hospital, visit, TOMORROW + 2 * HALF_HOUR)
    await hear_new(hospital)
    assert await said_of(hospital, made) == ("holds", None, None), "moved back, nobody has to see to anything"


async def test_who_moves_what_depends_is_not_moved_back(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 2)
    made = await link(hospital, lab, visit, most_minutes=60, otherwise="move")
    await move(hospital, lab, TOMORROW + 6 * HALF_HOUR)
    await hear(hospital)
    assert await said_of(hospital, made) == ("broken", "moved", None)
    assert (await now(hospital, lab)).start == TOMORROW + 6 * HALF_HOUR


async def test_where_nothing_is_free_somebody_sees_to_it(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 1), await at(hospital, 2)
    made = await link(hospital, lab, visit, most_minutes=0, otherwise="move")
    await move(hospital, visit, TOMORROW + NEXT_DAY)
    await hear(hospital)
    assert await said_of(hospital, made) == ("broken", "moved", "none-free"), "nobody works before that"
    assert await now(hospital, lab) == lab


# --- patients -------------------------------------------------------------------------------------------------------------------


async def test_of_who_is_erased_no_link_is_left(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit)
    erased = PatientErased(organization_id=hospital.world.organization_id, patient_id=lab.patient_id, version=2)
    ctx = system(hospital)
    async with ctx.db.transaction() as tx:
        await handlers.erase_patient(ctx, tx, erased)
    with pytest.raises(UnknownLink):
        await stands(hospital, made)


async def test_a_merge_takes_the_links_along(hospital: Hospital) -> None:
    lab, visit = await at(hospital, 0), await at(hospital, 4)
    made = await link(hospital, lab, visit)
    prior_id, survivor_id = hospital.world.patients[:2]
    ctx = system(hospital)
    merged = PatientMerged(organization_id=hospital.world.organization_id, patient_id=survivor_id, prior_id=prior_id)
    async with ctx.db.transaction() as tx:
        await merges.note_merged(tx, merged.organization_id, prior_id, survivor_id, ctx.clock.now())
        await handlers.take_over(ctx, tx, merged)
    assert (await links.get_link(hospital.patient(1), made.id)).patient_id == survivor_id
    await hospital.cancel(visit)
    await hear(hospital)
    assert (await now(hospital, lab)).cancelation_reason == WITHOUT_OTHER
    await hospital.ensure_sound()
