"""CSV files as programs write them: found out, and read to their end whatever stands in them."""

from pathlib import Path

import pytest

from carewright.contracts.migration import FileUnreadable
from carewright.migration.store.files import form_of, header_of, records_of

TEXT = 'id;name\r\n1;"Müller; Anna"\r\n\r\n2;"two\r\nlines"\r\n3\r\n4;x;y\r\n5;ok\r\n'


def written(folder: Path, content: bytes) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_encoding_and_separator_are_found_out(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, TEXT.encode(encoding))
    form = form_of(path)
    assert (form.separator, header_of(path, form)) == (";", ["id", "name"])
    assert next(records_of(path, form)).values == {"id": "1", "name": "Müller; Anna"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_usual_separator_is_known(tmp_path: Path, separator: str) -> None:
    path = written(tmp_path, f"id{separator}name\n1{separator}x\n".encode())
    assert [record.values for record in records_of(path, form_of(path))] == [{"id": "1", "name": "x"}]


def test_every_record_has_the_line_it_begins_in_and_none_ends_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.encode())
    found = [(record.line, record.fault) for record in records_of(path, form_of(path))]
    assert found == [(2, ""), (4, ""), (6, "wrong_width"), (7, "wrong_width"), (8, "")]


def test_a_quote_that_is_not_closed_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, b'id,name\n1,"a"b\n2,x\n3,"open\n4,y\n')
    assert [(record.line, record.fault) for record in records_of(path, form_of(path))] == [(2, "not_csv"), (3, ""), (4, "not_csv")]


def test_a_cell_without_end_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, b"id,name\n1," + b"x" * 200_000 + b"\n2,x\n")
    assert [(record.line, record.fault) for record in records_of(path, form_of(path))] == [(2, "not_csv"), (3, "")]


@pytest.mark.parametrize("content", [b"", b"\n", b"a,a\n", b"a,,b\n", b'"a\n'])
def test_a_file_without_a_header_is_refused(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    with pytest.raises(FileUnreadable):
        header_of(path, form_of(path))


def test_a_file_that_is_not_there_or_not_of_its_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        form_of(tmp_path / "none.csv")
    for encoding in ("ascii", "klingon"):
        with pytest.raises(FileUnreadable):
            form_of(written(tmp_path, TEXT.encode()), encoding)
