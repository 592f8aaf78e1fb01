"""Tenants are kept apart by PostgreSQL too: on every table, for every statement, whatever became of the loan before."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from carewright.directory import service as directory
from carewright.kernel import db as db_module
from carewright.kernel import sql
from carewright.kernel.db import SYSTEM_SUFFIX, Database, Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.migrate import EVERY_TENANT, role_of, system_role_of
from carewright.kernel.sql import Queries, Query
from carewright.patients.service import records as patients
from carewright.roles.registry import MODULES, SCHEMAS
from tests.samples import SMALL_HOSPITAL, known_id
from tests.scheduling_hospital import HALF_HOUR, TOMORROW, Hospital
from tests.servers import Contexts, run_sql
from tests.store.test_patients import ANNA

A, B, NO_TENANT = known_id(1), known_id(2), known_id(3)
WHERE_AM_I = Query("test.where", "SELECT current_setting('carewright.organization_id', true) AS tenant, current_user::text AS role")
AND_YOU = Query(
    "test.and_you",
    "SELECT number, current_setting('carewright.organization_id', true) AS tenant, cardinality($1::uuid[]) AS together "
    "FROM generate_series(1, cardinality($1::uuid[])) AS number",
)
BREAK = Query("test.break", "SELECT 1 / 0")
SLEEP = Query("test.sleep", "SELECT pg_sleep(30)")
SUICIDE = Query("test.suicide", "SELECT pg_terminate_backend(pg_backend_pid())")
SET_TIMER = Query("test.set_timer", "INSERT INTO kernel.timer (name, next_at) VALUES ($1, now())")
TIMERS = Query("test.timers", "SELECT count(*) AS count FROM kernel.timer WHERE name = $1")

# What the catalogue says

FENCED = """
SELECT c.oid::regclass::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced, (
    SELECT coalesce(array_agg(concat_ws(' | ', p.polname, p.polpermissive::text, p.polcmd::text,
        (SELECT string_agg(r::regrole::text, ', ') FROM unnest(p.polroles) AS r),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ORDER BY p.polname), '{}')
    FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'f', 'm') AND c.relnamespace::regnamespace::text NOT LIKE 'pg_%'
ORDER BY 1
"""
POLICIES = [
    "every_tenant | true | * | carewright_system | true | true",
    "own_tenant | true | * | - | (organization_id = kernel.tenant()) | (organization_id = kernel.tenant())",
]


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def open_tables(connection: Any) -> list[str]:
    """Tables of tenants that row-level security does not cover as it should."""
    rows = await connection.fetch(FENCED)
    assert len(rows) > 15
    return [row["name"] for row in rows if not row["forced"] or row["policies"] != POLICIES]


async def test_every_table_of_tenants_keeps_them_apart_from_its_owner_too(owner: Any) -> None:
    assert await open_tables(owner) == []


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE scheduling.fresh (organization_id uuid)",
        "ALTER TABLE scheduling.claim NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE scheduling.claim DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON scheduling.claim",
        "CREATE POLICY wide ON scheduling.claim USING (true)",
        "ALTER POLICY every_tenant ON scheduling.claim TO carewright_scheduling",
        "ALTER POLICY own_tenant ON scheduling.claim WITH CHECK (true)",
    ],
)
async def test_a_hole_in_the_fence_would_be_found(owner: Any, change: str) -> None:
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(change)
    assert len(await open_tables(owner)) == 1
    await transaction.rollback()


async def test_a_part_made_at_run_time_is_fenced_like_the_whole(database_url: str, owner: Any) -> None:
    db = await Database.connect(database_url, role_of("scheduling"), 1)
    await db.execute(Query("test.month", "SELECT scheduling.ensure_history_month('2031-01-01')"))
    await db.close()
    assert await owner.fetchval("SELECT to_regclass('scheduling.appointment_history_2031_01') IS NOT NULL")
    assert await open_tables(owner) == []


OURS = "rolname LIKE 'carewright\\__%' AND rolname NOT LIKE 'carewright\\_exam%'"
"""Roles belong to the whole server, and the tests of the migrator make some for a module of theirs, `exam`."""


async def test_no_role_of_ours_is_above_the_policies(owner: Any) -> None:
    rows = await owner.fetch(f"SELECT * FROM pg_roles WHERE {OURS}")  # noqa: S608  # a constant of ours
    assert {row["rolname"] for row in rows} == {EVERY_TENANT, *(f(name) for name in SCHEMAS for f in (role_of, system_role_of))}
    for row in rows:
        assert not any(row[power] for power in ("rolsuper", "rolbypassrls", "rolcanlogin", "rolcreaterole")), row["rolname"]
    assert await owner.fetchval("SELECT count(*) FROM pg_class WHERE relowner::regrole::text LIKE 'carewright\\__%'") == 0


async def test_only_the_systems_roles_see_every_tenant(owner: Any) -> None:
    members = f"SELECT rolname FROM pg_roles WHERE {OURS} AND pg_has_role(oid, $1, 'MEMBER')"  # noqa: S608  # a constant of ours
    rows = await owner.fetch(members, EVERY_TENANT)
    assert {row["rolname"] for row in rows} == {EVERY_TENANT, *(system_role_of(name) for name in SCHEMAS)}


# What becomes of rows

TABLES = """
SELECT c.oid::regclass::text AS name, c.relnamespace::regnamespace::text AS schema
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text = ANY($1) AND NOT c.relispartition
"""
"""Without those cut into parts: a row that belongs to no part is refused for that first."""


async def test_a_row_of_another_tenant_is_refused_on_every_table(database_url: str, owner: Any) -> None:
    for row in await owner.fetch(TABLES, list(SCHEMAS)):
        role = role_of(row["schema"])
        connection = await asyncpg.connect(database_url, server_settings={"role": role, "carewright.organization_id": str(A)})
        insert = f"INSERT INTO {row['name']} (organization_id) VALUES ($1)"  # noqa: S608  # a name from the catalogue
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await connection.execute(insert, B)
        with pytest.raises(asyncpg.PostgresError) as own:  # the same row of its own tenant gets past the policies, and lacks columns only
            await connection.execute(insert, A)
        assert "row-level security" not in str(own.value), row["name"]
        await connection.close()


async def test_where_no_tenant_was_named_nothing_is_seen_and_nothing_taken(hospital: Hospital, database_url: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"role": role_of("scheduling")})
    assert await connection.fetchval("SELECT count(*) FROM scheduling.schedule") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await connection.execute(
            "INSERT INTO scheduling.patient VALUES ($1, $2, true, 1)", hospital.world.organization_id, hospital.world.patients[0]
        )
    await connection.close()


async def test_the_owner_is_under_the_policies_where_it_is_no_superuser(owner: Any, hospital: Hospital) -> None:
    """A deployment's login owns the tables. Without the system's roles it would see nothing, and never does it see past the policies."""
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("CREATE ROLE plain_owner; GRANT plain_owner TO CURRENT_USER; GRANT CREATE ON SCHEMA scheduling TO plain_owner")
    await owner.execute("ALTER TABLE scheduling.schedule OWNER TO plain_owner")
    await owner.execute("GRANT USAGE ON SCHEMA scheduling, kernel TO plain_owner; SET LOCAL ROLE plain_owner")
    assert await owner.fetchval("SELECT count(*) FROM scheduling.schedule") == 0
    await owner.execute("SELECT set_config('carewright.organization_id', $1, true)", str(hospital.world.organization_id))
    assert await owner.fetchval("SELECT count(*) FROM scheduling.schedule") == len(hospital.world.actors)
    await transaction.rollback()


REFUSED = ("42501", "CW001")
"""Row-level security, or a refusal of the statement's own."""


# Every named query, asked in one tenant about another


@pytest.fixture
async def full(hospital: Hospital, context: Contexts) -> UUID:
    """A tenant with something in most tables."""
    organization_id = hospital.world.organization_id
    await directory.put_resources(await context("directory", organization_id=organization_id), SMALL_HOSPITAL)
    await patients.register_patient(await context("patients", organization_id=organization_id), ANNA)
    await hospital.hold()
    await hospital.book(TOMORROW + HALF_HOUR, patient=1)
    await hospital.block(TOMORROW + 4 * HALF_HOUR)
    return organization_id


async def ids_in(owner: Any, organization_id: UUID) -> list[UUID]:
    """Every id that the tenant's rows carry."""
    columns = await owner.fetch(
        "SELECT c.oid::regclass::text AS name, x.attname AS column FROM pg_class c "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' "
        "JOIN pg_attribute x ON x.attrelid = c.oid AND x.atttypid = 'uuid'::regtype AND x.attname <> 'organization_id' "
        "WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text = ANY($1)",
        list(SCHEMAS),
    )
    found: set[UUID] = set()
    for row in columns:
        text = f'SELECT DISTINCT "{row["column"]}" AS id FROM {row["name"]} WHERE organization_id = $1'  # noqa: S608  # from the catalogue
        found |= {each["id"] for each in await owner.fetch(text, organization_id) if each["id"]}
    return sorted(found)


def about_a_tenant() -> Iterator[tuple[str, Query]]:
    for module in ("kernel", *(each.name for each in MODULES if each.has_tables)):
        for query in sql.load(f"carewright.{module}"):
            if re.search(r"organization_id\s*=\s*\$1\b|SELECT \$1,", query.text):
                yield module, query


QUERIES = list(about_a_tenant())


SAMPLES: dict[str, object] = {
    "text": "", "bool": True, "int2": 0, "int4": 100, "int8": 100, "float8": 1.0, "bytea": b"\0" * 32, "json": "[]", "jsonb": "[]",
    "date": date(2026, 11, 2),
}  # fmt: skip


def arguments(types: Sequence[Any], ids: list[UUID], one: UUID) -> list[object]:
    """Something for each parameter but the first that fits as much as it can: every id, all of time."""
    instants = cycle((datetime(2000, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)))
    made: list[object] = []
    for each in types[1:]:
        if each.name == "uuid[]":
            made.append(ids)
        elif each.kind == "array":
            made.append([])
        elif each.name == "timestamptz":
            made.append(next(instants))
        else:
            made.append(one if each.name == "uuid" else SAMPLES[each.name])
    return made


async def answer(connection: Any, query: Query, given: Sequence[object]) -> object:
    """What the statement says, or how it fails; whatever it did is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        return [tuple(row.values()) for row in await connection.fetch(query.text, *given)]
    except asyncpg.PostgresError as fault:
        return fault.sqlstate
    finally:
        await transaction.rollback()


async def test_no_statement_finds_anything_of_another_tenant(full: UUID, database_url: str, owner: Any) -> None:
    """Each is asked about the full tenant by somebody who stands in another, and answers as about a tenant that is not there."""
    ids = await ids_in(owner, full)
    found = set()
    for module, query in QUERIES:
        role = role_of(module if module != "kernel" else "scheduling")
        connection = await asyncpg.connect(database_url, server_settings={"role": role, "carewright.organization_id": str(A)})
        types = (await connection.prepare(query.text)).get_parameters()
        for one in random.Random(query.name).sample(ids, 4):
            given = arguments(types, ids, one)
            across = await answer(connection, query, [full, *given])
            nothing = await answer(owner, query, [NO_TENANT, *given])
            assert across == nothing or across in REFUSED, (query.name, across, nothing)
            if await answer(owner, query, [full, *given]) != nothing:
                found.add(query.name)
        await connection.close()
    assert len(found) > 20, "the statements find something of the tenant itself, or this says nothing"


# Whatever became of the loan before


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """One connection for all tenants."""
    opened = await Database.connect(database_url, role_of("scheduling"), 1)
    yield opened
    await opened.close()


async def tenant_of(db: Database) -> str:
    row = await db.fetch_one(WHERE_AM_I)
    assert row is not None
    return str(row["tenant"])


async def test_each_loan_stands_in_its_tenant_and_the_systems_in_none(db: Database) -> None:
    for tenant in (A, B, A, A, B):
        row = await db.of(tenant).fetch_one(WHERE_AM_I)
        assert row is not None
        assert (row["tenant"], row["role"]) == (str(tenant), role_of("scheduling"))
        row = await db.fetch_one(WHERE_AM_I)
        assert row is not None
        assert (row["tenant"] or "", row["role"]) == ("", role_of("scheduling") + SYSTEM_SUFFIX)


async def fails(db: Database) -> None:
    await db.execute(BREAK)


async def fails_in_a_transaction(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(SET_TIMER, "lost")
        await tx.execute(BREAK)


async def is_cancelled(db: Database) -> None:
    await cancelled(db.execute(SLEEP))


async def is_cancelled_in_a_transaction(db: Database) -> None:
    async def work() -> None:
        async with db.transaction() as tx:
            await tx.execute(SET_TIMER, "lost")
            await tx.execute(SLEEP)

    await cancelled(work())


async def is_cancelled_at_once(db: Database) -> None:
    await cancelled(db.execute(SLEEP), after_seconds=0)


async def dies(db: Database) -> None:
    await db.execute(SUICIDE)


async def falls_silent(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(SET_TIMER, "lost")
        raise TimeoutError


async def cancelled(work: Any, after_seconds: float = 0.1) -> None:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(after_seconds)
    task.cancel()
    await task


ENDS = (fails, fails_in_a_transaction, is_cancelled, is_cancelled_in_a_transaction, is_cancelled_at_once, dies, falls_silent)


@pytest.mark.parametrize("end", ENDS)
async def test_however_a_loan_ends_the_next_stands_in_its_own_tenant(db: Database, end: Any) -> None:
    assert await tenant_of(db.of(A)) == str(A)
    with pytest.raises((Unavailable, asyncpg.PostgresError, asyncio.CancelledError, TimeoutError)):
        await end(db.of(A))
    assert await tenant_of(db.of(B)) == str(B)
    assert await tenant_of(db.of(A)) == str(A)
    await db.of(B).execute(SET_TIMER, f"kept after {end.__name__}")
    for name, count in (("lost", 0), (f"kept after {end.__name__}", 1)):
        row = await db.fetch_one(TIMERS, name)
        assert row is not None
        assert row["count"] == count, "no later statement became part of what was broken off"


async def test_a_move_that_is_cancelled_leaves_nobody_in_the_wrong_tenant(db: Database) -> None:
    for _ in range(20):
        assert await tenant_of(db.of(A)) == str(A)
        moving = asyncio.ensure_future(tenant_of(db.of(B)))
        await asyncio.sleep(0)
        moving.cancel()
        with suppress(asyncio.CancelledError):
            await moving
        assert await tenant_of(db.of(A)) == str(A)


async def test_a_connection_that_dies_while_idle_is_replaced_by_one_that_stands_right(db: Database, database_url: str) -> None:
    assert await tenant_of(db.of(A)) == str(A)
    await run_sql(
        database_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'carewright carewright_scheduling'"
    )
    for tenant in (B, B, A):
        with suppress(Unavailable):
            assert await tenant_of(db.of(tenant)) == str(tenant)
    assert await tenant_of(db.of(B)) == str(B)


async def test_many_who_fail_wait_and_go_away_never_see_each_other(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_module, "STATEMENT_TIMEOUT_MS", 200)
    db = await Database.connect(database_url, role_of("scheduling"), 3)
    chance = random.Random(1)
    tenants = [known_id(number) for number in range(5)]
    right = 0

    async def party(number: int) -> None:
        nonlocal right
        tenant = tenants[number % len(tenants)]
        for _ in range(12):
            if chance.random() < 0.3:
                with suppress(Unavailable, asyncpg.PostgresError, asyncio.CancelledError, TimeoutError):
                    await chance.choice(ENDS)(db.of(tenant))
            with suppress(Unavailable):
                async with db.of(tenant).transaction() as tx:
                    row = await tx.fetch_one(WHERE_AM_I)
                    assert row is not None
                    assert row["tenant"] == str(tenant)
                assert await tenant_of(db.of(tenant)) == str(tenant)
                right += 1

    await asyncio.gather(*(party(number) for number in range(15)))
    await db.close()
    assert right > 90


async def test_what_is_asked_together_is_asked_within_a_tenant(db: Database) -> None:
    asked = [db.of(tenant).fetch_gathered(AND_YOU, tenant) for tenant in (A, B, A, B, A)]
    rows = [dict(row) for row in await asyncio.gather(*asked) if row]
    assert [(row["tenant"], row["together"]) for row in rows] == [(str(A), 3), (str(B), 2), (str(A), 3), (str(B), 2), (str(A), 3)]


async def test_what_is_done_together_is_one_transaction_within_a_tenant(db: Database) -> None:
    async def work(tx: Session, asked: Sequence[UUID]) -> list[dict[str, Any]]:
        row = await tx.fetch_one(WHERE_AM_I)
        return [{"number": number, "where": row and row["tenant"], "together": len(asked)} for number, _ in enumerate(asked, 1)]

    rows = await asyncio.gather(*(db.of(tenant).do_gathered(work, tenant) for tenant in (A, B, A)))
    assert [(row and row["where"], row and row["together"]) for row in rows] == [(str(A), 2), (str(B), 1), (str(A), 2)]


async def test_a_statement_in_the_same_tenant_costs_one_round_trip(db: Database, owner: Any) -> None:
    """The move is a statement too; PostgreSQL would show it as the connection's last one."""
    mine = await db.of(A).fetch_one(Query("test.pid", "SELECT pg_backend_pid() AS pid"))
    assert mine is not None
    moved = Queries("test", "-- name: before\nSELECT 1")
    await db.of(A).execute(moved.before)
    assert await owner.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", mine["pid"]) == "SELECT 1"


# Loading many rows


async def test_a_login_that_is_not_free_of_the_policies_loads_under_them(database_url: str, owner: Any) -> None:
    await owner.execute(
        "CREATE ROLE plain_loader LOGIN PASSWORD 'plain' NOSUPERUSER; "
        "GRANT carewright_scheduling, carewright_scheduling_system TO plain_loader"
    )
    plain = await Database.connect(re.sub("//[^@]+@", "//plain_loader:plain@", database_url), role_of("scheduling"), 1)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await load_patient(plain, tenant=A, of=B)
        assert await load_patient(plain, tenant=A, of=A) == role_of("scheduling")
    finally:
        await plain.close()


async def test_a_login_that_is_free_of_the_policies_loads_by_itself_and_steps_back(database_url: str) -> None:
    free = await Database.connect(database_url, role_of("scheduling"), 1)
    try:
        assert await load_patient(free, tenant=A, of=A) == role_of("scheduling")
    finally:
        await free.close()


async def load_patient(db: Database, *, tenant: UUID, of: UUID) -> str:
    """Copy one row of `of` in a transaction of `tenant`, and say as whom the transaction goes on."""
    columns = ("organization_id", "id", "active", "source_version")
    async with db.of(tenant).transaction() as tx:
        await tx.copy("scheduling", "patient", columns, [(of, known_id(random.randrange(1 << 60)), True, 1)])
        row = await tx.fetch_one(WHERE_AM_I)
        assert row is not None
        return str(row["role"])
