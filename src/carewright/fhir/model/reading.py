"""From a line of JSON to a draft: a contract value whose id and references are still to be filled in."""

import re
from collections.abc import Callable
from typing import Any, cast, get_args

import msgspec

from carewright.contracts.directory import (
    Coding,
    Device,
    Identifier,
    Location,
    LocationKind,
    Organization,
    Practitioner,
    PractitionerRole,
)
from carewright.contracts.encounters import Encounter, EncounterStatus
from carewright.contracts.patients import Patient
from carewright.contracts.vitals import Observation
from carewright.fhir.model import r4, staff
from carewright.fhir.model.entry_rows import (
    KIND_OF_PHYSICAL_TYPE,
    NIL,
    PHYSICAL_TYPES,
    physical_type,
    qualified_as,
    read_device,
    read_organization,
    read_place,
    read_practitioner,
    read_role,
    room_type,
)
from carewright.fhir.model.fields import Reader
from carewright.fhir.model.observed import read_observation
from carewright.fhir.model.references import FHIR_ID, Ref, ResourceType, read_ref, source_identifier
from carewright.fhir.model.reports import Remark, RowRejected
from carewright.fhir.model.staff import StaffKind
from carewright.fhir.model.zones import zone_of

Value = Organization | Location | Practitioner | PractitionerRole | Device | Patient | Encounter | Observation

RESOURCE_NAME = re.compile(r"[A-Z][A-Za-z]{1,63}")
WHERE = re.compile(r"at `\$\.([^`]+)`$")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A row understood. `value` has `NIL` ids; the references say what they are to become.

    `staff_kind` is what a Practitioner's qualifications or a PractitionerRole's codes say, if anything. `participants` are practitioners,
    each with its role in an encounter.
    """

    source_id: str
    value: Value
    remarks: tuple[Remark, ...] = ()
    part_of: Ref | None = None
    organization: Ref | None = None
    practitioner: Ref | None = None
    patient: Ref | None = None
    places: tuple[Ref, ...] = ()
    encounter: Ref | None = None
    participants: tuple[tuple[Ref, Coding | None], ...] = ()
    staff_kind: StaffKind | None = None

    @property
    def refs(self) -> tuple[Ref, ...]:
        alone = (self.part_of, self.organization, self.practitioner, self.patient, self.encounter)
        return tuple(ref for ref in (*alone, *self.places, *(who for who, _ in self.participants)) if ref)


def read_head(text: str) -> tuple[str, str | None]:
    """The row's resource type, and its id where that is a FHIR id. Raises `RowRejected` for what is not a resource."""
    head = _decode(text, _HEAD, "not_an_object")
    if not isinstance(head.resource_type, str) or not RESOURCE_NAME.fullmatch(head.resource_type):
        raise RowRejected("bad_resource_type")
    known = isinstance(head.id, str) and FHIR_ID.fullmatch(head.id)
    return head.resource_type, head.id if known else None


def read_draft(resource_type: ResourceType, text: str) -> Draft:
    """Understand a row of `resource_type`. Raises `RowRejected` with the reason."""
    decoder, draft = _READERS[resource_type]
    row = _decode(text, decoder, "wrong_shape", resource_type)
    if not row.id:
        raise RowRejected("missing_id", f"{resource_type}.id")
    if not FHIR_ID.fullmatch(row.id):
        raise RowRejected("invalid_id", f"{resource_type}.id")
    return draft(row, Reader(resource_type))


def _decode(text: str, decoder: msgspec.json.Decoder[Any], otherwise: str, resource_type: str = "") -> Any:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as fault:
        where = WHERE.search(str(fault))
        raise RowRejected(otherwise, f"{resource_type}.{where[1]}" if where and resource_type else "") from None
    except (msgspec.DecodeError, RecursionError):
        raise RowRejected("bad_json") from None


def _known_by(row: r4.Resource, resource_type: ResourceType) -> tuple[Identifier, ...]:
    return (source_identifier(resource_type, cast("str", row.id)),)


def _organization(row: r4.Organization, reader: Reader) -> Draft:
    value = read_organization(row, reader, _known_by(row, "Organization"))
    return _draft(row, reader, value, part_of=read_ref(row.part_of, "Organization"))


def _location(row: r4.Location, reader: Reader) -> Draft:
    kind = _location_kind(row, reader)
    value = msgspec.structs.replace(
        read_place(row, kind, reader, _known_by(row, "Location")),
        time_zone=_time_zone(reader.address(row.address), reader) if kind == "site" else None,
        room_type=_room_type(row, reader) if kind in ("room", "bed") else None,
    )
    return _draft(
        row, reader, value, part_of=read_ref(row.part_of, "Location"), organization=read_ref(row.managing_organization, "Organization")
    )


def _location_kind(row: r4.Location, reader: Reader) -> LocationKind:
    """A place that stands alone is a site: flat exports know no other, and some call their hospitals buildings."""
    code = physical_type(row)
    kind = KIND_OF_PHYSICAL_TYPE.get(code or "")
    if row.part_of is None and (kind is None or code == "bu"):
        if code:
            reader.remark("assumed_kind", "physicalType")
        return "site"
    if kind is None:
        reader.remark("assumed_kind", "physicalType")
    return kind or "building"


def _time_zone(address: r4.Address | None, reader: Reader) -> str | None:
    found = zone_of(address.state, address.country) if address else None
    if found is None:
        return None
    if found[1] == "main":
        reader.remark("time_zone_assumed", "address.state")
    return found[0]


