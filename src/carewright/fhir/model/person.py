"""What a Patient that was sent to us says (https://hl7.org/fhir/R4/patient.html), and whether we know that person already.

What we have a place for and cannot keep is refused. What we have no place for is left out, and told to whoever asks for an
OperationOutcome; unless it changes what the rest means (R4: modifier elements), then it is refused too.
"""

from typing import Literal, TypeVar

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.contracts.patients import Identity, Patient
from carewright.fhir.model import r4
from carewright.fhir.model.fields import Reader
from carewright.fhir.model.left_out import ensure_unmodified
from carewright.fhir.model.reading import read_patient
from carewright.fhir.model.reports import Remark, RowRejected
from carewright.fhir.model.writes import field_of
from carewright.kernel.folding import folded

HARMLESS = frozenset({"fhir.import.text_repaired", "fhir.import.name_incomplete"})
ELEMENTS = {
    "family": "name.family", "given": "name.given", "birth_on": "birthDate", "gender": "gender", "language": "communication",
    "telecom": "telecom", "identifiers": "identifier", "active": "active",
}  # fmt: skip
"""Our fields of a patient, and the elements of a Patient that they come from."""
Command = TypeVar("Command", bound=Identity)


def read_person(resource: Resource) -> Patient:
    """Who is meant, without an id. Raises `InvalidElement` with the FHIRPath of what cannot be kept."""
    ensure_unmodified(resource, "link")
    reader = Reader("Patient")
    try:
        said = read_patient(msgspec.convert(resource, r4.Patient), reader)
    except RowRejected as refusal:
        raise _invalid(refusal.remark) from None
    for remark in reader.remarks:
        if remark.code not in HARMLESS:
            raise _invalid(remark)
    return said


def commanded(kind: type[Command], said: Patient, **more: object) -> Command:
    """The command that has these values, held against its own limits. Raises `InvalidElement`."""
    fields = {field.name for field in msgspec.structs.fields(kind)} & ELEMENTS.keys()
    values = {name: value for name, value in msgspec.to_builtins(said).items() if name in fields}
    try:
        return msgspec.convert(values | more, kind)
    except msgspec.ValidationError as fault:
        raise InvalidElement("This is longer than we keep.", expression=expression_of(field_of(fault))) from None


def expression_of(field: str) -> str:
    """The FHIRPath of one of our fields."""
    return f"Patient.{ELEMENTS[field]}" if field in ELEMENTS else "Patient"


def is_same(known: Patient, said: Patient) -> bool:
    """Whether a record is that of the person who is meant: name and birth date, no other gender, and a number or a contact in common."""
    genders: set[Literal["male", "female", "other", "unknown"] | None] = {known.gender, said.gender} - {None, "unknown"}
    return (
        _name(known) == _name(said)
        and known.birth_on == said.birth_on is not None
        and len(genders) < 2
        and not (_reach(known).isdisjoint(_reach(said)))
    )


def _name(one: Patient) -> tuple[str, str]:
    return folded(one.family), folded(" ".join(one.given))


def _reach(one: Patient) -> set[tuple[str, str]]:
    return {(each.system, each.value) for each in one.identifiers} | {(each.system, each.key()) for each in one.telecom}


def _invalid(remark: Remark) -> InvalidElement:
    return InvalidElement(remark.reason.partition(" (")[0], expression=remark.where or "Patient")
