"""What a record that was merged into another one leaves to its survivor."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.scheduling import Appointment
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.scheduling.model.appointment import is_hold
from carewright.scheduling.store import Q, keep_version, whole_of


async def take_over_appointments(
    tx: Session, cipher: FieldCipher, new_id: Callable[[], UUID], prior_id: UUID, now: datetime
) -> tuple[list[Appointment], list[UUID]]:
    """Give a merged record's appointments to its survivor, and keep what each was, but of a hold.

    Returns the open part of those not archived, as they are now, and the ids of the others.
    """
    organization_id, at = cipher.organization_id, msgspec.json.encode(now)
    rows = await tx.fetch(Q.take_over_appointments, organization_id, prior_id, at)
    past = await tx.fetch(Q.take_over_history, organization_id, prior_id, at)
    for before in (whole_of(cipher, row) for row in (*rows, *past)):
        if not is_hold(before):
            await keep_version(tx, cipher, new_id(), before)
    await tx.execute(Q.take_over_versions, organization_id, prior_id)
    return [msgspec.json.decode(row["taken_over"], type=Appointment) for row in rows], [row["id"] for row in past]


async def take_over_time(tx: Session, organization_id: UUID, prior_id: UUID) -> bool:
    """Claim a merged record's own time for its survivor; False where somebody else claimed some of it meanwhile."""
    row = await tx.fetch_one(Q.take_over_time, organization_id, prior_id)
    return bool(row and row["everything"])
