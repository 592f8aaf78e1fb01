"""PostgreSQL access: a pool per module, transactions, and the translation of the driver's faults into refusals.

Statements run under server-side timeouts, so nothing waits for ever and nothing is cancelled inside COMMIT.
Driver types stay in here: the rest of the system sees `Database`, `Session`, rows as mappings, and refusals.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from prometheus_client import Histogram

from carewright.kernel.errors import OutcomeUnknown, Refusal, Unavailable, refusal_of
from carewright.kernel.sql import Query, load

Q = load("carewright.kernel")
Row = Mapping[str, Any]
REFUSE_SQLSTATE = "CW001"
STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
ACQUIRE_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 10.0
COPY_TIMEOUT_SECONDS = 300.0
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

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]") -> None:
        self._connection = connection

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]:
        rows: Sequence[Row] = await self._connection.fetch(query.text, *args)
        return rows

    async def fetch_one(self, query: Query, *args: object) -> Row | None:
        row: Row | None = await self._connection.fetchrow(query.text, *args)
        return row

    async def execute(self, query: Query, *args: object) -> None:
        await self._connection.execute(query.text, *args)

    async def copy(self, schema: str, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Load many rows by COPY, without the limit on a statement's time for the rest of this transaction."""
        await self._connection.execute("SET LOCAL statement_timeout = 0")
        await self._connection.copy_records_to_table(table, schema_name=schema, columns=list(columns), records=rows)


class Database:
    """A pool of connections that act as one module's role."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, dsn: str, role: str | None, size: int) -> "Database":
        """Open a pool of at most `size` connections. `role` is the module's role; None keeps the login's own."""
        settings = {
            "application_name": f"carewright {role or 'system'}",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            "timezone": "UTC",
            "jit": "off",
        } | ({"role": role} if role else {})
        with _translated():
            pool = await asyncpg.create_pool(
                dsn, min_size=1, max_size=size, init=_prepare, reset=_keep, server_settings=settings,
                timeout=CONNECT_TIMEOUT_SECONDS, max_inactive_connection_lifetime=300, statement_cache_size=256,
            )  # fmt: skip
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]:
        with _translated(), SECONDS.labels(query.name).time():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                rows: Sequence[Row] = await connection.fetch(query.text, *args)
                return rows

    async def fetch_one(self, query: Query, *args: object) -> Row | None:
        with _translated(), SECONDS.labels(query.name).time():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                row: Row | None = await connection.fetchrow(query.text, *args)
                return row

    async def copy_out(self, query: Query, *args: object) -> bytes:
        """The whole result in PostgreSQL's binary COPY format: for large results of fixed width that go into arrays."""
        parts: list[bytes] = []

        async def collect(part: bytes) -> None:
            parts.append(bytes(part))

        with _translated(), SECONDS.labels(query.name).time():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                await connection.copy_from_query(query.text, *args, output=collect, format="binary", timeout=COPY_TIMEOUT_SECONDS)
        return b"".join(parts)

    async def execute(self, query: Query, *args: object) -> None:
        with _translated(), SECONDS.labels(query.name).time():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                await connection.execute(query.text, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a READ COMMITTED transaction. A refusal or any other exception inside rolls it back."""
        with _translated():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection, connection.transaction():
                yield Transaction(connection)

    @asynccontextmanager
    async def reserved(self) -> AsyncIterator[Transaction]:
        """One connection kept for as long as the block lasts, outside any transaction: for session locks."""
        with _translated():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                try:
                    yield Transaction(connection)
                finally:
                    await _let_go(connection)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's faults into refusals; everything unforeseen stays an exception and becomes a 500."""
    try:
        yield
    except asyncpg.PostgresError as fault:
        refusal = _refusal(fault)
        if refusal is None:
            raise
        raise refusal from fault
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as fault:
        if isinstance(fault, ValueError):
            raise  # an argument that does not fit its parameter is our own mistake: trying again would not help
        raise Unavailable from fault


def _refusal(fault: asyncpg.PostgresError) -> Refusal | None:
    """What a fault of the server means to the caller, or None when it is our own mistake."""
    if fault.sqlstate == REFUSE_SQLSTATE:
        return refusal_of(str(fault))
    if isinstance(fault, BROKE_MIDWAY):
        return OutcomeUnknown()
    if isinstance(fault, BUSY):
        return Unavailable()
    return None


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
    """Jsonb travels as msgspec bytes in both directions; the binary format starts with its version byte, 1."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary",
        encoder=lambda value: b"\x01" + (value if isinstance(value, bytes) else msgspec.json.encode(value)),
        decoder=lambda data: msgspec.Raw(data[1:]),
    )  # fmt: skip


async def _let_go(connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
    """Give up the session's locks; a connection that cannot say so is ended, and its locks with it."""
    try:
        await connection.execute(Q.let_go.text)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
        connection.terminate()


async def _keep(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing to reset: settings are made by SET LOCAL only, and `reserved` gives its locks up itself."""
