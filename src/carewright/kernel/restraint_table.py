"""What an incident holds back, written down: every process reads `kernel.restraint` each second, so it acts everywhere within two."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from uuid import UUID

from carewright.kernel.clock import Clock
from carewright.kernel.db import Database, Row, Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.restraints import Restraint, Restraints
from carewright.kernel.sql import load
from carewright.kernel.token_keys import LIFETIME_MAX

Q = load("carewright.kernel")
LOOK_SECONDS = 1.0
RUN_OUT = LIFETIME_MAX + timedelta(hours=1)
"""What was signed longer ago has run out by itself, whatever clocks say."""


async def look(restraints: Restraints, db: Database, now: datetime) -> None:
    """Know what is in force now. `db` sees every tenant."""
    restraints.take([_restraint(row) for row in await db.fetch(Q.restraints_everywhere, now - RUN_OUT)])


async def follow(restraints: Restraints, db: Database, clock: Clock) -> None:
    """Look every second, until cancelled. While the database is away, what was known stays in force."""
    while True:
        with contextlib.suppress(Unavailable):
            await look(restraints, db, clock.now())
        await asyncio.sleep(LOOK_SECONDS)


async def hold_back(tx: Session, held: Restraint) -> None:
    """Hold something back from now on, in the caller's transaction. What is held back already stays so."""
    await tx.execute(Q.insert_restraint, held.organization_id, held.id, held.kind, held.name, held.since)


async def let_go(tx: Session, organization_id: UUID, restraint_id: UUID, now: datetime) -> Restraint | None:
    """Let a client or a peer in and out again; None where nothing is held back under this id."""
    row = await tx.fetch_one(Q.lift_restraint, organization_id, restraint_id, now)
    return _restraint(row) if row else None


async def holds_client(db: Session, organization_id: UUID, subject: str) -> bool:
    """Whether a client is held back, as it is written down now: for whoever gives tokens away."""
    row = await db.fetch_one(Q.client_held, organization_id, subject)
    return bool(row and row["held"])


async def in_force(db: Session, organization_id: UUID) -> tuple[Restraint, ...]:
    """The clients and peers that one organization holds back, oldest first."""
    return tuple(_restraint(row) for row in await db.fetch(Q.restraints_of, organization_id))


def _restraint(row: Row) -> Restraint:
    return Restraint(**dict(row))
