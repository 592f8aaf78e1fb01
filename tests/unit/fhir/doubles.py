"""Stand-ins for the three Protocols the importer calls: dictionaries that answer as the modules promise to, all or nothing."""
# ruff: noqa: ARG002  (a stand-in answers every actor alike)

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.directory import (
    EntriesPage,
    FindByIdentifier,
    FindEntries,
    FindServices,
    FindStaff,
    IdentifierMatch,
    InvalidResource,
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    PutEntry,
    PutResources,
    PutResult,
    ServicesPage,
    ServiceSummary,
    SitesPage,
    Staff,
    StaffPage,
    UnknownResource,
    VisitType,
)
from carewright.contracts.directory import Identifier as Id
from carewright.contracts.encounters import (
    ChangeEncounter,
    Encounter,
    EncountersPage,
    PutEncounters,
    PutEncountersResult,
    RecordEncounter,
    SearchEncounters,
)
from carewright.contracts.groups import Group, GroupDetails, SearchGroups, UpdateGroup
from carewright.contracts.patients import (
    AlikePatients,
    ContactPoint,
    FindAlike,
    FindPatients,
    InvalidPatient,
    ListPatients,
    MergedPatients,
    MergePatients,
    NameRelation,
    Patient,
    PatientMatch,
    PatientsPage,
    PutPatients,
    PutPatientsResult,
    RegisterPatient,
    SearchPatients,
    UpdatePatient,
)
from carewright.contracts.vitals import Observation, ObservationsPage, PutObservations, PutObservationsResult, SearchObservations
from carewright.kernel.authz import Actor

REFUSED_NAME = "Refused by the directory"
BATCH_MAX = 500


class MemoryDirectory:
    """Keeps resources by type and id; `puts` counts the rows of every call."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[UUID, Any]] = {}
        self.puts: list[int] = []

    def all(self, resource_type: str) -> list[Any]:
        return list(self.rows.get(resource_type, {}).values())

    async def find_by_identifier(self, actor: Actor, query: FindByIdentifier) -> tuple[IdentifierMatch, ...]:
        assert len(query.identifiers) <= BATCH_MAX
        return tuple(
            IdentifierMatch(identifier=identifier, id=row.id)
            for row in self.all(query.resource_type)
            for identifier in row.identifiers
            if identifier in set(query.identifiers)
        )

    async def find_sites(self, actor: Actor) -> SitesPage:
        sites = tuple(place for place in self.all("Location") if place.kind == "site")
        return SitesPage(items=sites, total=len(sites))

    async def get_staff(self, actor: Actor, practitioner_id: UUID) -> Staff:
        if practitioner_id not in self.rows.get("Practitioner", {}):
            raise UnknownResource(id=str(practitioner_id))
        return Staff(practitioner=self.rows["Practitioner"][practitioner_id], roles=())

    async def put_resources(self, actor: Actor, command: PutResources) -> PutResult:
        rows = [row for field in command.__struct_fields__ for row in getattr(command, field)]
        assert len(rows) <= BATCH_MAX
        self.puts.append(len(rows))
        for row in rows:
            self._ensure_valid(row, rows)
        created, changed = 0, 0
        for row in rows:
            table = self.rows.setdefault(type(row).__name__, {})
            created += row.id not in table
            changed += row.id in table and table[row.id] != row
            table[row.id] = row
        return PutResult(created=created, changed=changed, unchanged=len(rows) - created - changed)

    def _ensure_valid(self, row: Any, rows: Sequence[Any]) -> None:
        known = {one.id for table in self.rows.values() for one in table.values()} | {one.id for one in rows}
        if getattr(row, "name", None) == REFUSED_NAME or any(one not in known for one in _references(row)):
            raise InvalidResource(id=str(row.id))

    async def put_entry(self, actor: Actor, command: PutEntry, idempotency_key: str | None = None) -> EntriesPage:
        raise NotImplementedError

    async def find_entries(self, actor: Actor, query: FindEntries) -> EntriesPage:
        raise NotImplementedError

    async def find_services(self, actor: Actor, query: FindServices) -> ServicesPage:
        raise NotImplementedError

    async def get_visit_type(self, actor: Actor, visit_type_id: UUID) -> VisitType:
        raise NotImplementedError

    async def get_service(self, actor: Actor, service_id: UUID) -> ServiceSummary:
        raise NotImplementedError

    async def find_staff(self, actor: Actor, query: FindStaff) -> StaffPage:
        raise NotImplementedError


class MemoryPatients:
    """Keeps patients by id. One whose family name is `REFUSED_NAME` is refused with a detail that must not be told."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Patient] = {}

    async def find_patients_by_identifier(self, actor: Actor, identifiers: tuple[Id, ...]) -> tuple[PatientMatch, ...]:
        return tuple(
            PatientMatch(identifier=identifier, id=row.id)
            for row in self.rows.values()
            for identifier in row.identifiers
            if identifier in set(identifiers)
        )

    async def put_patients(self, actor: Actor, command: PutPatients) -> PutPatientsResult:
        assert len(command.patients) <= BATCH_MAX
        for patient in command.patients:
            if patient.family == REFUSED_NAME:
                raise InvalidPatient(f"{patient.family} was born on {patient.birth_on}.", id=str(patient.id))
        created = sum(patient.id not in self.rows for patient in command.patients)
        changed = sum(self.rows.get(patient.id, patient) != patient for patient in command.patients)
        self.rows.update({patient.id: patient for patient in command.patients})
        return PutPatientsResult(created=created, changed=changed, unchanged=len(command.patients) - created - changed)

    async def compare_names(self, actor: Actor, patient_id: UUID, display: str) -> NameRelation:
        raise NotImplementedError

    async def get_patient(self, actor: Actor, patient_id: UUID) -> Patient:
        raise NotImplementedError

    async def search_patients(self, actor: Actor, query: SearchPatients) -> PatientsPage:
        raise NotImplementedError

    async def find_alike(self, actor: Actor, query: FindAlike) -> AlikePatients:
        raise NotImplementedError

    async def get_patients(self, actor: Actor, ids: tuple[UUID, ...]) -> tuple[Patient, ...]:
        raise NotImplementedError

    async def list_patients(self, actor: Actor, query: ListPatients) -> PatientsPage:
        raise NotImplementedError

    async def update_patient(self, actor: Actor, command: UpdatePatient, idempotency_key: str | None = None) -> Patient:
        raise NotImplementedError

    async def find_patients(self, actor: Actor, query: FindPatients) -> PatientsPage:
        raise NotImplementedError

    async def merge_patients(self, actor: Actor, command: MergePatients) -> MergedPatients:
        raise NotImplementedError

    async def register_patient(self, actor: Actor, command: RegisterPatient, idempotency_key: str | None = None) -> Patient:
        raise NotImplementedError

    async def find_patients_by_contact(self, actor: Actor, contact: ContactPoint, birth_on: date) -> tuple[UUID, ...]:
        raise NotImplementedError

    async def get_group(self, actor: Actor, group_id: UUID) -> Group:
        raise NotImplementedError

    async def list_members(self, actor: Actor, group_id: UUID) -> tuple[UUID, ...]:
        raise NotImplementedError

    async def search_groups(self, actor: Actor, query: SearchGroups) -> tuple[Group, ...]:
        raise NotImplementedError

    async def create_group(self, actor: Actor, details: GroupDetails, idempotency_key: str | None = None) -> Group:
        raise NotImplementedError

    async def update_group(self, actor: Actor, command: UpdateGroup, idempotency_key: str | None = None) -> Group:
        raise NotImplementedError

    async def delete_group(self, actor: Actor, group_id: UUID) -> Group:
        raise NotImplementedError


