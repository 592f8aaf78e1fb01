"""Dumps of MySQL and MariaDB (`mysqldump`, `mariadb-dump`, phpMyAdmin): the rows of some tables, read and never run.

Only two statements are understood: CREATE TABLE, for the names of columns, and INSERT ... VALUES with plain values (strings, numbers,
NULL).
Every other one is passed over. What is no such statement to its end is no dump, and is refused as a whole: after a string that was cut
off nobody knows where the next row begins. Strings and their escapes: MySQL 8.0 Reference Manual, 11.1.1 String Literals. Bytes are
decoded value by value, because a dump holds binary columns as they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from carewright.contracts.migration import DumpUnreadable

CHUNK_BYTES = 1 << 20
TOKEN_BYTES_MAX = 64 << 20
"""A value may be as long as MySQL's largest packet by default (`max_allowed_packet`, 64 MiB)."""
ENCODINGS: Mapping[bytes, str] = {
    b"utf8": "utf-8", b"utf8mb3": "utf-8", b"utf8mb4": "utf-8", b"latin1": "windows-1252", b"latin2": "iso8859-2", b"latin5": "iso8859-9",
    b"cp1250": "windows-1250", b"cp1251": "windows-1251", b"greek": "iso8859-7", b"koi8r": "koi8-r",
}  # fmt: skip
"""What `SET NAMES` says, as Python has it (MySQL's latin1 is Windows-1252)."""
ESCAPES: Mapping[bytes, bytes] = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}
"""Any other character stands for itself."""
HEAD_BYTES_MAX = 64 << 10
"""The begin of a statement, up to its values: its words, and the names of as many columns as a table may have."""
STATEMENT_PARTS_MAX = 8

_SPACE = re.compile(rb"[\s;]++")
_LINE = re.compile(rb"[^\n]*+(?:\n|\Z)")
_BLOCK = re.compile(rb"/\*.*?\*/", re.DOTALL)
_ROUTINE = re.compile(rb"DELIMITER\s.*?\nDELIMITER\s+;[^\n]*+(?:\n|\Z)", re.DOTALL | re.IGNORECASE)
_NAME = rb"(?:`[^`]+`\s*\.\s*)?`?([^`\s.(]+)`?"
_INSERT = re.compile(rb"(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s+" + _NAME + rb"\s*(\([^)]*\))?\s*VALUES\s*(?=\()", re.IGNORECASE)
_CREATE = re.compile(rb"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?" + _NAME + rb"\s*\(", re.IGNORECASE)
_STRING = rb"'(?:[^'\\]++|\\.|'')*+'"
_PASSED = re.compile(rb"(?:[^;'\"`]++|" + _STRING + rb'|"(?:[^"\\]++|\\.|"")*+"|`[^`]*+`)++', re.DOTALL)
_VALUE = re.compile(
    rb"\s*+(?:_[a-z0-9]+\s*+)?(?:(" + _STRING + rb")|(NULL)|([-+0-9][-+.0-9eE]*+|0x[0-9A-Fa-f]++|b'[01]*+'))\s*+([,)])", re.DOTALL
)
_BETWEEN = re.compile(rb"\s*+([,;])")
_OPEN = re.compile(rb"\s*+\(")
_COLUMN = re.compile(rb"^\s*`([^`]+)`\s", re.MULTILINE)
_NAMED = re.compile(rb"[^\s`,()]+")
_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)
_CHARSET = re.compile(rb"SET\s+NAMES\s+'?(\w+)", re.IGNORECASE)


class Said(Protocol):
    """What a row says."""

    @property
    def raw(self) -> Mapping[str, Any]:
        """By column, as it was written."""

    def text(self, column: str) -> str:
        """Empty for nothing, and for a column that is not there. Raises `UnicodeError`."""


class Entry(NamedTuple):
    """One row of a table: its number there, counted from 1, and what it says; `fault` says why that is None."""

    table: str
    number: int
    values: Said | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """A row's values, each decoded when it is asked for."""

    raw: Mapping[str, bytes | None]
    encoding: str

    def text(self, column: str) -> str:
        """Empty for NULL, and for a column that the table does not have. Raises `UnicodeError`."""
        found = self.raw.get(column)
        if found is None:
            return ""
        if found.startswith(b"'"):
            found = _ESCAPE.sub(_unescaped, found[1:-1])
        return found.decode(self.encoding).strip()


def entries_of(path: Path, tables: Collection[str], encoding: str = "", passed: Callable[[int], None] | None = None) -> Iterator[Entry]:
    """Every row of those tables, in the order of the file; `passed` hears how many bytes were read. Raises `DumpUnreadable`."""
    with _opened(path) as window:
        columns: dict[str, Sequence[str]] = {}
        numbers: Counter[str] = Counter()
        while window.skip_blank():
            if passed:
                passed(window.read_bytes)
            if (created := window.begins(_CREATE)) is not None:
                columns[_text(created[1])] = [_text(each) for each in _COLUMN.findall(b"\n" + window.statement())]
            elif (inserted := window.begins(_INSERT)) is not None and (table := _text(inserted[1])) in tables:
                named = [_text(each) for each in _NAMED.findall(inserted[2] or b"")] or columns.get(table, ())
                for cells in window.rows():
                    numbers[table] += 1
                    if len(cells) == len(named):
                        raw = dict(zip(named, cells, strict=True))
                        yield Entry(table, numbers[table], Values(raw, encoding or window.encoding))
                    else:
                        yield Entry(table, numbers[table], None, "wrong_width")
            else:
                window.statement()
        if window.promises_an_end and not window.is_complete:
            raise DumpUnreadable("The dump ends before its last line, `-- Dump completed`: it was cut off.")


