"""What of a patient's record a role is shown: contacts and identifiers only where they are needed, and what is withheld is said."""

import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, FindPatients, RegisterPatient
from carewright.patients.service import records as service
from tests.servers import Contexts

PHONE = ContactPoint(system="phone", value="+1 202 555 0143")
NUMBER = Identifier(system="urn:test:mrn", value="M-1")
SEEN = {
    "front-desk": (), "integration": (), "scheduler": ("identifiers",), "nurse": ("identifiers",), "physician": ("identifiers",),
    "technician": ("telecom", "identifiers"),
}  # fmt: skip


@pytest.mark.parametrize(("role", "withheld"), SEEN.items(), ids=SEEN)
async def test_a_role_sees_what_it_needs(context: Contexts, role: str, withheld: tuple[str, ...]) -> None:
    desk = await context("patients", role="front-desk")
    made = await service.register_patient(desk, RegisterPatient(family="Beispiel", telecom=(PHONE,), identifiers=(NUMBER,)))
    reader = await context("patients", role=role)
    (found,) = (await service.find_patients(reader, FindPatients(family="beispiel"))).items
    for seen in (found, await service.get_patient(reader, made.id)):
        assert seen.withheld == withheld
        assert seen.telecom == (() if "telecom" in withheld else (PHONE,))
        assert seen.identifiers == (() if "identifiers" in withheld else (NUMBER,))


async def test_a_patient_sees_all_of_their_own_record(context: Contexts) -> None:
    desk = await context("patients", role="front-desk")
    made = await service.register_patient(desk, RegisterPatient(family="Beispiel", telecom=(PHONE,), identifiers=(NUMBER,)))
    assert await service.get_patient(await context("patients", role="patient", patient_id=made.id), made.id) == made
