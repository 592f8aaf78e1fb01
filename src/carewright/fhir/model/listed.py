"""What an entry of the directory that was sent to us says, and the entry that comes of it.

What we have a place for and cannot keep is refused; what we have no place for is left out, and told to whoever asks for an
OperationOutcome. What FHIR cannot say of an entry stays as it was: who is a nurse, which specialties are skills, whether a device is
booked.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.directory import (
    Device,
    HealthcareService,
    Location,
    LocationKind,
    Organization,
    Practitioner,
    PractitionerRole,
)
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.directory import PLACES, TIME_ZONE
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement
from carewright.fhir.model import r4
from carewright.fhir.model.entry_rows import (
    KIND_OF_PHYSICAL_TYPE,
    NIL,
    first,
    physical_type,
    qualified_as,
    read_device,
    read_organization,
    read_place,
    read_practitioner,
    read_role,
    room_type,
)
from carewright.fhir.model.fields import VALUES_MAX, Reader
from carewright.fhir.model.left_out import ensure_unmodified
from carewright.fhir.model.pointing import Pointer, pointer
from carewright.fhir.model.reports import Remark, RowRejected
from carewright.fhir.model.zones import zone_of

Entry = Organization | Location | Practitioner | PractitionerRole | Device | HealthcareService
EntryKind = Literal["Organization", "Location", "Practitioner", "PractitionerRole", "Device", "HealthcareService"]
HARMLESS = frozenset({"fhir.import.text_repaired", "fhir.import.name_incomplete"})
STATUSES = frozenset({"active", "inactive"})
NAMED_IN: Mapping[EntryKind, tuple[str, ...]] = {
    "Organization": ("partOf",), "Location": ("partOf", "managingOrganization"), "Practitioner": (),
    "PractitionerRole": ("practitioner", "organization", "location"), "Device": ("location",), "HealthcareService": ("location",),
}  # fmt: skip
"""The elements that name other entries of the directory."""
TYPE_OF = {
    "managingOrganization": "Organization", "organization": "Organization", "practitioner": "Practitioner", "location": "Location",
}  # fmt: skip
"""What each of them names; `partOf` names one of its own type."""
ELEMENTS = {
    "name": "name", "family": "name", "identifiers": "identifier", "part_of_id": "partOf",
    "managing_organization_id": "managingOrganization", "for_organization_id": "organization", "practitioner_id": "practitioner",
    "site_ids": "location", "location_id": "location", "languages": "communication", "kind": "physicalType", "time_zone": "extension",
}  # fmt: skip
"""Our fields of entries, and the elements that they come from."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as somebody else wrote it. `named` are the entries it refers to, by element."""

    kind: EntryKind
    resource: Resource
    named: Mapping[str, tuple[Pointer, ...]]

    @property
    def places(self) -> tuple[Pointer, ...]:
        """The Locations that it names."""
        return tuple(each for element in ("partOf", "location") for each in self.named.get(element, ()) if each.kind == "Location")

    def id_of(self, element: str) -> UUID | None:
        """The one entry that an element names."""
        found = first(self.named.get(element, ()))
        return found.uuid if found else None


Sites = Mapping[UUID, UUID]
"""The site of each place that a resource names."""


def read_listed(kind: EntryKind, resource: Resource, base: str) -> Listed:
    """Raises `InvalidElement` with the FHIRPath of what changes the rest, and of a reference that leads to no entry of ours."""
    ensure_unmodified(resource)
    for element in NAMED_IN[kind]:
        if isinstance(resource.get(element), list) and len(resource[element]) > VALUES_MAX:
            raise InvalidElement(f"At most {VALUES_MAX} belong here.", expression=f"{kind}.{element}")
    named = {element: tuple(_named(kind, resource, element, base)) for element in NAMED_IN[kind]}
    return Listed(kind=kind, resource=resource, named=named)


def _named(kind: EntryKind, resource: Resource, element: str, base: str) -> Iterator[Pointer]:
    wanted = TYPE_OF.get(element, kind)
    several = isinstance(value := resource.get(element, []), list)
    for number, each in enumerate(value if several else [value]):
        place = f"{kind}.{element}[{number}]" if several else f"{kind}.{element}"
        found = pointer(each, place, base)
        if found is None or found.kind != wanted:
            raise InvalidElement(f"A {wanted} of this server belongs here, by reference.", expression=place)
        yield found


def entry_of(listed: Listed, before: Entry | None, sites: Sites) -> Entry:
    """The entry that was meant, with the id of the one that was there `before`, or `NIL`. Raises `InvalidElement`, `MissingElement`."""
    reader = Reader(listed.kind)
    try:
        made = _MAKERS[listed.kind](listed, reader, before, sites)
    except RowRejected as refusal:
        raise _invalid(refusal.remark) from None
    for remark in reader.remarks:
        if remark.code not in HARMLESS:
            raise _invalid(remark)
    return replace(made, id=before.id) if before else made


def expression_of(kind: EntryKind, field: str) -> str:
    """The FHIRPath of one of our fields."""
    if kind == "Location" and field == "site_id":
        return "Location.partOf"
    name = {"Device": {"name": "deviceName", "site_id": "location"}}.get(kind, {}).get(field, ELEMENTS.get(field))
    return f"{kind}.{name}" if name else kind


def _organization(listed: Listed, reader: Reader, _: Any, __: Sites) -> Organization:
    said = read_organization(msgspec.convert(listed.resource, r4.Organization), reader)
    return replace(said, part_of_id=listed.id_of("partOf"))