class MemoryFlow:
    """Keeps encounters by id."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Encounter] = {}

    async def search_encounters(self, actor: Actor, query: SearchEncounters) -> EncountersPage:
        assert len(query.identifiers) <= BATCH_MAX
        return EncountersPage(items=tuple(row for row in self.rows.values() if not set(row.identifiers).isdisjoint(query.identifiers)))

    async def put_encounters(self, actor: Actor, command: PutEncounters) -> PutEncountersResult:
        assert len(command.encounters) <= BATCH_MAX
        created = sum(each.id not in self.rows for each in command.encounters)
        changed = sum(self.rows.get(each.id, each) != each for each in command.encounters)
        self.rows.update({each.id: each for each in command.encounters})
        return PutEncountersResult(created=created, changed=changed, unchanged=len(command.encounters) - created - changed)

    async def get_encounter(self, actor: Actor, encounter_id: UUID) -> Encounter:
        raise NotImplementedError

    async def record_encounter(self, actor: Actor, command: RecordEncounter, idempotency_key: str | None = None) -> Encounter:
        raise NotImplementedError

    async def change_encounter(self, actor: Actor, command: ChangeEncounter, idempotency_key: str | None = None) -> Encounter:
        raise NotImplementedError


class MemoryVitals:
    """Keeps observations by id."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Observation] = {}

    async def search_observations(self, actor: Actor, query: SearchObservations) -> ObservationsPage:
        assert len(query.identifiers) <= BATCH_MAX
        return ObservationsPage(items=tuple(row for row in self.rows.values() if not set(row.identifiers).isdisjoint(query.identifiers)))

    async def put_observations(self, actor: Actor, command: PutObservations) -> PutObservationsResult:
        assert len(command.observations) <= BATCH_MAX
        created = sum(each.id not in self.rows for each in command.observations)
        changed = sum(self.rows.get(each.id, each) != each for each in command.observations)
        self.rows.update({each.id: each for each in command.observations})
        return PutObservationsResult(created=created, changed=changed, unchanged=len(command.observations) - created - changed)

    async def get_observation(self, actor: Actor, observation_id: UUID) -> Observation:
        raise NotImplementedError


def _references(row: Any) -> list[UUID]:
    match row:
        case Organization():
            found: list[UUID | None] = [row.part_of_id]
        case Location():
            found = [row.part_of_id, row.site_id, row.managing_organization_id]
        case PractitionerRole():
            found = [row.practitioner_id, row.for_organization_id, *row.site_ids]
        case Practitioner():
            found = []
        case _:
            found = [row.site_id, row.location_id]
    return [one for one in found if one]


def snapshot(directory: MemoryDirectory, patients: MemoryPatients) -> bytes:
    """Everything stored, for comparing before and after."""
    tables: Mapping[str, Any] = {**directory.rows, "Patient": patients.rows}
    return msgspec.json.encode({name: list(rows.values()) for name, rows in tables.items()}, order="deterministic")
