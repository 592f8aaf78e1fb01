"""The audit port: what was done, by whom, to whose record, written in the transaction of the deed.

An entry is one line of JSON that is never changed. Modules write entries; the audit module puts them in one order and seals them.
Its elements are those of FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html), its patterns those of IHE BALP.
An entry holds ids and codes, never what a record says.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Literal
from uuid import UUID

import msgspec

from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.sql import load

Q = load("carewright.kernel")
Action = Literal["C", "R", "U", "D", "E"]
"""AuditEvent.action: create, read, update, delete, execute (a search, a sign-in)."""
Outcome = Literal["success", "refused", "failed"]
"""AuditEvent.outcome: 0, 4 and 8."""
NOBODY = Actor(subject="unknown", organization_id=UUID(int=0), role="none", purpose="")
"""Who asked without a sign-in that we accept."""
REFUSALS_AUDITED = frozenset({401, 403, 404})
"""What tells of somebody who reached for what is not theirs: to them, another person's record does not exist."""
EventOf = Callable[[str, str], str]
"""What the log calls a use case of a module: the name of the deed."""


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """What was touched: a FHIR resource type and an id."""

    type: str
    id: UUID


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One deed. `event` names the use case and is never renamed; `patient_id` is whose record it touched.

    `code` is that of a refusal, or of the reason that somebody gave for a deed that needs one.

    `address` is the IP address it was asked from, where somebody asked: AuditEvent.agent.network.address.
    """

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
    address: str | None = None


def entry(
    ctx: Context, event: str, action: Action, *, patient_id: UUID | None = None, entities: tuple[Entity, ...] = (),
    outcome: Outcome = "success", code: str | None = None,
) -> Entry:  # fmt: skip
    """What `ctx.actor` does now."""
    return Entry(
        id=ctx.ids.new(), recorded_at=ctx.clock.now(), organization_id=ctx.actor.organization_id, event=event, action=action,
        agent=ctx.actor.subject, role=ctx.actor.role, purpose=ctx.actor.purpose, outcome=outcome, code=code, patient_id=patient_id,
        entities=entities, trace=ctx.trace, address=ctx.actor.address,
    )  # fmt: skip


def entry_of_system(
    ctx: Context, organization_id: UUID, event: str, action: Action, *, patient_id: UUID | None = None, entities: tuple[Entity, ...] = ()
) -> Entry:
    """What the system does now by itself, whoever set it going: a hold that runs out does so in nobody's name."""
    actor = Actor(subject="system", organization_id=organization_id, role="system", purpose="HOPERAT")
    return entry(ctx.acting(actor, trace=ctx.trace), event, action, patient_id=patient_id, entities=entities)


async def record_erasure(ctx: Context, tx: Session, name: str, erased: Event, kind: str, ids: Iterable[UUID]) -> None:
    """Which things of whoever was erased, the subject of `erased`, are gone or cleared; that it was looked for where there were none."""
    about = tuple(Entity(type=kind, id=each) for each in ids)
    await record(tx, entry_of_system(ctx, erased.organization_id, name, "D", patient_id=erased.subject, entities=about))


async def record_merge(ctx: Context, tx: Session, name: str, merged: Event, kind: str, ids: Iterable[UUID]) -> None:
    """Which things of a record that was merged went to its survivor, the subject of `merged`; nothing where there were none."""
    about = tuple(Entity(type=kind, id=each) for each in ids)
    if about:
        await record(tx, entry_of_system(ctx, merged.organization_id, name, "U", patient_id=merged.subject, entities=about))


def entries_for_patients(ctx: Context, event: str, action: Action, patient_ids: Iterable[UUID]) -> tuple[Entry, ...]:
    """One entry for every patient who was found or shown, so that each can be told; one without a patient when there was none.

    IHE BALP, PatientQuery: an event for every patient identified in the results.
    """
    return tuple(entry(ctx, event, action, patient_id=each) for each in dict.fromkeys(patient_ids)) or (entry(ctx, event, action),)


def entries_about(ctx: Context, event: str, found: Iterable[tuple[UUID, Entity]]) -> tuple[Entry, ...]:
    """As `entries_for_patients`, of a search that shows things of patients: `found` says of each whose it is and what."""
    by_patient: dict[UUID | None, tuple[Entity, ...]] = defaultdict(tuple)
    for patient_id, each in found:
        by_patient[patient_id] += (each,)
    return tuple(
        entry(ctx, event, "E", patient_id=patient_id, entities=entities) for patient_id, entities in (by_patient or {None: ()}).items()
    )


def named_after(module: str, use_case: str) -> str:
    """The name of a use case that no table has: `get_room` is `<module>.get_room`."""
    return f"{module}.{use_case}"


async def note_refusal(ctx: Context, event: str, ids: Mapping[str, UUID], refusal: Refusal) -> None:
    """Record that `ctx.actor` was turned away, in a transaction of its own: the one of the deed is rolled back, if there was one.

    The end of a joint transaction is waited for.
    `event` is the deed's name, `ids` are what it named: `{"patient_id": …}`. Of other refusals than `REFUSALS_AUDITED` only those are
    noted that say so themselves.
    """
    if refusal.status in REFUSALS_AUDITED or refusal.is_audited:
        about = tuple(Entity(type=_type_of(name), id=each) for name, each in ids.items() if name != "patient_id")
        refused = entry(
            ctx, event, "E", outcome="refused", code=refusal.code, patient_id=ids.get("patient_id"), entities=about,
        )  # fmt: skip
        if (joint := ctx.db.joint) is not None:
            joint.afterwards(partial(record, ctx.db, refused))
        else:
            await record(ctx.db, refused)


def _type_of(name: str) -> str:
    """The resource type that an argument names: `visit_type_id` names a VisitType."""
    return "".join(part.capitalize() for part in name.removesuffix("_id").split("_"))


async def record(tx: Session, *entries: Entry) -> None:
    """Write entries within the caller's transaction: either the deed and its entry are there, or neither is."""
    if entries:
        await tx.execute(
            Q.append_audit_entries, [each.organization_id for each in entries], [each.id for each in entries],
            [each.patient_id for each in entries], [body_of(each) for each in entries],
        )  # fmt: skip


def body_of(entry: Entry) -> str:
    """The line that is stored and sealed, byte for byte."""
    return msgspec.json.encode(entry).decode()
