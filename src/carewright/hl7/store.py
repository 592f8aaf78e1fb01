"""The rows of HL7 v2, to values and back: messages sealed, what they are about as keyed hashes. One function runs one named query."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from carewright.contracts.hl7 import Partner, UnsentMessage, WaitingMessage
from carewright.contracts.scheduling import AppointmentFact
from carewright.hl7.model.replies import Reply
from carewright.hl7.model.triggers import CLOSED, OPENED, BlockFact
from carewright.kernel.audit import Entry, body_of
from carewright.kernel.db import Database, Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.hl7")
TABLE = "hl7.message"
COLUMNS = ("content", "note", "remark")
OUTGOING_COLUMNS = ("content", "note")
OUTGOING, LINK, PARTNER = "hl7.outgoing", "hl7.link", "hl7.partner"
Status = Literal["applied", "waiting", "refused", "settled"]
OutgoingStatus = Literal["due", "accepted", "waiting", "dropped"]
LinkKind = Literal["appointment", "block"]


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message. `reason` is a code of ours, `about` the sender's code that it concerns."""

    status: Status
    reason: str | None = None
    about: str = ""
    patient_id: UUID | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is stored: who sent it, by what it is known again, what it is about, and when its sender wrote it: from, until.

    `source_hash` says by whose clock, and about what.
    """

    id: UUID
    client_id: UUID
    mark: bytes
    subject: bytes | None
    kind: str
    content: bytes
    received_at: datetime
    source_hash: bytes | None = None
    written: tuple[datetime, datetime] | None = None


class Looked(msgspec.Struct, frozen=True):
    """What a message finds: the same one and what became of it; whether one about its subject waits, and whether a newer one is done."""

    same: tuple[UUID, Fate] | None
    waits: bool
    is_late: bool


class NewLink(msgspec.Struct, frozen=True):
    """An id of a sender's: how it is found, what it says, and what it stands for."""

    id: UUID
    mark: bytes
    said: str
    kind: LinkKind
    target_id: UUID


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What partners are to be told of one appointment of a patient, or of one block: `event` who knows it, `first` who does not.

    None is nothing.
    """

    appointment_id: UUID | None = None
    patient_id: UUID | None = None
    block_id: UUID | None = None
    version: int
    ends_at: datetime
    event: str | None
    first: str | None
    fact: AppointmentFact | BlockFact


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A message for a partner. `content` is None until it is sent first; `said` is what the partner answered. A block is no patient's."""

    id: UUID
    partner_id: UUID
    patient_id: UUID | None
    event: str
    fact: AppointmentFact | BlockFact
    status: OutgoingStatus
    refusals: int
    content: bytes | None
    said: str


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


async def look(db: Database, organization_id: UUID, heard: Heard) -> Looked:
    """What the message finds."""
    until = heard.written[1] if heard.written else None
    row = await db.fetch_gathered(Q.look, organization_id, heard.mark, heard.subject, heard.source_hash, until)
    if row is None:
        return Looked(None, waits=False, is_late=False)
    same = (row["id"], Fate(status=row["status"], reason=row["reason"])) if row["id"] else None
    return Looked(same, row["waits"], row["is_late"])


async def take_turns(session: Session, given_back: Sequence[int], wanted: Sequence[Sequence[int]]) -> list[list[int]]:
    """Give locks of a session back, and take those that are free: of each of `wanted`, which it has now."""
    asked = [(number, key) for number, keys in enumerate(wanted) for key in keys]
    numbers, keys = [None] * len(given_back) + [number for number, _ in asked], [*given_back, *(key for _, key in asked)]
    ours: list[list[int]] = [[] for _ in wanted]
    for row in await session.fetch(Q.take_turns, numbers, keys):
        ours[row["number"]].append(row["key"])
    return ours


async def wait_for_turns(session: Session, keys: Sequence[int]) -> None:
    """Have the session hold these locks, one after the other."""
    await session.fetch(Q.wait_for_turns, keys)


async def is_waiting(db: Session, organization_id: UUID, subject: bytes, before: UUID) -> bool:
    """Whether a message about `subject` is on the work list, of those before `before`."""
    row = await db.fetch_one(Q.is_waiting, organization_id, subject, before)
    return bool(row and row["waits"])


