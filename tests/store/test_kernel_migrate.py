"""Migrations: each once, in phases, by one migrator at a time; and what a module's role may touch afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from importlib import resources
from pathlib import Path

import asyncpg
import pytest

from carewright.kernel import migrate as migrations
from carewright.kernel.migrate import Migration, MigrationRefused, Phase, migrate, pending, role_of
from carewright.roles.embedded import PostgresServer
from carewright.roles.registry import SCHEMAS
from tests.servers import address_of, run_sql
from tests.tidy.source import PACKAGE

MODULE = "exam"
Given = Callable[..., None]


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database in which nothing has run."""
    await run_sql(postgres.dsn, "CREATE DATABASE to_migrate")
    yield address_of(postgres, "to_migrate")
    await run_sql(postgres.dsn, "DROP DATABASE to_migrate WITH (FORCE)")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Says which migrations the module `exam` has, as (number, phase, statement)."""

    def give(*files: tuple[int, Phase, str]) -> None:
        found = [Migration(MODULE, number, phase, f"step_{number}", sql) for number, phase, sql in files]
        monkeypatch.setattr(migrations, "discover", lambda module: found if module == MODULE else [])

    return give


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def numbers(url: str) -> list[int]:
    found = await value(url, "SELECT array_agg(number ORDER BY applied_at) FROM kernel.migration WHERE module = 'exam'")
    return list(found) if isinstance(found, list) else []


async def test_pre_runs_before_and_post_after_the_new_code(empty: str, given: Given) -> None:
    given(
        (1, "pre", "CREATE TABLE exam.a (id int)"),
        (2, "post", "ALTER TABLE exam.a DROP COLUMN id"),
        (3, "pre", "ALTER TABLE exam.a ADD b int"),
    )
    assert await migrate(empty, [MODULE], ("pre",)) == 2
    assert [(each.number, each.phase) for each in await pending(empty, [MODULE])] == [(2, "post")]
    assert await migrate(empty, [MODULE], ("post",)) == 1
    assert await numbers(empty) == [1, 3, 2]
    assert await pending(empty, [MODULE]) == []


async def test_a_second_run_does_nothing(empty: str) -> None:
    assert await migrate(empty, SCHEMAS) == sum(len(list((PACKAGE / name / "migrations").glob("*.sql"))) for name in SCHEMAS)
    assert await migrate(empty, SCHEMAS) == 0


async def test_a_file_that_was_changed_after_it_ran_is_refused(empty: str, given: Given) -> None:
    given((1, "pre", "CREATE TABLE exam.a (id int)"))
    await migrate(empty, [MODULE])
    given((1, "pre", "CREATE TABLE exam.a (id bigint)"))
    with pytest.raises(MigrationRefused, match="0001 was changed after it ran"):
        await migrate(empty, [MODULE])


async def test_a_migration_that_breaks_leaves_nothing_of_itself(empty: str, given: Given) -> None:
    given((1, "pre", "CREATE TABLE exam.a (id int)"), (2, "pre", "CREATE TABLE exam.b (id int); SELECT 1 / 0"))
    with pytest.raises(MigrationRefused, match="division by zero"):
        await migrate(empty, [MODULE])
    assert await numbers(empty) == [1]
    assert await value(empty, "SELECT to_regclass('exam.b')") is None


async def test_two_migrators_at_once_do_the_work_once(empty: str, given: Given) -> None:
    given((1, "pre", "CREATE TABLE exam.a (id int); SELECT pg_sleep(0.2)"), (2, "pre", "INSERT INTO exam.a VALUES (1)"))
    assert sorted(await asyncio.gather(*(migrate(empty, [MODULE]) for _ in range(3)))) == [0, 0, 2]
    assert await value(empty, "SELECT count(*) FROM exam.a") == 1


async def test_a_migrator_waits_for_another_longer_than_for_a_lock(empty: str, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_MS", 50)
    given((1, "pre", "CREATE TABLE exam.a (id int); SELECT pg_sleep(0.5)"))
    assert sorted(await asyncio.gather(migrate(empty, [MODULE]), migrate(empty, [MODULE]))) == [0, 1]


async def test_a_table_in_use_is_not_waited_for_without_end(empty: str, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a lock lets every later statement on the table queue behind; so it gives up, and tries again a few times."""
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_MS", 20)
    given((1, "pre", "CREATE TABLE exam.a (id int)"))
    await migrate(empty, [MODULE])
    given((1, "pre", "CREATE TABLE exam.a (id int)"), (2, "pre", "ALTER TABLE exam.a ADD b int"))
    user = await asyncpg.connect(empty)
    try:
        async with user.transaction():
            await user.execute("LOCK TABLE exam.a IN ACCESS SHARE MODE")
            with pytest.raises(MigrationRefused, match="lock timeout"):
                await migrate(empty, [MODULE])
    finally:
        await user.close()
    assert await migrate(empty, [MODULE]) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be reached"),
        ("postgresql://nobody@127.0.0.1:port/none", "not valid"),
        ("mysql://127.0.0.1/none", "not valid"),
    ],
)
async def test_a_wrong_address_is_refused_in_one_line(url: str, says: str) -> None:
    with pytest.raises(MigrationRefused, match=says) as refused:
        await migrate(url, [MODULE])
    assert "\n" not in refused.value.detail


