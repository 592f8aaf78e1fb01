import gzip
from pathlib import Path

import pytest

from carewright.fhir import store
from carewright.fhir.model.reports import NothingToImport


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.ndjson"


def read(path: Path) -> list[tuple[int, str]]:
    """Line numbers with their text, or the fault in its place."""
    return [(line.number, line.fault or line.text) for line in store.read_lines(path)]


def test_lines_keep_their_numbers_past_blank_ones(file: Path) -> None:
    file.write_bytes(b'{"a":1}\n\n  \n{"b":2}')
    assert read(file) == [(1, '{"a":1}'), (4, '{"b":2}')]


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf{}\r\n{}\r\n")
    assert [text.strip() for _, text in read(file)] == ["{}", "{}"]


def test_a_line_that_is_not_utf8_is_told_and_reading_goes_on(file: Path) -> None:
    file.write_bytes(b'{"a":"\xff"}\n{}\n')
    assert read(file) == [(1, "bad_utf8"), (2, "{}")]


def test_a_line_beyond_the_limit_is_told_and_never_held(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LINE_BYTES_MAX", 10)
    file.write_bytes(b"x" * 200_000 + b"\n1234567890\n12345678901\n{}")
    assert read(file) == [(1, "line_too_long"), (2, "1234567890"), (3, "line_too_long"), (4, "{}")]


def test_lines_longer_than_one_chunk_arrive_whole(file: Path) -> None:
    long = "x" * (store.CHUNK_BYTES * 2 + 17)
    file.write_text(f"{long}\n{long}\n")
    assert read(file) == [(1, long), (2, long)]


def test_gzip_is_known_by_its_first_bytes_whatever_the_name(file: Path) -> None:
    file.write_bytes(gzip.compress(b"{}\n") + gzip.compress(b"[]\n"))
    assert read(file) == [(1, "{}"), (2, "[]")]


def test_a_cut_off_gzip_gives_what_it_holds_and_ends_in_one_fault(file: Path) -> None:
    rows = [f'{{"n": {number}, "x": "{number * 7919}"}}' for number in range(5_000)]
    whole = gzip.compress("\n".join(rows).encode())
    file.write_bytes(whole[: len(whole) // 2])
    *good, last = read(file)
    assert [text for _, text in good] == rows[: len(good)]
    assert len(good) > 1_000
    assert last == (len(good) + 1, "damaged_gzip")


@pytest.mark.parametrize("damage", [b"\x1f\x8b", b"\x1f\x8b\x08\x00garbage that is no deflate stream at all", b"\x1f\x8b\x07rest"])
def test_a_file_that_only_begins_like_gzip_is_one_fault_of_the_file(file: Path, damage: bytes) -> None:
    file.write_bytes(damage)
    assert read(file) == [(0, "damaged_gzip")]


def test_a_wrong_checksum_is_a_fault_after_the_lines(file: Path) -> None:
    packed = bytearray(gzip.compress(b"{}\n{}\n"))
    packed[-8] ^= 0xFF
    file.write_bytes(packed)
    assert read(file) == [(1, "{}"), (2, "{}"), (3, "damaged_gzip")]


def test_a_missing_file_is_a_fault_of_the_file(file: Path) -> None:
    assert read(file) == [(0, "unreadable_file")]


def test_an_empty_file_has_no_lines(file: Path) -> None:
    file.touch()
    assert read(file) == []


def test_a_folder_gives_its_ndjson_files_by_name(tmp_path: Path) -> None:
    for name in ("b.ndjson", "a.ndjson.gz", "C.NDJSON", "notes.txt", "d.json"):
        (tmp_path / name).touch()
    (tmp_path / "folder.ndjson").mkdir()
    assert [path.name for path in store.ndjson_files([tmp_path])] == ["C.NDJSON", "a.ndjson.gz", "b.ndjson"]


def test_a_folder_without_such_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingToImport):
        store.ndjson_files([tmp_path])