async def keep_message(
    db: Database, cipher: FieldCipher, heard: Heard, fate: Fate, links: Sequence[NewLink], named: Sequence[bytes], entry: Entry
) -> bool:
    """Store a message, what the sender's ids stand for, by which hashes it is found, and its entry: with whatever comes at the same time.

    False where the message is there already, and was not refused.
    """
    links_to = [_link_to(cipher, each) for each in links]
    row = await db.fetch_gathered(
        Q.keep_message, cipher.organization_id, heard.id, heard.client_id, heard.mark, heard.subject, heard.kind, fate.status, fate.reason,
        cipher.seal(TABLE, "content", heard.id, heard.content), _note(cipher, heard.id, fate), fate.patient_id, heard.received_at,
        msgspec.json.encode(links_to), entry.id, body_of(entry), msgspec.json.encode(named), heard.source_hash,
        heard.written[0] if heard.written else None,
    )  # fmt: skip
    return row is not None


async def put_links(tx: Session, cipher: FieldCipher, client_id: UUID, links: Sequence[NewLink], now: datetime) -> None:
    """The ids of a sender that stand for one of ours from now on."""
    said = [cipher.seal(LINK, "said", each.id, each.said.encode()) for each in links]
    marks, ids, kinds, targets = ([getattr(each, name) for each in links] for name in ("mark", "id", "kind", "target_id"))
    await tx.execute(Q.put_links, cipher.organization_id, marks, kinds, targets, now, client_id, ids, said)


async def put_named(tx: Session, organization_id: UUID, message_id: UUID, named: Sequence[bytes]) -> None:
    """By which hashes of identifiers a message is found, while nobody knows whose it is."""
    await tx.execute(Q.put_named, organization_id, message_id, list(named))


async def own_ids(db: Session, cipher: FieldCipher, client_id: UUID | None, target_id: UUID) -> list[str]:
    """What a client calls one of ours, as entity identifiers without escapes; nothing where it never named it."""
    rows = await db.fetch(Q.own_ids, cipher.organization_id, target_id, client_id) if client_id else ()
    return [cipher.open_(LINK, "said", row["id"], row["said"]).decode() for row in rows]


async def linked(db: Database, organization_id: UUID, marks: Sequence[bytes]) -> tuple[LinkKind, UUID] | None:
    """What the first known of the marks stands for."""
    rows = await asyncio.gather(*(db.fetch_gathered(Q.linked, organization_id, mark) for mark in marks))
    return next(((row["kind"], row["target_id"]) for row in rows if row), None)


async def known_marks(db: Session, organization_id: UUID, marks: Sequence[bytes]) -> set[bytes]:
    """Those of the marks that stand for something."""
    rows = await db.fetch(Q.linked, [organization_id] * len(marks), marks)
    return {marks[row["number"] - 1] for row in rows}


async def message_by_id(db: Session, cipher: FieldCipher, message_id: UUID) -> Kept | None:
    row = await db.fetch_one(Q.message_by_id, cipher.organization_id, message_id)
    return _kept(cipher, row) if row else None


async def waiting(db: Session, cipher: FieldCipher, after: UUID, limit: int) -> tuple[WaitingMessage, ...]:
    """A page of the work list, oldest first."""
    return tuple(_shown(cipher, row) for row in await db.fetch(Q.waiting, cipher.organization_id, after, limit))


async def messages_of_patient(db: Session, cipher: FieldCipher, patient_id: UUID, after: UUID, limit: int) -> list[tuple[Row, bytes]]:
    """A page of what was said and told of a patient: each with its content."""
    rows = await db.fetch(Q.messages_of_patient, cipher.organization_id, patient_id, after, limit)
    return [(row, cipher.open_(OUTGOING if row["is_told"] else TABLE, "content", row["id"], row["content"])) for row in rows]


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


async def settle_message(tx: Session, cipher: FieldCipher, message_id: UUID, remark: str, now: datetime) -> Fate | None:
    """What became of it; None where it waits no more."""
    sealed = cipher.seal(TABLE, "remark", message_id, remark.encode())
    row = await tx.fetch_one(Q.settle_message, cipher.organization_id, message_id, now, sealed)
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


