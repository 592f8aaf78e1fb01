"""PostgreSQL access: connections per module, transactions, and the translation of the driver's faults into refusals.

A `Database` is the system's, or one tenant's (`of`). Both are database roles of the module: the tenants' role sees the rows of the tenant
in which its connection stands, and none while it stands in none; the system's role sees all, for work that no tenant asked for.

Statements run under server-side timeouts, so nothing waits for ever and nothing is cancelled inside COMMIT. A server that does not keep
its own timeouts is frozen or cut off: its connections are given up a little later, and what became of the statement is not known.
Driver types stay in here: the rest of the system sees `Database`, `Session`, rows as mappings, and refusals.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from itertools import islice
from time import perf_counter
from typing import Any, Protocol, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from prometheus_client import Histogram

from carewright.kernel.errors import OutcomeUnknown, Refusal, Unavailable, refusal_of
from carewright.kernel.gather import Gather
from carewright.kernel.joint import BROKEN_OFF, JOINT_LOCK_TIMEOUT_MS, Joint
from carewright.kernel.pool import Pool
from carewright.kernel.priority import Priority, current
from carewright.kernel.sql import Query, load
from carewright.kernel.transport import encrypted

Q = load("carewright.kernel")
Row = Mapping[str, Any]
T = TypeVar("T")
Place = tuple[str, str, list[str]]
"""Schema, table and columns."""
REFUSE_SQLSTATE = "CW001"
STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_SECONDS = 5.0
COPY_TIMEOUT_SECONDS = 300.0
COPY_ROWS_TOGETHER = 2_000
SILENCE_SECONDS_MAX = STATEMENT_TIMEOUT_MS / 1000 + 3
STATEMENTS_PREPARED_MAX = 256
SYSTEM_SUFFIX = "_system"
"""What the role for the system's work is called after the module's own."""
SYSTEM_CONNECTIONS_MAX = 6
"""Of one module and process: a relay and a follower keep one each, and ask on others."""
TENANTS_KNOWN_MAX = 10_000
STAGE = "stage"
"""The temporary table of `kernel.open_stage`."""
POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""What PostgreSQL counts instants from (src/include/datatype/timestamp.h)."""
SECONDS = Histogram(
    "carewright_query_seconds", "Time of one statement, as the caller sees it.", ["query"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)  # fmt: skip


class Session(Protocol):
    """Something that runs named statements: a transaction, or the database itself (each statement its own transaction)."""

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]: ...

    async def fetch_one(self, query: Query, *args: object) -> Row | None: ...

    async def execute(self, query: Query, *args: object) -> None: ...


