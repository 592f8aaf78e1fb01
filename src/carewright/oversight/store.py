"""Incidents and unusual access, rows to values. Reasons and findings are sealed for their row."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.oversight import (
    CloseIncident,
    CloseUnusual,
    Incident,
    ListIncidents,
    ListUnusual,
    Step,
    Unusual,
    UnusualKind,
)
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.oversight")
INCIDENT = "oversight.incident"
UNUSUAL = "oversight.unusual"


class Noticed(NamedTuple):
    """Something unusual, before it is stored."""

    organization_id: UUID
    kind: UnusualKind
    agent: str
    role: str
    patient_id: UUID | None
    first_at: datetime
    last_at: datetime
    times: int


async def insert_incident(tx: Session, cipher: FieldCipher, incident: Incident) -> None:
    reason = cipher.seal(INCIDENT, "reason", incident.id, incident.reason.encode())
    await tx.execute(Q.insert_incident, cipher.organization_id, incident.id, incident.opened_at, incident.opened_by, reason)


async def insert_triggered(tx: Session, cipher: FieldCipher, incident: Incident, since: datetime) -> bool:
    """Store an incident that nobody reported, unless one of its kind about the same subject was opened after `since`."""
    reason = cipher.seal(INCIDENT, "reason", incident.id, incident.reason.encode())
    row = await tx.fetch_one(
        Q.insert_triggered, cipher.organization_id, incident.id, incident.opened_at, incident.opened_by, reason, incident.kind,
        incident.about, since,
    )  # fmt: skip
    return row is not None


async def set_steps(tx: Session, organization_id: UUID, incident_id: UUID, steps: Sequence[Step]) -> None:
    await tx.execute(Q.set_steps, organization_id, incident_id, msgspec.json.encode(steps))


async def incidents(db: Session, cipher: FieldCipher, query: ListIncidents) -> tuple[Incident, ...]:
    """Newest first."""
    return tuple(_incident(cipher, row) for row in await db.fetch(Q.incidents, cipher.organization_id, query.closed, query.limit))


async def close_incident(tx: Session, cipher: FieldCipher, command: CloseIncident, closed_by: str, now: datetime) -> Incident | None:
    """The incident as it is then; None where there is none, or none that is open."""
    finding = cipher.seal(INCIDENT, "finding", command.incident_id, command.finding.encode())
    row = await tx.fetch_one(Q.close_incident, cipher.organization_id, command.incident_id, now, closed_by, finding)
    return _incident(cipher, row) if row else None


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal anew what an older key sealed, at most `limit` with ids behind `after`; their ids in order."""
    return await reseal_rows(tx, cipher, INCIDENT, ("reason", "finding"), (Q.incidents_to_reseal, Q.reseal_incidents), after, limit)


def _incident(cipher: FieldCipher, row: Row) -> Incident:
    words = {column: _opened(cipher, row, column) for column in ("reason", "finding")}
    return Incident(**{**row, **words, "steps": msgspec.json.decode(row["steps"], type=tuple[Step, ...])})


def _opened(cipher: FieldCipher, row: Row, column: str) -> str | None:
    return None if row[column] is None else cipher.open_(INCIDENT, column, row["id"], row[column]).decode()


async def place(db: Session) -> int:
    """Up to which number the log was looked through; -1 at the beginning."""
    row = await db.fetch_one(Q.place)
    return row["number"] if row else -1


async def move_place(tx: Session, number: int) -> None:
    await tx.execute(Q.move_place, number)


async def note_unusual(tx: Session, unusual_id: UUID, noticed: Noticed) -> UUID | None:
    """Store it, or count it with what waits already; the id of what is new. What a closed one covered is not told again."""
    row = await tx.fetch_one(Q.note_unusual, unusual_id, *noticed)
    return unusual_id if row and row["id"] == unusual_id else None


async def unusual(db: Session, cipher: FieldCipher, query: ListUnusual) -> tuple[Unusual, ...]:
    """Newest first."""
    rows = await db.fetch(Q.unusual, cipher.organization_id, query.closed, query.patient_id, query.agent, query.limit)
    return tuple(_unusual(cipher, row) for row in rows)


async def unusual_for_change(tx: Session, cipher: FieldCipher, unusual_id: UUID) -> Unusual | None:
    """What waits under an id, its row locked."""
    row = await tx.fetch_one(Q.unusual_for_change, cipher.organization_id, unusual_id)
    return _unusual(cipher, row) if row else None


async def close_unusual(tx: Session, cipher: FieldCipher, command: CloseUnusual, closed_by: str, now: datetime) -> None:
    finding = cipher.seal(UNUSUAL, "finding", command.unusual_id, command.finding.encode())
    await tx.execute(Q.close_unusual, cipher.organization_id, command.unusual_id, now, closed_by, command.outcome, finding)


async def reseal_unusual(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal`, for findings about unusual access."""
    return await reseal_rows(tx, cipher, UNUSUAL, ("finding",), (Q.unusual_to_reseal, Q.reseal_unusual), after, limit)


def _unusual(cipher: FieldCipher, row: Row) -> Unusual:
    finding = None if row["finding"] is None else cipher.open_(UNUSUAL, "finding", row["id"], row["finding"]).decode()
    return Unusual(**{**row, "finding": finding})
