"""How each EHR is asked, as values: what it lets us search by decides how we find what we want.

Sources: Epic on FHIR (Patient.Search, Practitioner.Search, Location.Search, Appointment.Search, all R4); Oracle Health, Millennium Platform
APIs, FHIR R4 (Practitioner, Location, Patient, Appointment).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from carewright.contracts.ehr import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`practitioners` and `locations` are searches that list them all; without one, each of ours is looked for by its identifiers.

    `appointments_by` is the kind whose links are gone through, and the parameter by which appointments are found; a date is always said.
    `patients_by_number` says whether ours are looked for by their number there; otherwise they are read as their appointments name them.
    """

    practitioners: Mapping[str, str] | None
    locations: Mapping[str, str] | None
    appointments_by: tuple[Kind, str]
    patients_by_number: bool
    page_size: int


PROFILES: Mapping[str, Profile] = {
    "epic": Profile(
        practitioners=None, locations=None, appointments_by=("Patient", "patient"), patients_by_number=True, page_size=100
    ),
    "oracle": Profile(
        practitioners={"active": "true"}, locations={"-physicalType": "bu"}, appointments_by=("Practitioner", "practitioner"),
        patients_by_number=False, page_size=50,
    ),
}  # fmt: skip
