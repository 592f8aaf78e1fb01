"""The rows of EHR connections, to values and back: keys and ids of theirs sealed. One function runs one named query."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.ehr import MASTERS, TAKEN, Connection, Difference, EhrSubscription, Kind, Master, Mode
from carewright.kernel.db import Database, Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.ehr")
CONNECTION, SUBSCRIPTION, LINK = "ehr.connection", "ehr.subscription", "ehr.link"
Named = tuple[UUID, str]
"""An organization, and the name of one of its connections."""


class Keyed(msgspec.Struct, frozen=True, kw_only=True):
    """A connection with our private key there, a JWK as JSON."""

    connection: Connection
    key: bytes


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What of theirs is what of ours, by the id of its link."""

    id: UUID
    theirs: str
    ours: UUID


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """`ours` None while theirs is being booked here. `changed_at` is when ours last changed, as far as we were told."""

    id: UUID
    ours: UUID | None
    changed_at: datetime


class NewLink(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    connection_id: UUID
    kind: Kind
    theirs: str
    ours: UUID | None
    patient_id: UUID | None = None
    start_at: datetime | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Our subscription as it was last seen at the EHR: its id there, its status, and its end."""

    theirs: str | None
    status: str | None
    ends_at: datetime | None


class Waking(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a connection belongs to, what the EHR may show us (SHA-256), and since when, or from when on, a pull is owed."""

    organization_id: UUID
    secret_hash: tuple[bytes, ...]
    pull_at: datetime | None


def mark_of(cipher: FieldCipher, connection_id: UUID, theirs: str) -> bytes:
    """By what an id of theirs is known again."""
    return cipher.mark(LINK, "mark", f"{connection_id}\0{theirs}".encode())


async def put_connection(tx: Session, cipher: FieldCipher, made: Connection, key: bytes, now: datetime) -> bool:
    """False where the name is taken."""
    row = await tx.fetch_one(
        Q.put_connection, cipher.organization_id, made.id, made.name, made.profile, made.base, made.client_id, made.patient_system,
        made.masters, cipher.seal(CONNECTION, "key", made.id, key), made.public_key, now, made.mode,
    )  # fmt: skip
    return row is not None


async def connections(db: Session, organization_id: UUID) -> tuple[Connection, ...]:
    return tuple(_connection(row) for row in await db.fetch(Q.connections, organization_id))


async def connection_for_asking(db: Session, cipher: FieldCipher, name: str) -> Keyed | None:
    row = await db.fetch_one(Q.connection_for_asking, cipher.organization_id, name)
    return Keyed(connection=_connection(row), key=cipher.open_(CONNECTION, "key", row["id"], row["key"])) if row else None


async def connections_due(db: Session, asked_before: datetime, net_before: datetime, now: datetime, limit: int) -> list[Named]:
    """Those whose turn it is, of everybody's: nobody asked them since, or, where they wake us, since `net_before`."""
    return _named(await db.fetch(Q.connections_due, asked_before, net_before, now, limit))


async def claim_asking(db: Database, organization_id: UUID, connection_id: UUID, now: datetime, until: datetime) -> bool:
    """False while somebody else asks. Whatever pull was owed is this one."""
    async with db.transaction() as tx:
        if await tx.fetch_one(Q.claim_asking, organization_id, connection_id, now, until) is None:
            return False
        await tx.execute(Q.pull_begins, organization_id, connection_id)
    return True


async def end_asking(db: Session, organization_id: UUID, connection_id: UUID, now: datetime) -> None:
    await db.execute(Q.end_asking, organization_id, connection_id, now)


async def is_stopped(db: Session, organization_id: UUID, connection_id: UUID) -> bool:
    row = await db.fetch_one(Q.is_stopped, organization_id, connection_id)
    return bool(row and row["stopped"])


async def stop_connection(tx: Session, organization_id: UUID, connection_id: UUID, now: datetime, untold_since: datetime) -> None:
    """One that was stopped already stays as it was."""
    await tx.execute(Q.stop_connection, organization_id, connection_id, now, untold_since)


async def resume_connection(tx: Session, organization_id: UUID, connection_id: UUID) -> datetime | None:
    """Since when there is something to tell; None where there is nothing."""
    row = await tx.fetch_one(Q.resume_connection, organization_id, connection_id)
    return row["untold_since"] if row else None


async def note_told(tx: Session, organization_id: UUID, connection_id: UUID, since: datetime) -> None:
    """What had to be told since then is queued."""
    await tx.execute(Q.note_told, organization_id, connection_id, since)


async def set_mode(tx: Session, organization_id: UUID, connection_id: UUID, mode: Mode) -> None:
    await tx.execute(Q.set_mode, organization_id, connection_id, mode)


async def want_subscription(tx: Session, organization_id: UUID, connection_id: UUID, now: datetime) -> None:
    """There is to be one at the EHR, and it is looked at now."""
    await tx.execute(Q.want_subscription, organization_id, connection_id, now)


async def look_at_subscription(tx: Session, organization_id: UUID, connection_id: UUID, now: datetime) -> None:
    """It is looked at now, if there is one."""
    await tx.execute(Q.look_at_subscription, organization_id, connection_id, now)


async def claim_look(db: Session, cipher: FieldCipher, connection_id: UUID, now: datetime, until: datetime) -> Standing | None:
    """None where there is none, it is not its turn, or somebody else looks."""
    row = await db.fetch_one(Q.claim_look, cipher.organization_id, connection_id, now, until)
    if row is None:
        return None
    theirs = cipher.open_(SUBSCRIPTION, "theirs", connection_id, row["theirs"]).decode() if row["theirs"] is not None else None
    return Standing(theirs=theirs, status=row["status"], ends_at=row["ends_at"])


async def subscriptions_to_look_at(db: Session, now: datetime, limit: int) -> list[Named]:
    """Those whose turn it is, of everybody's."""
    return _named(await db.fetch(Q.subscriptions_to_look_at, now, limit))


async def offer_secret(db: Session, organization_id: UUID, connection_id: UUID, secret_hash: bytes, ends_at: datetime) -> None:
    """The EHR may show us this one, and the two before it; whatever is there with it ends at `ends_at`."""
    await db.execute(Q.offer_secret, organization_id, connection_id, secret_hash, ends_at)


async def put_subscription(
    tx: Session, cipher: FieldCipher, connection_id: UUID, seen: Standing, look_at: datetime, now: datetime
) -> None:  # fmt: skip
    """As it was just seen at the EHR; it is looked at again at `look_at`."""
    theirs = cipher.seal(SUBSCRIPTION, "theirs", connection_id, seen.theirs.encode()) if seen.theirs else None
    await tx.execute(Q.put_subscription, cipher.organization_id, connection_id, theirs, seen.status, seen.ends_at, look_at, now)


async def note_fault(db: Session, organization_id: UUID, connection_id: UUID, fault: str, now: datetime, look_at: datetime) -> None:
    """What was in its way, and when it is looked at again."""
    await db.execute(Q.note_fault, organization_id, connection_id, fault, now, look_at)


async def note_lost(db: Session, organization_id: UUID, connection_id: UUID, status: str | None, fault: str, now: datetime) -> None:
    """It wakes us no more: the EHR gave it up or turned it off, or (None) does not have it."""
    await db.execute(Q.note_lost, organization_id, connection_id, status, fault, now)


async def drop_subscription(tx: Session, organization_id: UUID, connection_id: UUID) -> None:
    await tx.execute(Q.drop_subscription, organization_id, connection_id)


async def subscription_for_waking(db: Session, connection_id: UUID) -> Waking | None:
    """Of whomever: who wakes us names the connection alone. None for one that is not to be woken."""
    row = await db.fetch_one(Q.subscription_for_waking, connection_id)
    return msgspec.convert({**row, "secret_hash": tuple(row["secret_hash"])}, Waking) if row else None


async def owe_pull(db: Session, organization_id: UUID, connection_id: UUID, now: datetime) -> None:
    """The EHR woke us."""
    await db.execute(Q.owe_pull, organization_id, connection_id, now)


async def put_off_pull(tx: Session, organization_id: UUID, connection_id: UUID, until: datetime) -> None:
    """One that went wrong is owed again, at this time, where there is a subscription."""
    await tx.execute(Q.put_off_pull, organization_id, connection_id, until)


async def pulls_owed(db: Session, now: datetime, limit: int) -> list[Named]:
    """Connections that are to be asked now, of everybody's."""
    return _named(await db.fetch(Q.pulls_owed, now, limit))


async def put_code(tx: Session, organization_id: UUID, name: str, code: str, target: UUID | None) -> bool:
    """What a kind of visit of theirs is from now on; None for nothing. False where there is no such connection."""
    return await tx.fetch_one(Q.put_code, organization_id, name, code, str(target) if target else None) is not None


async def linked(db: Session, organization_id: UUID, connection_id: UUID, kind: Kind, mark: bytes) -> Link | None:
    row = await db.fetch_one(Q.linked, organization_id, connection_id, kind, mark)
    return Link(id=row["id"], ours=row["ours"], changed_at=row["ours_changed_at"] or row["made_at"]) if row else None


async def are_linked(db: Session, organization_id: UUID, connection_id: UUID, kind: Kind, ours: Sequence[UUID]) -> set[UUID]:
    """Those of ours that the EHR has."""
    return {row["ours"] for row in await db.fetch(Q.is_linked, organization_id, connection_id, kind, list(ours))}


async def put_link(tx: Session, cipher: FieldCipher, link: NewLink, now: datetime) -> bool:
    """False where one of the two is linked already."""
    row = await tx.fetch_one(
        Q.put_link, cipher.organization_id, link.id, link.connection_id, link.kind, mark_of(cipher, link.connection_id, link.theirs),
        cipher.seal(LINK, "theirs", link.id, link.theirs.encode()), link.ours, link.patient_id, link.start_at, now,
    )  # fmt: skip
    return row is not None


async def complete_link(tx: Session, organization_id: UUID, link_id: UUID, ours: UUID) -> None:
    await tx.execute(Q.complete_link, organization_id, link_id, ours)


async def theirs_of(db: Session, cipher: FieldCipher, connection_id: UUID, kind: Kind, ours: UUID) -> str | None:
    """Their id of one of ours."""
    row = await db.fetch_one(Q.link_of_ours, cipher.organization_id, connection_id, kind, ours)
    return cipher.open_(LINK, "theirs", row["id"], row["theirs"]).decode() if row else None


async def is_taking(db: Session, organization_id: UUID, connection_id: UUID, patient_id: UUID, start: datetime) -> bool:
    row = await db.fetch_one(Q.is_taking, organization_id, connection_id, patient_id, start)
    return bool(row and row["taking"])


async def drop_taking(tx: Session, organization_id: UUID, link_id: UUID) -> None:
    await tx.execute(Q.drop_taking, organization_id, link_id)


async def next_to_ask(
    db: Session, cipher: FieldCipher, connection_id: UUID, kind: Kind, before: datetime, limit: int
) -> list[tuple[UUID, str]]:
    """Links and the ids of theirs, longest ago first, that were not asked for since `before`."""
    rows = await db.fetch(Q.next_to_ask, cipher.organization_id, connection_id, kind, before, limit)
    return [(row["id"], cipher.open_(LINK, "theirs", row["id"], row["theirs"]).decode()) for row in rows]


async def mark_asked(db: Session, organization_id: UUID, link_id: UUID, now: datetime) -> None:
    await db.execute(Q.mark_asked, organization_id, link_id, now)


async def unlisted(db: Session, cipher: FieldCipher, connection_id: UUID, ours: Sequence[UUID], before: datetime) -> list[Pair]:
    """Appointments of both, of these of ours, that no list of theirs has named since `before`."""
    rows = await db.fetch(Q.unlisted, cipher.organization_id, connection_id, "Appointment", list(ours), before)
    return [_pair(cipher, row) for row in rows]


async def next_to_ask_who_pays(db: Session, cipher: FieldCipher, connection_id: UUID, before: datetime, limit: int) -> list[Pair]:
    """Patients of both, longest ago first, of whom nobody asked since `before` who pays."""
    rows = await db.fetch(Q.next_to_ask_who_pays, cipher.organization_id, connection_id, before, limit)
    return [_pair(cipher, row) for row in rows]


async def mark_payers_asked(db: Session, organization_id: UUID, link_id: UUID, now: datetime) -> None:
    await db.execute(Q.mark_payers_asked, organization_id, link_id, now)


async def note_changed(tx: Session, organization_id: UUID, kind: Kind, ours: UUID, now: datetime) -> None:
    await tx.execute(Q.note_changed, organization_id, kind, ours, now)


async def count_links(db: Session, organization_id: UUID, connection_id: UUID) -> dict[str, int]:
    return {row["kind"]: row["count"] for row in await db.fetch(Q.count_links, organization_id, connection_id)}


async def put_difference(
    tx: Session, organization_id: UUID, connection_id: UUID, mark: bytes, found: Difference, patient_id: UUID | None
) -> bool:
    """False where it was known already."""
    row = await tx.fetch_one(
        Q.put_difference, organization_id, found.id, connection_id, found.kind, mark, found.reason, found.ours, patient_id,
        list(found.elements), found.found_at,
    )  # fmt: skip
    return row is not None


async def drop_difference(tx: Session, organization_id: UUID, connection_id: UUID, kind: Kind, mark: bytes) -> bool:
    """False where there was none, or only that ours was changed."""
    return await tx.fetch_one(Q.drop_difference, organization_id, connection_id, kind, mark, TAKEN) is not None


async def differences(db: Session, organization_id: UUID, connection_id: UUID, limit: int) -> tuple[Difference, ...]:
    rows = await db.fetch(Q.differences, organization_id, connection_id, limit)
    return tuple(msgspec.convert({**row, "elements": tuple(row["elements"])}, Difference) for row in rows)


async def erase_patient(tx: Session, organization_id: UUID, patient_id: UUID) -> None:
    """What of theirs was this patient's is nobody's any more."""
    await tx.execute(Q.erase_links, organization_id, patient_id)
    await tx.execute(Q.erase_differences, organization_id, patient_id)


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID) -> list[UUID]:
    """Give a merged record's links to its survivor; which those were."""
    return [row["id"] for row in await tx.fetch(Q.take_over, organization_id, prior_id)]


