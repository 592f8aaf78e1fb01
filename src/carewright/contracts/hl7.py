"""HL7 v2's language: what waits on the work list, and the refusals."""

from uuid import UUID

import msgspec

from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant


class WaitingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that did not fit. `kind` is type and event (`SIU^S12`), `reason` a code, `about` the sender's code that it concerns."""

    id: UUID
    client_id: UUID
    kind: str
    reason: str
    about: str = ""
    received_at: Instant


class NotHl7(Refusal):
    """`rule` says what is wrong, in a word: `empty`, `header`, `delimiters`, `segment`, `charset`, `size`, `count`, `value`."""

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