def _room_type(row: r4.Location, reader: Reader) -> Coding:
    """A room without a coded type is just a room."""
    return room_type(row, reader) or Coding(system=PHYSICAL_TYPES, code=physical_type(row) or "ro")


def _practitioner(row: r4.Practitioner, reader: Reader) -> Draft:
    value = read_practitioner(row, reader, _known_by(row, "Practitioner"))
    return _draft(row, reader, value, staff_kind=qualified_as(row))


def _practitioner_role(row: r4.PractitionerRole, reader: Reader) -> Draft:
    practitioner = read_ref(row.practitioner, "Practitioner")
    if practitioner is None:
        raise RowRejected("missing_practitioner", "PractitionerRole.practitioner")
    return _draft(
        row,
        reader,
        read_role(row, reader, _known_by(row, "PractitionerRole")),
        practitioner=practitioner,
        organization=read_ref(row.organization, "Organization"),
        places=reader.each(row.location, "location", lambda place: read_ref(place, "Location")),
        staff_kind=staff.kind_of((*row.code, *row.specialty)),
    )


def _device(row: r4.Device, reader: Reader) -> Draft:
    place = read_ref(row.location, "Location")
    return _draft(row, reader, read_device(row, reader, _known_by(row, "Device")), places=(place,) if place else ())


def _patient(row: r4.Patient, reader: Reader) -> Draft:
    return _draft(row, reader, read_patient(row, reader, _known_by(row, "Patient")))


def read_patient(row: r4.Patient, reader: Reader, known_by: tuple[Identifier, ...] = ()) -> Patient:
    """Who it is, with `NIL` as id and the identifiers `known_by` before their own.

    A person who has died stays on record but is not active: nothing can be booked for them.
    """
    name = reader.person(row.name)
    spoken = sorted(row.communication, key=lambda communication: not communication.preferred)
    languages = reader.languages(communication.language for communication in spoken if communication.language)
    return Patient(
        id=NIL,
        family=name.family,
        given=name.given,
        birth_on=reader.birth_date(row.birth_date),
        gender=reader.gender(row.gender),
        language=languages[0] if languages else None,
        telecom=reader.telecom(row.telecom),
        identifiers=(*known_by, *reader.identifiers(row.identifier)),
        active=row.active and not row.deceased_boolean and not row.deceased_date_time,
    )


def _encounter(row: r4.Encounter, reader: Reader) -> Draft:
    """A visit or stay. Diagnoses, the stay's circumstances and what was before it are passed over."""
    if row.status not in get_args(EncounterStatus):
        raise RowRejected("unknown_status", "Encounter.status")
    classes = reader.codings((r4.CodeableConcept((row.class_,)),) if row.class_ else (), "class")
    if not classes:
        raise RowRejected("missing_class", "Encounter.class")
    kinds = reader.codings((row.service_type,) if row.service_type else (), "serviceType")
    period = row.period or r4.Period()
    value = Encounter(
        id=NIL,
        patient_id=NIL,
        status=cast("EncounterStatus", row.status),
        encounter_class=classes[0],
        types=reader.codings(row.type, "type"),
        service_type=kinds[0] if kinds else None,
        start=reader.instant(period.start, "period.start"),
        end=reader.instant(period.end, "period.end"),
        identifiers=(*_known_by(row, "Encounter"), *reader.identifiers(row.identifier)),
    )
    return _draft(
        row,
        reader,
        value,
        patient=read_ref(row.subject, "Patient"),
        places=reader.each(row.location, "location", lambda each: read_ref(each.location, "Location")),
        participants=reader.each(row.participant, "participant", lambda each: _participant(each, reader)),
    )


def _participant(each: r4.EncounterParticipant, reader: Reader) -> tuple[Ref, Coding | None] | None:
    who, roles = read_ref(each.individual, "Practitioner"), reader.codings(each.type, "participant.type")
    return (who, roles[0] if roles else None) if who else None


def _observation(row: r4.Observation, reader: Reader) -> Draft:
    value = read_observation(row, reader, (*_known_by(row, "Observation"), *reader.identifiers(row.identifier)))
    return _draft(
        row, reader, value, patient=read_ref(row.subject, "Patient"), encounter=read_ref(row.encounter, "Encounter"),
    )  # fmt: skip


def _draft(row: r4.Resource, reader: Reader, value: Value, **references: Any) -> Draft:
    return Draft(source_id=cast("str", row.id), value=value, remarks=reader.remarks, **references)


_HEAD = msgspec.json.Decoder(r4.Head)
_READERS: dict[ResourceType, tuple[msgspec.json.Decoder[Any], Callable[[Any, Reader], Draft]]] = {
    "Organization": (msgspec.json.Decoder(r4.Organization), _organization),
    "Location": (msgspec.json.Decoder(r4.Location), _location),
    "Practitioner": (msgspec.json.Decoder(r4.Practitioner), _practitioner),
    "PractitionerRole": (msgspec.json.Decoder(r4.PractitionerRole), _practitioner_role),
    "Device": (msgspec.json.Decoder(r4.Device), _device),
    "Patient": (msgspec.json.Decoder(r4.Patient), _patient),
    "Encounter": (msgspec.json.Decoder(r4.Encounter), _encounter),
    "Observation": (msgspec.json.Decoder(r4.Observation), _observation),
}