async def erase_messages(tx: Session, organization_id: UUID, patient_id: UUID, named: Sequence[bytes]) -> list[UUID]:
    """Clear what was said about a patient, and of whoever these hashes name; which messages those were."""
    return [row["id"] for row in await tx.fetch(Q.erase_messages, organization_id, patient_id, list(named))]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID) -> list[UUID]:
    """Give what was said, and told, of a merged record to its survivor; which messages those were."""
    return [row["id"] for query in (Q.take_over_messages, Q.take_over_outgoing) for row in await tx.fetch(query, organization_id, prior_id)]


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete messages that were received before `before`, were decided about, and that no hold covers."""
    rows = await tx.fetch(Q.dispose_messages, organization_id, before, limit)
    return [Gone("MessageHeader", row["id"], row["patient_id"]) for row in rows]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal messages anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, COLUMNS, (Q.messages_to_reseal, Q.reseal_messages), after, limit)


async def partners(db: Session, organization_id: UUID) -> list[Partner]:
    """Whom an organization tells of appointments."""
    return [_partner(row) for row in await db.fetch(Q.partners, organization_id)]


async def every_partner(db: Session) -> list[tuple[UUID, Partner]]:
    """Those of every organization, with whose they are; `db` is the system's."""
    return [(row["organization_id"], _partner(row)) for row in await db.fetch(Q.every_partner)]


async def put_partner(tx: Session, organization_id: UUID, partner: Partner, now: datetime) -> None:
    """Tell a partner from now on."""
    await tx.execute(Q.put_partner, organization_id, *_columns(partner), now)


async def lock_partner(tx: Session, organization_id: UUID, partner_id: UUID) -> Partner | None:
    """Let nobody else change or stop a partner until the transaction ends; None where it is told nothing."""
    row = await tx.fetch_one(Q.lock_partner, organization_id, partner_id)
    return _partner(row) if row else None


async def change_partner(tx: Session, organization_id: UUID, partner: Partner) -> None:
    """Tell a partner as this says from now on."""
    await tx.execute(Q.change_partner, organization_id, *_columns(partner))


async def set_partner_token(tx: Session, cipher: FieldCipher, partner_id: UUID, token: str | None) -> None:
    """Show a partner this from now on; None is nothing any more."""
    sealed = cipher.seal(PARTNER, "token", partner_id, token.encode()) if token else None
    await tx.execute(Q.set_partner_token, cipher.organization_id, partner_id, sealed)


async def partner_token(db: Session, cipher: FieldCipher, partner: Partner) -> str | None:
    """What a partner is shown at that address, if anything."""
    row = await db.fetch_one(Q.partner_token, cipher.organization_id, partner.id, partner.address)
    return cipher.open_(PARTNER, "token", partner.id, row["token"]).decode() if row and row["token"] else None


