"""The order of messages that come to several processes: two contexts, each with turns of its own, on one database."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from carewright.hl7 import store
from carewright.hl7.across import Across
from carewright.hl7.context import Hl7Context, Turns
from carewright.hl7.model.message import Message, parse
from carewright.hl7.model.order import people_in
from carewright.hl7.service import receive, work_list
from carewright.hl7.store import Heard
from carewright.kernel.db import Database, Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.migrate import role_of
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import Query
from tests.hl7_sender import ANSWER_SECONDS_MAX, Sender, said

WAITS = Query("test.waits", "SELECT count(*) AS count FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
              "WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()")  # fmt: skip
Processes = tuple[Hl7Context, Hl7Context]


@pytest.fixture
async def processes(sender: Sender, database_url: str) -> AsyncIterator[Processes]:
    """As two processes have it: no connection and nothing in memory that both know."""
    acting = await sender.acting()
    databases = [await Database.connect(database_url, role_of("hl7"), 3) for _ in range(2)]
    here, there = (
        dataclasses.replace(acting, db=each.of(acting.actor.organization_id), turns=Turns(), across=Across(each)) for each in databases
    )
    yield here, there
    for each in (here, there):
        await each.across.close()
    for database in databases:
        await database.close()


async def says(process: Hl7Context, raw: bytes) -> tuple[str, str]:
    answer = await receive.receive(process, raw)
    assert answer is not None
    return said(parse(answer))


async def until_waiting(db: Database) -> None:
    """Until somebody waits for another process's turn to end."""
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        while not (await db.fetch(WAITS))[0]["count"]:
            pass


