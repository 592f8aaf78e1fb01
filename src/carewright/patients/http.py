"""Patients over HTTP: parse, call one use case, answer. A search has a body, so that no name gets into an address."""

from carewright.contracts.patients import FindPatients, InvalidPatient, Patient, PatientsPage, RegisterPatient, UnknownPatient
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.patients import service


async def find_patients(ctx: Context, call: Call[Nothing, FindPatients]) -> PatientsPage:
    """Patients by the beginning of their family name."""
    return await service.find_patients(ctx, call.body)


async def register_patient(ctx: Context, call: Call[Nothing, RegisterPatient]) -> Patient:
    """A new patient."""
    return await service.register_patient(ctx, call.body)


async def get_patient(ctx: Context, call: Call[Nothing, Nothing]) -> Patient:
    """One patient's record."""
    return await service.get_patient(ctx, call.path["patient_id"])


ROUTES = (
    Route("POST", "/api/v1/patients/find", find_patients, "Find patients by name", service.FIND, PatientsPage, body=FindPatients),
    Route(
        "POST", "/api/v1/patients", register_patient, "Register a patient", service.REGISTER, Patient, body=RegisterPatient,
        keyed=True, versioned=True, created="/api/v1/patients/{id}", refusals=(InvalidPatient,),
    ),
    Route(
        "GET", "/api/v1/patients/{patient_id}", get_patient, "One patient's record", service.READ, Patient, versioned=True,
        refusals=(UnknownPatient,),
    ),
)  # fmt: skip