async def reseal_partners(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal`, of what partners are shown."""
    return await reseal_rows(tx, cipher, PARTNER, ("token",), (Q.partners_to_reseal, Q.reseal_partners), after, limit)


async def stop_partner(tx: Session, organization_id: UUID, partner_id: UUID, now: datetime) -> int | None:
    """How many messages it is not told any more; None where there is no such partner."""
    row = await tx.fetch_one(Q.stop_partner, organization_id, partner_id, now)
    return row["dropped"] if row else None


async def partner_codes(db: Session, organization_id: UUID, partner_id: UUID) -> dict[tuple[str, str], str]:
    """(table, ours) to the partner's."""
    return {(row["name"], row["ours"]): row["theirs"] for row in await db.fetch(Q.partner_codes, organization_id, partner_id)}


async def put_partner_code(tx: Session, organization_id: UUID, partner_id: UUID, name: str, ours: str, theirs: str | None) -> None:
    """What one of ours is called at a partner from now on; None for nothing any more."""
    if theirs is None:
        await tx.execute(Q.drop_partner_code, organization_id, partner_id, name, ours)
    else:
        await tx.execute(Q.put_partner_code, organization_id, partner_id, name, ours, theirs)


async def put_outgoing(tx: Session, organization_id: UUID, news: News, told: Sequence[tuple[Partner, UUID]], now: datetime) -> None:
    """A message for each partner, under the id beside it."""
    columns = [each.id for each, _ in told], [each.client_id for each, _ in told], [message_id for _, message_id in told]
    await tx.execute(
        Q.put_outgoing, organization_id, *columns, news.appointment_id, news.block_id, news.version, news.patient_id, news.event,
        news.first, msgspec.json.encode(news.fact), news.ends_at, now,
    )  # fmt: skip


async def next_outgoing(db: Session, cipher: FieldCipher, partner_id: UUID, now: datetime) -> Due | None:
    """What a partner is to be told next."""
    row = await db.fetch_one(Q.next_outgoing, cipher.organization_id, partner_id, now)
    return _due(cipher, row) if row else None


async def outgoing_by_id(db: Session, cipher: FieldCipher, message_id: UUID) -> Due | None:
    row = await db.fetch_one(Q.outgoing_by_id, cipher.organization_id, message_id)
    return _due(cipher, row) if row else None


async def freeze_outgoing(tx: Session, cipher: FieldCipher, message_id: UUID, content: bytes) -> None:
    """The message as it is sent from now on."""
    await tx.execute(Q.freeze_outgoing, cipher.organization_id, message_id, cipher.seal(OUTGOING, "content", message_id, content))


async def decide_outgoing(
    tx: Session, cipher: FieldCipher, due: Due, status: OutgoingStatus, refusals: int, reply: Reply, due_at: datetime
) -> bool:
    """False where somebody decided about it meanwhile."""
    note = cipher.seal(OUTGOING, "note", due.id, reply.said.encode()) if reply.said else None
    row = await tx.fetch_one(Q.decide_outgoing, cipher.organization_id, due.id, status, refusals, reply.reason or None, note, due_at)
    return row is not None


async def unsent(db: Session, organization_id: UUID, after: UUID, limit: int) -> tuple[UnsentMessage, ...]:
    """A page of what partners did not take, oldest first."""
    rows = await db.fetch(Q.unsent, organization_id, after, limit)
    return tuple(
        UnsentMessage(
            id=row["id"], partner_id=row["partner_id"], event=row["event"], reason=row["reason"], refusals=row["refusals"],
            made_at=row["made_at"],
        )
        for row in rows
    )  # fmt: skip


async def resend_outgoing(tx: Session, organization_id: UUID, message_id: UUID, now: datetime) -> Row | None:
    """The message is due again: its `patient_id`. None where it waits no more."""
    return await tx.fetch_one(Q.resend_outgoing, organization_id, message_id, now)


async def drop_outgoing(tx: Session, organization_id: UUID, message_id: UUID) -> Row | None:
    """Nobody is told the message any more: its `patient_id`. None where it waits no more."""
    return await tx.fetch_one(Q.drop_outgoing, organization_id, message_id)


async def erase_outgoing(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Clear what partners were told, or were to be told, of a patient; which messages those were."""
    return [row["id"] for row in await tx.fetch(Q.erase_outgoing, organization_id, patient_id)]


async def dispose_outgoing(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """As `dispose`, of what partners were told."""
    rows = await tx.fetch(Q.dispose_outgoing, organization_id, before, limit)
    return [Gone("MessageHeader", row["id"], row["patient_id"]) for row in rows]


async def reseal_outgoing(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal`."""
    return await reseal_rows(tx, cipher, OUTGOING, OUTGOING_COLUMNS, (Q.outgoing_to_reseal, Q.reseal_outgoing), after, limit)


async def reseal_links(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal`, of senders' own ids."""
    return await reseal_rows(tx, cipher, LINK, ("said",), (Q.links_to_reseal, Q.reseal_links), after, limit)


def _link_to(cipher: FieldCipher, link: NewLink) -> dict[str, object]:
    """As `keep_message` takes it; bytes become base64."""
    said = cipher.seal(LINK, "said", link.id, link.said.encode())
    return {"mark": link.mark, "kind": link.kind, "target_id": link.target_id, "id": link.id, "said": said}


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


def _partner(row: Row) -> Partner:
    sending_application, sending_facility, receiving_application, receiving_facility = row["header"]
    return Partner(
        id=row["id"], name=row["name"], address=row["address"], client_id=row["client_id"], version=row["version"], charset=row["charset"],
        processing=row["processing"],
        sending_application=sending_application, sending_facility=sending_facility, receiving_application=receiving_application,
        receiving_facility=receiving_facility,
    )  # fmt: skip


def _columns(partner: Partner) -> tuple[object, ...]:
    """As `put_partner` and `change_partner` take them, from its id on."""
    header = [partner.sending_application, partner.sending_facility, partner.receiving_application, partner.receiving_facility]
    return (
        partner.id, partner.name, partner.address, partner.client_id, partner.version, partner.charset, partner.processing, header,
    )  # fmt: skip


def _due(cipher: FieldCipher, row: Row) -> Due:
    content, note = (None if row[name] is None else cipher.open_(OUTGOING, name, row["id"], row[name]) for name in OUTGOING_COLUMNS)
    kind: type[AppointmentFact | BlockFact] = BlockFact if row["event"] in (CLOSED, OPENED) else AppointmentFact
    return Due(
        id=row["id"], partner_id=row["partner_id"], patient_id=row["patient_id"], event=row["event"], status=row["status"],
        refusals=row["refusals"], content=content, said=(note or b"").decode(), fact=msgspec.json.decode(row["fact"], type=kind),
    )  # fmt: skip