async def test_a_cancellation_that_comes_to_another_process_waits_for_the_booking(
    sender: Sender, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender lost its connection amid the booking, and goes on by one to another process."""
    here, there = processes
    keep, amid, goes_on = store.keep_message, asyncio.Event(), asyncio.Event()

    async def slow(*given: Any, **more: Any) -> bool:
        amid.set()
        await goes_on.wait()
        return await keep(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr("carewright.hl7.store.keep_message", slow)
        booking = asyncio.create_task(says(here, sender.siu("S12", "over", await sender.free())))
        await amid.wait()
    cancelling = asyncio.create_task(says(there, sender.siu("S15", "over")))
    await until_waiting(sender.ctx.db)
    assert await says(there, sender.adt("A28", "elsewhere")) == ("AA", "")
    goes_on.set()
    assert [await booking, await cancelling] == [("AA", ""), ("AA", "")]
    assert (await sender.appointment("over"))["status"] == "cancelled"


async def test_the_same_message_by_two_processes_is_done_once_and_both_are_answered(sender: Sender, processes: Processes) -> None:
    message, before = sender.siu("S12", "both", await sender.free()), len(await sender.stored())
    assert await asyncio.gather(*(says(each, message) for each in processes * 3)) == [("AA", "")] * 6
    assert len(await sender.stored()) == before + 1
    await sender.appointment("both")


async def test_no_two_processes_are_at_one_thing_at_once(sender: Sender, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages about few people by both processes at random: each is done, none beside another about the same, and no lock stays."""
    decided, within, most = receive.decided, set[str](), 0

    async def watched(ctx: Hl7Context, cipher: FieldCipher, message: Message, heard: Heard, *, behind: bool) -> Any:
        nonlocal most
        (person,) = {each.value for each in people_in(message)}
        assert person not in within
        within.add(person)
        most = max(most, len(within))
        try:
            return await decided(ctx, cipher, message, heard, behind=behind)
        finally:
            within.discard(person)

    monkeypatch.setattr("carewright.hl7.service.receive.decided", watched)
    chance = Random(7)
    people = [f"race{chance.randrange(6)}" for _ in range(60)]
    raced = [(chance.choice(processes), sender.adt("A31", each, phone=str(5550100 + number))) for number, each in enumerate(people)]
    assert set(await asyncio.gather(*(says(process, raw) for process, raw in raced))) == {("AA", "")}
    assert most > 1
    for each in processes:
        await each.across.close()
    assert await says(sender.ctx.acting(processes[0].actor), sender.adt("A31", "race0")) == ("AA", "")


async def test_a_process_alone_asks_once_for_all_that_come_together(
    sender: Sender, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, asked = store.take_turns, list[int]()

    async def counted(session: Session, given_back: Any, wanted: Any) -> Any:
        asked.append(len(wanted))
        return await take(session, given_back, wanted)

    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("carewright.hl7.store.take_turns", counted)
    monkeypatch.setattr("carewright.hl7.store.wait_for_turns", never)
    answers = await receive.receive_all(processes[0], [sender.adt("A28", f"alone{number}") for number in range(20)])
    assert [said(parse(each)) for each in answers] == [("AA", "")] * 20
    assert asked[0] == 20
    for _ in range(3):
        assert await says(processes[0], sender.siu("S15", "alone")) in {("AE", "204"), ("AE", "207")}


@pytest.mark.parametrize("broken", ["take_turns", "wait_for_turns"])
async def test_a_turn_that_does_not_come_leaves_the_message_with_its_sender(
    sender: Sender, processes: Processes, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Another process is at it for too long, or the database is away: nothing is stored, and what comes again is done."""
    here, there = processes
    message, before = sender.adt("A28", f"later-{broken}"), len(await sender.stored())

    async def away(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(f"carewright.hl7.store.{broken}", away)
        if broken == "take_turns":
            assert await says(here, message) == ("AR", "207")
        else:
            heard = receive.heard_of(here, await here.cipher(), parse(message), message, sender.client_id)
            async with receive.turn_of(there, await there.cipher(), heard, parse(message)):
                assert await says(here, message) == ("AR", "207")
    assert len(await sender.stored()) == before
    assert await says(here, message) == ("AA", "")


async def test_who_gives_up_waiting_keeps_nothing(sender: Sender, processes: Processes) -> None:
    here, there = processes
    message = sender.adt("A28", "given-up")
    heard = receive.heard_of(here, await here.cipher(), parse(message), message, sender.client_id)
    async with receive.turn_of(there, await there.cipher(), heard, parse(message)):
        waiting = asyncio.create_task(says(here, message))
        await until_waiting(sender.ctx.db)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await says(there, message) == ("AA", "")


async def test_a_message_is_not_replayed_while_another_process_is_at_the_same(sender: Sender, processes: Processes) -> None:
    here, there = processes
    message = sender.siu("S15", "again")
    assert await says(here, message) == ("AE", "204")
    heard = receive.heard_of(here, await here.cipher(), parse(message), message, sender.client_id)
    staff = dataclasses.replace(here, actor=sender.as_staff("scheduler").actor)
    async with receive.turn_of(there, await there.cipher(), heard, parse(message)):
        replaying = asyncio.create_task(work_list.replay(staff, (await sender.stored())[-1]["id"]))
        await until_waiting(sender.ctx.db)
    assert (await replaying).reason == "hl7.unknown_appointment"


def stamped(raw: bytes, at: str) -> bytes:
    return raw.replace(b"|20261101|", f"|{at}|".encode(), 1)


async def test_what_was_written_earlier_does_not_undo_what_was_written_later(sender: Sender, processes: Processes) -> None:
    """A move that was delayed comes after the one that followed it, to another process."""
    here, there = processes
    first, second, third = [await sender.free() for _ in range(3)]
    assert await says(here, stamped(sender.siu("S12", "old", first), "20261101100000")) == ("AA", "")
    assert await says(here, stamped(sender.siu("S13", "old", third), "20261101100500")) == ("AA", "")
    moved = (await sender.appointment("old"))["start"]
    assert await says(there, stamped(sender.siu("S13", "old", second), "20261101100200")) == ("AE", "207")
    assert (await sender.appointment("old"))["start"] == moved
    late = (await sender.stored())[-1]
    assert (late["status"], late["reason"]) == ("waiting", "hl7.older")
    assert await says(there, stamped(sender.siu("S13", "old", first), "20261101100600")) == ("AA", "")
    staff = dataclasses.replace(here, actor=sender.as_staff("scheduler").actor)
    assert (await work_list.replay(staff, late["id"])).status == "applied"
    assert await says(there, stamped(sender.siu("S15", "old"), "20261101100700")) == ("AA", "")


@pytest.mark.parametrize(
    ("newer", "older"),
    [("20261101100500", "20261101100500"), ("20261101100500", "202611011005"), ("20261101100500", "20261101"), ("20261101100500", ""),
     ("20621101100500", "20261101100500"), ("20261101100500+0000", "20261101090600-0100")],
)  # fmt: skip
async def test_what_may_have_been_written_as_late_is_done(sender: Sender, newer: str, older: str) -> None:
    """A stamp that leaves it open, none, one of a clock that is wrong by decades, and one of another zone."""
    mrn = f"open{newer}{older}"
    for number, at in enumerate((newer, older)):
        answer = await sender.says(stamped(sender.adt("A31", mrn, phone=f"555010{number}"), at))
        assert said(answer) == ("AA", "")


async def test_clocks_of_two_applications_are_not_compared(sender: Sender) -> None:
    assert said(await sender.says(stamped(sender.adt("A31", "clocks"), "20261101100500"))) == ("AA", "")
    other = stamped(sender.adt("A31", "clocks", phone="5550101"), "20261101100000")
    assert said(await sender.says(other.replace(b"|EHR|", b"|BEDS|", 1))) == ("AA", "")
    assert said(await sender.says(stamped(sender.adt("A31", "clocks", phone="5550102"), "20261101100000"))) == ("AE", "207")
