"""The audit port: what was done, by whom, to whose record, written in the transaction of the deed.

An entry is one line of JSON that is never changed. Modules write entries; the audit module puts them in one order and seals them.
Its elements are those of FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html), its patterns those of IHE BALP.
An entry holds ids and codes, never what a record says.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.sql import load

Q = load("carewright.kernel")
Action = Literal["C", "R", "U", "D", "E"]
"""AuditEvent.action: create, read, update, delete, execute (a search, a sign-in)."""
Outcome = Literal["success", "refused", "failed"]
"""AuditEvent.outcome: 0, 4 and 8."""


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """What was touched: a FHIR resource type and an id."""

    type: str
    id: UUID


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One deed. `event` names the use case and is never renamed; `code` is that of a refusal; `patient_id` whose record it touched."""

    id: UUID
    recorded_at: datetime
    organization_id: UUID
    event: str
    action: Action
    agent: str
    role: str
    purpose: str
    outcome: Outcome = "success"
    code: str | None = None
    patient_id: UUID | None = None
    entities: tuple[Entity, ...] = ()
    trace: str | None = None


def entry(
    ctx: Context, event: str, action: Action, *, patient_id: UUID | None = None, entities: tuple[Entity, ...] = (),
    outcome: Outcome = "success", code: str | None = None,
) -> Entry:  # fmt: skip
    """What `ctx.actor` does now."""
    return Entry(
        id=ctx.ids.new(), recorded_at=ctx.clock.now(), organization_id=ctx.actor.organization_id, event=event, action=action,
        agent=ctx.actor.subject, role=ctx.actor.role, purpose=ctx.actor.purpose, outcome=outcome, code=code, patient_id=patient_id,
        entities=entities, trace=ctx.trace,
    )  # fmt: skip


async def record(tx: Session, *entries: Entry) -> None:
    """Write entries within the caller's transaction: either the deed and its entry are there, or neither is."""
    await tx.execute(
        Q.append_audit_entries, [each.organization_id for each in entries], [each.id for each in entries],
        [each.patient_id for each in entries], [body_of(each) for each in entries],
    )  # fmt: skip


def body_of(entry: Entry) -> str:
    """The line that is stored and sealed, byte for byte."""
    return msgspec.json.encode(entry).decode()
