"""The rows of HL7 v2, to values and back: messages sealed, what they are about as keyed hashes. One function runs one named query."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from carewright.contracts.hl7 import WaitingMessage
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.hl7")
TABLE = "hl7.message"
COLUMNS = ("content", "note")
Status = Literal["applied", "waiting", "refused", "settled"]
LinkKind = Literal["appointment", "block"]


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message. `reason` is a code of ours, `about` the sender's code that it concerns."""

    status: Status
    reason: str | None = None
    about: str = ""
    patient_id: UUID | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is stored: who sent it, by what it is known again, what it is about."""

    id: UUID
    client_id: UUID
    mark: bytes
    subject: bytes | None
    kind: str
    content: bytes
    received_at: datetime


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message with its fate. `content` is None once it was forgotten."""

    id: UUID
    client_id: UUID
    mark: bytes
    subject: bytes | None
    kind: str
    content: bytes | None
    fate: Fate
    received_at: datetime


async def look(db: Session, organization_id: UUID, heard: Heard) -> tuple[tuple[UUID, Fate] | None, bool]:
    """The message that is the same and what became of it, if it came before; and whether an earlier one about the same waits."""
    row = await db.fetch_one(Q.look, organization_id, heard.mark, heard.subject)
    if row is None or row["id"] is None:
        return None, bool(row and row["waits"])
    return (row["id"], Fate(status=row["status"], reason=row["reason"])), row["waits"]


async def is_waiting(db: Session, organization_id: UUID, subject: bytes, before: UUID) -> bool:
    """Whether a message about `subject` is on the work list, of those before `before`."""
    row = await db.fetch_one(Q.is_waiting, organization_id, subject, before)
    return bool(row and row["waits"])


async def put_message(tx: Session, cipher: FieldCipher, heard: Heard, fate: Fate) -> bool:
    """False where the message is there already, and was not refused."""
    row = await tx.fetch_one(
        Q.put_message, cipher.organization_id, heard.id, heard.client_id, heard.mark, heard.subject, heard.kind, fate.status, fate.reason,
        cipher.seal(TABLE, "content", heard.id, heard.content), _note(cipher, heard.id, fate), fate.patient_id, heard.received_at,
    )  # fmt: skip
    return row is not None


async def put_links(tx: Session, organization_id: UUID, marks: Sequence[bytes], kind: LinkKind, target_id: UUID, now: datetime) -> None:
    """The ids of a sender that stand for one of ours from now on."""
    await tx.execute(Q.put_links, organization_id, list(marks), kind, target_id, now)


async def linked(db: Session, organization_id: UUID, marks: Sequence[bytes]) -> tuple[LinkKind, UUID] | None:
    """What the first known of the marks stands for."""
    row = await db.fetch_one(Q.linked, organization_id, list(marks))
    return (row["kind"], row["target_id"]) if row else None


async def message_by_id(db: Session, cipher: FieldCipher, message_id: UUID) -> Kept | None:
    row = await db.fetch_one(Q.message_by_id, cipher.organization_id, message_id)
    return _kept(cipher, row) if row else None


async def waiting(db: Session, cipher: FieldCipher, after: UUID, limit: int) -> tuple[WaitingMessage, ...]:
    """A page of the work list, oldest first."""
    return tuple(_shown(cipher, row) for row in await db.fetch(Q.waiting, cipher.organization_id, after, limit))


async def decide_message(
    tx: Session, cipher: FieldCipher, kept: Kept, content: bytes, subject: bytes | None, fate: Fate, now: datetime
) -> bool:
    """False where somebody decided about it meanwhile."""
    sealed = cipher.seal(TABLE, "content", kept.id, content)
    note = _note(cipher, kept.id, fate)
    row = await tx.fetch_one(
        Q.decide_message, cipher.organization_id, kept.id, fate.status, fate.reason, note, fate.patient_id, sealed, subject, now
    )
    return row is not None


async def settle_message(tx: Session, organization_id: UUID, message_id: UUID, now: datetime) -> Fate | None:
    """What became of it; None where it waits no more."""
    row = await tx.fetch_one(Q.settle_message, organization_id, message_id, now)
    return Fate(status="settled", reason=row["reason"], patient_id=row["patient_id"]) if row else None


async def mappings(db: Session, organization_id: UUID) -> dict[tuple[str, str], str]:
    """(table, code of others) to ours."""
    return {(row["name"], row["code"]): row["target"] for row in await db.fetch(Q.mappings, organization_id)}


async def put_mapping(tx: Session, organization_id: UUID, name: str, code: str, target: str | None) -> None:
    """What a code becomes from now on; None for nothing any more."""
    if target is None:
        await tx.execute(Q.drop_mapping, organization_id, name, code)
    else:
        await tx.execute(Q.put_mapping, organization_id, name, code, target)


async def erase_messages(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Clear what was said about a patient; which messages those were."""
    return [row["id"] for row in await tx.fetch(Q.erase_messages, organization_id, patient_id)]


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete messages that were received before `before`, were decided about, and that no hold covers."""
    rows = await tx.fetch(Q.dispose_messages, organization_id, before, limit)
    return [Gone("MessageHeader", row["id"], row["patient_id"]) for row in rows]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal messages anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, COLUMNS, (Q.messages_to_reseal, Q.reseal_messages), after, limit)


def _note(cipher: FieldCipher, message_id: UUID, fate: Fate) -> bytes | None:
    return cipher.seal(TABLE, "note", message_id, fate.about.encode()) if fate.about else None


def _opened(cipher: FieldCipher, column: str, row: Row) -> bytes | None:
    return None if row[column] is None else cipher.open_(TABLE, column, row["id"], row[column])


def _kept(cipher: FieldCipher, row: Row) -> Kept:
    about = (_opened(cipher, "note", row) or b"").decode()
    return Kept(
        id=row["id"], client_id=row["client_id"], mark=row["mark"], subject=row["subject"], kind=row["kind"],
        content=_opened(cipher, "content", row), received_at=row["received_at"],
        fate=Fate(status=row["status"], reason=row["reason"], about=about, patient_id=row["patient_id"]),
    )  # fmt: skip


def _shown(cipher: FieldCipher, row: Row) -> WaitingMessage:
    return WaitingMessage(
        id=row["id"], client_id=row["client_id"], kind=row["kind"], reason=row["reason"], received_at=row["received_at"],
        about=(_opened(cipher, "note", row) or b"").decode(),
    )  # fmt: skip
