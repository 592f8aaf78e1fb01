"""Migrations: numbered SQL files per module, `pre` before the new code starts and `post` after the old has gone.

A file is `0007_pre_add_hold.sql`. Each runs in a transaction of its own under a lock timeout, once, under one advisory lock; a file that
was changed after it ran stops the start. Every module has a schema and two roles of its name, one for tenants' work and one for the
system's, and is granted only its own tables. A table with organization_id is granted to nobody before it keeps tenants apart.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import asyncpg

from carewright.kernel.db import SYSTEM_SUFFIX
from carewright.kernel.errors import Refusal
from carewright.kernel.transport import encrypted

Phase = Literal["pre", "post"]
FILE = re.compile(r"^(\d{4})_(pre|post)_([a-z0-9_]+)\.sql$")
LOCK_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_SECONDS = 10.0
LOCK_ATTEMPTS_MAX = 5
EVERY_TENANT = "carewright_system"
"""The role to which tables show the rows of every tenant: the system's role of each module is a member."""
ONE_AT_A_TIME = 0x6361726577  # "carew": any constant will do, as long as every migrator uses it
JOURNAL = "kernel.audit_entry"
JOURNAL_READER = "audit"
TABLE = """
CREATE SCHEMA IF NOT EXISTS kernel;
CREATE TABLE IF NOT EXISTS kernel.migration (
    module text NOT NULL, number int NOT NULL, name text NOT NULL, phase text NOT NULL, checksum bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (module, number)
)"""


class MigrationRefused(Refusal):
    code = "kernel.migration_refused"
    status = 500
    issue = "processing"
    title = "The database could not be brought up to date."


