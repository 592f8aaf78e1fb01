"""From a row to a value, by a mapping. What is needed and missing, or cannot be read, ends that row, with a code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, cast, get_args
from uuid import UUID

import msgspec

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, Patient, RegisterPatient
from carewright.migration.model.mapping import FileMapping
from carewright.migration.model.reasons import RowRejected

Status = Literal["booked", "cancelled", "noshow", "fulfilled"]
GENDERS = ("male", "female", "other", "unknown")


@dataclass(frozen=True, slots=True)
class PatientRow:
    """What a row says of a patient: `said` are the fields that the mapping names, empty ones left out."""

    source_id: str
    said: Mapping[str, Any]
    identifiers: tuple[Identifier, ...]

    def onto(self, before: Patient | None, id_: UUID) -> Patient:
        """The record with what the row says: what it does not speak of stays, and no identifier is taken away."""
        known = before or Patient(id=id_, family="-")
        fresh = tuple(each for each in self.identifiers if each not in known.identifiers)
        return msgspec.structs.replace(known, **self.said, identifiers=(*known.identifiers, *fresh))


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """What a row says of an appointment. `patient` is the older system's id of the patient; the rest are ours.

    `end` is compared alone: how long a visit takes is said by its kind.
    """

    source_id: str
    patient: str
    start: datetime
    visit_type_id: UUID
    site_id: UUID
    practitioner_id: UUID | None
    status: Status
    end: datetime | None = None


class Fields:
    """The values of one row by the mapping's fields: from the column or the constant, and through the table of codes."""

    def __init__(self, mapping: FileMapping, values: Mapping[str, str]) -> None:
        self._mapping, self._values = mapping, values

    def text(self, field: str) -> str:
        """Empty where there is none. Raises `RowRejected` for a word that the field's table does not have."""
        column = self._mapping.columns.get(field)
        found = self._values[column] if column else ""
        found = found or self._mapping.constants.get(field, "")
        table = self._mapping.codes.get(field)
        if not found or table is None:
            return found
        if found not in table:
            raise RowRejected("unknown_code", field)
        return table[found]

    def needed(self, field: str) -> str:
        found = self.text(field)
        if not found:
            raise RowRejected("missing_value", field)
        return found

    def one_of(self, field: str, words: tuple[str, ...]) -> str:
        found = self.text(field)
        if found and found not in words:
            raise RowRejected("unknown_code", field)
        return found

    def id(self, field: str) -> UUID | None:
        """An id of ours, which the table of codes gives or the file itself has."""
        text = self.text(field)
        try:
            return UUID(text) if text else None
        except ValueError as fault:
            raise RowRejected("not_an_id", field) from fault

    def needed_id(self, field: str) -> UUID:
        found = self.id(field)
        if found is None:
            raise RowRejected("missing_value", field)
        return found

    def day(self, field: str) -> date | None:
        at = self._time(field, self._mapping.date, "invalid_date")
        return at.date() if at else None

    def instant(self, field: str) -> datetime | None:
        """The instant; a time without a zone is one of the mapping's. One that a clock change leaves out is refused."""
        at = self._time(field, self._mapping.start, "invalid_time")
        if at is None:
            return None
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        placed = at.replace(tzinfo=self._mapping.zone).astimezone(UTC)
        if placed.astimezone(self._mapping.zone).replace(tzinfo=None) != at:
            raise RowRejected("no_such_time", field)
        return placed

    def needed_instant(self, field: str) -> datetime:
        found = self.instant(field)
        if found is None:
            raise RowRejected("missing_value", field)
        return found

    def _time(self, field: str, form: str, code: str) -> datetime | None:
        text = self.text(field)
        try:
            return datetime.strptime(text, form) if text else None  # noqa: DTZ007  # where it has no zone, the caller gives it one
        except ValueError as fault:
            raise RowRejected(code, field) from fault


def read_patient(mapping: FileMapping, values: Mapping[str, str]) -> PatientRow:
    """A patient, known by the source's id. Raises `RowRejected`."""
    fields = Fields(mapping, values)
    source_id = fields.needed("id")
    contacts: tuple[tuple[Literal["phone", "email"], str], ...] = ("phone", fields.text("phone")), ("email", fields.text("email"))
    said = {
        "family": fields.needed("family"), "given": tuple(fields.text("given").split()), "birth_on": fields.day("birth_on"),
        "gender": fields.one_of("gender", GENDERS), "language": fields.text("language"),
        "telecom": tuple(ContactPoint(system=system, value=value) for system, value in contacts if value),
    }  # fmt: skip
    _ensure_form(said)
    others = [Identifier(system=system, value=values[column]) for system, column in mapping.identifiers.items() if values[column]]
    own = Identifier(system=mapping.source, value=source_id)
    return PatientRow(source_id, {name: value for name, value in said.items() if value}, (own, *others))


def _ensure_form(said: Mapping[str, Any]) -> None:
    """Hold what a row says against the form of a registration. Raises `RowRejected`, which names the field and not its value."""
    given = msgspec.to_builtins({name: value for name, value in said.items() if value})
    try:
        msgspec.convert(given, RegisterPatient)
    except msgspec.ValidationError as fault:
        raise RowRejected("out_of_form", str(fault).rpartition("$.")[2].strip("`")) from fault


def read_appointment(mapping: FileMapping, values: Mapping[str, str]) -> AppointmentRow:
    """An appointment, known by the source's id. Raises `RowRejected`."""
    fields = Fields(mapping, values)
    return AppointmentRow(
        source_id=fields.needed("id"), patient=fields.needed("patient"), start=fields.needed_instant("start"),
        visit_type_id=fields.needed_id("visit_type"), site_id=fields.needed_id("site"), practitioner_id=fields.id("practitioner"),
        status=cast("Status", fields.one_of("status", get_args(Status)) or "booked"), end=fields.instant("end"),
    )  # fmt: skip
