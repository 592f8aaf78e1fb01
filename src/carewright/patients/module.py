"""The patients module's wiring."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from carewright.contracts.directory import Identifier
from carewright.contracts.groups import Group, GroupDetails, SearchGroups, UpdateGroup
from carewright.contracts.patients import (
    AlikePatients,
    ContactPoint,
    FindAlike,
    FindPatients,
    ListPatients,
    MergedPatients,
    MergePatients,
    NameRelation,
    Patient,
    PatientMatch,
    Patients,
    PatientsPage,
    PutPatients,
    PutPatientsResult,
    RegisterPatient,
    SearchPatients,
    UpdatePatient,
)
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.modules import Module, Running
from carewright.patients.http import ROUTES
from carewright.patients.jobs import JOBS, TIMERS
from carewright.patients.service import groups
from carewright.patients.service import records as service
from carewright.patients.settings import PatientsSettings
from carewright.patients.store import groups as group_rows
from carewright.patients.store import records as store


class LocalPatients:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get_patient(self, actor: Actor, patient_id: UUID) -> Patient:
        return await service.get_patient(self._context.acting(actor), patient_id)

    async def find_patients(self, actor: Actor, query: FindPatients) -> PatientsPage:
        return await service.find_patients(self._context.acting(actor), query)

    async def search_patients(self, actor: Actor, query: SearchPatients) -> PatientsPage:
        return await service.search_patients(self._context.acting(actor), query)

    async def find_alike(self, actor: Actor, query: FindAlike) -> AlikePatients:
        return await service.find_alike(self._context.acting(actor), query)

    async def get_patients(self, actor: Actor, ids: tuple[UUID, ...]) -> tuple[Patient, ...]:
        return await service.get_patients(self._context.acting(actor), ids)

    async def list_patients(self, actor: Actor, query: ListPatients) -> PatientsPage:
        return await service.list_patients(self._context.acting(actor), query)

    async def update_patient(self, actor: Actor, command: UpdatePatient, idempotency_key: str | None = None) -> Patient:
        return await service.update_patient(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def merge_patients(self, actor: Actor, command: MergePatients) -> MergedPatients:
        return await service.merge_patients(self._context.acting(actor), command)

    async def register_patient(self, actor: Actor, command: RegisterPatient, idempotency_key: str | None = None) -> Patient:
        return await service.register_patient(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def find_patients_by_identifier(self, actor: Actor, identifiers: tuple[Identifier, ...]) -> tuple[PatientMatch, ...]:
        return await service.find_patients_by_identifier(self._context.acting(actor), identifiers)

    async def find_patients_by_contact(self, actor: Actor, contact: ContactPoint, birth_on: date) -> tuple[UUID, ...]:
        return await service.find_patients_by_contact(self._context.acting(actor), contact, birth_on)

    async def put_patients(self, actor: Actor, command: PutPatients) -> PutPatientsResult:
        return await service.put_patients(self._context.acting(actor), command)

    async def compare_names(self, actor: Actor, patient_id: UUID, display: str) -> NameRelation:
        return await service.compare_names(self._context.acting(actor), patient_id, display)

    async def get_group(self, actor: Actor, group_id: UUID) -> Group:
        return await groups.get_group(self._context.acting(actor), group_id)

    async def list_members(self, actor: Actor, group_id: UUID) -> tuple[UUID, ...]:
        return await groups.list_members(self._context.acting(actor), group_id)

    async def search_groups(self, actor: Actor, query: SearchGroups) -> tuple[Group, ...]:
        return await groups.search_groups(self._context.acting(actor), query)

    async def create_group(self, actor: Actor, details: GroupDetails, idempotency_key: str | None = None) -> Group:
        return await groups.create_group(self._context.acting(actor, Once.of(idempotency_key, details)), details)

    async def update_group(self, actor: Actor, command: UpdateGroup, idempotency_key: str | None = None) -> Group:
        return await groups.update_group(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def delete_group(self, actor: Actor, group_id: UUID) -> Group:
        return await groups.delete_group(self._context.acting(actor), group_id)


async def start(context: Context, _: PatientsSettings, __: Callable[[type], Any]) -> Running:
    """Patients need nothing but their tables."""
    return Running(context=context, offers={Patients: LocalPatients(context)})


MODULE = Module(
    name="patients",
    start=start,
    settings=PatientsSettings,
    offers=(Patients,),
    routes=ROUTES,
    prefixes=("/api/v1/patients",),
    jobs=JOBS,
    timers=TIMERS,
    sealed={
        "patients.patient": service.reseal_patients,
        store.ERASURE: service.reseal_erasures,
        store.MERGE: service.reseal_merges,
        group_rows.TABLE: groups.reseal_groups,
    },
)
