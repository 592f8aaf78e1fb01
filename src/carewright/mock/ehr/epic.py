"""Epic's habits: opaque ids, searches by person alone, and time by `$find` and `$book`.

Sources: Epic on FHIR, the specifications of Patient.Search (R4), Appointment.Search (R4), Coverage.Search (R4), Appointment.$find and
$book (STU3), and the OAuth 2.0 specification (backend apps: RS384 or ES384, at most five minutes, a `jti` once). There is no search of
slots, none of changes, and no version.
"""

import string
from random import Random

from carewright.mock.ehr.profile import Profile, Search

SERVER = "/interconnect-fhir-oauth"
LETTERS = string.ascii_letters + string.digits + "-."


def _new_id(rng: Random) -> str:
    return "e" + "".join(rng.choices(LETTERS, k=44)) + "3"


EPIC = Profile(
    name="epic",
    base=f"{SERVER}/api/FHIR/R4",
    operations=f"{SERVER}/api/FHIR/STU3",
    token_path=f"{SERVER}/oauth2/token",
    algorithms=("RS384", "ES384"),
    token_seconds=3600,
    count_default=100,
    count_max=999,
    page_word="sessionID",
    searches={
        "Patient": Search(
            needs=(("_id",), ("identifier",), ("family", "given", "birthdate"), ("family", "birthdate", "gender")), knows=("telecom",)
        ),
        "Practitioner": Search(needs=(("_id",), ("identifier",), ("family",), ("name",)), knows=("given",)),
        "Location": Search(needs=(("_id",), ("identifier",), ("name",))),
        "Appointment": Search(needs=(("_id",), ("identifier",), ("patient",)), knows=("date", "status")),
        "Coverage": Search(needs=(("_id",), ("patient",), ("beneficiary",))),
    },
    reads=("Patient", "Practitioner", "Location", "Appointment", "Coverage", "Organization"),
    service_types="urn:oid:1.2.840.114350.1.13.861.1.7.3.808267.11",
    new_id=_new_id,
    versions=False,
    warns={"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "59109"},
)
