"""HL7 v2's language: what waits on the work list, whom we tell of appointments and what they did not take, and the refusals."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant, ShortText

Version2 = Literal["2.3.1", "2.4", "2.5", "2.5.1"]
"""Versions in which messages are written."""
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

    `address` is `mllp://HOST:PORT`, `mllps://HOST:PORT` (TLS) or `https://…`; `charset` a name of table 0211. The other four are MSH-3 to
    MSH-6: who we are, and who it is.
    """

    id: UUID
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    address: ShortText
    client_id: UUID | None = None
    version: Version2 = "2.5.1"
    charset: str = "UNICODE UTF-8"
    sending_application: HeaderName = "CAREWRIGHT"
    sending_facility: HeaderName = ""
    receiving_application: HeaderName = ""
    receiving_facility: HeaderName = ""


class UnsentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a partner did not take. `reason` is its answer and the code of table 0357 (`AE-103`), or a code of ours.

    `said` is what the partner wrote to it, which may tell of a patient: it is there for whoever may read messages.
    """

    id: UUID
    partner_id: UUID
    event: str
    reason: str
    said: str = ""
    refusals: int
    made_at: Instant


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


class UnknownPartner(Refusal):
    code = "hl7.unknown_partner"
    status = 404
    issue = "not-found"
    title = "We know no partner under this id whom we tell of appointments."
