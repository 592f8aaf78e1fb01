"""A patient made of words that occur nowhere else. None of them may lie open anywhere: table, file, log, figure, address or refusal."""

import asyncio

import asyncpg
import httpx
import pytest

from tests.canary import WORDS, found_in, life_of_the_canary, words_in_file
from tests.clinic import Clinic
from tests.system import log_of

TABLES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


@pytest.fixture(scope="module")
async def answers(clinic: Clinic) -> list[httpx.Response]:
    return await life_of_the_canary(clinic)


@pytest.mark.usefixtures("answers")
async def test_no_table_holds_a_word_of_it(database: "asyncpg.Connection[asyncpg.Record]") -> None:
    seen: list[str] = []
    for (table,) in await database.fetch(TABLES):
        rows = await database.fetch(f"SELECT t::text AS row FROM {table} t")  # noqa: S608  (names from pg_tables)
        seen += [f"{table}: {word}" for word in found_in("\n".join(row["row"] for row in rows))]
    assert seen == []


@pytest.mark.usefixtures("answers")
async def test_no_file_of_the_installation_and_no_log_holds_a_word_of_it(
    clinic: Clinic, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """The database's own files and its write-ahead log are among them."""
    await database.execute("CHECKPOINT")
    await asyncio.sleep(1)
    data = clinic.system.data
    looked_at = [path for path in (log_of(data), *data.rglob("*")) if path.is_file()]
    assert len(looked_at) > 100
    assert [f"{path.name}: {word}" for path in looked_at for word in words_in_file(path)] == []


async def test_no_refusal_and_no_address_holds_a_word_of_it(answers: list[httpx.Response]) -> None:
    refusals = [answer for answer in answers if answer.is_error]
    assert len(refusals) >= 5
    assert [word for answer in refusals for word in found_in(answer.text)] == []
    assert [word for answer in answers for word in found_in(f"{answer.request.url} {answer.headers}")] == []


@pytest.mark.usefixtures("answers")
async def test_no_figure_holds_a_word_of_it(clinic: Clinic) -> None:
    for address in clinic.system.addresses.values():
        figures = (await clinic.system.client.get(f"{address}/metrics")).text
        assert "carewright_query_seconds" in figures
        assert list(found_in(figures)) == []


def test_the_search_finds_what_it_looks_for() -> None:
    for word in WORDS:
        assert list(found_in(f"x{word.upper()}x")) == [word]
        assert list(found_in(f"\\x00{word.encode().hex()}")) == [word], "bytes are shown in hexadecimal digits"
