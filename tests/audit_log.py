"""A sealed log of a test's own: a database, a tenant that writes entries, and a superuser who changes what must not be changed."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from carewright.audit import checks, store
from carewright.audit.context import AuditContext
from carewright.audit.jobs import seal_all
from carewright.audit.settings import AuditSettings
from carewright.contracts.permissions import ROLES
from carewright.kernel.audit import Entity, entry, record
from carewright.kernel.authz import Actor
from carewright.kernel.clock import ManualClock
from carewright.kernel.db import Database
from carewright.kernel.ids import Ids
from carewright.kernel.notes import Signer
from carewright.kernel.wake import Wake
from carewright.roles.embedded import PostgresServer
from tests.keys import new_vault
from tests.servers import MORNING, address_of, run_sql

SIGNER = Signer("test.example/audit", bytes(range(32)))
PATIENTS = 7


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The log, whoever may read it (`ctx`), and the address at which the superuser gets in."""

    url: str
    ctx: AuditContext

    @property
    def patients(self) -> list[UUID]:
        return [UUID(int=number + 1) for number in range(PATIENTS)]

    async def write(self, count: int, *, role: str = "front-desk", purpose: str = "TREAT", address: str | None = None) -> None:
        """So many deeds, of patients by turns, each in a transaction of its own."""
        for number in range(count):
            organization_id = self.ctx.actor.organization_id
            actor = Actor(
                subject=f"{role}-{number % 3}", organization_id=organization_id, role=role, purpose=purpose, address=address
            )  # fmt: skip
            patient_id = self.patients[number % PATIENTS]
            about = (Entity(type="Patient", id=patient_id),)
            deed = entry(self.ctx.acting(actor), "patients.patient.read", "R", patient_id=patient_id, entities=about)
            await record(self.ctx.db, deed)

    async def seal(self) -> str:
        """Seal what was written, once whoever else works on the server lets it; the newest checkpoint."""
        await seal_all(self.ctx, SIGNER)
        while (await store.log_place(self.ctx.db)).size < await fetch(self.url, "SELECT count(*) FROM kernel.audit_entry"):
            await asyncio.sleep(0.01)
            await seal_all(self.ctx, SIGNER)
        newest = await store.newest_checkpoint(self.ctx.db)
        assert newest is not None
        return newest[1]

    async def sealed(self, count: int) -> str:
        """So many entries, in three batches; the newest checkpoint."""
        for part in (count // 3, count // 3, count - 2 * (count // 3)):
            await self.write(part)
            await self.seal()
        return await self.seal()

    async def tamper(self, *statements: str) -> None:
        """Do as the superuser likes, the guard taken away meanwhile."""
        await run_sql(
            self.url, "ALTER TABLE kernel.audit_entry DISABLE TRIGGER ALL", *statements, "ALTER TABLE kernel.audit_entry ENABLE TRIGGER ALL"
        )

    async def verify(self, folder: Path, outside: str | None = None) -> list[str]:
        """What verification finds, given a checkpoint that was kept outside."""
        export = folder / "export"
        export.mkdir(exist_ok=True)
        witness = folder / "witness.txt"
        witness.write_text(outside or "", "utf-8")
        await checks.export(self.ctx, export)
        return checks.verify(export, SIGNER.verifier_key, checks.notes_of_file(witness))


@asynccontextmanager
async def audit_log(postgres: PostgresServer, template: str, name: str, **settings: object) -> AsyncIterator[AuditLog]:
    """An empty log in a database of its own."""
    await run_sql(postgres.dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = address_of(postgres, name)
    db = await Database.connect(url, "carewright_audit", 4)
    try:
        yield AuditLog(url, context_on(db, **settings))
    finally:
        await db.close()
        await run_sql(postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)")


def context_on(db: Database, **settings: object) -> AuditContext:
    clock, rng = ManualClock(MORNING), random.Random(0)
    ids = Ids(clock, rng)
    officer = Actor(
        subject="olga", organization_id=ids.new(), role="privacy-officer", permissions=ROLES["privacy-officer"], purpose="HOPERAT"
    )
    return AuditContext(
        actor=officer, clock=clock, ids=ids, rng=rng, db=db, wake=Wake(), origin=ids.new(), vault=new_vault(clock),
        settings=AuditSettings(origin=SIGNER.name, **settings), signer=SIGNER,  # type: ignore[arg-type]  # a test gives what fits
    )  # fmt: skip


async def fetch(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
