"""Turns in queues, as the portal asks for them: whatever a test put there."""

from uuid import UUID

from carewright.contracts.delays import ExpectedStart, ExpectedStarts, ListExpected
from carewright.contracts.flow import NotWaiting
from carewright.contracts.kiosk import CheckInCode
from carewright.contracts.queue import OwnTurns, QueueEntry, WaitEstimate
from carewright.kernel.authz import Actor


class DoubleQueues:
    """The patient's turns, and what is told of each."""

    def __init__(self) -> None:
        self.turns: list[QueueEntry] = []
        self.told: dict[UUID, WaitEstimate] = {}

    async def own_turns(self, actor: Actor) -> OwnTurns:
        actor.require("flow.queue.read")
        return OwnTurns(items=tuple(self.turns))

    async def estimate_wait(self, actor: Actor, entry_id: UUID) -> WaitEstimate:
        actor.require("flow.queue.read")
        if entry_id not in self.told:
            raise NotWaiting
        return self.told[entry_id]


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
