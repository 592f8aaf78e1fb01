"""The log's rows, to values and back. One function runs one named query."""

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.audit.model.merkle import HASH_BYTES, Place
from carewright.contracts.audit import AuditEvent, Busy, FindAuditEvents, FindBusy, FindReads, ReadsPage
from carewright.kernel.db import Database, Row, Session
from carewright.kernel.sql import load

Q = load("carewright.audit")
COPY_HEADER_BYTES = 19
ROW_HEAD = struct.Struct(">hi")
"""A row of one column: how many columns, and the value's length. The end of all rows, -1, is two bytes: no head of a row."""
BUSY_MAX = 100
LOOKED_THROUGH_MAX = 10_000
"""Entries of the log in one look for reads."""
OPENED = ("patients.patient.read", "scheduling.appointment.read")
"""What opens one patient's record. A search or a list shows many at once, and is no sign of anything."""
REFUSED = {
    "bad_tokens": ("kernel.unauthenticated", "access.client_not_believed"),
    "wrong_codes": ("access.code_not_right",),
}
"""The codes of the refusals that tell of somebody who tries."""
PASSWORDS = ("identity.sign_in",)
"""The deeds whose refusal is a wrong password: only our own provider's, since every other one keeps its own log."""
_decode = msgspec.json.Decoder(AuditEvent).decode


class LogPlace(NamedTuple):
    """How far the journal is sealed: how many entries, and the place of the last."""

    size: int
    xid: str
    position: int


class Sealed(NamedTuple):
    """An entry of the journal: its place, and its bytes."""

    xid: str
    position: int
    body: str


async def anything_to_seal(db: Session) -> bool:
    """Whether an entry waits behind what is sealed."""
    row = await db.fetch_one(Q.anything_to_seal)
    return bool(row and row["found"])


async def lock_log(tx: Session) -> LogPlace:
    """How far the journal is sealed. Nobody else seals until the transaction ends."""
    return _place(await tx.fetch(Q.lock_log))


async def log_place(db: Session) -> LogPlace:
    """How far the journal is sealed."""
    return _place(await db.fetch(Q.log))


async def entries_to_seal(tx: Session, place: LogPlace, limit: int) -> list[Sealed]:
    """The next entries, in the journal's order."""
    rows = await tx.fetch(Q.entries_to_seal, place.xid, place.position, limit)
    return [Sealed(row["xid"], row["position"], row["body"]) for row in rows]


async def move_log(tx: Session, place: LogPlace) -> None:
    """Note how far the journal is sealed now. The caller holds the lock."""
    await tx.execute(Q.move_log, place.size, place.xid, place.position)


async def put_tiles(tx: Session, tiles: Mapping[Place, bytes]) -> None:
    """Write new tiles and longer ones."""
    await tx.execute(Q.put_tiles, [level for level, _ in tiles], [number for _, number in tiles], list(tiles.values()))


async def tiles(db: Session, places: Collection[Place]) -> dict[Place, bytes]:
    """The tiles at these places, as far as they are there."""
    rows = await db.fetch(Q.tiles, [level for level, _ in places], [number for _, number in places])
    return {(row["level"], row["number"]): row["hashes"] for row in rows}


async def add_events(tx: Session, first: int, entries: Sequence[Sealed]) -> None:
    """Make entries searchable. One that is not in form is sealed like any other, and found by verification and export only."""
    rows = [
        {"number": first + index, "xid": entry.xid, "position": entry.position, "body": msgspec.Raw(entry.body.encode())}
        for index, entry in enumerate(entries)
        if _is_in_form(entry.body)
    ]
    await tx.execute(Q.add_events, msgspec.json.encode(rows))


async def add_checkpoint(tx: Session, size: int, note: str, now: datetime) -> None:
    await tx.execute(Q.add_checkpoint, size, note, now)


async def newest_checkpoint(db: Session) -> tuple[int, str] | None:
    """Size and note of the newest checkpoint."""
    row = await db.fetch_one(Q.newest_checkpoint)
    return (row["size"], row["note"]) if row else None


async def checkpoints(db: Session) -> list[str]:
    """Every checkpoint's note, by size."""
    return [row["note"] for row in await db.fetch(Q.checkpoints)]


async def size_witnessed(db: Session, name: str) -> int:
    """Up to which size a witness has seen the log."""
    row = await db.fetch_one(Q.witness, name)
    return row["size"] if row else 0


async def put_witness(db: Session, name: str, size: int, note: str, now: datetime) -> None:
    await db.execute(Q.put_witness, name, size, note, now)


