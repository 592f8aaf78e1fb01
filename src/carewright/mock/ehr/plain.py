"""A FHIR R4 server without habits of its own: it keeps what it is sent, schedules nothing, and tells of changes by Subscriptions.

Sources: HL7 FHIR R4 (http.html, search.html, subscription.html); HAPI FHIR's server (20 to a page, `_getpages` in the link to the next).
Appointments are made and changed by themselves: nobody holds them against slots, and slots are not changed by them.
"""

from random import Random

from carewright.mock.ehr.profile import Profile, Search

ANYTHING = ((),)
ONWARD = ("fulfilled", "cancelled", "noshow")


def _new_id(rng: Random) -> str:
    return str(rng.randrange(1_000, 9_999_999))


R4 = Profile(
    name="r4",
    base="/fhir",
    token_path="/oauth/token",  # noqa: S106  # nosec B106  # a path
    algorithms=("RS384", "ES384"),
    token_seconds=3600,
    count_default=20,
    count_max=200,
    page_word="_getpages",
    searches={
        "Patient": Search(needs=ANYTHING, knows=("_id", "identifier", "family", "given", "name", "birthdate", "gender", "active")),
        "Practitioner": Search(needs=ANYTHING, knows=("_id", "identifier", "family", "given", "name", "active")),
        "Location": Search(needs=ANYTHING, knows=("_id", "identifier", "name", "status")),
        "Appointment": Search(needs=ANYTHING, knows=("_id", "patient", "practitioner", "location", "date", "status")),
        "Coverage": Search(needs=ANYTHING, knows=("_id", "patient", "beneficiary", "status")),
        "Slot": Search(needs=ANYTHING, knows=("_id", "service-type", "start", "status")),
        "Subscription": Search(needs=ANYTHING, knows=("_id", "url", "status")),
    },
    reads=("Patient", "Practitioner", "Location", "Appointment", "Slot", "Schedule", "Coverage", "Subscription"),
    service_types="urn:oid:2.999.1.3",
    new_id=_new_id,
    versions=True,
    books="itself",
    subscribes=True,
    steps={
        "booked": ("arrived", "checked-in", *ONWARD), "arrived": ("checked-in", *ONWARD), "checked-in": ONWARD,
    },
)  # fmt: skip