def _location(listed: Listed, reader: Reader, before: Location | None, sites: Sites) -> Location:
    row = msgspec.convert(listed.resource, r4.Location)
    _ensure_status(listed, row.status)
    kind = _kind_of_place(row, before)
    part_of_id = listed.id_of("partOf")
    said = replace(
        read_place(row, kind, reader),
        room_type=room_type(row, reader) if kind in ("room", "bed", "lab-bench") else None,
        managing_organization_id=listed.id_of("managingOrganization"),
        part_of_id=part_of_id,
    )
    address = reader.address(row.address)
    if before and address and not address.text and said.postal == before.postal:
        said = replace(said, address=before.address)
    if kind == "site":
        return replace(said, site_id=before.id if before else NIL, time_zone=_time_zone(listed.resource, before, said))
    if part_of_id:
        return replace(said, site_id=sites[part_of_id])
    if before is None:
        raise MissingElement("Say which place this is part of: all but a site are.", expression="Location.partOf")
    return replace(said, site_id=before.site_id)


def _kind_of_place(row: r4.Location, before: Location | None) -> LocationKind:
    """What it was, where that is how it is shown. A lab bench is shown as an area, and no area becomes one."""
    code = physical_type(row)
    if before and code in (None, PLACES[before.kind][0]):
        return before.kind
    found = KIND_OF_PHYSICAL_TYPE.get(code or "")
    if found is None:
        raise MissingElement("Say by R4's code what kind of place this is.", expression="Location.physicalType")
    return found


def _time_zone(resource: Resource, before: Location | None, said: Location) -> str:
    """That of the extension, or else the one that it had, or that of a state of the US which has one alone."""
    told = first(each["valueCode"] for each in resource.get("extension", ()) if each["url"] == TIME_ZONE and "valueCode" in each)
    if known := told or (before and before.time_zone):
        return str(known)
    by_state = zone_of(said.postal.state, said.postal.country) if said.postal else None
    if by_state is None or by_state[1] != "whole":
        raise MissingElement(f"A site tells its time zone, by the extension {TIME_ZONE}.", expression="Location.extension")
    return by_state[0]


def _practitioner(listed: Listed, reader: Reader, before: Practitioner | None, _: Sites) -> Practitioner:
    row = msgspec.convert(listed.resource, r4.Practitioner)
    said = read_practitioner(row, reader)
    return replace(said, kind=before.kind) if before and qualified_as(row) is None else said


def _role(listed: Listed, reader: Reader, before: PractitionerRole | None, sites: Sites) -> PractitionerRole:
    said = read_role(msgspec.convert(listed.resource, r4.PractitionerRole), reader)
    skills = [each for each in said.specialties if before and each in before.skills]
    practitioner_id = listed.id_of("practitioner")
    if practitioner_id is None:
        raise MissingElement("A role is somebody's.", expression="PractitionerRole.practitioner")
    return replace(
        said,
        practitioner_id=practitioner_id,
        for_organization_id=listed.id_of("organization"),
        specialties=tuple(each for each in said.specialties if each not in skills or (before and each in before.specialties)),
        skills=tuple(skills),
        site_ids=_sites(listed, sites),
    )


def _device(listed: Listed, reader: Reader, before: Device | None, sites: Sites) -> Device:
    """Whoever has been told not to book a device is not told otherwise by a write; one that gets its first place may be booked."""
    row = msgspec.convert(listed.resource, r4.Device)
    _ensure_status(listed, row.status)
    said = read_device(row, reader)
    place_id = listed.id_of("location")
    if before and place_id == (before.location_id or before.site_id):
        said = replace(said, location_id=before.location_id, site_id=before.site_id)
    elif place_id:
        said = replace(said, location_id=place_id, site_id=sites[place_id])
    was_closed = before is not None and before.site_id is not None and not before.bookable
    return replace(said, bookable=said.bookable and said.site_id is not None and not was_closed)


def _service(listed: Listed, reader: Reader, _: Any, sites: Sites) -> HealthcareService:
    row = msgspec.convert(listed.resource, r4.HealthcareService)
    specialty = first(reader.codings(row.specialty, "specialty"))
    if specialty is None:
        raise MissingElement("A service has a coded specialty.", expression="HealthcareService.specialty")
    return HealthcareService(
        id=NIL, name=reader.name(row.name), specialty=specialty, site_ids=_sites(listed, sites), description=row.comment, active=row.active
    )


def _sites(listed: Listed, sites: Sites) -> tuple[UUID, ...]:
    """The sites of the places it names, each once."""
    return tuple(dict.fromkeys(sites[each.uuid] for each in listed.named["location"]))


def _ensure_status(listed: Listed, status: str) -> None:
    """Raises `InvalidElement` for what neither is in use nor is not."""
    if status not in STATUSES:
        raise InvalidElement("Here it is active or inactive.", expression=f"{listed.kind}.status")


def _invalid(remark: Remark) -> InvalidElement:
    return InvalidElement(remark.reason.partition(" (")[0], expression=remark.where)


_MAKERS: Mapping[EntryKind, Callable[[Listed, Reader, Any, Sites], Entry]] = {
    "Organization": _organization, "Location": _location, "Practitioner": _practitioner, "PractitionerRole": _role, "Device": _device,
    "HealthcareService": _service,
}  # fmt: skip