class Transaction:
    """One open transaction. Leaving the block commits; an exception rolls back."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]:
        rows: Sequence[Row] = await self._heard(self._connection.fetch(query.text, *args))
        return rows

    async def fetch_one(self, query: Query, *args: object) -> Row | None:
        row: Row | None = await self._heard(self._connection.fetchrow(query.text, *args))
        return row

    async def execute(self, query: Query, *args: object) -> None:
        await self._heard(self._connection.execute(query.text, *args))

    async def copy(self, schema: str, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Load many rows by COPY, without the limit on a statement's time for the rest of this transaction.

        PostgreSQL refuses COPY into a table that keeps tenants apart to everybody whom that concerns. Where the login is free of it, it
        loads by itself, which takes four fifths of the time; elsewhere rows go into a temporary table and on from there by INSERT.
        """
        await self._copied(
            (schema, table, list(columns)),
            lambda place: self._connection.copy_records_to_table(
                place[1], schema_name=place[0], columns=place[2], records=rows, timeout=COPY_TIMEOUT_SECONDS
            ),
        )

    async def copy_packed(self, schema: str, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
        """`copy` for rows that are already in PostgreSQL's binary form, each with its number of fields: a fifth of our own work."""
        await self._copied(
            (schema, table, list(columns)),
            lambda place: self._connection.copy_to_table(
                place[1], schema_name=place[0], columns=place[2], source=_file_of(rows), format="binary", timeout=COPY_TIMEOUT_SECONDS
            ),
        )

    async def _copied(self, place: Place, copy: Callable[[Place], Awaitable[object]]) -> None:
        """Have `copy` fill the table, or the temporary one in its stead."""
        await self._connection.execute(Q.unhurried.text)
        role = await self._connection.fetchval(Q.role_of_free_login.text)
        if role is None:
            await self._connection.execute(Q.open_stage.text, *place)
            await copy(("pg_temp", STAGE, place[2]))
            await self._connection.execute(Q.empty_stage.text, *place, timeout=COPY_TIMEOUT_SECONDS)
            return
        await self._connection.execute(Q.act_as.text, "none")
        await self._connection.execute(Q.write_plainly.text)
        await copy(place)
        await self._connection.execute(Q.act_as.text, role)

    async def copy_out(self, query: Query, collect: Callable[[bytes], Awaitable[None]], *args: object) -> None:
        """Hand the result to `collect` in pieces of the binary COPY format, without the limit on a statement's time."""
        await self._connection.execute(Q.unhurried.text)
        await self._connection.copy_from_query(query.text, *args, output=collect, format="binary", timeout=COPY_TIMEOUT_SECONDS)

    async def _heard(self, answer: Awaitable[T]) -> T:
        """The answer, or the end of a connection that stays silent: rolling back would wait for it once more."""
        try:
            return await answer
        except TimeoutError:
            self._connection.terminate()
            raise


class Database:
    """The connections of one module in one process: the system's own, or those that stand in one tenant (`of`)."""

    def __init__(
        self, system: Pool, tenants: Pool, role: str | None, tenant: UUID | None = None, family: "dict[UUID, Database] | None" = None
    ) -> None:
        self._system = system
        self._tenants = tenants
        self._role = role
        self._tenant = tenant
        self._pool = system if tenant is None else tenants
        self._family: dict[UUID, Database] = {} if family is None else family
        """Those of every tenant that was asked for; shared by all of them."""
        self._gathers: dict[tuple[str, Priority | None], Gather] = {}
        """Of this tenant alone: what is asked together never crosses tenants, and nothing urgent waits with what is not."""

    @classmethod
    async def connect(cls, dsn: str, role: str | None, size: int) -> "Database":
        """The system's database of a module, with `size` connections for tenants at most. `role` is the module's; None: the login's own."""
        system = Pool(_opener(dsn, f"{role}{SYSTEM_SUFFIX}" if role else None), _move, SYSTEM_CONNECTIONS_MAX)
        tenants = Pool(_opener(dsn, role), _move, size)
        with _translated():
            for pool in (system, tenants):
                pool.give(await pool.take())
        return cls(system, tenants, role)

    def of(self, organization_id: UUID) -> "Database":
        """The same database as one tenant sees it: whatever a statement says, it reads and writes no other tenant's rows."""
        known = self._family.get(organization_id)
        if known is None:
            if len(self._family) >= TENANTS_KNOWN_MAX:
                self._family.clear()
            known = self._family[organization_id] = Database(self._system, self._tenants, self._role, organization_id, self._family)
        return known

    async def close(self) -> None:
        """Close every connection, those of the tenants included."""
        await self._tenants.close()
        await self._system.close()

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]:
        rows: Sequence[Row] = await self._use(query, lambda connection: connection.fetch(query.text, *args))
        return rows

    async def fetch_one(self, query: Query, *args: object) -> Row | None:
        row: Row | None = await self._use(query, lambda connection: connection.fetchrow(query.text, *args))
        return row

    async def fetch_gathered(self, query: Query, *args: object) -> Row | None:
        """`fetch_one` for a question that many ask at once. The statement takes arrays and says in `number` whose each row is."""
        return await self._gathered(query.name, partial(self.fetch, query), *args)

    async def do_gathered(self, work: "Callable[..., Awaitable[Sequence[Row]]]", *args: object) -> Row | None:
        """`work(tx, *columns)` once for all who come in one turn of the event loop: one transaction, and one commit, for all of them.

        It gets one array for each argument and says in `number`, from 1, whose each row is. What it raises, everybody gets.
        """
        return await self._gathered(f"{work.__module__}.{work.__qualname__}", partial(self._together, work), *args)

    async def _gathered(self, name: str, fetch: "Callable[..., Awaitable[Sequence[Row]]]", *args: object) -> Row | None:
        if self.joint is not None:  # what others ask is no part of it
            return next(iter(await fetch(*([each] for each in args))), None)
        asked = (name, current())
        gather = self._gathers.get(asked)
        if gather is None:
            gather = self._gathers[asked] = Gather(fetch)
        return await gather.ask(*args)

    async def _together(self, work: "Callable[..., Awaitable[Sequence[Row]]]", *columns: list[object]) -> Sequence[Row]:
        async with self.transaction() as tx:
            return await work(tx, *columns)

    async def execute(self, query: Query, *args: object) -> None:
        await self._use(query, lambda connection: connection.execute(query.text, *args))

    async def copy_out(self, query: Query, *args: object) -> bytes:
        """The whole result in PostgreSQL's binary COPY format: for large results of fixed width that go into arrays."""
        parts: list[bytes] = []

        async def collect(part: bytes) -> None:
            parts.append(bytes(part))

        async with self.transaction() as tx:
            await tx.copy_out(query, collect, *args)
        return b"".join(parts)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a READ COMMITTED transaction. A refusal or any other exception inside rolls it back."""
        if (joint := self.joint) is not None:
            with _translated():
                async with joint.lent(self._role) as connection:
                    yield Transaction(connection)
            return
        async with self._lent() as connection, connection.transaction():
            yield Transaction(connection)

    @property
    def joint(self) -> Joint | None:
        """The joint transaction that the caller works within, if this database takes part in it."""
        return Joint.around(self._tenant)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Joint]:
        """Open a transaction that every use case called in the block is part of, whatever its module. See `together.all_or_nothing`."""
        async with self._lent() as connection, connection.transaction():
            await connection.execute(Q.wait_little.text, str(JOINT_LOCK_TIMEOUT_MS))
            joint = Joint(connection, self._tenant)
            with joint.within():
                yield joint

    @asynccontextmanager
    async def reserved(self) -> AsyncIterator[Transaction]:
        """One connection kept for as long as the block lasts, outside any transaction: for session locks."""
        async with self._lent() as connection:
            try:
                yield Transaction(connection)
            finally:
                await _let_go(connection)

    @asynccontextmanager
    async def _lent(self) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        with _translated():
            connection = await self._pool.take(self._tenant)
            try:
                yield connection
            except BROKEN_OFF:
                connection.terminate()
                raise
            finally:
                self._pool.give(connection)

    async def _use(self, query: Query, work: "Callable[[asyncpg.Connection[asyncpg.Record]], Awaitable[Any]]") -> Any:
        """One statement on a lent connection, timed. Written out without context managers: this is the hottest path there is."""
        started = perf_counter()
        try:
            if (joint := self.joint) is not None:
                async with joint.lent(self._role) as joined:
                    return await work(joined)
            connection = await self._pool.take(self._tenant)
            try:
                return await work(connection)
            except BROKEN_OFF:
                connection.terminate()
                raise
            finally:
                self._pool.give(connection)
        except FAULTS as fault:
            refusal = _refusal(fault)
            if refusal is None:
                raise
            raise refusal from fault
        finally:
            _seconds(query.name).observe(perf_counter() - started)


def session_settings(role: str | None) -> dict[str, str]:
    """What every connection of ours asks of the server for as long as it lives."""
    return {
        "application_name": f"carewright {role or 'system'}",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
        "timezone": "UTC",
        "jit": "off",
    } | ({"role": role} if role else {})


def _opener(dsn: str, role: str | None) -> "Callable[[], Awaitable[asyncpg.Connection[asyncpg.Record]]]":
    """Opens connections that act as `role` for as long as they live: their statements are planned once, for that role's policies."""
    settings = session_settings(role)
    address = encrypted(dsn)

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        try:
            connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
                address, server_settings=settings, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=SILENCE_SECONDS_MAX,
                statement_cache_size=STATEMENTS_PREPARED_MAX,
            )  # fmt: skip
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError) as fault:
            raise Unavailable from fault  # nothing was asked yet
        try:
            await _prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    return connect


