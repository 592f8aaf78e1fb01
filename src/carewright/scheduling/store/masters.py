"""Who is master of a service's appointments: rows to values. One function runs one named query."""

from collections.abc import Sequence
from uuid import UUID

from carewright.contracts.masters import ChangeMaster, Master, MasterStage
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import load

Q = load("carewright.scheduling")
STEP = "scheduling.master_step"
"""What sealed reasons are bound to."""


async def master_of(tx: Session, organization_id: UUID, visit_type_id: UUID, site_id: UUID) -> str | None:
    """The system that is master of this kind of visit at this site, until the transaction ends; None where we are."""
    row = await tx.fetch_one(Q.master_of, organization_id, visit_type_id, site_id)
    return row["master"] if row else None


async def lock_masters(tx: Session) -> None:
    """Wait for whoever is just writing an appointment, and have everybody else wait until the transaction ends.

    Raises `Unavailable` when they take longer than a second.
    """
    await tx.execute(Q.wait_shortly)
    await tx.execute(Q.lock_masters)


async def masters(db: Session, cipher: FieldCipher) -> tuple[Master, ...]:
    """Every service at a site that was begun, without its kinds of visits."""
    return tuple(
        Master(
            service_id=row["service_id"], site_id=row["site_id"], stage=row["stage"], source=row["source"], book_at=row["book_at"],
            since=row["taken_at"], changed_by=row["taken_by"],
            reason=cipher.open_(STEP, "reason", row["step_id"], row["reason"]).decode(),
        )
        for row in await db.fetch(Q.masters, cipher.organization_id)
    )  # fmt: skip


async def begin(tx: Session, organization_id: UUID, command: ChangeMaster, site_ids: Sequence[UUID], step_id: UUID) -> None:
    """Make another system master, or say anew where to book."""
    await tx.execute(Q.begin_masters, organization_id, command.service_id, list(site_ids), command.source, command.book_at, step_id)


async def step(tx: Session, organization_id: UUID, service_id: UUID, site_ids: Sequence[UUID], stage: MasterStage, step_id: UUID) -> None:
    await tx.execute(Q.step_masters, organization_id, service_id, list(site_ids), stage, step_id)


async def insert_step(tx: Session, cipher: FieldCipher, command: ChangeMaster, site_ids: Sequence[UUID], entry: audit.Entry) -> None:
    """Keep who took a step and why, under the id of its entry in the journal."""
    reason = cipher.seal(STEP, "reason", entry.id, command.reason.encode())
    await tx.execute(
        Q.insert_master_step, cipher.organization_id, entry.id, command.service_id, list(site_ids), command.step, reason, entry.agent,
        entry.recorded_at,
    )  # fmt: skip
