"""The precautions that patients need over HTTP: parse, call one use case, answer."""

import msgspec

from carewright.contracts.rooms import PatientPrecautions, Precautions, RecordPrecautions
from carewright.flow.service import precautions
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

PRECAUTIONS = "/api/v1/patient-precautions"


class NeededBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the patient needs from now on."""

    precautions: Precautions


async def get_precautions(ctx: Context, call: Call[Nothing, Nothing]) -> PatientPrecautions:
    """What a patient needs."""
    return await precautions.get_precautions(ctx, call.path["patient_id"])


async def record_precautions(ctx: Context, call: Call[Nothing, NeededBody]) -> PatientPrecautions:
    """Keep what a patient needs."""
    command = RecordPrecautions(
        patient_id=call.path["patient_id"], precautions=call.body.precautions, expected_version=call.version
    )  # fmt: skip
    return await precautions.record_precautions(ctx, command)


ROUTES = (
    Route(
        "GET", PRECAUTIONS + "/{patient_id}", get_precautions, "The precautions that a patient needs", precautions.READ, PatientPrecautions,
        versioned=True, priority=Priority.PRESENCE,
    ),
    Route(
        "PUT", PRECAUTIONS + "/{patient_id}", record_precautions, "Keep the precautions that a patient needs", precautions.RECORD,
        PatientPrecautions, body=NeededBody, versioned=True, priority=Priority.PRESENCE,
    ),
)  # fmt: skip
