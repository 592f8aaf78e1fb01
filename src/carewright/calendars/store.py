"""The rows of feeds and of other people's calendars, to values and back. One function runs one named query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from carewright.calendars.model.busy import Stretch
from carewright.contracts.calendars import Feed
from carewright.kernel.authz import Actor
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.calendars")
TABLE, COLUMN = "calendars.feed", "content"
SOURCE = "calendars.source"


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


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID) -> list[UUID]:
    """Give a merged record's feeds to its survivor; which those were."""
    return [row["id"] for row in await tx.fetch(Q.take_over, organization_id, prior_id)]


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


@dataclass(frozen=True, slots=True)
class Source:
    """A calendar of others whose busy times close one of ours. `error` is the code that ended its last read."""

    organization_id: UUID
    id: UUID
    schedule_id: UUID
    time_zone: str
    site_ids: frozenset[UUID]
    address: str | None
    read_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A time that a source closes. `block_id` is None until the block is known to be made."""

    id: UUID
    stretch: Stretch
    block_id: UUID | None


async def insert_source(tx: Session, cipher: FieldCipher, source: Source, now: datetime) -> None:
    """One with an address is due at once."""
    sealed = cipher.seal(SOURCE, "address", source.id, source.address.encode()) if source.address else None
    await tx.execute(
        Q.insert_source, source.organization_id, source.id, source.schedule_id, source.time_zone, list(source.site_ids), sealed,
        now if sealed else None, now,
    )  # fmt: skip


async def sources(db: Session, cipher: FieldCipher) -> list[Source]:
    return [_source(cipher, row) for row in await db.fetch(Q.sources, cipher.organization_id)]


async def source_by_id(db: Session, cipher: FieldCipher, source_id: UUID) -> Source | None:
    row = await db.fetch_one(Q.source_by_id, cipher.organization_id, source_id)
    return _source(cipher, row) if row else None


async def claim_source(db: Session, now: datetime, next_at: datetime) -> tuple[UUID, UUID] | None:
    """The organization and id of a source that is due, which is nobody else's until `next_at`."""
    row = await db.fetch_one(Q.claim_source, now, next_at)
    return (row["organization_id"], row["id"]) if row else None


async def note_read(tx: Session, source: Source, now: datetime, error: str | None) -> None:
    """That a read came to its end, or which code ended it."""
    await tx.execute(Q.note_read, source.organization_id, source.id, now, error)


async def delete_source(tx: Session, source: Source) -> None:
    await tx.execute(Q.delete_source, source.organization_id, source.id)


async def blocked_by(db: Session, source: Source) -> list[Blocked]:
    rows = await db.fetch(Q.blocked_by, source.organization_id, source.id)
    return [Blocked(row["id"], Stretch(row["starts_at"], row["ends_at"]), row["block_id"]) for row in rows]


async def plan_blocked(db: Session, source: Source, ids: Sequence[UUID], stretches: Sequence[Stretch]) -> None:
    """Note what will be closed, before it is."""
    starts, ends = [each.start for each in stretches], [each.end for each in stretches]
    await db.execute(Q.plan_blocked, source.organization_id, source.id, list(ids), starts, ends)


async def note_blocked(db: Session, source: Source, blocked_id: UUID, block_id: UUID | None) -> None:
    await db.execute(Q.note_blocked, source.organization_id, blocked_id, block_id)


async def delete_blocked(db: Session, source: Source, blocked_id: UUID) -> None:
    await db.execute(Q.delete_blocked, source.organization_id, blocked_id)


async def reseal_sources(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal`, of addresses."""
    return await reseal_rows(tx, cipher, SOURCE, ("address",), (Q.sources_to_reseal, Q.reseal_sources), after, limit)


def _source(cipher: FieldCipher, row: Row) -> Source:
    address = cipher.open_(SOURCE, "address", row["id"], row["address"]).decode() if row["address"] is not None else None
    return Source(
        cipher.organization_id, row["id"], row["schedule_id"], row["time_zone"], frozenset(row["site_ids"]), address, row["read_at"],
        row["error"],
    )  # fmt: skip


def _feed(row: Row) -> Feed:
    return Feed(id=row["id"], schedule_id=row["schedule_id"], made_at=row["made_at"], fetched_on=row["fetched_on"])