def size_of(path: Path) -> int:
    """Bytes. Raises `DumpUnreadable`."""
    try:
        return path.stat().st_size
    except OSError as fault:
        raise DumpUnreadable(f"The file cannot be read ({type(fault).__name__}).") from fault


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return ESCAPES.get(found[1], found[1]) if found[1] else b"'"


@contextmanager
def _opened(path: Path) -> Iterator["_Window"]:
    try:
        with path.open("rb") as file:
            yield _Window(file)
    except OSError as fault:
        raise DumpUnreadable(f"The file cannot be read ({type(fault).__name__}).") from fault


class _Window:
    """The part of the file that is looked at. It holds a chunk, or the one token that is longer."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._held, self._at, self._behind, self._ended = file, b"", 0, 0, False
        self.encoding, self.promises_an_end, self.is_complete = "utf-8", False, False
        self._more()
        if self._held.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DumpUnreadable("The dump is UTF-16, as PowerShell's `>` writes it. Write it with: mysqldump --result-file=dump.sql.")
        self._at = 3 if self._held.startswith(b"\xef\xbb\xbf") else 0

    @property
    def read_bytes(self) -> int:
        return self._behind + self._at

    def begins(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """What stands here, passed over, if it begins a statement so; None if not."""
        self._look(HEAD_BYTES_MAX)
        found = pattern.match(self._held, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """What must stand here, passed over. A match that touches the end of what is held is looked at again with more."""
        while True:
            found = pattern.match(self._held, self._at)
            if found is not None and (found.end() < len(self._held) or self._ended):
                self._at = found.end()
                return found
            if not self._more() and found is None:
                raise self._fault()

    def skip_blank(self) -> bool:
        """Pass over space, comments and routines; whether a statement begins here."""
        while self._look(HEAD_BYTES_MAX):
            begin = self._held[self._at : self._at + 10].upper()
            if _SPACE.match(begin):
                self.take(_SPACE)
            elif begin.startswith((b"--", b"#")):
                self._note(self.take(_LINE)[0])
            elif begin.startswith(b"/*"):
                self._note(self.take(_BLOCK)[0])
            elif begin.startswith(b"DELIMITER"):
                self.take(_ROUTINE)
            else:
                return True
        return False

    def _note(self, comment: bytes) -> None:
        """What a comment says of the dump: whose it is, that it is whole, and its encoding."""
        if comment.startswith((b"-- MySQL dump", b"-- MariaDB dump")):
            self.promises_an_end = True
        elif comment.startswith(b"-- Dump completed"):
            self.is_complete = True
        elif named := _CHARSET.search(comment):
            self.encoding = ENCODINGS.get(named[1].lower(), self.encoding)

    def statement(self) -> bytes:
        """Pass over what is left of a statement, up to its semicolon; the text of a short one."""
        parts: list[bytes] = []
        while True:
            if (found := _PASSED.match(self._held, self._at)) is not None:
                self._at = found.end()
                if len(parts) < STATEMENT_PARTS_MAX:
                    parts.append(found[0])
            if self._held[self._at : self._at + 1] == b";":
                return b"".join(parts)
            if not self._more():
                raise self._fault()

    def rows(self) -> Iterator[Sequence[bytes | None]]:
        """The rows behind VALUES."""
        while True:
            self.take(_OPEN)
            cells: list[bytes | None] = []
            while True:
                text, null, number, end = self.take(_VALUE).groups()
                cells.append(None if null else text or number)
                if end == b")":
                    break
            yield cells
            if self.take(_BETWEEN)[1] == b";":
                return

    def _look(self, size: int) -> bool:
        """Hold so many bytes from here on, or what is left; whether anything is."""
        while len(self._held) - self._at < size and self._more():
            pass
        return self._at < len(self._held)

    def _more(self) -> bool:
        """Hold another chunk, and let go of what was passed; False at the end. Raises `DumpUnreadable` for a token without end."""
        if self._ended:
            return False
        if len(self._held) - self._at > TOKEN_BYTES_MAX:
            raise self._fault()
        chunk = self._file.read(CHUNK_BYTES)
        self._behind += self._at
        self._held, self._at, self._ended = self._held[self._at :] + chunk, 0, not chunk
        return bool(chunk)

    def _fault(self) -> DumpUnreadable:
        return DumpUnreadable(f"The dump cannot be read at byte {self.read_bytes}: it was cut off, or is no dump of MySQL.")