@dataclass(frozen=True, slots=True)
class Migration:
    module: str
    number: int
    phase: Phase
    name: str
    sql: str

    @property
    def checksum(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


def role_of(module: str) -> str:
    """The database role that runs a module's queries for one tenant at a time."""
    return f"carewright_{module}"


def system_role_of(module: str) -> str:
    """The database role of a module's work across tenants: relays, timers, followers of the log."""
    return role_of(module) + SYSTEM_SUFFIX


def discover(module: str) -> list[Migration]:
    """A module's migrations in order. Raises `MigrationRefused` for a name out of form or a number used twice."""
    folder = resources.files(f"carewright.{module}").joinpath("migrations")
    found = [_parse(module, entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql")]
    numbers = [migration.number for migration in found]
    if len(set(numbers)) != len(numbers):
        raise MigrationRefused(f"Module {module} has two migrations with one number. Renumber the newer one.")
    return sorted(found, key=lambda migration: migration.number)


async def migrate(
    dsn: str, modules: Sequence[str], phases: Sequence[Phase] = ("pre", "post"), told: Callable[[str], None] = lambda _: None
) -> int:
    """Bring the database up to date and return how many migrations ran. `told` hears of each."""
    connection = await _connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", ONE_AT_A_TIME)  # as long as it takes: another migrator is at work
        await connection.execute("SELECT set_config('lock_timeout', $1, false)", f"{LOCK_TIMEOUT_MS}ms")
        await connection.execute(TABLE)
        ran = 0
        for module in modules:
            ran += await _migrate_module(connection, module, phases, told)
        return ran
    except asyncpg.PostgresError as fault:
        raise MigrationRefused(f"The database could not be brought up to date: {fault}") from fault
    finally:
        await connection.close()


async def pending(dsn: str, modules: Sequence[str]) -> list[Migration]:
    """What has not run yet."""
    connection = await _connect(dsn)
    try:
        await connection.execute(TABLE)
        done = {(row["module"], row["number"]) for row in await connection.fetch("SELECT module, number FROM kernel.migration")}
    finally:
        await connection.close()
    return [m for module in modules for m in discover(module) if (m.module, m.number) not in done]


async def _connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection as the login itself. Raises `MigrationRefused` in one line when there is none to be had."""
    try:
        return await asyncpg.connect(encrypted(dsn), timeout=CONNECT_TIMEOUT_SECONDS, server_settings={"timezone": "UTC"})
    except (OSError, TimeoutError) as fault:
        raise MigrationRefused("The database cannot be reached. Check the database URL and that the server is up.") from fault
    except ValueError as fault:
        raise MigrationRefused("The database URL is not valid. It looks like postgresql://user:password@host:5432/name.") from fault
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        raise MigrationRefused(f"The database refuses the connection: {fault}.") from fault


async def _migrate_module(
    connection: "asyncpg.Connection[asyncpg.Record]", module: str, phases: Sequence[Phase], told: Callable[[str], None]
) -> int:
    await _ensure_roles(connection, module)
    rows = await connection.fetch("SELECT number, checksum FROM kernel.migration WHERE module = $1", module)
    done = {row["number"]: row["checksum"] for row in rows}
    ran = 0
    for migration in discover(module):
        if migration.number in done:
            _ensure_unchanged(migration, done[migration.number])
        elif migration.phase in phases:
            told(f"{module}: {migration.name.replace('_', ' ')}")
            await _apply(connection, migration)
            ran += 1
    await _keep_tenants_apart(connection, module)
    async with connection.transaction():
        await _grant(connection, module)
    return ran


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", migration: Migration) -> None:
    async def once() -> None:
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO kernel.migration (module, number, name, phase, checksum) VALUES ($1, $2, $3, $4, $5)",
            migration.module, migration.number, migration.name, migration.phase, migration.checksum,
        )  # fmt: skip

    await _patiently(connection, once)


async def _patiently(connection: "asyncpg.Connection[asyncpg.Record]", work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` in one transaction, and again where a lock did not come free in time."""
    for attempt in range(LOCK_ATTEMPTS_MAX):
        try:
            async with connection.transaction():
                await work()
            return
        except asyncpg.LockNotAvailableError:
            if attempt == LOCK_ATTEMPTS_MAX - 1:
                raise


async def _ensure_roles(connection: "asyncpg.Connection[asyncpg.Record]", module: str) -> None:
    """The module's schema and roles. The system's has what the tenants' has, and every tenant; the login may act as both."""
    tenants, system = role_of(module), system_role_of(module)
    for role in (EVERY_TENANT, tenants, system):
        await _ensure_role(connection, role)
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {module}")
    await connection.execute(f"GRANT {tenants}, {EVERY_TENANT} TO {system}")
    await connection.execute(f"GRANT {tenants}, {system} TO CURRENT_USER")
    if not await connection.fetchval("SELECT pg_has_role(current_user, $1, 'USAGE')", system):
        raise MigrationRefused(
            "The login must inherit the rights of its roles, or a migration would not see the rows that it is to change."
        )


async def _ensure_role(connection: "asyncpg.Connection[asyncpg.Record]", role: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        try:
            await connection.execute(f"CREATE ROLE {role} NOLOGIN")
        except asyncpg.DuplicateObjectError:
            pass  # another migrator of the same server was faster: roles are shared between its databases
        except asyncpg.UniqueViolationError:
            pass


async def _keep_tenants_apart(connection: "asyncpg.Connection[asyncpg.Record]", module: str) -> None:
    """See to the policies of every table that has organization_id, so that no migration can forget them."""
    if await connection.fetchval("SELECT to_regprocedure('kernel.not_kept_apart(text[])') IS NOT NULL"):
        keep = "SELECT kernel.keep_tenants_apart(t) FROM kernel.not_kept_apart(ARRAY[$1]) AS t"
        await _patiently(connection, lambda: connection.execute(keep, module))


async def _grant(connection: "asyncpg.Connection[asyncpg.Record]", module: str) -> None:
    role = role_of(module)
    for schema in {module, "kernel"}:
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
        await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
        await connection.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}")
    await connection.execute(f"REVOKE ALL ON kernel.migration FROM {role}")
    await _grant_journal(connection, module, role)


async def _grant_journal(connection: "asyncpg.Connection[asyncpg.Record]", module: str, role: str) -> None:
    """Everybody writes the audit journal, nobody changes it, and one module reads it."""
    if await connection.fetchval("SELECT to_regclass($1)", JOURNAL) is not None:
        await connection.execute(f"REVOKE ALL ON {JOURNAL} FROM {role}")
        await connection.execute(f"GRANT {'SELECT, INSERT' if module == JOURNAL_READER else 'INSERT'} ON {JOURNAL} TO {role}")


def _ensure_unchanged(migration: Migration, checksum: bytes) -> None:
    if migration.checksum != checksum:
        raise MigrationRefused(
            f"Migration {migration.module} {migration.number:04d} was changed after it ran. Restore the file and add a new one."
        )


def _parse(module: str, file: str, sql: str) -> Migration:
    match = FILE.match(file)
    if match is None:
        raise MigrationRefused(f"{module}/migrations/{file}: the name must look like 0007_pre_add_hold.sql.")
    number, phase, name = match.groups()
    return Migration(module, int(number), "pre" if phase == "pre" else "post", name, sql)


async def empty(dsn: str, modules: Sequence[str]) -> None:
    """Empty every table of `modules` but the list of migrations and the journal. For a load that was broken off; there is no way back."""
    connection = await _connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY($1) AND tablename <> ALL($2)",
            list(modules),
            ["migration", JOURNAL.partition(".")[2]],
        )
        if rows:
            await connection.execute("TRUNCATE " + ", ".join(row["name"] for row in rows))
    finally:
        await connection.close()


async def refresh_statistics(dsn: str) -> None:
    """Tell the planner what a bulk load brought; autovacuum would, but only after the first questions."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
