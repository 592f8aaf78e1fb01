"""What the rim reads and keeps: files of NDJSON, plain or gzip, line by line and never as a whole; and which exports were asked for.

Whatever is wrong with a file is told as a fault of one line, so that reading goes on where it can. Tables of FHIR's own definitions come
with the package.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec

from carewright.fhir.model import definitions
from carewright.fhir.model.exports import Export
from carewright.fhir.model.reports import NothingToImport
from carewright.fhir.model.searching.definitions import Definitions, decoded
from carewright.kernel.db import Session
from carewright.kernel.sql import load

Q = load("carewright.fhir")

LINE_BYTES_MAX = 4 * 1024 * 1024
"""A line beyond this is rejected. Resources are a few kilobytes; pictures inside one may take some more."""

CHUNK_BYTES = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SUFFIXES = (".ndjson", ".ndjson.gz")


class Line(msgspec.Struct, frozen=True):
    """One line, counted from 1: its text, or the code of what is wrong with it. `read_bytes` of the file are behind it."""

    number: int
    text: str
    fault: str | None
    read_bytes: int


def ndjson_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files themselves and the NDJSON files of the folders among `paths`, by name. Raises `NothingToImport` for none."""
    found = [file for path in paths for file in (_within(path) if path.is_dir() else (path,))]
    if not found:
        raise NothingToImport
    return tuple(dict.fromkeys(found))


def _within(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and not path.is_dir())


def size_of(path: Path) -> int:
    """Bytes on disk; 0 where the file cannot be asked."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_lines(path: Path) -> Iterator[Line]:
    """Every line of a file that is not blank. A file that cannot be read, or breaks off, ends in a line with that fault."""
    lines = _Lines()
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if packed else file
            while chunk := stream.read1(CHUNK_BYTES):
                yield from lines.feed(chunk, file)
            yield from lines.rest(file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield lines.fault("damaged_gzip")
    except OSError:
        yield lines.fault("unreadable_file")


class _Lines:
    """Cuts chunks into lines, holding at most one unfinished line of at most `LINE_BYTES_MAX`."""

    def __init__(self) -> None:
        self._number = 0
        self._unfinished = bytearray()
        self._too_long = False

    def feed(self, chunk: bytes, file: BinaryIO) -> Iterator[Line]:
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            self._add(piece)
            yield from self.rest(file)
        self._add(last)

    def rest(self, file: BinaryIO) -> Iterator[Line]:
        """The unfinished line, taken as a whole one."""
        raw, too_long = bytes(self._unfinished), self._too_long
        self._unfinished.clear()
        self._too_long = False
        self._number += 1
        if self._number == 1:
            raw = raw.removeprefix(BYTE_ORDER_MARK)
        if too_long:
            yield Line(self._number, "", "line_too_long", file.tell())
        elif raw.strip():
            yield _line(self._number, raw, file.tell())

    def fault(self, code: str) -> Line:
        """What ends the file here. An unfinished line is lost with it, and the two count as one."""
        return Line(self._number + 1 if self._number or self._unfinished else 0, "", code, 0)

    def _add(self, piece: bytes) -> None:
        if self._too_long or len(self._unfinished) + len(piece) > LINE_BYTES_MAX:
            self._too_long = True
            self._unfinished.clear()
        else:
            self._unfinished += piece


def _line(number: int, raw: bytes, read_bytes: int) -> Line:
    try:
        return Line(number, raw.decode(), None, read_bytes)
    except UnicodeDecodeError:
        return Line(number, "", "bad_utf8", read_bytes)


@cache
def search_definitions() -> Definitions:
    """R4's search parameters, from the table that comes with the package."""
    return decoded(resources.files("carewright.fhir").joinpath("definitions", "search.json").read_bytes())


@cache
def r4_definitions() -> definitions.Definitions:
    """The forms of R4's types, from the table that comes with the package."""
    return definitions.read_definitions(resources.files("carewright.fhir").joinpath("definitions", "r4.json").read_bytes())


async def insert_export(tx: Session, organization_id: UUID, subject: str, made: Export, open_max: int) -> bool:
    """False where this subject has `open_max` exports that live."""
    row = await tx.fetch_one(
        Q.insert_export, organization_id, made.id, subject, list(made.kinds), made.since, made.request, made.asked_at, made.until, open_max,
        list(made.elements), list(made.filters), made.group_id,
    )  # fmt: skip
    return row is not None


async def export_by_id(db: Session, organization_id: UUID, export_id: UUID, subject: str, now: datetime) -> Export | None:
    row = await db.fetch_one(Q.export_by_id, organization_id, export_id, subject, now)
    return Export(**{**row, **{name: tuple(row[name]) for name in ("kinds", "elements", "filters")}}) if row else None


async def delete_export(tx: Session, organization_id: UUID, export_id: UUID, subject: str, now: datetime) -> bool:
    """False where this subject has no such export that lives."""
    return await tx.fetch_one(Q.delete_export, organization_id, export_id, subject, now) is not None


async def forget_exports(db: Session, now: datetime, limit: int) -> None:
    """Delete what is over, `limit` at most."""
    await db.execute(Q.forget_exports, now, limit)
