"""What lies in the database unsealed, column by column: each text that a person could have written is argued for, or is not there."""

import re
from pathlib import Path

import asyncpg
import pytest

from carewright.roles.registry import SCHEMAS

PAGE = Path(__file__).parents[2] / "docs/concepts/privacy.md"
ROW = re.compile(r"^\| `(?P<table>\w+\.\w+)` \| (?P<columns>`[^|]+`) \|")
COLUMNS = """
SELECT c.table_schema || '.' || c.table_name, c.column_name FROM information_schema.columns c JOIN pg_class p
    ON p.relname = c.table_name AND p.relnamespace = c.table_schema::regnamespace
WHERE c.table_schema = ANY($1) AND c.data_type IN ('text', 'ARRAY', 'jsonb', 'character varying', 'json')
  AND c.udt_name NOT IN ('_uuid', '_bytea') AND NOT p.relispartition
"""


def argued() -> set[tuple[str, str]]:
    """(table, column) of everything that docs/concepts/privacy.md lists as open."""
    section = PAGE.read_text("utf-8").partition("## What lies open")[2].partition("\n## ")[0]
    rows = filter(None, map(ROW.match, section.splitlines()))
    return {(row["table"], column) for row in rows for column in re.findall(r"`(\w+)`", row["columns"])}


@pytest.fixture
async def stored(database_url: str) -> set[tuple[str, str]]:
    """(table, column) of everything in the database that could hold a text and is not sealed."""
    connection = await asyncpg.connect(database_url)
    try:
        return {(row[0], row[1]) for row in await connection.fetch(COLUMNS, list(SCHEMAS))}
    finally:
        await connection.close()


async def test_every_text_that_lies_open_is_argued_for(stored: set[tuple[str, str]]) -> None:
    assert sorted(stored - argued()) == [], "seal it, or say in docs/concepts/privacy.md why it may lie open"
    assert sorted(argued() - stored) == [], "docs/concepts/privacy.md lists what is not there"
