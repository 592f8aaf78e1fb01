"""A hospital small enough to keep in mind: one site, a building, a consulting room, a cardiologist, a nurse, an ECG, one visit type."""

from uuid import UUID

from carewright.contracts.directory import (
    BookingRules,
    Coding,
    Device,
    HealthcareService,
    Identifier,
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    PutResources,
    Requirement,
    VisitType,
)


def known_id(number: int) -> UUID:
    """The same id for the same number, in the shape of a UUIDv7."""
    return UUID(int=(0x019A << 112) | (7 << 76) | (0b10 << 62) | number)


CARDIOLOGY = Coding(system="http://snomed.info/sct", code="394579002", display="Cardiology")
ECG_SKILL = Coding(system="urn:test:skill", code="ecg", display="Electrocardiography")
CONSULTING = Coding(system="urn:test:room", code="consulting", display="Consulting room")
ECG_TYPE = Coding(system="urn:test:device", code="ecg", display="Electrocardiograph")

HOSPITAL = Organization(id=known_id(1), name="Hôpital Saint-Élan", identifiers=(Identifier(system="urn:test:organization", value="H-1"),))
SITE = Location(
    id=known_id(2), kind="site", name="Main site", site_id=known_id(2), time_zone="Europe/Paris", managing_organization_id=HOSPITAL.id
)
BUILDING = Location(id=known_id(3), kind="building", name="Building A", site_id=SITE.id, part_of_id=SITE.id)
ROOM = Location(id=known_id(4), kind="room", name="Room 1", site_id=SITE.id, part_of_id=BUILDING.id, room_type=CONSULTING)
DOCTOR = Practitioner(
    id=known_id(5), kind="practitioner", family="Nuñez", given=("Åsa",), prefix="Dr", languages=("fr", "en-GB"),
    identifiers=(Identifier(system="urn:test:npi", value="1"),),
)  # fmt: skip
NURSE = Practitioner(id=known_id(6), kind="nurse", family="Abel", given=("Iris",), languages=("fr",))
DOCTOR_ROLE = PractitionerRole(
    id=known_id(7), practitioner_id=DOCTOR.id, for_organization_id=HOSPITAL.id, site_ids=(SITE.id,), specialties=(CARDIOLOGY,)
)
NURSE_ROLE = PractitionerRole(id=known_id(8), practitioner_id=NURSE.id, site_ids=(SITE.id,), skills=(ECG_SKILL,))
ECG = Device(id=known_id(9), name="ECG 1", device_type=ECG_TYPE, site_id=SITE.id, location_id=ROOM.id)
SERVICE = HealthcareService(id=known_id(10), name="Heart clinic", specialty=CARDIOLOGY, site_ids=(SITE.id,))
VISIT = VisitType(
    id=known_id(11),
    healthcare_service_id=SERVICE.id,
    name="First visit with ECG",
    duration_minutes=30,
    requirements=(
        Requirement(kind="practitioner", codes=(f"{CARDIOLOGY.system}|{CARDIOLOGY.code}",), offset_minutes=10, duration_minutes=20),
        Requirement(kind="nurse", codes=(f"{ECG_SKILL.system}|{ECG_SKILL.code}",), duration_minutes=15),
        Requirement(kind="room", codes=(f"{CONSULTING.system}|{CONSULTING.code}",), duration_minutes=30, buffer_after_minutes=5),
        Requirement(kind="device", codes=(f"{ECG_TYPE.system}|{ECG_TYPE.code}",), duration_minutes=15),
    ),
    rules=BookingRules(site_ids=(SITE.id,)),
    instructions={"fr": "Venez à jeun.", "en": "Come fasting."},
)

SMALL_HOSPITAL = PutResources(
    organizations=(HOSPITAL,),
    locations=(SITE, BUILDING, ROOM),
    practitioners=(DOCTOR, NURSE),
    practitioner_roles=(DOCTOR_ROLE, NURSE_ROLE),
    devices=(ECG,),
    healthcare_services=(SERVICE,),
    visit_types=(VISIT,),
)
