"""CSV files as others write them (RFC 4180, and what programs make of it): any separator, any usual encoding, lines of any end."""

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from carewright.contracts.migration import FileUnreadable

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = (",", ";", "\t", "|")
CHUNK_BYTES = 1 << 20
FALLBACK = "windows-1252"
"""What a program that does not write UTF-8 most likely writes."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written, and how many lines it has."""

    encoding: str
    separator: str
    lines: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the line it begins in, counted from 1, and its values by column.

    `fault` says why there are none, `aside` why there is nothing to bring in it; `source_id` is its id there, where that may be told.
    """

    line: int
    values: Mapping[str, str]
    fault: str = ""
    aside: str = ""
    source_id: str | None = None


def form_of(path: Path, encoding: str = "", separator: str = "") -> Form:
    """The form that the file has; what the mapping says goes before what is guessed. Raises `FileUnreadable`."""
    try:
        encoding = encoding or _encoding_of(path)
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline()
            lines = 1 + sum(1 for _ in file)
    except (OSError, UnicodeError, LookupError) as fault:
        raise FileUnreadable(reason=type(fault).__name__) from fault
    return Form(encoding, separator or max(SEPARATORS, key=first.count), lines)


def header_of(path: Path, form: Form) -> list[str]:
    """The names of the columns. Raises `FileUnreadable` where they are none, or not each its own."""
    with path.open(encoding=form.encoding, newline="") as file:
        try:
            header = [name.strip() for name in next(_reader(file, form), [])]
        except csv.Error as fault:
            raise FileUnreadable(reason="header") from fault
    if not header or len(set(header)) != len(header) or not all(header):
        raise FileUnreadable(reason="header")
    return header


def records_of(path: Path, form: Form) -> Iterator[Record]:
    """Every record behind the header, blank lines left out."""
    header = header_of(path, form)
    with path.open(encoding=form.encoding, newline="") as file:
        reader = _reader(file, form)
        next(reader)
        while (record := _next(reader, header)) is not None:
            if record.values or record.fault:
                yield record


def _reader(file: TextIO, form: Form) -> "Reader":
    return csv.reader(file, delimiter=form.separator, strict=True)


def _next(reader: "Reader", header: list[str]) -> Record | None:
    """The next record, without values for a blank line; None at the end. One that is out of form does not end the file."""
    line = reader.line_num + 1
    try:
        cells = next(reader)
    except StopIteration:
        return None
    except (csv.Error, UnicodeError):
        return Record(line, {}, "not_csv")
    if not any(cell.strip() for cell in cells):
        return Record(line, {})
    if len(cells) != len(header):
        return Record(line, {}, "wrong_width")
    return Record(line, dict(zip(header, (cell.strip() for cell in cells), strict=True)))


def _encoding_of(path: Path) -> str:
    """By its byte order mark, else UTF-8 if all of it is, else Windows-1252."""
    with path.open("rb") as file:
        begin = file.read(4)
        if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return FALLBACK
    return "utf-8-sig"
