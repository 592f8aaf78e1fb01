"""Exports of FHIR R4 servers (NDJSON, plain or gzip): the Appointments, as rows. What else is in a file is a row with its type alone.

Appointment: https://hl7.org/fhir/R4/appointment.html. Whoever takes part is named by the id of the reference, as `carewright import fhir`
names them: the server's own address before it is passed over.
"""

import codecs
import gzip
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from carewright.contracts.migration import DumpUnreadable
from carewright.migration.store.dumps import Entry

TABLE = "Appointment"
LINE_BYTES_MAX = 4 << 20
ACTORS = ("Patient", "Practitioner", "Location")


class _Coding(msgspec.Struct, frozen=True):
    code: str = ""


class _Concept(msgspec.Struct, frozen=True):
    coding: tuple[_Coding, ...] = ()


class _Reference(msgspec.Struct, frozen=True):
    reference: str = ""


class _Participant(msgspec.Struct, frozen=True):
    actor: _Reference = _Reference()


class _Appointment(msgspec.Struct, frozen=True, rename="camel"):
    resource_type: str
    id: str = ""
    status: str = ""
    start: str = ""
    end: str = ""
    service_type: tuple[_Concept, ...] = ()
    appointment_type: _Concept = _Concept()
    participant: tuple[_Participant, ...] = ()


class _Other(msgspec.Struct, frozen=True, rename="camel"):
    resource_type: str


@dataclass(frozen=True, slots=True)
class Said:
    """What an Appointment says, by column."""

    raw: Mapping[str, str]

    def text(self, column: str) -> str:
        return self.raw.get(column, "")


def entries_of(path: Path, _tables: Collection[str], _encoding: str = "", passed: Callable[[int], None] | None = None) -> Iterator[Entry]:
    """Every line that is not blank, numbered as the lines of the file. Raises `DumpUnreadable`."""
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            lines = gzip.open(file) if is_packed else file  # noqa: SIM115  # it ends with the file that it reads
            number = 0
            while line := lines.readline(LINE_BYTES_MAX + 1):
                number += 1
                if len(line) > LINE_BYTES_MAX:
                    raise DumpUnreadable(f"Line {number} is longer than 4 MiB: this is no NDJSON.")
                if passed:
                    passed(file.tell())
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                if line.strip():
                    yield _entry(number, line)
    except (OSError, EOFError, zlib.error) as fault:
        raise DumpUnreadable(f"The file cannot be read ({type(fault).__name__}).") from fault


def _entry(number: int, line: bytes) -> Entry:
    try:
        other = msgspec.json.decode(line, type=_Other)
        if other.resource_type != TABLE:
            return Entry(TABLE, number, Said(_columns(_Appointment(resource_type=other.resource_type))))
        return Entry(TABLE, number, Said(_columns(msgspec.json.decode(line, type=_Appointment))))
    except (msgspec.DecodeError, UnicodeError):
        return Entry(TABLE, number, None, "not_json")


def _columns(said: _Appointment) -> dict[str, str]:
    codes = [coding.code for concept in (*said.service_type, said.appointment_type) for coding in concept.coding if coding.code]
    columns = {
        "resourceType": said.resource_type, "id": said.id, "status": said.status, "start": _instant(said.start),
        "end": _instant(said.end),
        "type": next(iter(codes), ""),
    }  # fmt: skip
    return columns | {kind: _actor(said.participant, kind) for kind in ACTORS}


def _instant(text: str) -> str:
    """An instant without the fractions of its second. What is none stays as it is, and is told where it is read."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.strftime("%Y-%m-%dT%H:%M:%S%z")


def _actor(participants: Sequence[_Participant], kind: str) -> str:
    """The id of the first who takes part of that kind; empty for none."""
    split: list[Any] = [each.actor.reference.split("/") for each in participants]
    return next((parts[-1] for parts in split if len(parts) > 1 and parts[-2] == kind), "")
