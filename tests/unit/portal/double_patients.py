"""The one patient of the double, and their twin where there is one."""

from datetime import date
from typing import Any, Protocol
from uuid import UUID

from carewright.contracts.patients import ContactPoint, Patient, UnknownPatient
from carewright.kernel.authz import Actor


class Known(Protocol):
    """Who is known, and a note of what was asked."""

    patient: Patient
    twin: Patient | None
    calls: list[tuple[str, Any]]


class DoublePatients:
    def __init__(self, hospital: Known) -> None:
        self.hospital = hospital

    async def find_patients_by_contact(self, actor: Actor, contact: ContactPoint, birth_on: date) -> tuple[UUID, ...]:
        actor.require("patients.find_by_contact")
        self.hospital.calls.append(("find_patients_by_contact", contact))
        people = [one for one in (self.hospital.patient, self.hospital.twin) if one]
        return tuple(
            one.id
            for one in people
            if one.birth_on == birth_on and contact.key() in [point.key() for point in one.telecom if point.system == contact.system]
        )

    async def get_patient(self, actor: Actor, patient_id: UUID) -> Patient:
        actor.require("patients.read")
        for one in (self.hospital.patient, self.hospital.twin):
            if one and one.id == patient_id:
                return one
        raise UnknownPatient
