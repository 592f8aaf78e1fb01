"""Waiting elsewhere in PostgreSQL: who is asked, who is told to come and when, what is said meanwhile, and who could not be reached."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from carewright.contracts.elsewhere import (
    ByLink,
    LinkToTurn,
    NoMoreTime,
    NoteUnreached,
    SayByLink,
    Saying,
    SayWhere,
    StayNear,
    TellTheDesk,
    TurnElsewhere,
)
from carewright.contracts.flow import StepNotAllowed, UnknownEntry
from carewright.contracts.notifications import CommunicationNotDone
from carewright.contracts.queue import (
    Arrive,
    CallEntry,
    CallNext,
    ListTurns,
    ProposeTurns,
    PutQueue,
    QueueEntry,
    QueuePolicy,
    StepEntry,
    TransferEntry,
    TriageEntry,
)
from carewright.contracts.relief import ReliefRule, SetRelief
from carewright.flow import handlers
from carewright.flow.service import by_link, elsewhere, relief
from carewright.flow.service import queue as service
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.links import LinkRefused
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import Contexts, code_of, facts_of

SITE, SERVICE, OTHER, DOCTOR = (known_id(number) for number in range(1, 5))
PATIENTS = [known_id(20 + number) for number in range(12)]
LATER = ReliefRule(what="wait-elsewhere", from_waiting=3)


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    return await context("flow", "nurse")


async def opened(context: Contexts, nurse: Context, count: int = 6, service_id: UUID = SERVICE, **policy: Any) -> list[QueueEntry]:
    """The turns of a queue of one who serves, in order: the last waits for about two hours where there are six."""
    command = PutQueue(site_id=SITE, service_id=service_id, name="Cardiology", policy=QueuePolicy(**{"relief": (LATER,), **policy}))
    queue = await service.put_queue(await context("flow", "operations"), command)
    return [await come(nurse, queue.id, each) for each in range(count)]


async def come(nurse: Context, queue_id: UUID, number: int, **more: Any) -> QueueEntry:
    return await service.arrive(nurse, Arrive(queue_id=queue_id, patient_id=PATIENTS[number], **more))


async def watch(context: Contexts, clock: Any, seconds: float = 31) -> None:
    clock.advance(seconds=seconds)
    await relief.watch(await context.system("flow"))
    await elsewhere.watch(await context.system("flow"))


async def patient(context: Contexts, number: int) -> Context:
    return await context("flow", "patient", patient_id=PATIENTS[number])


async def say(ctx: Context, entry: QueueEntry, what: Saying, minutes: int | None = None) -> QueueEntry:
    return await elsewhere.say_where(ctx, SayWhere(entry_id=entry.id, say=what, travel_minutes=minutes))


async def now(nurse: Context, entry: QueueEntry) -> QueueEntry:
    return await service.get_entry(nurse, entry.id)


async def heard(nurse: Context, action: str) -> list[UUID]:
    return [each.patient_id for each in await facts_of(nurse) if isinstance(each, TurnElsewhere) and each.action == action]


async def call(nurse: Context, queue_id: UUID) -> UUID | None:
    found = (await service.call_next(nurse, CallNext(queue_id=queue_id))).entry
    return found.id if found else None


def host(ctx: Context) -> Context:
    """The portal itself, for somebody who has a link."""
    return ctx.acting(msgspec.structs.replace(ctx.actor, role="system", permissions=frozenset({by_link.LINK, by_link.OPEN})))


async def test_who_waits_long_enough_is_asked_once_while_the_step_is_on(context: Contexts, nurse: Context, clock: Any) -> None:
    entries = await opened(context, nurse, count=2)
    queue_id = entries[0].queue_id
    await watch(context, clock)
    assert await heard(nurse, "offer") == [], "the step is not on"
    entries += [await come(nurse, queue_id, each) for each in range(2, 7)]
    urgent = await come(nurse, queue_id, 7, tier="P1")
    await watch(context, clock)
    asked = await heard(nurse, "offer")
    assert PATIENTS[6] in asked
    assert PATIENTS[0] not in asked, "whoever is likely to be called within minutes is not sent away"
    assert urgent.patient_id not in asked, "nor whoever is urgent"
    await watch(context, clock, 600)
    assert sorted(await heard(nurse, "offer")) == sorted(set(await heard(nurse, "offer"))), "nobody is asked twice"
    await relief.set_relief(nurse, SetRelief(queue_id=queue_id, what="wait-elsewhere", is_on=False, reason="calm"))
    count = len(await heard(nurse, "offer"))
    await come(nurse, queue_id, 8)
    await watch(context, clock)
    assert len(await heard(nurse, "offer")) == count


async def test_the_turn_keeps_its_place_and_is_told_to_come_in_time(context: Contexts, nurse: Context, clock: Any) -> None:
    """Five are before the last, each for about twenty minutes: they set out when what nine of ten wait is as short as their way."""
    entries = await opened(context, nurse)
    last, queue_id = entries[-1], entries[0].queue_id
    await watch(context, clock)
    away = await say(await patient(context, 5), last, "away", 30)
    assert (away.status, away.travel_minutes, away.ranked_from, away.come_at) == ("waiting", 30, last.ranked_from, None)
    listed = await service.list_turns(nurse, ListTurns(queue_id=queue_id))
    assert [each.id for each in listed.waiting] == [each.id for each in entries], "the order is what it was"
    for _ in range(4):
        assert await heard(nurse, "come") == []
        called = await call(nurse, queue_id)
        assert called is not None
        await service.step_entry(nurse, StepEntry(entry_id=called, action="start"))
        await watch(context, clock, 1200)
        if await heard(nurse, "come"):
            break
        await service.step_entry(nurse, StepEntry(entry_id=called, action="complete"))
    told = await now(nurse, last)
    assert told.come_at is not None
    assert told.due_at is not None
    assert (told.due_at - told.come_at).total_seconds() == 30 * 60
    await watch(context, clock)
    assert await heard(nurse, "come") == [PATIENTS[5]], "once"


async def test_who_is_elsewhere_is_passed_over_until_they_are_due_and_no_longer(context: Contexts, nurse: Context, clock: Any) -> None:
    first, second = await opened(context, nurse, count=2, relief=())
    await say(nurse, first, "away", 20)
    gaps = ProposeTurns(queue_id=first.queue_id)
    assert (await service.propose_turns(nurse, gaps)).items == ()
    assert await call(nurse, first.queue_id) == second.id, "others go first"
    assert await call(nurse, first.queue_id) is None
    await watch(context, clock)
    assert await heard(nurse, "come") == [PATIENTS[0]], "nobody is before them any more"
    assert await call(nurse, first.queue_id) is None
    clock.advance(seconds=20 * 60 + 1)
    assert await call(nurse, first.queue_id) == first.id


async def test_who_says_that_they_are_back_is_called_in_their_place(context: Contexts, nurse: Context, clock: Any) -> None:
    first, _ = await opened(context, nurse, count=2, relief=())
    await say(nurse, first, "away", 20)
    clock.advance(seconds=60)
    back = await say(await patient(context, 0), first, "back")
    assert (back.travel_minutes, back.due_at, back.ranked_from) == (None, None, first.ranked_from)
    assert await call(nurse, first.queue_id) == first.id


async def test_more_time_is_given_twice(context: Contexts, nurse: Context, clock: Any) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    own = await patient(context, 0)
    await say(nurse, only, "away", 10)
    assert await code_of(say(own, only, "more-time")) == StepNotAllowed.code, "nobody has told them to come"
    await watch(context, clock)
    told = await now(nurse, only)
    first = await say(own, only, "more-time")
    assert first.due_at is not None
    assert told.due_at is not None
    assert (first.due_at - told.due_at).total_seconds() == 600
    clock.advance(seconds=25 * 60)
    second = await say(own, only, "more-time")
    assert second.due_at is not None
    assert (second.due_at - clock.now()).total_seconds() == 600, "from now on, where it had passed"
    with pytest.raises(NoMoreTime):
        await say(own, only, "more-time")
    with pytest.raises(StayNear):
        await say(own, only, "away", 30)


async def test_who_is_called_in_vain_comes_back_by_a_tap_once_and_then_by_the_desk(context: Contexts, nurse: Context, clock: Any) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    own = await patient(context, 0)

    async def in_vain() -> None:
        called = await service.call_entry(nurse, CallEntry(entry_id=only.id))
        assert called.travel_minutes == 10, "the desk sees how far they are"
        await service.step_entry(nurse, StepEntry(entry_id=only.id, action="skip"))

    await say(nurse, only, "away", 10)
    await in_vain()
    back = await say(own, only, "back")
    assert (back.status, back.ranked_from, back.skipped) == ("waiting", only.ranked_from, 1)
    await say(nurse, only, "away", 10)
    await in_vain()
    with pytest.raises(TellTheDesk):
        await say(own, only, "back")
    assert (await service.step_entry(nurse, StepEntry(entry_id=only.id, action="return"))).status == "waiting"


async def test_who_becomes_urgent_is_told_to_come_at_once(context: Contexts, nurse: Context, clock: Any) -> None:
    entries = await opened(context, nurse)
    await watch(context, clock)
    await say(nurse, entries[-1], "away", 5)
    await watch(context, clock)
    assert await heard(nurse, "come") == []
    await service.triage_entry(nurse, TriageEntry(entry_id=entries[-1].id, scale="esi", level=3))
    await watch(context, clock)
    assert await heard(nurse, "come") == [PATIENTS[5]]
    with pytest.raises(StayNear):
        await say(nurse, await come(nurse, entries[0].queue_id, 7, tier="P1"), "away", 5)


async def test_who_was_not_asked_does_not_leave_by_themselves(context: Contexts, nurse: Context) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    with pytest.raises(StayNear):
        await say(await patient(context, 0), only, "away", 10)
    assert await code_of(say(await patient(context, 0), only, "back")) == StepNotAllowed.code


async def test_nobody_says_where_somebody_else_waits(context: Contexts, nurse: Context) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    with pytest.raises(UnknownEntry):
        await say(await patient(context, 1), only, "leave")
    with pytest.raises(UnknownEntry):
        await say(await context("flow", "nurse", organization_id=known_id(99)), only, "leave")
    for role in ("scheduler", "operations", "screen"):
        with pytest.raises(Forbidden):
            await say(await context("flow", role), only, "leave")
    with pytest.raises(Forbidden):
        await elsewhere.note_unreached(nurse, NoteUnreached(entry_id=only.id))


async def test_who_leaves_waits_no_more(context: Contexts, nurse: Context) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    assert (await say(await patient(context, 0), only, "leave")).status == "left"
    assert await code_of(say(await patient(context, 0), only, "back")) == StepNotAllowed.code


async def test_of_two_who_say_something_at_once_both_are_heard_in_turn(context: Contexts, nurse: Context) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    seen = SayWhere(entry_id=only.id, say="away", travel_minutes=10, expected_version=only.version)
    got = await asyncio.gather(*(code_of(elsewhere.say_where(nurse, seen)) for _ in range(3)))
    assert sorted(got) == ["done", PreconditionFailed.code, PreconditionFailed.code]


async def test_who_is_sent_on_waits_elsewhere_there_too(context: Contexts, nurse: Context, clock: Any) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    (other,) = await opened(context, nurse, count=1, service_id=OTHER, relief=())
    await say(nurse, only, "away", 45)
    await service.step_entry(nurse, StepEntry(entry_id=other.id, action="leave"))
    moved = await service.transfer_entry(nurse, TransferEntry(entry_id=only.id, to_queue_id=other.queue_id))
    assert moved.travel_minutes == 45
    assert await call(nurse, other.queue_id) is None
    await watch(context, clock)
    assert await heard(nurse, "come") == [PATIENTS[0]]


async def test_the_desk_sees_whom_a_message_did_not_reach(context: Contexts, nurse: Context, clock: Any) -> None:
    (only,) = await opened(context, nurse, count=1, relief=())
    await say(nurse, only, "away", 10)
    failed = CommunicationNotDone(organization_id=context.organization_id, communication_id=known_id(90), about_id=only.id)
    system = (await context.system("flow")).working_in(context.organization_id)
    async with system.db.transaction() as tx:
        await handlers.note_unreached(system, tx, failed)
        await handlers.note_unreached(system, tx, CommunicationNotDone(
            organization_id=context.organization_id, communication_id=known_id(91),
        ))  # fmt: skip
    (shown,) = (await service.list_turns(nurse, ListTurns(queue_id=only.queue_id))).waiting
    assert shown.unreached_at == clock.now()
    host = Actor(
        subject="portal", organization_id=context.organization_id, role="system", permissions=frozenset({elsewhere.NOTE}),
    )  # fmt: skip
    clock.advance(seconds=5)
    await elsewhere.note_unreached(system.acting(host), NoteUnreached(entry_id=only.id))
    assert (await now(nurse, only)).unreached_at == clock.now()
    await say(nurse, only, "leave")
    await elsewhere.note_unreached(system.acting(host), NoteUnreached(entry_id=only.id))
    assert (await now(nurse, only)).status == "left"
    assert [each[0] for each in await recorded(context)].count("flow.queue_entry.unreached") == 2


async def test_whoever_has_a_turns_link_sees_that_turn_and_says_where_they_wait(context: Contexts, nurse: Context, clock: Any) -> None:
    entries = await opened(context, nurse)
    await watch(context, clock)
    portal = host(await context("flow"))
    token = (await by_link.link_to_turn(portal, LinkToTurn(entry_id=entries[-1].id))).token
    await by_link.turn_by_link(portal, ByLink(token=token))
    seen = await by_link.turn_by_link(portal, ByLink(token=token))
    assert (seen.entry.id, seen.entry.version) == (entries[-1].id, 2), "to look changes nothing"
    assert seen.told is not None
    assert seen.told.ahead == 5
    said = SayByLink(token=token, say="away", travel_minutes=20, expected_version=2)
    away = await by_link.say_by_link(portal, said)
    assert (away.id, away.travel_minutes) == (entries[-1].id, 20)
    with pytest.raises(PreconditionFailed):
        await by_link.say_by_link(portal, said)
    told = [each for each in await recorded(context) if each[0] in ("flow.queue_entry.away", "flow.queue_entry.open")]
    assert {agent for _, _, agent in told} == {f"link/{entries[-1].id}"}, "the journal says by what they came in"
    assert (await by_link.say_by_link(portal, SayByLink(token=token, say="leave"))).status == "left"
    assert (await by_link.turn_by_link(portal, ByLink(token=token))).told is None


async def test_a_link_opens_one_turn_for_a_while_and_for_the_portal_alone(context: Contexts, nurse: Context, clock: Any) -> None:
    first, _ = await opened(context, nurse, count=2, relief=())
    portal = host(await context("flow"))
    token = (await by_link.link_to_turn(portal, LinkToTurn(entry_id=first.id))).token
    with pytest.raises(UnknownEntry):
        await by_link.link_to_turn(portal, LinkToTurn(entry_id=known_id(77)))
    for role in ("patient", "front-desk", "administrator"):
        someone = await context("flow", role, patient_id=PATIENTS[0])
        for code in (await code_of(by_link.turn_by_link(someone, ByLink(token=token))),
                     await code_of(by_link.link_to_turn(someone, LinkToTurn(entry_id=first.id)))):  # fmt: skip
            assert code == Forbidden.code
    another = host(await context("flow", organization_id=known_id(99)))
    with pytest.raises(LinkRefused):
        await by_link.turn_by_link(another, ByLink(token=token))
    with pytest.raises(StayNear):
        await by_link.say_by_link(portal, SayByLink(token=token, say="away", travel_minutes=5))
    for bad in ("", "cwl_", "cwl_" + "0" * 32, token.upper()):
        with pytest.raises(LinkRefused):
            await by_link.say_by_link(portal, SayByLink(token=bad, say="leave"))
    clock.advance(seconds=12 * 3600 + 1)
    with pytest.raises(LinkRefused):
        await by_link.turn_by_link(portal, ByLink(token=token))


async def test_whoever_is_told_something_by_two_processes_is_told_once(context: Contexts, nurse: Context, clock: Any) -> None:
    entries = await opened(context, nurse)
    clock.advance(seconds=31)
    await relief.watch(await context.system("flow"))
    systems = [await context.system("flow") for _ in range(3)]
    await asyncio.gather(*(elsewhere.watch(each) for each in systems))
    asked = await heard(nurse, "offer")
    assert asked
    assert sorted(asked) == sorted(set(asked))
    assert (await now(nurse, entries[-1])).version == 2
