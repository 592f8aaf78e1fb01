"""Named SQL: names, reasons and statements are told apart."""

import pytest

from carewright.kernel import sql
from carewright.kernel.sql import Queries, Query, parse
from tests.tidy.source import PACKAGE

TEXT = """-- A file may begin with a remark.

-- name: first_one
-- The reason,
-- in two lines.
SELECT 1
WHERE true -- not a line of its own
;

-- name: second
    SELECT 2
    -- a remark within
    FROM a
"""


def test_a_file_is_split_by_its_names() -> None:
    assert parse("exam", TEXT) == [
        Query("exam.first_one", "SELECT 1\nWHERE true -- not a line of its own\n"),
        Query("exam.second", "SELECT 2\n    FROM a"),
    ]


def test_statements_are_attributes() -> None:
    queries = Queries("exam", TEXT)
    assert queries.second.name == "exam.second"
    assert [query.name for query in queries] == ["exam.first_one", "exam.second"]
    with pytest.raises(AttributeError, match="third"):
        _ = queries.third


@pytest.mark.parametrize("module", sorted(path.parent.name for path in PACKAGE.glob("*/queries.sql")))
def test_every_module_names_its_statements_once_and_none_is_empty(module: str) -> None:
    queries = parse(module, (PACKAGE / module / "queries.sql").read_text("utf-8"))
    assert len({query.name for query in queries}) == len(queries)
    assert all(query.text for query in queries)
    assert sql.load(f"carewright.{module}") is sql.load(f"carewright.{module}")
