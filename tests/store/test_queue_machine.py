"""Queues against a model of them, over many generated days: what is called, in which order, and what each step makes of each turn.

A run is one hospital's two queues with a policy drawn by chance, a few patients, and some dozen things that desks do, some of them at
once. A run is drawn from its number alone. To make many, or one again:

    CAREWRIGHT_TEST_QUEUE_RUNS=100000 make test ARGS="--tier store -- -k queue_machine"
    CAREWRIGHT_TEST_QUEUE_FIRST=4711 CAREWRIGHT_TEST_QUEUE_RUNS=1 make test ARGS="--tier store -- -k queue_machine"
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.elsewhere import SayWhere
from carewright.contracts.queue import (
    Arrive,
    CallEntry,
    CallNext,
    ListEntries,
    PutQueue,
    Queue,
    QueueEntry,
    QueuePolicy,
    StepEntry,
    TransferEntry,
    TriageEntry,
    UndoStep,
)
from carewright.flow.service import elsewhere
from carewright.flow.service import queue as service
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.errors import Refusal
from carewright.kernel.ids import Ids
from tests.queue_model import LEVEL, OVER, Model, Turn
from tests.servers import MORNING, Contexts

RUNS = int(os.environ.get("CAREWRIGHT_TEST_QUEUE_RUNS", "400"))
FIRST = int(os.environ.get("CAREWRIGHT_TEST_QUEUE_FIRST", "0"))
AT_ONCE = 4
"""Runs side by side, each with queues and patients of its own."""
TOLD_EVERY = 2_000
STEPS = ("skip", "return", "start", "hold", "complete", "leave", "cancel")
REFUSED = {
    "step": "flow.step_not_allowed", "twice": "flow.already_queued", "undo": "flow.nothing_to_undo", "changed": "kernel.precondition_failed"
}  # fmt: skip
PAUSES = (0, 0, 1, 30, 60, 300, 660, 3600, 40_000)
"""Seconds between two things; nothing at all is what two desks need that are equally fast."""


@dataclass
class Run:
    """One run: what is asked of the use cases is asked of the model, and they answer the same."""

    ctx: Context
    own: Context
    clock: ManualClock
    chance: random.Random
    model: Model
    patients: list[UUID]
    doctors: list[UUID]
    told: list[str] = field(default_factory=list)

    @property
    def queues(self) -> list[Queue]:
        return list(self.model.queues.values())

    async def play(self) -> None:
        things = (
            self.come, self.come, self.come, self.announce, self.call_next, self.call_next, self.call_next, self.call_at_once,
            self.call_one, self.call_one_twice, self.step, self.step, self.step, self.step, self.triage, self.transfer,
            self.undo, self.undo_stale, self.say, self.say, self.say, self.go, self.tell, self.tell,
        )  # fmt: skip
        for _ in range(self.chance.randint(4, 14)):
            self.clock.advance(seconds=self.chance.choice(PAUSES))
            thing = self.chance.choice(things)
            self.told.append(thing.__name__)
            await thing()
        for queue in self.queues:
            await self.agrees(queue)

    async def agrees(self, queue: Queue) -> None:
        """What is read anew from PostgreSQL is the model's order, and every turn is in one state: the model's."""
        found = await service.list_entries(self.ctx, ListEntries(queue_id=queue.id, limit=500))
        now = self.clock.now()
        assert [each.id for each in found.waiting] == [each.id for each in self.model.waiting(queue, now)]
        turns = [each for each in self.model.turns.values() if each.queue_id == queue.id]
        active = {each.id for each in turns if not each.is_over and each.status != "waiting"}
        assert {each.id for each in found.active} == active
        for each in (*found.active, *found.waiting):
            self.is_as_modelled(each, self.model.turns[each.id])
        for over in (each for each in turns if each.is_over):
            self.is_as_modelled(await service.get_entry(self.ctx, over.id), over)
        tickets = [(each.begun.date(), each.ticket) for each in turns]
        assert len(tickets) == len(set(tickets))

    def is_as_modelled(self, entry: QueueEntry, turn: Turn) -> None:
        assert (entry.status, entry.level, entry.ranked_from, entry.practitioner_id, entry.version, entry.skipped, entry.patient_id) == (
            turn.status, turn.level, turn.since, turn.wants, turn.version, turn.skipped, turn.patient_id
        )  # fmt: skip
        assert (entry.offered_at is not None, entry.travel_minutes, entry.come_at, entry.due_at, entry.more_times) == (
            turn.asked, turn.travel, turn.told_at, turn.due, turn.more
        )  # fmt: skip
        assert (entry.ended_at is not None) == turn.is_over

    async def come(self, expected: int | None = None) -> None:
        queue, patient, tier = self.one(self.queues), self.one(self.patients), self.one(tuple(LEVEL))
        wants = self.one((None, None, None, *self.doctors))
        now = self.clock.now()
        due = None if expected is None else now + timedelta(seconds=expected)
        asked = Arrive(queue_id=queue.id, patient_id=patient, tier=tier, practitioner_id=wants, expected_at=due)
        known = self.model.has_turn(queue, patient)
        if known and (known.status != "expected" or due):
            await self.refuses("twice", service.arrive(self.ctx, asked))
        elif known and (here := self.model.step(known, "arrive", now)):
            self.keep(here, await service.arrive(self.ctx, asked))
        else:
            entry = await service.arrive(self.ctx, asked)
            action = "announce" if due else "arrive"
            begun = Turn(entry.id, queue.id, patient, entry.ticket, "expected" if due else "waiting", LEVEL[tier], due or now, wants, now)
            self.keep(replace(begun, action=action), entry)

    async def announce(self) -> None:
        await self.come(expected=self.chance.choice((60, 1200)))

    async def call_next(self) -> None:
        queue, caller = self.one(self.queues), self.one((None, *self.doctors))
        wanted = self.model.next_for(queue, caller, self.clock.now())
        got = (await service.call_next(self.ctx, CallNext(queue_id=queue.id, practitioner_id=caller))).entry
        assert (got and got.id) == (wanted and wanted.id)
        if wanted and got:
            unduly = self.model.overtaken_unduly(queue, wanted, caller, self.clock.now())
            assert not unduly
            assert not self.model.away_too_long(queue, self.clock.now())
            self.keep(self.called(wanted, caller), got)

    async def call_at_once(self) -> None:
        """Several desks: nobody is called by two of them. Together they call whom they would have called one after the other."""
        queue, count = self.one(self.queues), self.chance.randint(2, 4)
        now = self.clock.now()
        wanted = []
        for _ in range(count):
            if turn := self.model.next_for(queue, None, now):
                wanted.append(turn)
                self.model.turns[turn.id] = self.called(turn, None)
        asked = (service.call_next(self.ctx, CallNext(queue_id=queue.id)) for _ in range(count))
        got = [each.entry for each in await asyncio.gather(*asked) if each.entry]
        assert len({each.id for each in got}) == len(got)
        if queue.policy.staff is None:
            assert {each.id for each in got} == {each.id for each in wanted}
        self.take_over(got, wanted, lambda turn: self.called(turn, None))

    async def call_one(self) -> None:
        if turn := self.any_turn():
            caller = self.one((None, *self.doctors))
            asked = CallEntry(entry_id=turn.id, practitioner_id=caller, expected_version=self.one((None, turn.version)))
            after = self.model.step(turn, "call", self.clock.now())
            if after is None:
                await self.refuses("step", service.call_entry(self.ctx, asked))
            else:
                self.keep(self.called(turn, caller), await service.call_entry(self.ctx, asked))

    async def call_one_twice(self) -> None:
        """Two desks want the same patient at once: one gets them."""
        if turn := self.any_turn():
            asked = CallEntry(entry_id=turn.id, expected_version=turn.version)
            got = await asyncio.gather(*(told(service.call_entry(self.ctx, asked)) for _ in range(2)))
            if self.model.step(turn, "call", self.clock.now()) is None:
                assert [each for each in got if each != REFUSED["step"]] == []
            else:
                (entry,) = (each for each in got if isinstance(each, QueueEntry))
                assert REFUSED["changed"] in got
                self.keep(self.called(turn, None), entry)

    async def step(self) -> None:
        if turn := self.any_turn():
            action = self.one(STEPS)
            after = self.model.step(turn, action, self.clock.now())
            await self.moves("step", after, service.step_entry(self.ctx, StepEntry(entry_id=turn.id, action=action)))

    async def say(self) -> None:
        """The patient says where they wait, or the desk for them."""
        if turn := self.any_turn():
            await self.says(turn, self.one(("away", "away", "back", "more-time", "leave")), is_patient=self.one((True, False)))

    async def says(self, turn: Turn, say: Any, *, is_patient: bool) -> None:
        minutes = self.one((1, 20, 60)) if say == "away" else None
        asked = SayWhere(entry_id=turn.id, say=say, travel_minutes=minutes)
        ctx = self.own.acting(msgspec.structs.replace(self.own.actor, patient_id=turn.patient_id)) if is_patient else self.ctx
        after = self.model.say(turn, say, minutes, self.clock.now(), is_patient=is_patient)
        if isinstance(after, str):
            assert await told(elsewhere.say_where(ctx, asked)) == after
        else:
            self.keep(after, await elsewhere.say_where(ctx, asked))

    async def tell(self) -> None:
        """Some are asked whether they would like to wait elsewhere, and those who do are told to come, whoever it is time for."""
        if turn := self.any_turn():
            await self.tells(turn, self.one(("offer", "come")))

    async def tells(self, turn: Turn, what: Any) -> None:
        after = self.model.tell(turn, what, self.clock.now())
        assert await elsewhere.tell(self.ctx, what, turn.id) == (after is not None)
        if after is not None:
            self.keep(after, await service.get_entry(self.ctx, turn.id))

    async def go(self) -> None:
        """Somebody waits elsewhere, and is told to come, called, not there, late and back, as it happens."""
        here = [each for each in self.model.turns.values() if each.status == "waiting"]
        if here:
            turn_id = self.one(here).id
            await self.says(self.model.turns[turn_id], "away", is_patient=False)
            for _ in range(self.chance.randint(1, 5)):
                self.clock.advance(seconds=self.chance.choice(PAUSES))
                await self.one((self.is_told, self.is_late, self.is_late, self.is_called_in_vain, self.is_back))(self.model.turns[turn_id])

    async def is_told(self, turn: Turn) -> None:
        await self.tells(turn, "come")

    async def is_late(self, turn: Turn) -> None:
        await self.tells(turn, "come")
        await self.says(self.model.turns[turn.id], "more-time", is_patient=True)

    async def is_called_in_vain(self, turn: Turn) -> None:
        if turn.status == "waiting":
            self.keep(self.called(turn, None), await service.call_entry(self.ctx, CallEntry(entry_id=turn.id)))
            after = self.model.step(self.model.turns[turn.id], "skip", self.clock.now())
            await self.moves("step", after, service.step_entry(self.ctx, StepEntry(entry_id=turn.id, action="skip")))

    async def is_back(self, turn: Turn) -> None:
        await self.says(turn, "back", is_patient=True)

    async def triage(self) -> None:
        if turn := self.any_turn():
            level = self.chance.randint(1, 5)
            after = self.model.step(turn, "triage", self.clock.now())
            asked = TriageEntry(entry_id=turn.id, scale="esi", level=level)
            await self.moves("step", after and replace(after, level=level), service.triage_entry(self.ctx, asked))

    async def transfer(self) -> None:
        if turn := self.any_turn():
            to, wants = self.one(self.queues), self.one((None, *self.doctors))
            asked = TransferEntry(entry_id=turn.id, to_queue_id=to.id, practitioner_id=wants)
            after = self.model.step(turn, "transfer", self.clock.now())
            in_the_way = self.model.has_turn(to, turn.patient_id)
            if after is None:
                await self.refuses("step", service.transfer_entry(self.ctx, asked))
            elif in_the_way and in_the_way.id != turn.id:
                await self.refuses("twice", service.transfer_entry(self.ctx, asked))
            else:
                entry = await service.transfer_entry(self.ctx, asked)
                self.model.turns[turn.id] = after
                begun = Turn(entry.id, to.id, turn.patient_id, entry.ticket, "waiting", turn.level, turn.since, wants, self.clock.now())
                self.keep(replace(begun, travel=turn.travel, told_at=turn.told_at, due=turn.due, more=turn.more), entry)

    async def undo(self) -> None:
        if turn := self.any_turn():
            asked = UndoStep(entry_id=turn.id, expected_version=turn.version)
            after = self.model.undo(turn, self.clock.now())
            if after is None:
                assert await told(service.undo_step(self.ctx, asked)) in (REFUSED["undo"], REFUSED["twice"])
            else:
                self.keep(after, await service.undo_step(self.ctx, asked))

    async def undo_stale(self) -> None:
        turn = self.any_turn()
        if turn and turn.version > 1:
            await self.refuses("changed", service.undo_step(self.ctx, UndoStep(entry_id=turn.id, expected_version=turn.version - 1)))

    async def moves(self, kind: str, after: Turn | None, work: Awaitable[QueueEntry]) -> None:
        if after is None:
            await self.refuses(kind, work)
        else:
            self.keep(after, await work)

    async def refuses(self, kind: str, work: Awaitable[QueueEntry]) -> None:
        assert await told(work) == REFUSED[kind]

    def called(self, turn: Turn, caller: UUID | None) -> Turn:
        after = self.model.step(turn, "call", self.clock.now())
        assert after
        return replace(after, wants=turn.wants or caller)

    def keep(self, turn: Turn, entry: QueueEntry) -> None:
        self.is_as_modelled(entry, turn)
        self.model.turns[turn.id] = turn

    def take_over(self, got: Iterable[QueueEntry], wanted: list[Turn], called: Callable[[Turn], Turn]) -> None:
        """Make the model's calls those that were made, where desks that called at once could be kept back or not by each other."""
        for turn in wanted:
            self.model.turns[turn.id] = turn
        for entry in got:
            self.keep(called(self.model.turns[entry.id]), entry)

    def any_turn(self) -> Turn | None:
        """Mostly one that is not over, and often one whose patient is elsewhere."""
        turns = list(self.model.turns.values())
        live = [each for each in turns if each.status not in OVER]
        away = [each for each in live if each.travel is not None]
        among = away if away and self.chance.random() < 0.5 else live if live and self.chance.random() < 0.85 else turns
        return self.one(among) if among else None

    def one(self, among: Any) -> Any:
        return self.chance.choice(list(among))


