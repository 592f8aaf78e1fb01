"""A real PostgreSQL for tests, a fresh database per file, and a context per test.

- `postgres`: one server for the whole run (one per worker under xdist), without fsync: these tests ask about rules, not about disks.
- `database_url`: a migrated database of this test file's own.
- `clock`: stands at `MORNING` until the test moves it.
- `context`: makes contexts, `await context("scheduling", role="front-desk")`. All contexts of one test share clock, ids, chance and a
  tenant of its own, so tests in one file do not see each other's rows; pass `organization_id` for another tenant, and
  `await context.system("scheduling")` is what the relay, timers and followers work in.
- `facts_of(ctx)`: what was published in that tenant.
- `code_of(work)`: why something was refused.

Two variables have the same tests run on what a deployment may have: `CAREWRIGHT_TEST_POSTGRES_BIN` names the programs of another
PostgreSQL, and with `CAREWRIGHT_TEST_LOGIN=plain` whatever is tried logs in as no superuser, but with `RIGHTS` alone.
"""

import asyncio
import os
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Actor
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.db import Database
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.ids import Ids
from carewright.kernel.migrate import migrate, role_of
from carewright.kernel.outbox import read_between
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.wake import Wake
from carewright.roles.embedded import EmbeddedSettings, Place, PostgresServer, start_postgres
from tests.journal import Journals
from tests.keys import new_vault
from tests.tidy.source import PACKAGE, modules

MORNING = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
"""A Monday in winter time, before the hospitals of Europe open."""
POOL_SIZE = 4
PLAIN = os.environ.get("CAREWRIGHT_TEST_LOGIN") == "plain"
LOGIN = "hospital_login"
RIGHTS = "LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS"
"""What a login needs besides owning its database: it makes the modules' roles."""
END_OF_TIME = (2**62, 0)
FACTS_MAX = 100_000


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """Not pytest's own temporary folder: as root, PostgreSQL runs as an account that may not enter it."""
    with tempfile.TemporaryDirectory(prefix="carewright-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="session")
async def postgres(servers_folder: Path) -> AsyncIterator[PostgresServer]:
    named = os.environ.get("CAREWRIGHT_TEST_POSTGRES_BIN")
    settings = EmbeddedSettings(root_home=servers_folder / "home", shared_buffers_mb=64, postgres_bin=Path(named) if named else None)
    place = await Place.open(servers_folder / "data", settings, say=lambda _: None)
    server = await start_postgres(place)
    try:
        await run_sql(server.dsn, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield server
    finally:
        await server.stop()
        place.close()


@pytest.fixture(scope="session")
async def template(postgres: PostgresServer) -> str:
    """The name of a migrated database that nobody is connected to."""
    if PLAIN:
        await run_sql(postgres.dsn, f"CREATE ROLE {LOGIN} {RIGHTS} PASSWORD '{LOGIN}'")
    await run_sql(postgres.dsn, "CREATE DATABASE migrated" + (f" OWNER {LOGIN}" if PLAIN else ""))
    with_tables = [name for name in modules() if (PACKAGE / name / "migrations").is_dir()]
    await migrate(login_of(postgres, "migrated"), ["kernel", *with_tables])
    return "migrated"


@pytest.fixture(scope="module")
async def database_url(postgres: PostgresServer, template: str, journals: Journals, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A migrated database that is dropped after this file's tests, its journal read before."""
    name = request.path.stem
    await run_sql(postgres.dsn, f"CREATE DATABASE {name} TEMPLATE {template}" + (f" OWNER {LOGIN}" if PLAIN else ""))
    yield login_of(postgres, name)
    await journals.read(address_of(postgres, name))
    await run_sql(postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def pools(database_url: str) -> AsyncIterator["Pools"]:
    opened = Pools(database_url, {})
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def context(pools: "Pools", clock: ManualClock, request: pytest.FixtureRequest) -> "Contexts":
    rng = random.Random(request.node.nodeid)
    ids = Ids(clock, rng)
    return Contexts(pools, clock, ids, rng, organization_id=ids.new(), origin=ids.new(), wake=Wake(), vault=new_vault(clock))


@dataclass(frozen=True, slots=True)
class Pools:
    """Connections to one database, a pool for each module's role."""

    url: str
    by_module: dict[str, Database]
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, module: str) -> Database:
        async with self.opening:
            if module not in self.by_module:
                self.by_module[module] = await Database.connect(self.url, role_of(module), POOL_SIZE)
        return self.by_module[module]

    async def close(self) -> None:
        for database in self.by_module.values():
            await database.close()


@dataclass(frozen=True, slots=True)
class Contexts:
    """Makes contexts that share one test's clock, ids, chance and tenant."""

    pools: Pools
    clock: ManualClock
    ids: Ids
    rng: random.Random
    organization_id: UUID
    origin: UUID
    wake: Wake
    vault: Vault

    async def __call__(
        self,
        module: str,
        role: str = "integration",
        *,
        subject: str = "tester",
        patient_id: UUID | None = None,
        organization_id: UUID | None = None,
    ) -> Context:
        actor = self.actor(role, subject=subject, patient_id=patient_id, organization_id=organization_id)
        return (await self.system(module)).acting(actor)

    async def system(self, module: str) -> Context:
        """A context as a module is started with: its database sees every tenant."""
        return Context(
            actor=self.actor("integration"), clock=self.clock, ids=self.ids, rng=self.rng, db=await self.pools.of(module), wake=self.wake,
            vault=self.vault, origin=self.origin,
        )  # fmt: skip

    def actor(self, role: str, *, subject: str = "tester", patient_id: UUID | None = None, organization_id: UUID | None = None) -> Actor:
        """Somebody with the permissions of `role`, for `ctx.acting`."""
        return Actor(
            subject=subject, organization_id=organization_id or self.organization_id, role=role,
            permissions=ROLES[role], patient_id=patient_id,
        )  # fmt: skip


async def code_of(work: Awaitable[object]) -> str:
    """The code of the refusal with which something ended, or "done"."""
    try:
        await work
    except Refusal as refusal:
        return refusal.code
    return "done"


async def facts_of(ctx: Context) -> list[Event]:
    """Everything the log says of this context's tenant, in log order. Whatever was committed is there at once."""
    delivered = await read_between(ctx.db, (0, 0), END_OF_TIME, FACTS_MAX, list(Event.by_topic))
    return [one.fact() for one in delivered if one.organization_id == ctx.actor.organization_id]


def login_of(server: PostgresServer, database: str) -> str:
    """A database's address for what is tried: as the superuser, or as the login with `RIGHTS` alone."""
    address = urlsplit(address_of(server, database))
    return address._replace(netloc=f"{LOGIN}:{LOGIN}@").geturl() if PLAIN else address.geturl()


def address_of(server: PostgresServer, database: str) -> str:
    return urlsplit(server.dsn)._replace(path=f"/{database}").geturl()


async def run_sql(url: str, *statements: str) -> None:
    """Run administrative statements, each in a transaction of its own."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