async def _move(connection: "asyncpg.Connection[asyncpg.Record]", tenant: UUID | None) -> None:
    """Have an idle connection stand in `tenant`, and in no transaction, so that no rollback takes it back."""
    try:
        await connection.execute(Q.stand_in_tenant.text, "" if tenant is None else str(tenant))
    except FAULTS as fault:
        raise Unavailable from fault  # nothing was asked yet


@lru_cache(maxsize=1024)
def _seconds(name: str) -> Histogram:
    return SECONDS.labels(name)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's faults into refusals; everything unforeseen stays an exception and becomes a 500."""
    try:
        yield
    except FAULTS as fault:
        refusal = _refusal(fault)
        if refusal is None:
            raise
        raise refusal from fault


def _refusal(fault: Exception) -> Refusal | None:
    """What a fault of the driver or the server means to the caller, or None when it is our own mistake: no retry would help."""
    if not isinstance(fault, asyncpg.PostgresError):
        if isinstance(fault, ValueError):
            return None
        return Unavailable() if isinstance(fault, asyncpg.InterfaceError) else OutcomeUnknown()
    if fault.sqlstate == REFUSE_SQLSTATE:
        return refusal_of(str(fault))
    if isinstance(fault, BROKE_MIDWAY):
        return OutcomeUnknown()
    if isinstance(fault, BUSY):
        return Unavailable()
    return None


FAULTS = (asyncpg.PostgresError, OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
BROKE_MIDWAY = (
    asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)  # fmt: skip
BUSY = (
    asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.DiskFullError,
    asyncpg.ReadOnlySQLTransactionError, asyncpg.OutOfMemoryError,
)  # fmt: skip


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Jsonb travels as msgspec bytes in both directions; the binary format starts with its version byte, 1.

    Instants travel as PostgreSQL counts them, in microseconds since 2000: the driver's own way takes twice as long.
    """
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary",
        encoder=lambda value: b"\x01" + (value if isinstance(value, bytes) else msgspec.json.encode(value)),
        decoder=lambda data: msgspec.Raw(data[1:]),
    )  # fmt: skip
    await connection.set_type_codec("timestamptz", schema="pg_catalog", format="tuple", encoder=_count_of, decoder=_instant_of)


async def _file_of(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A file in the binary COPY format: signature, no flags, no extension; the rows, some thousand at a time; the end."""
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    rest = iter(rows)
    while part := b"".join(islice(rest, COPY_ROWS_TOGETHER)):
        yield part
    yield b"\xff\xff"


def microseconds_of(instant: datetime) -> int:
    """How PostgreSQL counts an instant: in microseconds since 2000."""
    since = instant - POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _count_of(instant: datetime) -> tuple[int]:
    return (microseconds_of(instant),)


def _instant_of(count: tuple[int]) -> datetime:
    return POSTGRES_EPOCH + timedelta(microseconds=count[0])


async def _let_go(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Give up the session's locks; a connection that cannot say so is ended, and its locks with it."""
    try:
        await connection.execute(Q.let_go.text)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
        connection.terminate()
