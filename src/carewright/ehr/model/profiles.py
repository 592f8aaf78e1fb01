"""How each EHR is asked, as values: what it lets us search by decides how we find what we want.

Sources: Epic on FHIR (Patient.Search, Practitioner.Search, Location.Search, Appointment.Search, all R4); Oracle Health, Millennium Platform
APIs, FHIR R4 (Practitioner, Location, Patient, Appointment). Neither offers a Subscription: Epic's list of FHIR interfaces (open.epic,
Interface/FHIR) goes from Specimen over Substance to Task, and recommends its event based interfaces, which are HL7 v2, for notifications;
Oracle Health's pages of Millennium R4 have none either. `r4` is a server that does what HL7 FHIR R4 says and no more, as HAPI FHIR does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from carewright.contracts.ehr import Kind, ProfileName


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`practitioners` and `locations` are searches that list them all; without one, each of ours is looked for by its identifiers.

    `appointments_by` is the kind whose links are gone through, and the parameter by which appointments are found; a date is always said.
    An appointment is booked in a free Slot, as `$find` proposed it (`operations` is where that is, beside the base), or itself, with its
    time and who takes part. `steps` says to which status an appointment can be patched from which; without any, nothing can be changed
    there. `patients_by_number` says whether ours are looked for by their number there; otherwise they are read as their appointments name
    them. `subscriptions` says whether it tells of changes by a Subscription of R4 (rest-hook, criteria on Appointment).
    """

    practitioners: Mapping[str, str] | None
    locations: Mapping[str, str] | None
    appointments_by: tuple[Kind, str]
    patients_by_number: bool
    page_size: int
    books_by: Literal["slot", "proposal", "itself"]
    operations: str = ""
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subscriptions: bool = False


ONWARD = ("cancelled", "noshow")
PROFILES: Mapping[ProfileName, Profile] = {
    "epic": Profile(
        practitioners=None, locations=None, appointments_by=("Patient", "patient"), patients_by_number=True, page_size=100,
        books_by="proposal", operations="../STU3",
    ),
    "oracle": Profile(
        practitioners={"active": "true"}, locations={"-physicalType": "bu"}, appointments_by=("Practitioner", "practitioner"),
        patients_by_number=False, page_size=50, books_by="slot",
        steps={
            "booked": ("arrived", "checked-in", "cancelled"), "arrived": ("checked-in", "cancelled"),
            "checked-in": ("fulfilled", "cancelled"),
        },
    ),
    "r4": Profile(
        practitioners={"active": "true"}, locations=None, appointments_by=("Practitioner", "practitioner"), patients_by_number=False,
        page_size=50, books_by="itself", subscriptions=True,
        steps={
            "booked": ("arrived", "checked-in", "fulfilled", *ONWARD), "arrived": ("checked-in", "fulfilled", *ONWARD),
            "checked-in": ("fulfilled", *ONWARD),
        },
    ),
}  # fmt: skip


def way(profile: Profile, before: str, after: str) -> tuple[str, ...] | None:
    """The statuses through which an appointment comes from one to another, the last one included; None where it cannot."""
    ways: list[tuple[str, ...]] = [(before,)]
    for path in ways:
        if path[-1] == after:
            return path[1:]
        ways += [(*path, step) for step in profile.steps.get(path[-1], ()) if step not in path]
    return None