async def reseal_connections(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    return await reseal_rows(tx, cipher, CONNECTION, ("key",), (Q.connections_to_reseal, Q.reseal_connections), after, limit)


async def reseal_subscriptions(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    queries = (Q.subscriptions_to_reseal, Q.reseal_subscriptions)
    return await reseal_rows(tx, cipher, SUBSCRIPTION, ("theirs",), queries, after, limit)


async def reseal_links(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    return await reseal_rows(tx, cipher, LINK, ("theirs",), (Q.links_to_reseal, Q.reseal_links), after, limit)


def _named(rows: Sequence[Row]) -> list[Named]:
    return [(row["organization_id"], row["name"]) for row in rows]


def _pair(cipher: FieldCipher, row: Row) -> Pair:
    return Pair(id=row["id"], theirs=cipher.open_(LINK, "theirs", row["id"], row["theirs"]).decode(), ours=row["ours"])


def _connection(row: Row) -> Connection:
    return Connection(
        id=row["id"], name=row["name"], profile=row["profile"], base=row["base"], client_id=row["client_id"],
        patient_system=row["patient_system"], masters=MASTERS | msgspec.json.decode(row["masters"], type=dict[Kind, Master]),
        codes=msgspec.json.decode(row["codes"], type=dict[str, UUID]), public_key=msgspec.json.decode(row["public_key"]),
        pulled_at=row["pulled_at"], mode=row["mode"], stopped_at=row["stopped_at"],
        subscription=EhrSubscription(**{name: row[name] for name in EhrSubscription.__struct_fields__}) if row["subscribed"] else None,
    )  # fmt: skip