async def find_newest_events(
    db: Session, organization_id: UUID, query: FindAuditEvents, without: Sequence[str], before: int, limit: int
) -> list[AuditEvent]:
    """Events as narrowed, the newest first. `without` are purposes that are left out."""
    rows = await db.fetch(Q.find_newest_events, organization_id, *_narrowed(query), list(without), limit, before, query.address)
    return [event_of(row) for row in rows]


async def find_events(
    db: Session, organization_id: UUID, query: FindAuditEvents, without: Sequence[str], after: tuple[str, int], limit: int
) -> list[tuple[str, AuditEvent]]:
    """Events as narrowed, sorted as asked, each with what it is sorted by."""
    rows = await db.fetch(Q.find_events, organization_id, *_narrowed(query), list(without), limit, query.sort, *after, query.address)
    return [(row["key"], event_of(row)) for row in rows]


async def busy(db: Session, query: FindBusy) -> tuple[Busy, ...]:
    """Whoever reaches the number, `BUSY_MAX` at most."""
    if query.what == "guesses":
        rows = await db.fetch(Q.busy_addresses, query.since, query.at_least, list(REFUSED["wrong_codes"]), BUSY_MAX, list(PASSWORDS))
        return tuple(Busy(**dict(row)) for row in rows)
    wanted, names = (Q.busy_readers, OPENED) if query.what == "patients" else (Q.busy_refused, REFUSED[query.what])
    return tuple(Busy(**dict(row)) for row in await db.fetch(wanted, query.since, query.at_least, list(names), BUSY_MAX))


async def reads_behind(db: Session, query: FindReads) -> ReadsPage:
    """The records that were opened behind a place, and the place up to which that holds."""
    row = await db.fetch_one(Q.sealed_before, query.before)
    end = min(row["size"] - 1 if row else -1, query.place + LOOKED_THROUGH_MAX)
    if end <= query.place:
        return ReadsPage(items=(), place=query.place)
    items = tuple(event_of(row) for row in await db.fetch(Q.reads_between, query.place, end, OPENED[0], query.limit))
    return ReadsPage(items=items, place=items[-1].number if len(items) == query.limit else end)


async def event_by_id(db: Session, organization_id: UUID, event_id: UUID) -> tuple[AuditEvent, str] | None:
    """An event, and the bytes of its entry."""
    row = await db.fetch_one(Q.event_by_id, organization_id, event_id)
    return (event_of(row), row["body"]) if row else None


async def copy_journal(db: Database, place: LogPlace, write: Callable[[bytes], object]) -> None:
    """Hand every sealed entry to `write` as a line, in order."""
    rows = CopiedRows(lambda body: write(body + b"\n"))
    async with db.transaction() as tx:
        await tx.copy_out(Q.journal, rows.take, place.xid, place.position)


async def copy_leaves(db: Database, size: int, write: Callable[[bytes], object]) -> None:
    """Hand the leaf hashes of the first `size` entries to `write`, tile by tile."""
    left = size * HASH_BYTES

    def cut(hashes: bytes) -> None:
        nonlocal left
        write(hashes[:left])
        left = max(0, left - len(hashes))

    async with db.transaction() as tx:
        await tx.copy_out(Q.leaves, CopiedRows(cut).take)


class CopiedRows:
    """Takes PostgreSQL's binary COPY format of one column, in whatever pieces it comes, and hands over the value of each row."""

    def __init__(self, hand_over: Callable[[bytes], object]) -> None:
        self._hand_over = hand_over
        self._left = b""
        self._begun = False

    async def take(self, piece: bytes) -> None:
        data = self._left + bytes(piece)
        place = 0 if self._begun else COPY_HEADER_BYTES
        if len(data) < place:
            self._left = data
            return
        self._begun = True
        while len(data) >= place + ROW_HEAD.size:
            _, length = ROW_HEAD.unpack_from(data, place)
            end = place + ROW_HEAD.size + length
            if end > len(data):
                break
            self._hand_over(data[end - length : end])
            place = end
        self._left = data[place:]


def event_of(row: Row) -> AuditEvent:
    return msgspec.structs.replace(_decode(row["body"]), number=row["number"])


def _narrowed(query: FindAuditEvents) -> tuple[object, ...]:
    return (
        query.patient_id, query.agent, query.role, query.event, query.action, query.outcome, query.purpose, query.code, query.entity_id,
        query.from_at, query.until_at,
    )  # fmt: skip


def _place(rows: Sequence[Row]) -> LogPlace:
    (row,) = rows
    return LogPlace(row["size"], row["xid"], row["position"])


def _is_in_form(body: str) -> bool:
    try:
        _decode(body)
    except msgspec.ValidationError:
        return False
    except msgspec.DecodeError:
        return False
    return "\\u0000" not in body
