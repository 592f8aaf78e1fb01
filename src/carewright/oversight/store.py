"""Incidents, rows to values. Reasons and findings are sealed for their row."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.oversight import CloseIncident, Incident, ListIncidents, Step
from carewright.kernel.db import Row, Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import load

Q = load("carewright.oversight")
INCIDENT = "oversight.incident"


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
    rows = await tx.fetch(Q.incidents_to_reseal, cipher.organization_id, after, cipher.header, limit)
    ids = [row["id"] for row in rows]
    columns = ([_resealed(cipher, row, column) for row in rows] for column in ("reason", "finding"))
    await tx.execute(Q.reseal_incidents, cipher.organization_id, ids, *columns)
    return ids


def _resealed(cipher: FieldCipher, row: Row, column: str) -> bytes | None:
    return None if row[column] is None else cipher.reseal(INCIDENT, column, row["id"], row[column])


def _incident(cipher: FieldCipher, row: Row) -> Incident:
    words = {column: _opened(cipher, row, column) for column in ("reason", "finding")}
    return Incident(**{**row, **words, "steps": msgspec.json.decode(row["steps"], type=tuple[Step, ...])})


def _opened(cipher: FieldCipher, row: Row, column: str) -> str | None:
    return None if row[column] is None else cipher.open_(INCIDENT, column, row["id"], row[column]).decode()
