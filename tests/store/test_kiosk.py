"""Kiosks in PostgreSQL: codes that give the turn of an appointment, tickets for who has none, and calls for help."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, HealthcareService, Location, LocationChanged, VisitType, VisitTypeChanged
from carewright.contracts.flow import AlreadyQueued, QueueEntryMoved, UnknownQueue, WalkInsPaused
from carewright.contracts.kiosk import (
    AnswerHelp,
    CallForHelp,
    CallWalkIn,
    CheckedIn,
    CheckIn,
    CheckInAtDesk,
    CheckInCodeNotRight,
    CheckInElsewhere,
    CheckInTooEarly,
    EndWalkIn,
    HelpChanged,
    KioskTicket,
    ListKioskQueues,
    RegisterWalkIn,
    TakeTicket,
    TooManyCodes,
    UnknownHelpCall,
    UnknownWalkIn,
    WalkIn,
    WalkInMoved,
    WalkInStepNotAllowed,
)
from carewright.contracts.lobby import ShowCalls
from carewright.contracts.queue import Arrive, CallNext, FindTickets, ListEntries, ListQueues, PutQueue, Queue, QueuePolicy, StepEntry
from carewright.contracts.relief import SetRelief
from carewright.contracts.scheduling import AppointmentBooked, AppointmentFact
from carewright.flow import handlers, jobs
from carewright.flow.model import check_in as rules
from carewright.flow.service import check_in, help_calls, lobby, relief, waits, walk_ins
from carewright.flow.service import queue as queues
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden, PreconditionFailed, TooManyRequests
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import Contexts, facts_of

SITE, NORTH, SERVICE, DOCTOR, ANNA, BERT, CARA, VISIT = (known_id(number) for number in range(1, 9))
HEART = HealthcareService(id=SERVICE, name="Cardiology", specialty=Coding(system="urn:test", code="394579002"), site_ids=(SITE, NORTH))
KIND = VisitType(id=VISIT, healthcare_service_id=SERVICE, name="First visit", duration_minutes=20, requirements=())


@pytest.fixture
async def kiosk(context: Contexts) -> Context:
    """A kiosk at the site, in a hospital where flow has heard of both sites and of the kind of visit."""
    system = await context("flow", "nurse")
    async with system.db.transaction() as tx:
        for site_id, name in ((SITE, "Main Hospital"), (NORTH, "North Clinic")):
            site = Location(id=site_id, site_id=site_id, kind="site", name=name, time_zone="Europe/Berlin")
            await handlers.copy_place(system, tx, LocationChanged(organization_id=context.organization_id, location=site))
        known = VisitTypeChanged(organization_id=context.organization_id, visit_type=KIND, service=HEART)
        await handlers.copy_visit_type(system, tx, known)
    return await at(context, SITE)


async def at(context: Contexts, site_id: UUID) -> Context:
    """Another kiosk."""
    ctx = await context("flow", "kiosk", subject=f"kiosk/{uuid4()}")
    return ctx.acting(replace(ctx.actor, site_ids=frozenset({site_id})))


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    return await context("flow", "nurse")


async def put(context: Contexts, **policy: Any) -> Queue:
    command = PutQueue(site_id=SITE, service_id=SERVICE, name="Cardiology", letter="K", policy=QueuePolicy(**policy))
    return await queues.put_queue(await context("flow", "operations"), command)


async def booked(ctx: Context, number: int, minutes: float, **other: Any) -> AppointmentFact:
    """An appointment that begins so many minutes from now, heard of."""
    start = ctx.clock.now() + timedelta(minutes=minutes)
    said: dict[str, Any] = {
        "organization_id": ctx.actor.organization_id, "appointment_id": known_id(number), "version": 1, "status": "booked",
        "visit_type_id": VISIT, "site_id": SITE, "patient_id": known_id(number + 500), "start": start, "end": start + timedelta(minutes=20),
        "urgency": "P1", "practitioner_ids": (DOCTOR,),
    }  # fmt: skip
    fact = AppointmentBooked(**said | other)
    async with ctx.db.transaction() as tx:
        await handlers.copy_appointment(ctx, tx, fact)
    return fact


async def code_of(ctx: Context, fact: AppointmentFact) -> str:
    return rules.code_of(await ctx.cipher(), fact.appointment_id)


async def checks_in(ctx: Context, code: str, **more: Any) -> CheckedIn:
    return await check_in.check_in(ctx, msgspec.convert({"site_id": SITE, "code": code, "station_name": "Entrance"} | more, CheckIn))


async def takes(ctx: Context, queue: Queue, key: str | None = None) -> KioskTicket:
    command = TakeTicket(queue_id=queue.id)
    return await walk_ins.take_ticket(replace_once(ctx, key, command), command)


def replace_once(ctx: Context, key: str | None, command: object) -> Context:
    return ctx.acting(ctx.actor, Once.of(key, command))


async def open_tickets(ctx: Context, queue: Queue) -> tuple[WalkIn, ...]:
    return (await walk_ins.list_walk_ins(ctx, queue.id)).items


async def test_a_code_gives_the_turn_of_its_appointment_and_the_same_again(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context, waits_at="Waiting area 2")
    fact = await booked(kiosk, 30, 20)
    code = await code_of(kiosk, fact)
    first = await checks_in(kiosk, code.lower().replace(" ", "-"))
    assert (first.ticket, first.queue, first.waits_at, first.status, first.again, first.is_late) == (
        "K001", "Cardiology", "Waiting area 2", "waiting", False, False,
    )  # fmt: skip
    assert (first.start, first.ahead) == (fact.start, 0)
    again = await checks_in(await at(context, SITE), code)
    assert (again.ticket, again.again) == ("K001", True)
    (turn,) = (await queues.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting
    assert (turn.patient_id, turn.appointment_id, turn.practitioner_id, turn.level) == (fact.patient_id, fact.appointment_id, DOCTOR, 3)
    moved = [one for one in await facts_of(nurse) if isinstance(one, QueueEntryMoved)]
    assert [(one.action, one.appointment_id) for one in moved] == [("arrive", fact.appointment_id)]
    journal = [(event, agent) for event, outcome, agent in await recorded(context) if outcome == "success"]
    assert ("flow.queue_entry.arrive", kiosk.actor.subject) in journal
    assert "flow.queue_entry.read" in [event for event, _ in journal]


async def test_of_many_touches_at_once_one_turn_is_made(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    code = await code_of(kiosk, await booked(kiosk, 30, 20))
    others = [await at(context, SITE) for _ in range(2)]
    answers = await asyncio.gather(*(checks_in(each, code) for each in (kiosk, kiosk, *others)))
    assert {each.ticket for each in answers} == {answers[0].ticket}
    assert sum(not each.again for each in answers) == 1
    assert len((await queues.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting) == 1


async def test_a_code_is_good_from_three_hours_before_until_the_appointment_is_over(context: Contexts, kiosk: Context, clock: Any) -> None:
    fact = await booked(kiosk, 30, 200)
    code = await code_of(kiosk, fact)
    with pytest.raises(CheckInTooEarly) as early:
        await checks_in(kiosk, code)
    assert early.value.facts == {"from_at": (fact.start - timedelta(hours=3)).isoformat(), "time_zone": "Europe/Berlin"}
    clock.advance(minutes=20)
    await booked(kiosk, 31, 5)
    late = await code_of(kiosk, await booked(kiosk, 32, 0))
    clock.advance(minutes=16)
    assert (await checks_in(kiosk, late)).is_late
    clock.advance(minutes=5)
    with pytest.raises(CheckInAtDesk) as over:
        await checks_in(kiosk, await code_of(kiosk, await booked(kiosk, 33, -21)))
    assert over.value.facts == {"why": "over"}
    assert (await checks_in(kiosk, late)).again, "who waits is told their ticket however late it is"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("cancelled", "cancelled"),
        ("entered-in-error", "cancelled"),
        ("noshow", "missed"),
        ("fulfilled", "over"),
        ("pending", "unconfirmed"),
    ],
)
async def test_what_is_not_to_be_kept_goes_to_the_desk(kiosk: Context, status: Any, why: str) -> None:
    code = await code_of(kiosk, await booked(kiosk, 30, 20, status=status))
    with pytest.raises(CheckInAtDesk) as refusal:
        await checks_in(kiosk, code)
    assert refusal.value.facts == {"why": why}


async def test_a_code_of_another_day_site_or_hospital_opens_nothing_here(context: Contexts, kiosk: Context) -> None:
    tomorrow, yesterday = await booked(kiosk, 30, 24 * 60), await booked(kiosk, 31, -12 * 60)
    for fact in (tomorrow, yesterday):
        with pytest.raises(CheckInCodeNotRight):
            await checks_in(kiosk, await code_of(kiosk, fact))
    north = await code_of(kiosk, await booked(kiosk, 32, 20, site_id=NORTH))
    with pytest.raises(CheckInElsewhere) as elsewhere:
        await checks_in(kiosk, north)
    assert elsewhere.value.facts == {"site_name": "North Clinic"}
    with pytest.raises(Forbidden):
        await checks_in(kiosk, north, site_id=NORTH)
    other = await context("flow", "kiosk", subject="kiosk/1", organization_id=uuid4())
    with pytest.raises(CheckInCodeNotRight):
        await checks_in(other, await code_of(kiosk, await booked(kiosk, 33, 20)))
    assert await open_turns(context) == 0


async def open_turns(context: Contexts) -> int:
    found = (await queues.list_queues(await context("flow", "nurse"), ListQueues())).items
    return sum(sum(each.waiting) for each in found)


async def test_wrong_codes_are_counted_for_each_kiosk_and_bring_the_staff(
    context: Contexts, kiosk: Context, nurse: Context, clock: Any
) -> None:  # fmt: skip
    right = await code_of(kiosk, await booked(kiosk, 30, 20))
    wrong = [checks_in(kiosk, "CCC CCC") for _ in range(rules.WRONG_MAX - 1)]
    assert all(isinstance(each, CheckInCodeNotRight) for each in await asyncio.gather(*wrong, return_exceptions=True))
    assert (await help_calls.list_help(nurse, SITE)).items == ()
    with pytest.raises(CheckInCodeNotRight):
        await checks_in(kiosk, "CCC CCD")
    (call,) = (await help_calls.list_help(nurse, SITE)).items
    assert (call.reason, call.station_name) == ("codes", "Entrance")
    with pytest.raises(TooManyCodes) as refusal:
        await checks_in(kiosk, right)
    assert refusal.value.facts == {"retry_after_seconds": 600}
    assert (await checks_in(await at(context, SITE), right)).ticket == "A001", "another kiosk goes on"
    clock.advance(minutes=10)
    assert (await checks_in(kiosk, right)).again


async def test_a_turn_that_is_over_is_not_made_anew(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    code = await code_of(kiosk, await booked(kiosk, 30, 20))
    await checks_in(kiosk, code)
    (turn,) = (await queues.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting
    await queues.step_entry(nurse, StepEntry(entry_id=turn.id, action="leave"))
    with pytest.raises(CheckInAtDesk):
        await checks_in(kiosk, code)


async def test_only_the_rims_themselves_are_told_a_code(context: Contexts, kiosk: Context, nurse: Context) -> None:
    fact = await booked(kiosk, 30, 20)
    for ctx in (kiosk, nurse, await context("flow", "patient", patient_id=fact.patient_id)):
        with pytest.raises(Forbidden):
            await check_in.check_in_code(ctx, fact.appointment_id)
    system = nurse.acting(replace(nurse.actor, permissions=frozenset({check_in.TELL})))
    assert (await check_in.check_in_code(system, fact.appointment_id)).code == await code_of(kiosk, fact)


async def test_a_ticket_is_no_turn_until_the_desk_knows_whose_it_is(context: Contexts, kiosk: Context, nurse: Context, clock: Any) -> None:
    queue = await put(context)
    taken = await takes(kiosk, queue)
    assert (taken.ticket, taken.status, taken.ahead) == ("K001", "waiting", 0)
    assert (await queues.call_next(nurse, CallNext(queue_id=queue.id))).entry is None
    (ticket,) = await open_tickets(nurse, queue)
    clock.advance(minutes=10)
    other = await queues.arrive(nurse, Arrive(queue_id=queue.id, patient_id=BERT))
    (summary,) = (await queues.list_queues(nurse, ListQueues())).items
    assert (sum(summary.waiting), summary.walk_ins) == (1, 1)
    told = {each.entry_id: each.ahead for each in (await waits.estimate_waits(nurse, queue.id)).items}
    assert told == {ticket.id: 0, other.id: 1}, "who came first is before others, known or not"
    turn = await walk_ins.register_walk_in(nurse, RegisterWalkIn(walk_in_id=ticket.id, patient_id=ANNA, expected_version=1))
    assert (turn.ticket, turn.level, turn.arrived_at, turn.ranked_from) == ("K001", 4, ticket.taken_at, ticket.taken_at)
    assert [each.id for each in (await queues.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting] == [turn.id, other.id]
    assert await open_tickets(nurse, queue) == ()
    actions = [(one.action, one.entry_id) for one in await facts_of(nurse) if isinstance(one, WalkInMoved)]
    assert actions == [("take", None), ("register", turn.id)]


async def test_a_ticket_is_found_while_it_is_in_use_at_ones_own_sites(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    ticket = (await takes(kiosk, queue)).ticket

    async def found(who: Context, words: str = ticket.lower()) -> list[tuple[UUID, str, str]]:
        items = (await queues.find_tickets(who, FindTickets(ticket=words))).items
        return [(each.queue_id, each.ticket, each.status) for each in items]

    assert await found(nurse) == [(queue.id, "K001", "waiting")]
    (walk_in,) = await open_tickets(nurse, queue)
    turn = await walk_ins.register_walk_in(nurse, RegisterWalkIn(walk_in_id=walk_in.id, patient_id=ANNA))
    assert await found(nurse) == [(queue.id, "K001", "waiting")], "the turn, and not the ticket besides"
    assert await found(nurse, "K002") == []
    elsewhere = nurse.acting(replace(nurse.actor, site_ids=frozenset({uuid4()})))
    assert await found(elsewhere) == []
    with pytest.raises(Forbidden):
        await found(kiosk)
    await queues.step_entry(nurse, StepEntry(entry_id=turn.id, action="leave"))
    assert await found(nurse) == []


async def test_a_second_touch_gives_the_ticket_of_the_first(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    first = await takes(kiosk, queue, "touch-1")
    assert await takes(kiosk, queue, "touch-1") == first
    assert (await takes(kiosk, queue, "touch-2")).ticket == "K002"
    assert len(await open_tickets(nurse, queue)) == 2


async def test_whoever_touches_on_and_on_gets_no_more_tickets_for_a_minute(context: Contexts, kiosk: Context, clock: Any) -> None:
    queue = await put(context)
    for number in range(walk_ins.TICKETS_MAX):
        await takes(kiosk, queue, f"touch-{number}")
    with pytest.raises(TooManyRequests):
        await takes(kiosk, queue, "touch-more")
    assert (await takes(kiosk, queue, "touch-0")).ticket == "K001", "whoever has one is told it"
    assert (await takes(await at(context, SITE), queue)).ticket == "K011", "another kiosk goes on"
    clock.advance(minutes=1)
    assert (await takes(kiosk, queue, "touch-more")).ticket == "K012"


async def test_an_emergency_among_those_with_tickets_goes_first(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    await takes(kiosk, queue)
    await takes(kiosk, queue)
    first, second = await open_tickets(nurse, queue)
    await walk_ins.register_walk_in(nurse, RegisterWalkIn(walk_in_id=first.id, patient_id=ANNA))
    urgent = await walk_ins.register_walk_in(nurse, RegisterWalkIn(walk_in_id=second.id, patient_id=BERT, tier="P0"))
    called = (await queues.call_next(nurse, CallNext(queue_id=queue.id))).entry
    assert called is not None
    assert called.id == urgent.id


async def test_a_ticket_is_called_to_the_desk_on_every_screen(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    await takes(kiosk, queue)
    (ticket,) = await open_tickets(nurse, queue)
    called = await walk_ins.call_walk_in(nurse, CallWalkIn(walk_in_id=ticket.id))
    assert (called.status, called.version) == ("called", 2)
    screen = await context("flow", "screen")
    shown = await lobby.show_calls(screen, ShowCalls(site_id=SITE))
    assert [(each.ticket, each.place, each.is_here) for each in shown.calls] == [("K001", "", False)]
    assert [each.waiting for each in shown.queues] == [1]
    with pytest.raises(PreconditionFailed):
        await walk_ins.call_walk_in(nurse, CallWalkIn(walk_in_id=ticket.id, expected_version=1))
    ended = await walk_ins.end_walk_in(nurse, EndWalkIn(walk_in_id=ticket.id, reason="left"))
    assert ended.status == "ended"
    assert (await lobby.show_calls(screen, ShowCalls(site_id=SITE))).calls == ()


async def test_of_two_desks_one_sees_to_a_ticket(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    await takes(kiosk, queue)
    (ticket,) = await open_tickets(nurse, queue)
    tries = [walk_ins.register_walk_in(nurse, RegisterWalkIn(walk_in_id=ticket.id, patient_id=each)) for each in (ANNA, BERT, CARA)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, WalkInStepNotAllowed) for each in answers) == 2
    assert await open_turns(context) == 1
    with pytest.raises(WalkInStepNotAllowed):
        await walk_ins.end_walk_in(nurse, EndWalkIn(walk_in_id=ticket.id, reason="mistake"))


async def test_who_has_a_turn_already_keeps_that_and_the_ticket_stays_to_be_seen_to(
    context: Contexts, kiosk: Context, nurse: Context
) -> None:  # fmt: skip
    queue = await put(context)
    await queues.arrive(nurse, Arrive(queue_id=queue.id, patient_id=ANNA))
    await takes(kiosk, queue)
    (ticket,) = await open_tickets(nurse, queue)
    with pytest.raises(AlreadyQueued):
        await walk_ins.register_walk_in(nurse, RegisterWalkIn(walk_in_id=ticket.id, patient_id=ANNA))
    assert await open_tickets(nurse, queue) == (ticket,)


async def test_a_paused_queue_gives_no_tickets_and_says_so_before(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    await takes(kiosk, queue)
    await relief.set_relief(nurse, SetRelief(queue_id=queue.id, what="pause-walk-ins", is_on=True, reason="crowded"))
    (offered,) = (await walk_ins.list_kiosk_queues(kiosk, ListKioskQueues(site_id=SITE))).items
    assert (offered.is_paused, offered.waiting) == (True, 1)
    with pytest.raises(WalkInsPaused):
        await takes(kiosk, queue)
    (ticket,) = await open_tickets(nurse, queue)
    await walk_ins.register_walk_in(nurse, RegisterWalkIn(walk_in_id=ticket.id, patient_id=ANNA))


async def test_a_queue_that_is_not_for_kiosks_is_neither_offered_nor_taken(context: Contexts, kiosk: Context) -> None:
    queue = await put(context, at_kiosks=False)
    assert (await walk_ins.list_kiosk_queues(kiosk, ListKioskQueues(site_id=SITE))).items == ()
    with pytest.raises(UnknownQueue):
        await takes(kiosk, queue)
    with pytest.raises(UnknownQueue):
        await takes(await at(context, NORTH), await put(context))


async def test_staff_of_another_site_neither_see_nor_touch_a_ticket_or_a_call(context: Contexts, kiosk: Context, nurse: Context) -> None:
    queue = await put(context)
    await takes(kiosk, queue)
    (ticket,) = await open_tickets(nurse, queue)
    call = await help_calls.call_for_help(kiosk, CallForHelp(site_id=SITE, station_name="Entrance"))
    elsewhere = nurse.acting(replace(nurse.actor, site_ids=frozenset({NORTH})))
    with pytest.raises(UnknownQueue):
        await walk_ins.list_walk_ins(elsewhere, queue.id)
    for act in (
        walk_ins.call_walk_in(elsewhere, CallWalkIn(walk_in_id=ticket.id)),
        walk_ins.register_walk_in(elsewhere, RegisterWalkIn(walk_in_id=ticket.id, patient_id=ANNA)),
        walk_ins.end_walk_in(elsewhere, EndWalkIn(walk_in_id=ticket.id, reason="left")),
    ):
        with pytest.raises(UnknownWalkIn):
            await act
    with pytest.raises(UnknownHelpCall):
        await help_calls.answer_help(elsewhere, AnswerHelp(help_id=call.id))
    with pytest.raises(Forbidden):
        await help_calls.list_help(elsewhere, SITE)


async def test_a_call_for_help_is_one_until_somebody_has_gone_there(context: Contexts, kiosk: Context, nurse: Context) -> None:
    wanted = CallForHelp(site_id=SITE, station_name="Entrance")
    calls = await asyncio.gather(*(help_calls.call_for_help(kiosk, wanted) for _ in range(4)))
    assert len({each.id for each in calls}) == 1
    assert (await help_calls.list_help(nurse, SITE)).items == (calls[0],)
    answered = await help_calls.answer_help(nurse, AnswerHelp(help_id=calls[0].id))
    assert await help_calls.answer_help(nurse, AnswerHelp(help_id=calls[0].id)) == answered
    assert (await help_calls.list_help(nurse, SITE)).items == ()
    assert (await help_calls.call_for_help(kiosk, wanted)).id != answered.id
    facts = [one.is_open for one in await facts_of(nurse) if isinstance(one, HelpChanged)]
    assert facts == [True, False, True]
    with pytest.raises(Forbidden):
        await help_calls.call_for_help(kiosk, CallForHelp(site_id=NORTH, station_name="Entrance"))


async def test_a_kiosk_may_do_nothing_else(context: Contexts, kiosk: Context) -> None:
    queue = await put(context)
    await takes(kiosk, queue)
    for act in (
        queues.list_queues(kiosk, ListQueues()), queues.list_entries(kiosk, ListEntries(queue_id=queue.id)),
        queues.call_next(kiosk, CallNext(queue_id=queue.id)), queues.arrive(kiosk, Arrive(queue_id=queue.id, patient_id=ANNA)),
        walk_ins.list_walk_ins(kiosk, queue.id), lobby.show_calls(kiosk, ShowCalls(site_id=SITE)), help_calls.list_help(kiosk, SITE),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            await act


async def test_what_was_seen_to_is_forgotten_after_a_while_and_what_was_not_never(
    context: Contexts, kiosk: Context, nurse: Context, clock: Any
) -> None:  # fmt: skip
    queue = await put(context)
    await takes(kiosk, queue)
    await takes(kiosk, queue)
    first, second = await open_tickets(nurse, queue)
    await walk_ins.end_walk_in(nurse, EndWalkIn(walk_in_id=first.id, reason="left"))
    call = await help_calls.call_for_help(kiosk, CallForHelp(site_id=SITE, station_name="Entrance"))
    await help_calls.answer_help(nurse, AnswerHelp(help_id=call.id))
    clock.advance(days=91)
    assert await jobs.forget_past(await context.system("flow")) >= 2
    assert await open_tickets(nurse, queue) == (second,)
    with pytest.raises(UnknownWalkIn):
        await walk_ins.call_walk_in(nurse, CallWalkIn(walk_in_id=first.id))
