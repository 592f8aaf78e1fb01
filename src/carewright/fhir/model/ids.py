"""Ids of what is computed and not stored: a slot of a calendar, a time that was proposed, what somebody answered to an appointment.

FHIR ids have at most 64 of the 64 characters `A-Z a-z 0-9 - .`, so they carry bytes as base64 does.
"""

from base64 import b64decode, b64encode
from binascii import Error
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.fhir.refusals import UnknownId

SLOT, PROPOSAL, OFFER, RESPONSE = b"S", b"P", b"O", b"R"
NOBODY = UUID(int=0)
DIGEST_BYTES = 8
MINUTE_SECONDS = 60


class SlotId(NamedTuple):
    """A stretch of one calendar."""

    schedule_id: UUID
    start: datetime
    minutes: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


class ProposalId(NamedTuple):
    """A start at a site, with somebody in particular if `practitioner_id` is one. The site is told by `digest_of` its id."""

    visit_type_id: UUID
    site: bytes
    practitioner_id: UUID | None
    start: datetime


class ResponseId(NamedTuple):
    """What somebody who takes part in an appointment answered."""

    appointment_id: UUID
    actor_id: UUID


def digest_of(id_: UUID) -> bytes:
    """Enough of an id to tell one site from another."""
    return sha256(id_.bytes).digest()[:DIGEST_BYTES]


def write_slot(slot: SlotId) -> str:
    return _text(SLOT + slot.schedule_id.bytes + _minutes(slot.start) + slot.minutes.to_bytes(2, "big"))


def read_slot(text: str) -> SlotId:
    """Raises `UnknownId`."""
    raw = _bytes(text, SLOT, 23)
    return SlotId(UUID(bytes=raw[1:17]), _instant(raw[17:21]), int.from_bytes(raw[21:], "big"))


def write_proposal(proposal: ProposalId) -> str:
    who = proposal.practitioner_id or NOBODY
    return _text(PROPOSAL + proposal.visit_type_id.bytes + proposal.site + who.bytes + _minutes(proposal.start))


def read_proposal(text: str) -> ProposalId:
    """Raises `UnknownId`."""
    raw = _bytes(text, PROPOSAL, 45)
    who = UUID(bytes=raw[25:41])
    return ProposalId(UUID(bytes=raw[1:17]), raw[17:25], None if who == NOBODY else who, _instant(raw[41:]))


def write_offer(visit_type_id: UUID, site_id: UUID) -> str:
    """The id of what a hospital publishes of a kind of visit at a site. Nothing is read by it."""
    return _text(OFFER + visit_type_id.bytes + site_id.bytes)


def write_response(response: ResponseId) -> str:
    return _text(RESPONSE + response.appointment_id.bytes + response.actor_id.bytes)


def read_response(text: str) -> ResponseId:
    """Raises `UnknownId`."""
    raw = _bytes(text, RESPONSE, 33)
    return ResponseId(UUID(bytes=raw[1:17]), UUID(bytes=raw[17:]))


def is_proposal(text: str) -> bool:
    return len(text) == len(_text(bytes(45)))


def _minutes(at: datetime) -> bytes:
    return int(at.timestamp() // MINUTE_SECONDS).to_bytes(4, "big")


def _instant(raw: bytes) -> datetime:
    """Raises `UnknownId` for minutes that no calendar has."""
    try:
        return datetime.fromtimestamp(int.from_bytes(raw, "big") * MINUTE_SECONDS, UTC)
    except (OverflowError, ValueError, OSError):
        raise UnknownId from None


def _text(raw: bytes) -> str:
    return b64encode(raw, b"-.").rstrip(b"=").decode()


def _bytes(text: str, mark: bytes, length: int) -> bytes:
    try:
        raw = b64decode(text + "=" * (-len(text) % 4), b"-.", validate=True)
    except (Error, ValueError):
        raise UnknownId from None
    if len(raw) != length or raw[:1] != mark or _text(raw) != text:
        raise UnknownId
    return raw
