"""Communications, rows to values; and the languages we write, from their files."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources
from uuid import UUID

import msgspec

from carewright.contracts.notifications import (
    SECRET,
    Channel,
    Communication,
    Message,
    Notice,
    Recipient,
    Said,
    SearchCommunications,
)
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load
from carewright.notifications.model import Content, Reason, Words

Q = load("carewright.notifications")
TABLE, COLUMN = "notifications.communication", "content"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is stored."""

    id: UUID
    notice: Notice
    language: str
    content: Content
    made_at: datetime
    forget_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way out. `content` is None once it was forgotten; `number` counts the tries, from 1."""

    id: UUID
    channel: Channel
    recipient: Recipient
    content: Content | None
    number: int
    until_at: datetime | None
    about_id: UUID | None


@lru_cache(maxsize=1)
def languages() -> Mapping[str, Words]:
    """Every language there is a file for, by its BCP 47 tag."""
    folder = resources.files("carewright.notifications").joinpath("templates")
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {entry.name.removesuffix(".toml"): msgspec.convert(tomllib.loads(entry.read_text("utf-8")), Words) for entry in files}


async def insert_communication(tx: Session, cipher: FieldCipher, draft: Draft) -> None:
    """Store a message in preparation. What it says is sealed for its own row, and opens in no other."""
    notice, sealed = draft.notice, cipher.seal(TABLE, COLUMN, draft.id, msgspec.json.encode(draft.content))
    await tx.execute(
        Q.insert_communication, cipher.organization_id, draft.id, notice.template, draft.language, notice.channel, notice.recipient.kind,
        notice.recipient.id, sealed, draft.made_at, notice.until_at, draft.forget_at, notice.about_id,
    )  # fmt: skip


async def start_delivery(db: Session, cipher: FieldCipher, communication_id: UUID) -> Delivery | None:
    """One more try; None when it was delivered or given up before."""
    row = await db.fetch_one(Q.start_delivery, cipher.organization_id, communication_id)
    if row is None:
        return None
    return Delivery(
        communication_id, row["channel"], Recipient(kind=row["recipient_kind"], id=row["recipient"]),
        _opened(cipher, communication_id, row["content"]), row["deliveries"], row["until_at"],
        row["about_id"],
    )  # fmt: skip


async def finish_delivery(
    tx: Session, organization_id: UUID, communication_id: UUID, sent_at: datetime | None, reason: Reason | None
) -> bool:
    """Note that it was sent, or why not; False when somebody noted that before."""
    status = "completed" if reason is None else "not-done"
    return await tx.fetch_one(Q.finish_delivery, organization_id, communication_id, status, reason, sent_at) is not None


async def inbox_of(db: Session, cipher: FieldCipher, recipients: Sequence[Recipient], now: datetime, limit: int) -> list[Message]:
    """What was sent to any of `recipients` within the product, newest first."""
    kinds, names = [one.kind for one in recipients], [one.id for one in recipients]
    rows = await db.fetch(Q.inbox_of, cipher.organization_id, limit, now, kinds, names)
    return _messages(cipher, rows)


async def local_inbox(db: Session, cipher: FieldCipher, now: datetime, limit: int) -> list[Message]:
    """What was sent to anybody, newest first."""
    return _messages(cipher, await db.fetch(Q.local_inbox, cipher.organization_id, limit, now))


async def messages_to_patient(db: Session, cipher: FieldCipher, patient_id: UUID, after: UUID, limit: int) -> list[Said]:
    """What was said to a patient, oldest first, whether or not its text is still there."""
    rows = await db.fetch(Q.messages_to_patient, cipher.organization_id, str(patient_id), after, limit)
    return [_said(cipher, row) for row in rows]


async def search_communications(
    db: Session, cipher: FieldCipher, query: SearchCommunications, after: UUID, now: datetime, limit: int
) -> list[Said]:
    """At most `limit` messages to patients behind `after`, oldest first."""
    patients = [str(each) for each in query.patient_ids]
    rows = await db.fetch(Q.search_communications, cipher.organization_id, after, list(query.ids) or None, patients or None, now, limit)
    return [_said(cipher, row) for row in rows]


async def forget_texts(db: Session, now: datetime, limit: int) -> int:
    """Clear contacts and texts that are past their time; how many."""
    row = await db.fetch_one(Q.forget_texts, now, limit)
    return row["count"] if row else 0


async def erase_texts(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Clear contacts and texts of everything said to a patient; which messages those were."""
    return [row["id"] for row in await tx.fetch(Q.erase_texts, organization_id, str(patient_id))]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID) -> list[UUID]:
    """Give the messages to a merged record to its survivor; which those were."""
    return [row["id"] for row in await tx.fetch(Q.take_over, organization_id, prior_id)]


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete messages that were made before `before`, and that no hold covers."""
    rows = await tx.fetch(Q.dispose_communications, organization_id, before, limit)
    return [Gone("Communication", row["id"], UUID(row["recipient"]) if row["recipient_kind"] == "patient" else None) for row in rows]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal messages anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, (COLUMN,), (Q.communications_to_reseal, Q.reseal_communications), after, limit)


def _opened(cipher: FieldCipher, communication_id: UUID, sealed: bytes | None) -> Content | None:
    """What a message says; None once it was forgotten. Raises `SealedElsewhere` for what was not sealed for this row."""
    return None if sealed is None else msgspec.json.decode(cipher.open_(TABLE, COLUMN, communication_id, sealed), type=Content)


def _messages(cipher: FieldCipher, rows: Sequence[Row]) -> list[Message]:
    opened = ((row, _opened(cipher, row["id"], row["content"])) for row in rows)
    return [
        Message(communication=_communication(row), contact=content.contact, title=content.title, text=content.text)
        for row, content in opened
        if content is not None
    ]


def _said(cipher: FieldCipher, row: Row) -> Said:
    """A message to a patient with what it said, unless that opens something."""
    if row["template"] in SECRET:
        return Said(communication=_communication(row), withheld=True)
    what = _opened(cipher, row["id"], row["content"])
    if what is None:
        return Said(communication=_communication(row))
    return Said(communication=_communication(row), contact=what.contact, title=what.title, text=what.text)


def _communication(row: Row) -> Communication:
    return Communication(
        id=row["id"], status=row["status"], status_reason=row["status_reason"], template=row["template"], language=row["language"],
        channel=row["channel"], recipient=Recipient(kind=row["recipient_kind"], id=row["recipient"]), created_at=row["created_at"],
        sent_at=row["sent_at"],
    )  # fmt: skip
