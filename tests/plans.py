"""How PostgreSQL carries out a statement of ours, on rows that are there for this question alone."""

from collections.abc import Sequence
from typing import Any

from carewright.kernel.sql import Query


async def explained(database: Any, rows: str, query: Query, types: str, values: str, settings: Sequence[str] = ()) -> list[str]:
    """The lines of `EXPLAIN ANALYZE` for `query` after the statement `rows`; both are taken back. `settings` are run between them."""
    transaction = database.transaction()
    await transaction.start()
    try:
        for statement in (rows, *settings, f"PREPARE asked ({types}) AS {query.text}"):
            await database.execute(statement)
        lines = await database.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE asked ({values})")
        await database.execute("DEALLOCATE asked")
    finally:
        await transaction.rollback()
    return [line[0] for line in lines]
