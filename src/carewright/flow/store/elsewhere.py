"""Which queues have to do with waiting elsewhere. One function runs one named query."""

from typing import NamedTuple
from uuid import UUID

from carewright.contracts.queue import Queue
from carewright.flow.store.queue import queue_of_row
from carewright.kernel.db import Session
from carewright.kernel.reach import FIRST_ID
from carewright.kernel.sql import load

Q = load("carewright.flow")
START = (FIRST_ID, FIRST_ID)


class Watched(NamedTuple):
    """A queue, and whether those who wait in it are asked whether they would like to do so elsewhere."""

    organization_id: UUID
    queue: Queue
    offers: bool


async def queues_to_watch(db: Session, after: tuple[UUID, UUID], limit: int) -> list[Watched]:
    """Queues of every organization that let people wait elsewhere, or where somebody does, behind one organization and queue."""
    rows = await db.fetch(Q.queues_elsewhere, *after, limit)
    return [Watched(row["organization_id"], queue_of_row(row), row["offers"]) for row in rows]
