"""The `Desk` Protocol in this process: the work list as the staff's pages ask for it."""

from uuid import UUID

from carewright.contracts.hl7 import (
    ListPatientMessages,
    PatientMessages,
    Replayed,
    SetMapping,
    SettleMessage,
    ToldMessage,
    Waiting,
    WaitingMessage,
)
from carewright.hl7.context import Hl7Context
from carewright.hl7.service import unsent, work_list
from carewright.kernel.authz import Actor


class LocalDesk:
    def __init__(self, context: Hl7Context) -> None:
        self._context = context

    async def list_messages(self, actor: Actor) -> Waiting:
        ctx = self._context.acting(actor)
        return Waiting(incoming=await work_list.list_waiting(ctx), outgoing=await unsent.list_unsent(ctx))

    async def get_message(self, actor: Actor, message_id: UUID) -> WaitingMessage:
        return await work_list.get_waiting(self._context.acting(actor), message_id)

    async def list_patient_messages(self, actor: Actor, query: ListPatientMessages) -> PatientMessages:
        return await work_list.list_patient_messages(self._context.acting(actor), query)

    async def read_message(self, actor: Actor, message_id: UUID) -> str:
        return await work_list.read_message(self._context.acting(actor), message_id)

    async def replay_message(self, actor: Actor, message_id: UUID, content: str | None = None) -> Replayed:
        return await work_list.replay_message(self._context.acting(actor), message_id, content)

    async def settle_message(self, actor: Actor, command: SettleMessage) -> None:
        await work_list.settle(self._context.acting(actor), command.message_id, command.reason)

    async def set_mapping(self, actor: Actor, command: SetMapping) -> None:
        await work_list.set_mapping(self._context.acting(actor), command.table, command.code, command.target)

    async def resend_message(self, actor: Actor, message_id: UUID) -> None:
        await unsent.resend(self._context.acting(actor), message_id)

    async def read_unsent(self, actor: Actor, message_id: UUID) -> ToldMessage:
        return await unsent.read_unsent(self._context.acting(actor), message_id)

    async def drop_message(self, actor: Actor, message_id: UUID) -> None:
        await unsent.drop(self._context.acting(actor), message_id)
