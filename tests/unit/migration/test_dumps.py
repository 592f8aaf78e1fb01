"""Dumps of MySQL as its programs write them: read to their end, or refused as a whole.

Strings by MySQL 8.0 Reference Manual, 11.1.1 String Literals.
"""

from pathlib import Path

import pytest

from carewright.contracts.migration import DumpUnreadable
from carewright.migration.store import dumps
from carewright.migration.store.dumps import entries_of
from tests.older_systems import TAIL, table

COLUMNS = "CREATE TABLE `a` (\n  `id` int NOT NULL,\n  `n` text COMMENT 'no `x` ; here',\n  KEY `n` (`n`)\n) ENGINE=InnoDB;\n"


def rows(values: str, table_name: str = "a") -> str:
    return f"INSERT INTO `{table_name}` VALUES {values};\n"  # noqa: S608  # it is read, never run


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "dump.sql"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, encoding: str = "") -> list[tuple[str, str] | None]:
    return [(each.values.text("id"), each.values.text("n")) if each.values else None for each in entries_of(path, {"a"}, encoding)]


@pytest.mark.parametrize(
    ("written_as", "means"),
    [
        (r"'O\'Hara'", "O'Hara"), ("'O''Hara'", "O'Hara"), (r"'a\\'", "a\\"), (r"'a\nb\tc\rd'", "a\nb\tc\rd"), (r"'\%\_\"'", '%_"'),
        ("NULL", ""), ("''", ""), ("-1.5e3", "-1.5e3"), ("'a,(b);--c'", "a,(b);--c"), ("_utf8mb4 'x'", "x"), (r"_binary 'a\0b'", "a\0b"),
        ("'two\nlines'", "two\nlines"), ("0x4142", "0x4142"), ("'Müller'", "Müller"),
    ],
)  # fmt: skip
def test_a_value_is_what_mysql_means_by_it(tmp_path: Path, written_as: str, means: str) -> None:
    assert read(written(tmp_path, COLUMNS + rows(f"(1,{written_as}),(2,'z')"))) == [("1", means), ("2", "z")]


def test_rows_are_found_among_whatever_else_a_dump_has(tmp_path: Path) -> None:
    others = table("b", ["id", "n"], [{"id": "(1,'x'); INSERT INTO `a` VALUES (9,'9');"}])
    routine = "DELIMITER ;;\nCREATE TRIGGER t BEGIN INSERT INTO `a` VALUES (8,'8'); END ;;\nDELIMITER ;\n"
    lists = "INSERT INTO `clinic`.`a` (`n`, `id`) VALUES ('x', 3), ('y', 4);\n"
    path = written(tmp_path, f"{others}# a comment; '\n{routine}{COLUMNS}INSERT INTO `a` VALUES\n(1,'v'),\n(2,'w');\n{lists}{TAIL}")
    assert read(path) == [("1", "v"), ("2", "w"), ("3", "x"), ("4", "y")]


def test_a_row_of_another_width_is_told_and_does_not_end_the_table(tmp_path: Path) -> None:
    assert read(written(tmp_path, COLUMNS + rows("(1,'v','more'),(2,'w')"))) == [None, ("2", "w")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_it_does_not_matter_where_a_chunk_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(dumps, "CHUNK_BYTES", size)
    monkeypatch.setattr(dumps, "HEAD_BYTES_MAX", 200)
    values = rows("(1,'x;''y\\'')", "b") + rows("(1,'it''s \\' ;'),(22,NULL)")
    text = f"-- MySQL dump 10.13\n/* ' ; */;\n{COLUMNS}{values}{TAIL}"
    assert read(written(tmp_path, text)) == [("1", "it's ' ;"), ("22", "")]


def test_the_encoding_is_the_dumps_own_or_the_one_that_is_named(tmp_path: Path) -> None:
    text = COLUMNS + rows("(1,'Müller')")
    path = written(tmp_path, ("/*!40101 SET NAMES latin1 */;\n" + text).encode("windows-1252"))
    assert read(path) == [("1", "Müller")]
    assert read(written(tmp_path, text.encode("iso8859-15")), "iso8859-15") == [("1", "Müller")]
    with pytest.raises(UnicodeError):
        read(written(tmp_path, text.encode("windows-1252")))


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO `a` VALUES (1,'v'),(2,'w", "INSERT INTO `a` VALUES (1,'v'),", "INSERT INTO `a` VALUES (1,'v')",
        "INSERT INTO `b` VALUES ('", "INSERT INTO `a` VALUES (1,NOW());\n", "INSERT INTO `a` VALUES (1,(SELECT 1));\n", "/* no end",
    ],
)  # fmt: skip
def test_what_is_cut_off_or_would_have_to_be_run_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DumpUnreadable, match="at byte"):
        read(written(tmp_path, COLUMNS + text))


def test_a_dump_that_lacks_its_last_line_was_cut_off(tmp_path: Path) -> None:
    with pytest.raises(DumpUnreadable, match="Dump completed"):
        read(written(tmp_path, "-- MySQL dump 10.13\n" + COLUMNS + rows("(1,'v')")))


def test_a_dump_in_utf_16_or_none_at_all_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DumpUnreadable, match="--result-file"):
        read(written(tmp_path, COLUMNS.encode("utf-16")))
    with pytest.raises(DumpUnreadable, match="FileNotFoundError"):
        read(tmp_path / "none.sql")


def test_a_value_without_end_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "CHUNK_BYTES", 64)
    monkeypatch.setattr(dumps, "TOKEN_BYTES_MAX", 1_000)
    with pytest.raises(DumpUnreadable):
        read(written(tmp_path, COLUMNS + rows(f"(1,'{'x' * 5_000}')")))
