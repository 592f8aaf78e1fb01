"""From a draft to the value that is stored: its id filled in, its references followed, what is missing refused or remarked on.

A reference the value cannot do without rejects the row; one it can do without is left out, and the report says so.
"""

from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.directory import Device, Identifier, Location, Organization, Practitioner, PractitionerRole
from carewright.contracts.encounters import Encounter, EncounterParticipant
from carewright.contracts.vitals import Observation
from carewright.fhir.model.reading import Draft, Value
from carewright.fhir.model.references import Ref
from carewright.fhir.model.reports import Remark, RowRejected
from carewright.fhir.model.staff import StaffKind


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch of drafts refers to, looked up before.

    `sites` has the site of each known location; `time_zone` is the default. `staff_kinds` and `left_out`, identifiers that a row is
    not to keep, go by source id.
    """

    ids: dict[Ref, UUID] = {}
    sites: dict[UUID, UUID] = {}
    staff_kinds: dict[str, StaffKind] = {}
    left_out: dict[str, frozenset[Identifier]] = {}
    time_zone: str = "UTC"


def complete(draft: Draft, resource_id: UUID, links: Links) -> tuple[Value, tuple[Remark, ...]]:
    """The value to store and everything there is to remark. Raises `RowRejected` where a needed reference is missing."""
    extra: list[Remark] = []
    value = replace(_completed(draft, links, extra), id=resource_id, identifiers=_identifiers(draft, links, extra))
    if isinstance(value, Location) and value.kind == "site":
        value = replace(value, site_id=resource_id)
    return value, (*draft.remarks, *extra)


def _identifiers(draft: Draft, links: Links, extra: list[Remark]) -> tuple[Identifier, ...]:
    left_out = links.left_out.get(draft.source_id)
    if not left_out:
        return draft.value.identifiers
    extra.append(Remark("fhir.import.identifier_of_another", f"{type(draft.value).__name__}.identifier"))
    return tuple(identifier for identifier in draft.value.identifiers if identifier not in left_out)


def _completed(draft: Draft, links: Links, extra: list[Remark]) -> Value:
    match draft.value:
        case Organization() as organization:
            return replace(organization, part_of_id=_optional(draft.part_of, links, extra, "Organization.partOf"))
        case Location() as location:
            return _location(location, draft, links, extra)
        case Practitioner() as practitioner:
            return replace(practitioner, kind=links.staff_kinds.get(draft.source_id, practitioner.kind))
        case PractitionerRole() as role:
            return _practitioner_role(role, draft, links, extra)
        case Device() as device:
            return _device(device, draft, links, extra)
        case Encounter() as encounter:
            return _encounter(encounter, draft, links, extra)
        case Observation() as observation:
            return _observation(observation, draft, links, extra)
        case patient:
            return patient


def _location(location: Location, draft: Draft, links: Links, extra: list[Remark]) -> Location:
    managed_by = _optional(draft.organization, links, extra, "Location.managingOrganization")
    if location.kind == "site":
        return replace(_site(location, draft, links, extra), managing_organization_id=managed_by)
    part_of_id = _needed(draft.part_of, links, "missing_part_of", "Location.partOf")
    if part_of_id not in links.sites:
        raise RowRejected("site_unknown", "Location.partOf")
    return replace(location, part_of_id=part_of_id, site_id=links.sites[part_of_id], managing_organization_id=managed_by)


def _site(location: Location, draft: Draft, links: Links, extra: list[Remark]) -> Location:
    if draft.part_of:
        extra.append(Remark("fhir.import.site_within_site", "Location.partOf"))
    if location.time_zone:
        return location
    extra.append(Remark("fhir.import.time_zone_defaulted", "Location.address"))
    return replace(location, time_zone=links.time_zone)


def _practitioner_role(role: PractitionerRole, draft: Draft, links: Links, extra: list[Remark]) -> PractitionerRole:
    practitioner_id = _needed(draft.practitioner, links, "missing_practitioner", "PractitionerRole.practitioner")
    site_ids = _sites(draft, links)
    if draft.places and not site_ids:
        raise RowRejected("unresolved_reference", "PractitionerRole.location")
    if not draft.places:
        extra.append(Remark("fhir.import.role_without_site", "PractitionerRole.location"))
    elif not all(links.ids.get(place) in links.sites for place in draft.places):
        extra.append(Remark("fhir.import.reference_dropped", "PractitionerRole.location"))
    for_organization_id = _optional(draft.organization, links, extra, "PractitionerRole.organization")
    return replace(role, practitioner_id=practitioner_id, site_ids=site_ids, for_organization_id=for_organization_id)


def _sites(draft: Draft, links: Links) -> tuple[UUID, ...]:
    """The sites of the places a draft names, each once."""
    places = (links.ids.get(place) for place in draft.places)
    return tuple(dict.fromkeys(links.sites[place] for place in places if place in links.sites))


def _device(device: Device, draft: Draft, links: Links, extra: list[Remark]) -> Device:
    location_id = links.ids.get(draft.places[0]) if draft.places else None
    site_id = links.sites.get(location_id) if location_id else None
    if site_id:
        return replace(device, location_id=location_id, site_id=site_id)
    if device.bookable:
        extra.append(Remark("fhir.import.device_without_place", "Device.location"))
    return replace(device, bookable=False)


def _encounter(encounter: Encounter, draft: Draft, links: Links, extra: list[Remark]) -> Encounter:
    patient_id = _needed(draft.patient, links, "missing_patient", "Encounter.subject")
    places = tuple(links.ids[place] for place in draft.places if place in links.ids)
    staff = tuple(EncounterParticipant(practitioner_id=links.ids[who], role=role) for who, role in draft.participants if who in links.ids)
    for kept, named, where in ((places, draft.places, "location"), (staff, draft.participants, "participant")):
        if len(kept) < len(named):
            extra.append(Remark("fhir.import.reference_dropped", f"Encounter.{where}"))
    sites = _sites(draft, links)
    return replace(encounter, patient_id=patient_id, location_ids=places, participants=staff, site_id=sites[0] if sites else None)


def _observation(observation: Observation, draft: Draft, links: Links, extra: list[Remark]) -> Observation:
    patient_id = _needed(draft.patient, links, "missing_patient", "Observation.subject")
    encounter_id = _optional(draft.encounter, links, extra, "Observation.encounter")
    return replace(observation, patient_id=patient_id, encounter_id=encounter_id)


def _optional(ref: Ref | None, links: Links, extra: list[Remark], where: str) -> UUID | None:
    found = links.ids.get(ref) if ref else None
    if ref and found is None:
        extra.append(Remark("fhir.import.reference_dropped", where))
    return found


def _needed(ref: Ref | None, links: Links, missing: str, where: str) -> UUID:
    if ref is None:
        raise RowRejected(missing, where)
    if ref not in links.ids:
        raise RowRejected("unresolved_reference", where)
    return links.ids[ref]
