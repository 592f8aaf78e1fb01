"""The rows of feeds, to values and back. One function runs one named query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from carewright.contracts.calendars import Feed
from carewright.kernel.authz import Actor
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.calendars")
TABLE, COLUMN = "calendars.feed", "content"


@dataclass(frozen=True, slots=True)
class Whose:
    """What a feed shows: one patient's appointments, or one calendar's."""

    patient_id: UUID | None = None
    schedule_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A feed that somebody fetches, with its text as it was last written, still sealed."""

    organization_id: UUID
    id: UUID
    of: Whose
    made_by: str
    site_ids: frozenset[UUID]
    fetched_on: date | None
    changes: int
    written_changes: int | None
    written_on: date | None
    content: bytes | None


async def lock_patient(tx: Session, organization_id: UUID, patient_id: UUID) -> bool:
    """Let what is made for one patient go one after another, until the transaction ends. False for who was erased."""
    row = await tx.fetch_one(Q.lock_patient, organization_id, patient_id)
    return row is not None and row["erased_at"] is None


async def erase_patient(tx: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> list[UUID]:
    """End a patient's feeds, and note that none may come later; their ids."""
    await tx.execute(Q.note_erased, organization_id, patient_id, now)
    return [row["id"] for row in await tx.fetch(Q.erase_feeds, organization_id, patient_id)]


async def insert_feed(tx: Session, maker: Actor, feed_id: UUID, token_hash: bytes, of: Whose, now: datetime, most: int) -> Feed | None:
    """None where the maker has as many as they may."""
    row = await tx.fetch_one(
        Q.insert_feed, maker.organization_id, feed_id, token_hash, of.patient_id, of.schedule_id, maker.subject, list(maker.site_ids),
        now, most,
    )  # fmt: skip
    return _feed(row) if row else None


async def feeds_of_maker(db: Session, maker: Actor) -> list[Feed]:
    return [_feed(row) for row in await db.fetch(Q.feeds_of_maker, maker.organization_id, maker.subject)]


async def delete_feed(tx: Session, organization_id: UUID, feed_id: UUID, made_by: str) -> Feed | None:
    """The feed that is gone; None where its maker has no such."""
    row = await tx.fetch_one(Q.delete_feed, organization_id, feed_id, made_by)
    return _feed(row) if row else None


async def feed_by_token(db: Session, token_hash: bytes) -> Standing | None:
    row = await db.fetch_one(Q.feed_by_token, token_hash)
    if row is None:
        return None
    return Standing(
        row["organization_id"], row["id"], Whose(row["patient_id"], row["schedule_id"]), row["made_by"], frozenset(row["site_ids"]),
        row["fetched_on"], row["changes"], row["written_changes"], row["written_on"], row["content"],
    )  # fmt: skip


async def note_changes(tx: Session, organization_id: UUID, patient_id: UUID, schedule_ids: Sequence[UUID]) -> None:
    await tx.execute(Q.note_changes, organization_id, patient_id, list(schedule_ids))


async def note_account_changes(tx: Session, organization_id: UUID, *, of_patients: bool) -> None:
    await tx.execute(Q.note_account_changes, organization_id, of_patients)


async def write_feed(db: Session, cipher: FieldCipher, feed: Standing, content: bytes, today: date) -> None:
    """Keep the text as it is after the changes that `feed` knows of."""
    sealed = cipher.seal(TABLE, COLUMN, feed.id, content)
    await db.execute(Q.write_feed, feed.organization_id, feed.id, sealed, feed.changes, today)


def content_of(cipher: FieldCipher, feed: Standing) -> bytes | None:
    return cipher.open_(TABLE, COLUMN, feed.id, feed.content) if feed.content is not None else None


async def note_fetched(tx: Session, feed: Standing, today: date) -> bool:
    """Whether this is the first fetch of the day."""
    return await tx.fetch_one(Q.note_fetched, feed.organization_id, feed.id, today) is not None


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal texts anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, (COLUMN,), (Q.feeds_to_reseal, Q.reseal_feeds), after, limit)


def _feed(row: Row) -> Feed:
    return Feed(id=row["id"], schedule_id=row["schedule_id"], made_at=row["made_at"], fetched_on=row["fetched_on"])
