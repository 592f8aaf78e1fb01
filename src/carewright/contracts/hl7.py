"""HL7 v2's language: what waits on the work list, whom we tell of appointments and what they did not take, and the refusals."""

from typing import Annotated, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant, Limit, Reason, ShortText

Version2 = Literal["2.3.1", "2.4", "2.5", "2.5.1"]
"""Versions in which messages are written."""
ProcessingId = Literal["P", "T", "D"]
"""MSH-11 (table 0103): production, training, debugging."""
HeaderName = Annotated[str, Meta(max_length=180, pattern=r"^[^\x00-\x1f]*$")]


class WaitingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that did not fit. `kind` is type and event (`SIU^S12`), `reason` a code, `about` the sender's code that it concerns."""

    id: UUID
    client_id: UUID
    kind: str
    reason: str
    about: str = ""
    received_at: Instant


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A system that is told of appointments. `client_id` is the registered client that it is when it sends to us.

    `address` is `mllp://HOST:PORT`, `mllps://HOST:PORT` (TLS) or `https://…`; `charset` a name of table 0211, and
    `processing` what its messages are for, MSH-11. The other four are MSH-3 to MSH-6: who we are, and who it is.
    """

    id: UUID
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    address: ShortText
    client_id: UUID | None = None
    version: Version2 = "2.5.1"
    charset: str = "UNICODE UTF-8"
    processing: ProcessingId = "P"
    sending_application: HeaderName = "CAREWRIGHT"
    sending_facility: HeaderName = ""
    receiving_application: HeaderName = ""
    receiving_facility: HeaderName = ""


class UnsentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a partner did not take. `reason` is its answer and the code of table 0357 (`AE-103`), or a code of ours."""

    id: UUID
    partner_id: UUID
    event: str
    reason: str
    refusals: int
    made_at: Instant


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest of what waits: messages that did not fit, and those that partners did not take."""

    incoming: tuple[WaitingMessage, ...]
    outgoing: tuple[UnsentMessage, ...]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message that was tried again. Where it was not applied, why, as of a message that waits."""

    applied: bool
    reason: str = ""
    about: str = ""


class SettleMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a message off the work list that somebody has seen to by hand; `reason` says how."""

    message_id: UUID
    reason: Reason


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a message: seen to by hand, to be sent again, or not to be sent."""

    id: UUID
    status: Literal["settled", "due", "dropped"]


class MessageContent(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was sent, a line for each segment."""

    content: str


class ReplayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `content` the message is tried as it was sent."""

    content: Annotated[str, Meta(min_length=1, max_length=262_144)] | None = None


class SettleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


class SetMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a code of others becomes from now on; without a target, nothing any more."""

    table: Annotated[str, Meta(max_length=40)]
    code: Annotated[str, Meta(min_length=1, max_length=200)]
    target: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class ToldMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as a partner was told it last, empty where it was never made; `said` is what the partner wrote to it."""

    content: str
    said: str


class ListPatientMessages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was said of one patient in HL7 v2, and told of them, oldest first."""

    patient_id: UUID
    after: UUID | None = None
    limit: Limit = 50


class PatientMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was written. `kind` is type and event; `is_told` says that we told it to a partner."""

    id: UUID
    patient_id: UUID
    kind: str
    is_told: bool
    at: Instant
    content: str


class PatientMessages(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[PatientMessage, ...]
    next: UUID | None = None


class NotHl7(Refusal):
    """`rule` says what is wrong: `empty`, `header`, `delimiters`, `segment`, `charset`, `size`, `count`, `value`, `missing`."""

    code = "hl7.not_hl7"
    status = 400
    issue = "structure"
    title = "This is not an HL7 v2 message that can be read."


class UnknownMessage(Refusal):
    code = "hl7.unknown_message"
    status = 404
    issue = "not-found"
    title = "We know no message under this id that is waiting."


class EarlierWaits(Refusal):
    code = "hl7.earlier_waits"
    status = 409
    issue = "conflict"
    title = "An earlier message about the same appointment or patient waits. Decide about that one first."


class UnknownPartner(Refusal):
    code = "hl7.unknown_partner"
    status = 404
    issue = "not-found"
    title = "We know no partner under this id whom we tell of appointments."


class Desk(Protocol):
    """What the staff's pages may ask of the work list, and an export of what was said of a patient."""

    async def list_messages(self, actor: Actor) -> Waiting: ...

    async def get_message(self, actor: Actor, message_id: UUID) -> WaitingMessage: ...

    async def list_patient_messages(self, actor: Actor, query: ListPatientMessages) -> PatientMessages: ...

    async def read_message(self, actor: Actor, message_id: UUID) -> str: ...

    async def replay_message(self, actor: Actor, message_id: UUID, content: str | None = None) -> Replayed: ...

    async def settle_message(self, actor: Actor, command: SettleMessage) -> None: ...

    async def set_mapping(self, actor: Actor, command: SetMapping) -> None: ...

    async def resend_message(self, actor: Actor, message_id: UUID) -> None: ...

    async def read_unsent(self, actor: Actor, message_id: UUID) -> ToldMessage: ...

    async def drop_message(self, actor: Actor, message_id: UUID) -> None: ...