async def test_a_wrong_password_is_refused_in_one_line(postgres: PostgresServer) -> None:
    with pytest.raises(MigrationRefused, match="refuses the connection") as refused:
        await pending(postgres.dsn.replace("@", "-wrong@", 1), [MODULE])
    assert "\n" not in refused.value.detail


def refused(statement: str) -> tuple[str, str]:
    role, _, sql = statement.partition(": ")
    return role, sql


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        refused("directory: SELECT 1 FROM scheduling.claim"),
        refused("directory: SELECT 1 FROM patients.patient"),
        refused("patients: SELECT 1 FROM directory.practitioner"),
        refused("scheduling: SELECT 1 FROM patients.patient"),
        refused("scheduling: DELETE FROM directory.location"),
        refused("scheduling: SELECT 1 FROM kernel.migration"),
        refused("scheduling: CREATE TABLE scheduling.mine (id int)"),
        refused("scheduling: DROP TABLE scheduling.claim"),
        refused("scheduling: TRUNCATE scheduling.claim"),
    ],
)
async def test_a_modules_role_touches_its_own_tables_only(database_url: str, module: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"role": role_of(module)})
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("module", [name for name in SCHEMAS if name != "kernel"])
async def test_a_modules_role_may_use_its_own_tables_and_the_kernels(database_url: str, module: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"role": role_of(module)})
    try:
        for schema, table in await tables(connection, [module, "kernel"]):
            await connection.execute(f"SELECT 1 FROM {schema}.{table} LIMIT 1")  # noqa: S608  # names from pg_tables
            await connection.execute(f"DELETE FROM {schema}.{table} WHERE false")  # noqa: S608  # names from pg_tables
    finally:
        await connection.close()


async def tables(connection: "asyncpg.Connection[asyncpg.Record]", schemas: Sequence[str]) -> list[tuple[str, str]]:
    """Not the journal, whose grants are its own: see test_audit_entries.py."""
    rows = await connection.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY($1) AND tablename <> ALL('{migration,audit_entry}')",
        list(schemas),
    )
    return [(row["schemaname"], row["tablename"]) for row in rows]


def test_the_name_of_a_file_has_its_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    (folder / "0002_post_drop.sql").write_text("SELECT 2")
    (folder / "0001_pre_add.sql").write_text("SELECT 1")
    (folder / "notes.txt").write_text("not a migration")
    assert [(each.number, each.phase, each.name) for each in migrations.discover(MODULE)] == [(1, "pre", "add"), (2, "post", "drop")]
    (folder / "0002_pre_again.sql").write_text("SELECT 3")
    with pytest.raises(MigrationRefused, match="two migrations with one number"):
        migrations.discover(MODULE)
    (folder / "3_sometime.sql").write_text("SELECT 4")
    with pytest.raises(MigrationRefused, match="0007_pre_add_hold"):
        migrations.discover(MODULE)
