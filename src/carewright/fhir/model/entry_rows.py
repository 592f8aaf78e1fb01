"""What FHIR says of the directory's entries, as imports and writes read it alike. Ids and references are still `NIL`, or not there."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

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
from carewright.fhir.model import r4, staff
from carewright.fhir.model.fields import Reader
from carewright.fhir.model.reports import RowRejected
from carewright.fhir.model.staff import StaffKind

NIL = UUID(int=0)
PHYSICAL_TYPES = "http://terminology.hl7.org/CodeSystem/location-physical-type"
KIND_OF_PHYSICAL_TYPE: dict[str, LocationKind] = {
    "si": "site",
    **dict.fromkeys(("bu", "wi", "wa", "lvl", "co", "area"), "building"),
    "ro": "room",
    "bd": "bed",
}
"""Wings, wards, levels, corridors and areas group rooms as a building does. Vehicles, houses, roads and the rest are unsupported."""

UNSUPPORTED_PHYSICAL_TYPES = frozenset({"ve", "ho", "ca", "rd", "jdn", "vi"})
DEVICE_NAME_ORDER = ("user-friendly-name", "patient-reported-name", "manufacturer-name", "model-name", "udi-label-name", "other")
Identifiers = tuple[Identifier, ...]
First = TypeVar("First")


def read_organization(row: r4.Organization, reader: Reader, known_by: Identifiers = ()) -> Organization:
    """With the identifiers `known_by` before its own, as in every reader here."""
    return Organization(id=NIL, name=reader.name(row.name), active=row.active, identifiers=(*known_by, *reader.identifiers(row.identifier)))


def read_place(row: r4.Location, kind: LocationKind, reader: Reader, known_by: Identifiers = ()) -> Location:
    """A place of this kind, without its time zone and its room type."""
    address = reader.address(row.address)
    return Location(
        id=NIL,
        kind=kind,
        name=reader.name(row.name),
        site_id=NIL,
        address=reader.address_line(address),
        postal=reader.postal_address(address),
        phone=first(point.value for point in reader.telecom(row.telecom) if point.system == "phone"),
        active=row.status == "active",
        identifiers=(*known_by, *reader.identifiers(row.identifier)),
    )


def physical_type(row: r4.Location) -> str | None:
    """The code of what a place is physically: R4's own, or the first there is. Raises `RowRejected` for what nobody can be seen at."""
    if row.mode == "kind":
        raise RowRejected("kind_of_place", "Location.mode")
    codings = row.physical_type.coding if row.physical_type else ()
    code = next((coding.code for coding in codings if coding.system == PHYSICAL_TYPES), codings[0].code if codings else None)
    if code in UNSUPPORTED_PHYSICAL_TYPES:
        raise RowRejected("unsupported_place", "Location.physicalType")
    return code


def room_type(row: r4.Location, reader: Reader) -> Coding | None:
    """The first coded type."""
    return first(reader.codings(row.type, "type"))


def read_practitioner(row: r4.Practitioner, reader: Reader, known_by: Identifiers = ()) -> Practitioner:
    """Somebody whom no qualification makes a nurse or a technician is a practitioner."""
    name = reader.person(row.name)
    return Practitioner(
        id=NIL,
        kind=qualified_as(row) or "practitioner",
        family=name.family,
        given=name.given,
        prefix=name.prefix,
        gender=reader.gender(row.gender),
        languages=reader.languages(row.communication),
        identifiers=(*known_by, *reader.identifiers(row.identifier)),
        active=row.active,
    )


def qualified_as(row: r4.Practitioner) -> StaffKind | None:
    """The kind of staff that somebody's qualifications say; None where they say none."""
    return staff.kind_of(qualification.code for qualification in row.qualification if qualification.code)


def read_role(row: r4.PractitionerRole, reader: Reader, known_by: Identifiers = ()) -> PractitionerRole:
    """What somebody does, without whose it is and where."""
    return PractitionerRole(
        id=NIL,
        practitioner_id=NIL,
        codes=reader.codings(row.code, "code"),
        specialties=reader.codings(row.specialty, "specialty"),
        identifiers=(*known_by, *reader.identifiers(row.identifier)),
        active=row.active,
    )


def read_device(row: r4.Device, reader: Reader, known_by: Identifiers = ()) -> Device:
    """A device with a patient is that person's: kept, never bookable, and the patient is not noted."""
    kind = first(reader.codings((row.type,) if row.type else (), "type"))
    if kind is None:
        raise RowRejected("missing_device_type", "Device.type")
    return Device(
        id=NIL,
        name=reader.name(_device_name(row) or (row.type.text if row.type else None) or kind.display, "deviceName"),
        device_type=kind,
        bookable=row.patient is None,
        identifiers=(*known_by, *reader.identifiers(row.identifier)),
        active=row.status == "active",
    )


def _device_name(row: r4.Device) -> str | None:
    named = [name for name in row.device_name if name.name]
    return min(named, key=_device_name_rank).name if named else None


def _device_name_rank(name: r4.DeviceName) -> int:
    return DEVICE_NAME_ORDER.index(name.type if name.type in DEVICE_NAME_ORDER else "other")


def first(many: Iterable[First]) -> First | None:
    return next(iter(many), None)
