"""PostgreSQL access: a pool per module, transactions, and the translation of the driver's faults into refusals.

Statements run under server-side timeouts, so nothing waits for ever and nothing is cancelled inside COMMIT. A server that does not keep
its own timeouts is frozen or cut off: its connections are given up a little later, and what became of the statement is not known.
Driver types stay in here: the rest of the system sees `Database`, `Session`, rows as mappings, and refusals.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, Protocol, TypeVar

import asyncpg
import msgspec
from prometheus_client import Histogram

from carewright.kernel.errors import OutcomeUnknown, Refusal, Unavailable, refusal_of
from carewright.kernel.gather import Gather
from carewright.kernel.pool import Pool
from carewright.kernel.sql import Query, load

Q = load("carewright.kernel")
Row = Mapping[str, Any]
T = TypeVar("T")
REFUSE_SQLSTATE = "CW001"
STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_SECONDS = 5.0
COPY_TIMEOUT_SECONDS = 300.0
SILENCE_SECONDS_MAX = STATEMENT_TIMEOUT_MS / 1000 + 3
STATEMENTS_PREPARED_MAX = 256
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
        """Load many rows by COPY, without the limit on a statement's time for the rest of this transaction."""
        await self._connection.execute(Q.unhurried.text)
        await self._connection.copy_records_to_table(
            table, schema_name=schema, columns=list(columns), records=rows, timeout=COPY_TIMEOUT_SECONDS
        )

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
    """A pool of connections that act as one module's role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gathers: dict[str, Gather] = {}

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

        async def connect() -> "asyncpg.Connection[asyncpg.Record]":
            try:
                connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
                    dsn, server_settings=settings, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=SILENCE_SECONDS_MAX,
                    statement_cache_size=STATEMENTS_PREPARED_MAX,
                )  # fmt: skip
            except (OSError, TimeoutError, asyncpg.PostgresConnectionError) as fault:
                raise Unavailable from fault  # nothing was asked yet
            await _prepare(connection)
            return connection

        pool = Pool(connect, size)
        with _translated():
            pool.give(await pool.take())
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    async def fetch(self, query: Query, *args: object) -> Sequence[Row]:
        rows: Sequence[Row] = await self._use(query, lambda connection: connection.fetch(query.text, *args))
        return rows

    async def fetch_one(self, query: Query, *args: object) -> Row | None:
        row: Row | None = await self._use(query, lambda connection: connection.fetchrow(query.text, *args))
        return row

    async def fetch_gathered(self, query: Query, *args: object) -> Row | None:
        """`fetch_one` for a question that many ask at once. The statement takes arrays and says in `number` whose each row is."""
        gather = self._gathers.get(query.name)
        if gather is None:
            gather = self._gathers[query.name] = Gather(partial(self.fetch, query))
        return await gather.ask(*args)

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
        async with self._lent() as connection, connection.transaction():
            yield Transaction(connection)

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
            connection = await self._pool.take()
            try:
                yield connection
            except TimeoutError:
                connection.terminate()
                raise
            finally:
                self._pool.give(connection)

    async def _use(self, query: Query, work: "Callable[[asyncpg.Connection[asyncpg.Record]], Awaitable[Any]]") -> Any:
        """One statement on a lent connection, timed. Written out without context managers: this is the hottest path there is."""
        started = perf_counter()
        try:
            connection = await self._pool.take()
            try:
                return await work(connection)
            except TimeoutError:
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


def _count_of(instant: datetime) -> tuple[int]:
    since = instant - POSTGRES_EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds,)


def _instant_of(count: tuple[int]) -> datetime:
    return POSTGRES_EPOCH + timedelta(microseconds=count[0])


async def _let_go(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Give up the session's locks; a connection that cannot say so is ended, and its locks with it."""
    try:
        await connection.execute(Q.let_go.text)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
        connection.terminate()
