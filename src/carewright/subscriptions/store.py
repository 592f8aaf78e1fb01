"""The rows of subscriptions, to values and back: where they send and what signs it is sealed. One function runs one named query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.subscriptions import Noted, Subscribe, Subscription
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load
from carewright.subscriptions.model.concerning import Told
from carewright.subscriptions.model.trying import Turn

Q = load("carewright.subscriptions")
TABLE, COLUMN = "subscriptions.subscription", "target"


class Target(msgspec.Struct, frozen=True):
    """Where a subscription sends, with what, what signs it, and why there is one, in somebody's own words."""

    endpoint: str
    headers: tuple[str, ...]
    secret: bytes
    reason: str
    former: bytes = b""
    former_until: datetime | None = None

    def secrets(self, now: datetime) -> list[bytes]:
        """What signs now: the secret, and the one before it while it is exchanged."""
        return [self.secret, self.former] if self.former_until and now < self.former_until else [self.secret]


@dataclass(frozen=True, slots=True)
class Due:
    """A subscription whose turn it is."""

    organization_id: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription with what sending needs."""

    subscription: Subscription
    client_id: UUID
    target: Target
    is_confirmed: bool
    sent: int
    failures: int
    failing_since: datetime | None


async def insert_subscription(tx: Session, cipher: FieldCipher, made: Subscription, client_id: UUID, secret: bytes, most: int) -> bool:
    """False where the client has as many as it may."""
    target = Target(made.request.endpoint, made.request.headers, secret, made.request.reason)
    row = await tx.fetch_one(
        Q.insert_subscription, cipher.organization_id, made.id, client_id, made.request.topic, _open_part(made.request),
        _sealed(cipher, made.id, target), made.updated_at, made.updated_at, most,
    )  # fmt: skip
    return row is not None


async def change_subscription(tx: Session, cipher: FieldCipher, standing: Standing, request: Subscribe, now: datetime) -> bool:
    """Begin anew with another request, and the secrets as they are. False where somebody changed it meanwhile."""
    target = msgspec.structs.replace(standing.target, endpoint=request.endpoint, headers=request.headers, reason=request.reason)
    one = standing.subscription
    row = await tx.fetch_one(
        Q.change_subscription, cipher.organization_id, one.id, one.version, request.topic, _open_part(request),
        _sealed(cipher, one.id, target), now,
    )  # fmt: skip
    return row is not None


async def put_target(tx: Session, cipher: FieldCipher, standing: Standing, target: Target) -> bool:
    """False where somebody changed the subscription meanwhile."""
    one = standing.subscription
    row = await tx.fetch_one(Q.put_target, cipher.organization_id, one.id, one.version, _sealed(cipher, one.id, target))
    return row is not None


async def subscriptions_of(db: Session, cipher: FieldCipher, client_id: UUID) -> list[Subscription]:
    return [_subscription(row, _target(cipher, row)) for row in await db.fetch(Q.subscriptions_of, cipher.organization_id, client_id)]


async def delete_subscription(tx: Session, organization_id: UUID, subscription_id: UUID, client_id: UUID) -> bool:
    return await tx.fetch_one(Q.delete_subscription, organization_id, subscription_id, client_id) is not None


async def subscriptions_to(db: Session, organization_id: UUID, topics: Sequence[str]) -> list[tuple[UUID, Subscribe]]:
    """Ids and requests of those that are told of any of `topics`, without what is sealed of them."""
    rows = await db.fetch(Q.subscriptions_to, organization_id, list(topics))
    return [(row["id"], msgspec.json.decode(row["request"], type=Subscribe)) for row in rows]


async def note_events(tx: Session, organization_id: UUID, ids: Sequence[UUID], told: Told, now: datetime) -> None:
    await tx.execute(
        Q.note_events, organization_id, list(ids), now, told.change, told.focus, told.id, told.patient_id, told.site_id,
    )  # fmt: skip


async def claim_due(db: Session, now: datetime, until: datetime, limit: int) -> list[Due]:
    return [Due(row["organization_id"], row["id"]) for row in await db.fetch(Q.claim_due, now, until, limit)]


async def for_sending(db: Session, cipher: FieldCipher, subscription_id: UUID) -> Standing | None:
    row = await db.fetch_one(Q.subscription_for_sending, cipher.organization_id, subscription_id)
    if row is None:
        return None
    target = _target(cipher, row)
    return Standing(
        _subscription(row, target), row["client_id"], target, row["is_confirmed"], row["sent"], row["failures"], row["failing_since"]
    )


async def events_between(db: Session, organization_id: UUID, subscription_id: UUID, since: int, until: int, limit: int) -> list[Noted]:
    rows = await db.fetch(Q.events_between, organization_id, subscription_id, since, until, limit)
    return [_noted(row) for row in rows]


async def events_after(db: Session, organization_id: UUID, subscription_id: UUID, number: int, limit: int) -> list[Noted]:
    rows = await db.fetch(Q.events_after, organization_id, subscription_id, number, limit)
    return [_noted(row) for row in rows]


async def finish_turn(
    tx: Session, organization_id: UUID, one: Subscription, turn: Turn, sent: int, now: datetime, *, confirmed: bool
) -> bool:
    """False where the subscription is gone, or was changed since the turn began."""
    row = await tx.fetch_one(
        Q.finish_turn, organization_id, one.id, turn.status, turn.error, confirmed, sent, turn.failures, turn.failing_since,
        turn.due_at, now, one.version,
    )  # fmt: skip
    return row is not None


async def erase_events(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Clear whom events were about; of which subscriptions, each once."""
    rows = await tx.fetch(Q.erase_events, organization_id, patient_id)
    return list(dict.fromkeys(row["subscription_id"] for row in rows))


async def forget_events(db: Session, before: datetime, limit: int) -> int:
    row = await db.fetch_one(Q.forget_events, before, limit)
    return row["count"] if row else 0


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal targets anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, (COLUMN,), (Q.subscriptions_to_reseal, Q.reseal_subscriptions), after, limit)


def _open_part(request: Subscribe) -> bytes:
    """What of a request lies open: all but its secrets."""
    return msgspec.json.encode(msgspec.structs.replace(request, endpoint="", headers=(), reason=""))


def _sealed(cipher: FieldCipher, id_: UUID, target: Target) -> bytes:
    return cipher.seal(TABLE, COLUMN, id_, msgspec.json.encode(target))


def _noted(row: Row) -> Noted:
    return Noted(
        number=row["number"], occurred_at=row["occurred_at"], change=row["change"], focus=row["focus"], focus_id=row["focus_id"],
        patient_id=row["patient_id"], site_id=row["site_id"],
    )  # fmt: skip


def _target(cipher: FieldCipher, row: Row) -> Target:
    return msgspec.json.decode(cipher.open_(TABLE, COLUMN, row["id"], row["target"]), type=Target)


def _subscription(row: Row, target: Target) -> Subscription:
    """With its address, and without its headers: those are secrets of the receiver."""
    asked = msgspec.json.decode(row["request"], type=Subscribe)
    request = msgspec.structs.replace(asked, endpoint=target.endpoint, reason=target.reason)
    return Subscription(
        id=row["id"], status=row["status"], request=request, error=row["error"], events=row["events"], version=row["version"],
        updated_at=row["updated_at"],
    )  # fmt: skip