async def told(work: Awaitable[QueueEntry]) -> QueueEntry | str:
    try:
        return await work
    except Refusal as refusal:
        return refusal.code


def policy_by(chance: random.Random) -> QueuePolicy:
    """A policy that a site may set, sensible or not."""
    starts = tuple(chance.choice(((120, 45, 15, 0), (0, 0, 0, 0), (0, 15, 45, 120), (1440, 1440, 0, 0))))
    rates = tuple(chance.choice(((81.0, 29.0, 3.3, 1.0), (1.0, 1.0, 1.0, 1.0), (0.001, 1.0, 5.0, 1000.0))))
    staff = chance.choice((None, None, 1, 2, 5))
    return QueuePolicy(
        order=chance.choice(("head-start", "accumulating")), head_start_minutes=starts, rates=rates, staff=staff,
        kept_for_emergencies=chance.choice((0, 1, 7)) if staff else 0,
    )  # fmt: skip


async def begin(context: Contexts, number: int) -> Run:
    chance = random.Random(number)
    clock = ManualClock(MORNING)
    own = replace(context, clock=clock, ids=Ids(clock, chance), rng=chance)
    office, desk = await own("flow", "operations"), await own("flow", "nurse")
    site = own.ids.new()
    puts = (PutQueue(site_id=site, service_id=own.ids.new(), name="Cardiology", policy=policy_by(chance)) for _ in range(2))
    queues = [await service.put_queue(office, each) for each in puts]
    patients = [own.ids.new() for _ in range(chance.randint(2, 6))]
    doctors = [own.ids.new() for _ in range(2)]
    return Run(desk, await own("flow", "patient"), clock, chance, Model({each.id: each for each in queues}), patients, doctors)


async def test_queue_machine_agrees_with_its_model(context: Contexts) -> None:
    numbers = iter(range(FIRST, FIRST + RUNS))
    began, done = time.monotonic(), 0
    steps = 0

    async def hand() -> None:
        nonlocal done, steps
        for number in numbers:
            run = await begin(context, number)
            try:
                await run.play()
            except Exception as fault:
                fault.add_note(f"run {number} after {', '.join(run.told)}")
                raise
            done, steps = done + 1, steps + len(run.told)
            if done % TOLD_EVERY == 0:
                print(f"{done} of {RUNS} runs, {steps} steps, {time.monotonic() - began:.0f} s", flush=True)

    async with asyncio.TaskGroup() as hands:
        for _ in range(AT_ONCE):
            hands.create_task(hand())
    assert done == RUNS
    assert steps > 3 * RUNS
