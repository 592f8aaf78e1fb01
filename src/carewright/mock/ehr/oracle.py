"""Oracle Health's (Cerner Millennium's) habits: numbers for ids, combinations that searches need, versions that writes need.

Sources: Millennium Platform APIs, FHIR R4: Appointment (a date with one of patient, practitioner and location, which do not go together;
`ge` and `lt` for a range), Slot (service-type and start, free ones alone), Coverage (of one patient), Practitioner, Location, Patient;
create (201, Location, no body; exactly one slot and one patient), patch (JSON Patch, 412 without If-Match, 409 for another version, which
status after which).
"""

from random import Random

from carewright.mock.ehr.profile import Profile, Search

TENANT = "ec2458f2-1e24-41c8-b71b-0e701af7583d"


def _new_id(rng: Random) -> str:
    return str(rng.randrange(1_000_000, 99_999_999))


ORACLE = Profile(
    name="oracle",
    base=f"/r4/{TENANT}",
    token_path=f"/tenants/{TENANT}/hosts/fhir-ehr/protocols/oauth2/profiles/smart-v1/token",
    algorithms=("RS384", "ES384"),
    token_seconds=570,
    count_default=50,
    count_max=100,
    page_word="-pageContext",
    searches={
        "Patient": Search(needs=(("_id",), ("identifier",), ("family", "birthdate"), ("name", "birthdate")), knows=("given", "gender")),
        "Practitioner": Search(needs=(("_id",), ("identifier",), ("family",), ("name",), ("active",)), knows=("given",)),
        "Location": Search(needs=(("_id",), ("identifier",), ("name",), ("-physicalType",))),
        "Appointment": Search(
            needs=(("_id",), ("patient", "date"), ("practitioner", "date"), ("location", "date")),
            knows=("status",), apart=("patient", "practitioner", "location"),
        ),
        "Coverage": Search(needs=(("_id",), ("patient",))),
        "Slot": Search(needs=(("_id",), ("service-type", "start")), knows=("schedule.actor", "-location")),
    },
    reads=("Patient", "Practitioner", "Location", "Appointment", "Slot", "Schedule", "Coverage", "Organization"),
    service_types=f"https://fhir.cerner.com/{TENANT}/codeSet/14249",
    new_id=_new_id,
    versions=True,
    steps={
        "proposed": ("booked", "cancelled"),
        "booked": ("arrived", "checked-in", "cancelled"),
        "arrived": ("checked-in", "cancelled"),
        "checked-in": ("fulfilled", "cancelled"),
    },
)  # fmt: skip
