"""Swapped ids: no patient reaches anything of another, whichever id they put where."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID

import pytest

from carewright.contracts.patients import RegisterPatient
from carewright.contracts.scheduling import (
    CancelAppointment,
    ConfirmAppointment,
    HoldTime,
    ListAppointments,
    UnknownAppointment,
)
from carewright.kernel.errors import Forbidden
from carewright.patients.service import records as service
from carewright.scheduling.service import book, change
from tests.scheduling_hospital import TOMORROW, Hospital
from tests.servers import Contexts

PATIENTS = 110
BOOKED = 3
STRANGERS = 100


async def refused(ask: Awaitable[object], kind: type[Exception]) -> int:
    """1 for a probe that was refused as it must be; an answer fails the test."""
    try:
        found = await ask
    except kind:
        return 1
    raise AssertionError(f"a stranger was shown {type(found).__name__}")


def hold_of(hospital: Hospital, patient_id: UUID) -> HoldTime:
    """A hold in the name of somebody else."""
    return HoldTime(time=hospital.world.at(hospital.world.kinds.solo, TOMORROW, hospital.physician()), patient_id=patient_id)


async def test_no_patient_reads_the_record_of_another(context: Contexts) -> None:
    desk = await context("patients", role="front-desk")
    made = [await service.register_patient(desk, RegisterPatient(family=f"Family{number}")) for number in range(PATIENTS)]
    readers = [desk.acting(context.actor("patient", subject=f"patient/{each.id}", patient_id=each.id)) for each in made]
    probes = [
        refused(service.get_patient(reader, other.id), Forbidden)
        for number, reader in enumerate(readers)
        for place, other in enumerate(made)
        if place != number
    ]
    assert sum([await probe for probe in probes]) == PATIENTS * (PATIENTS - 1) > 10_000
    for reader, own in zip(readers, made, strict=True):
        assert (await service.get_patient(reader, own.id)).id == own.id


@pytest.mark.parametrize("role", ["patient", "proxy"])
async def test_no_patient_reaches_the_appointments_of_another(hospital: Hospital, role: str) -> None:
    """Nor does whoever acts for one."""
    booked = [await hospital.book(TOMORROW + timedelta(hours=number), patient=number) for number in range(BOOKED)]
    probed = 0
    for number in range(BOOKED, BOOKED + STRANGERS):
        stranger = hospital.here.acting(role, hospital.world, patient_id=hospital.world.patients[number])
        for one in booked:
            probes = (
                refused(change.get_appointment(stranger, one.id), UnknownAppointment),
                refused(change.cancel_appointment(stranger, CancelAppointment(appointment_id=one.id)), UnknownAppointment),
                refused(change.confirm_appointment(stranger, ConfirmAppointment(appointment_id=one.id)), UnknownAppointment),
                refused(change.release_hold(stranger, one.id), UnknownAppointment),
                refused(change.list_appointments(stranger, ListAppointments(patient_id=one.patient_id)), Forbidden),
                refused(book.hold_time(stranger, hold_of(hospital, one.patient_id)), Forbidden),
            )
            probed += sum(await asyncio.gather(*probes))
    assert probed == STRANGERS * BOOKED * 6
    for number, one in enumerate(booked):
        assert await change.get_appointment(hospital.patient(number), one.id) == one
