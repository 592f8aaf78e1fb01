"""Patients over HTTP: parse, call one use case, answer. A search has a body, so that no name gets into an address."""

import msgspec

from carewright.contracts.access import StepUpNeeded
from carewright.contracts.patients import (
    AlikePatients,
    Erased,
    ErasePatient,
    FindAlike,
    FindPatients,
    InvalidPatient,
    Merge,
    MergeBody,
    MergedPatients,
    MergePatients,
    Patient,
    PatientBody,
    PatientOnHold,
    PatientsPage,
    RecordMerged,
    RegisterPatient,
    UnknownMerge,
    UnknownPatient,
    UpdatePatient,
)
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority
from carewright.kernel.values import Reason
from carewright.patients.service import records as service


async def find_patients(ctx: Context, call: Call[Nothing, FindPatients]) -> PatientsPage:
    """Patients by the beginning of their family name."""
    return await service.find_patients(ctx, call.body)


async def find_alike(ctx: Context, call: Call[Nothing, FindAlike]) -> AlikePatients:
    """Who is known already and may be the person."""
    return await service.find_alike(ctx, call.body)


async def register_patient(ctx: Context, call: Call[Nothing, RegisterPatient]) -> Patient:
    """A new patient."""
    return await service.register_patient(ctx, call.body)


async def get_patient(ctx: Context, call: Call[Nothing, Nothing]) -> Patient:
    """One patient's record."""
    return await service.get_patient(ctx, call.path["patient_id"])


async def update_patient(ctx: Context, call: Call[Nothing, PatientBody]) -> Patient:
    """Change one patient's record."""
    said = msgspec.structs.asdict(call.body)
    return await service.update_patient(ctx, UpdatePatient(patient_id=call.path["patient_id"], expected_version=call.version, **said))


async def merge_patients(ctx: Context, call: Call[Nothing, MergeBody]) -> MergedPatients:
    """Merge another record of the same person into this one."""
    said = call.body
    return await service.merge_patients(
        ctx, MergePatients(survivor_id=call.path["patient_id"], prior_id=said.prior_id, reason=said.reason)
    )  # fmt: skip


async def get_merge(ctx: Context, call: Call[Nothing, Nothing]) -> Merge:
    """How this record was merged into another."""
    return await service.get_merge(ctx, call.path["patient_id"])


class EraseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


async def erase_patient(ctx: Context, call: Call[Nothing, EraseBody]) -> Erased:
    """Erase a patient for good."""
    return await service.erase_patient(ctx, ErasePatient(patient_id=call.path["patient_id"], reason=call.body.reason))


ROUTES = (
    Route(
        "POST", "/api/v1/patients/find", find_patients, "Find patients by name", service.FIND, PatientsPage, body=FindPatients,
        priority=Priority.LOOK,
    ),
    Route(
        "POST", "/api/v1/patients/alike", find_alike, "Who may be the same person as somebody new", service.FIND, AlikePatients,
        body=FindAlike, priority=Priority.LOOK, refusals=(InvalidPatient,),
    ),
    Route(
        "POST", "/api/v1/patients", register_patient, "Register a patient", service.REGISTER, Patient, body=RegisterPatient,
        keyed=True, versioned=True, created="/api/v1/patients/{id}", refusals=(InvalidPatient, UnknownPatient),
    ),
    Route(
        "GET", "/api/v1/patients/{patient_id}", get_patient, "One patient's record", service.READ, Patient, versioned=True,
        refusals=(UnknownPatient,),
    ),
    Route(
        "PUT", "/api/v1/patients/{patient_id}", update_patient, "Change one patient's record; what was not shown stays", service.CHANGE,
        Patient, body=PatientBody, keyed=True, versioned=True, refusals=(UnknownPatient, InvalidPatient, RecordMerged),
    ),
    Route(
        "POST", "/api/v1/patients/{patient_id}/merge", merge_patients, "Merge another record of the same person into this one",
        service.MERGE, MergedPatients, body=MergeBody, refusals=(UnknownPatient, InvalidPatient, RecordMerged),
    ),
    Route(
        "GET", "/api/v1/patients/{patient_id}/merge", get_merge, "How this record was merged into another, and both as they were",
        service.MERGE, Merge, refusals=(UnknownMerge,),
    ),
    Route(
        "POST", "/api/v1/patients/{patient_id}/erase", erase_patient, "Erase a patient for good; appointments keep their time",
        service.ERASE, Erased, body=EraseBody, refusals=(UnknownPatient, PatientOnHold, StepUpNeeded, RecordMerged),
    ),
)  # fmt: skip
