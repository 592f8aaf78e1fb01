"""A clinic from a seed: two places, a handful of practitioners, their times, who has some of them, and who pays."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from carewright.mock.ehr.answers import Resource
from carewright.mock.ehr.profile import Profile
from carewright.mock.ehr.records import Records

FAMILIES = (
    "Adler", "Birch", "Castor", "Dunlin", "Egret", "Fulmar", "Gannet", "Heron", "Ibis", "Jackdaw", "Kestrel", "Linnet", "Merlin", "Osprey",
)  # fmt: skip
GIVEN = {"female": ("Ada", "Berta", "Clara", "Dora", "Emma", "Flora"), "male": ("Anton", "Bruno", "Carl", "David", "Emil", "Fritz")}
PLACES = ("North Clinic", "South Clinic")
KINDS = (("11", "Follow-up"), ("12", "New patient"))
PAYERS = ("North Health Plan", "Sample Mutual")
MRN = "urn:oid:2.999.1.1"
"""2.999 is the arc for examples."""
NPI = "http://hl7.org/fhir/sid/us-npi"
PRACTITIONERS = 4
DAYS = 14
OPENS, CLOSES = 9, 17
MINUTES = 30
TAKEN = 0.2


def fill(records: Records, profile: Profile, rng: Random, start_on: date, patients: int) -> None:
    """Put the clinic into `records`: its times begin on `start_on`, in UTC."""
    places = [records.put(_place(profile.new_id(rng), name)) for name in PLACES]
    people = [records.put(_patient(profile.new_id(rng), rng, number)) for number in range(patients)]
    for number in range(PRACTITIONERS):
        practitioner = records.put(_practitioner(profile.new_id(rng), rng, number))
        place = places[number % len(places)]
        schedule = records.put(_schedule(profile.new_id(rng), practitioner, place))
        for start in _starts(start_on):
            _time(records, profile, rng, start, schedule, people)
    for number, patient in enumerate(people):
        records.put(_coverage(profile.new_id(rng), patient, number))


def appointment(id_: str, slot: Resource, schedule: Resource, patient: str, status: str) -> Resource:
    """Who comes when, where and to whom, by the slot that it takes."""
    return {
        "resourceType": "Appointment", "id": id_, "status": status, "serviceType": slot["serviceType"], "start": slot["start"],
        "end": slot["end"], "minutesDuration": MINUTES, "slot": [{"reference": f"Slot/{slot['id']}"}],
        "participant": [{"actor": {"reference": patient}, "status": "accepted"}]
        + [{"actor": actor, "status": "accepted"} for actor in schedule["actor"]],
    }  # fmt: skip


def _time(records: Records, profile: Profile, rng: Random, start: datetime, schedule: Resource, people: list[Resource]) -> None:
    """One slot, which somebody may have taken."""
    code, name = KINDS[rng.random() < TAKEN]
    coding = {"system": profile.service_types, "code": code, "display": name}
    taken = bool(people) and rng.random() < TAKEN
    slot = records.put({
        "resourceType": "Slot", "id": f"{code}-{schedule['id']}-{start:%Y%m%d%H%M}",
        "serviceType": [{"coding": [coding], "text": name}], "schedule": {"reference": f"Schedule/{schedule['id']}"},
        "status": "busy" if taken else "free", "start": instant(start), "end": instant(start + timedelta(minutes=MINUTES)),
    })  # fmt: skip
    if taken:
        records.put(appointment(profile.new_id(rng), slot, schedule, f"Patient/{rng.choice(people)['id']}", "booked"))


def instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _starts(start_on: date) -> list[datetime]:
    """Every half hour of the opening time of the working days."""
    days = [start_on + timedelta(days=number) for number in range(DAYS)]
    steps = (CLOSES - OPENS) * 60 // MINUTES
    return [
        datetime.combine(day, time(OPENS), UTC) + timedelta(minutes=MINUTES * step)
        for day in days if day.weekday() < 5 for step in range(steps)
    ]  # fmt: skip


def _person(rng: Random, number: int) -> Resource:
    gender = rng.choice(list(GIVEN))
    return {
        "gender": gender,
        "name": [{"use": "official", "family": FAMILIES[number % len(FAMILIES)], "given": [rng.choice(GIVEN[gender])]}],
    }


def _patient(id_: str, rng: Random, number: int) -> Resource:
    born = date(1930, 1, 1) + timedelta(days=rng.randrange(33_000))
    return {
        "resourceType": "Patient", "id": id_, "active": True, "birthDate": born.isoformat(), **_person(rng, number),
        "identifier": [{"use": "usual", "type": {"text": "MRN"}, "system": MRN, "value": f"{100_000 + number}"}],
        "telecom": [{"system": "phone", "value": f"555-01{number % 100:02d}", "use": "home"}],
    }  # fmt: skip


def _coverage(id_: str, patient: Resource, number: int) -> Resource:
    """One plan each, every third a spouse's; every fifth patient pays themselves."""
    whose, relation = {"reference": f"Patient/{patient['id']}"}, "spouse" if number % 3 == 2 else "self"
    system = "http://terminology.hl7.org/CodeSystem"
    said: Resource = {
        "resourceType": "Coverage", "id": id_, "status": "active", "beneficiary": whose, "period": {"start": "2020-01-01"},
        "relationship": {"coding": [{"system": f"{system}/subscriber-relationship", "code": relation}]}, "order": 1,
    }  # fmt: skip
    if number % 5 == 4:
        return said | {"subscriber": whose, "payor": [{"display": "SELF PAY"}]}
    plan = {"type": {"coding": [{"system": f"{system}/coverage-class", "code": "plan"}]}, "value": f"{number % 2 + 1}", "name": "Standard"}
    spouse = {"resourceType": "RelatedPerson", "id": "spouse", "name": [{"family": patient["name"][0]["family"], "given": ["Robin"]}]}
    return said | {
        "subscriberId": f"M{100_000 + number}", "payor": [{"display": PAYERS[number % len(PAYERS)]}], "class": [plan],
        **({"contained": [spouse], "subscriber": {"reference": "#spouse"}} if relation == "spouse" else {"subscriber": whose}),
    }  # fmt: skip


def _practitioner(id_: str, rng: Random, number: int) -> Resource:
    """A number that begins with 9 is nobody's NPI."""
    identifier = {"system": NPI, "value": f"9{number:09d}"}
    return {"resourceType": "Practitioner", "id": id_, "active": True, **_person(rng, 7 + 3 * number), "identifier": [identifier]}


def _place(id_: str, name: str) -> Resource:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "bu"}
    return {
        "resourceType": "Location", "id": id_, "status": "active", "name": name, "mode": "instance", "physicalType": {"coding": [kind]},
        "identifier": [{"system": "urn:oid:2.999.1.2", "value": name.upper().replace(" ", "-")}],
    }  # fmt: skip


def _schedule(id_: str, *actors: Resource) -> Resource:
    references = [{"reference": f"{actor['resourceType']}/{actor['id']}"} for actor in actors]
    return {"resourceType": "Schedule", "id": id_, "active": True, "actor": references}
