"""Turns in queues, as the portal asks for them: whatever a test put there."""

from uuid import UUID

from carewright.contracts.delays import ExpectedStart, ExpectedStarts, ListExpected
from carewright.contracts.elsewhere import ByLink, LinkedTurn, LinkToTurn, NoteUnreached, SayByLink, SayWhere, TurnLink
from carewright.contracts.flow import NotWaiting
from carewright.contracts.kiosk import CheckInCode
from carewright.contracts.queue import OwnTurns, QueueEntry, WaitEstimate
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.links import LinkRefused

TOKEN = "cwl_" + "0" * 32


class DoubleQueues:
    """The patient's turns, and what is told of each."""

    def __init__(self) -> None:
        self.turns: list[QueueEntry] = []
        self.told: dict[UUID, WaitEstimate] = {}
        self.said: list[SayWhere] = []
        self.refusal: Refusal | None = None
        self.unreached: list[UUID] = []
        self.linked: UUID | None = None
        self.said_by_link: list[SayByLink] = []

    async def own_turns(self, actor: Actor) -> OwnTurns:
        actor.require("flow.queue.read")
        return OwnTurns(items=tuple(self.turns))

    async def estimate_wait(self, actor: Actor, entry_id: UUID) -> WaitEstimate:
        actor.require("flow.queue.read")
        if entry_id not in self.told:
            raise NotWaiting
        return self.told[entry_id]

    async def say_where(self, actor: Actor, command: SayWhere, _: str | None = None) -> QueueEntry:
        actor.require("flow.queue.say_where")
        if self.refusal is not None:
            raise self.refusal
        self.said.append(command)
        return next(each for each in self.turns if each.id == command.entry_id)

    async def link_to_turn(self, actor: Actor, command: LinkToTurn) -> TurnLink:
        actor.require("flow.queue.link")
        self.linked = command.entry_id
        return TurnLink(token=TOKEN)

    async def turn_by_link(self, actor: Actor, query: ByLink) -> LinkedTurn:
        actor.require("flow.queue.by_link")
        if query.token != TOKEN:
            raise LinkRefused
        return LinkedTurn(entry=self.turns[0], told=self.told.get(self.turns[0].id))

    async def say_by_link(self, actor: Actor, command: SayByLink, _: str | None = None) -> QueueEntry:
        actor.require("flow.queue.by_link")
        if self.refusal is not None:
            raise self.refusal
        self.said_by_link.append(command)
        return self.turns[0]

    async def note_unreached(self, actor: Actor, command: NoteUnreached) -> None:
        actor.require("flow.queue.note_unreached")
        self.unreached.append(command.entry_id)


class DoubleKiosks:
    """The same code for everything."""

    async def check_in_code(self, actor: Actor, appointment_id: UUID) -> CheckInCode:
        actor.require("flow.check_in.tell")
        return CheckInCode(appointment_id=appointment_id, code="KMT 4RW")


class DoubleDelays:
    """What of the patient's begins later."""

    def __init__(self) -> None:
        self.late: list[ExpectedStart] = []

    async def list_expected(self, _: Actor, __: ListExpected) -> ExpectedStarts:
        return ExpectedStarts(items=tuple(self.late))
