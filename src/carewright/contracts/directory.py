"""The directory's language: who and what can be booked, and what a visit type needs.

Every value carries `id`, `organization_id` (the tenant, set by the server from the actor) is not part of it, and `version`
counts changes from 1. Codings follow FHIR R4 (system, code, display).
"""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Language, Limit, Offset, ShortText

ActorKind = Literal["practitioner", "nurse", "technician", "room", "bed", "device", "lab-bench"]
LocationKind = Literal["site", "building", "room", "bed", "lab-bench"]
UrgencyTier = Literal["P0", "P1", "P2"]
URGENT: frozenset[UrgencyTier] = frozenset({"P0", "P1"})
"""What nobody's answer about money holds back."""
EntryType = Literal["Organization", "Location", "Practitioner", "PractitionerRole", "Device", "HealthcareService", "VisitType"]


class Coding(msgspec.Struct, frozen=True, kw_only=True):
    system: str
    code: str
    display: str = ""


class Identifier(msgspec.Struct, frozen=True, kw_only=True):
    system: str
    value: str


SOURCE_SYSTEM = "urn:carewright:source:"
"""Under which an import of FHIR keeps the ids of the server that it came from, with the type of resource behind it."""


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    part_of_id: UUID | None = None
    identifiers: tuple[Identifier, ...] = ()
    active: bool = True
    version: int = 1


class PostalAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address by its parts, as FHIR's Address has them. `state` and `country` are written as post is addressed there."""

    lines: tuple[str, ...] = ()
    city: str = ""
    district: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A place. A site has a time zone (IANA name); a room, bed or lab bench is bookable and names its room type.

    `address` is what people read, `postal` the same by its parts, where they are known.
    """

    id: UUID
    kind: LocationKind
    name: str
    part_of_id: UUID | None = None
    site_id: UUID
    time_zone: str | None = None
    room_type: Coding | None = None
    address: str | None = None
    postal: PostalAddress | None = None
    phone: str | None = None
    managing_organization_id: UUID | None = None
    identifiers: tuple[Identifier, ...] = ()
    active: bool = True
    version: int = 1


class Practitioner(msgspec.Struct, frozen=True, kw_only=True):
    """A person who works here: physicians, nurses and technicians alike. `languages` are BCP 47 tags."""

    id: UUID
    kind: Literal["practitioner", "nurse", "technician"]
    family: str
    given: tuple[str, ...] = ()
    prefix: str | None = None
    gender: Literal["male", "female", "other", "unknown"] | None = None
    languages: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    active: bool = True
    version: int = 1

    @property
    def display(self) -> str:
        """The name as people read it: prefix, given names, family name."""
        return " ".join(part for part in (self.prefix, *self.given, self.family) if part)


class PractitionerRole(msgspec.Struct, frozen=True, kw_only=True):
    """What a practitioner does and where: specialties and skills at sites."""

    id: UUID
    practitioner_id: UUID
    for_organization_id: UUID | None = None
    site_ids: tuple[UUID, ...] = ()
    codes: tuple[Coding, ...] = ()
    specialties: tuple[Coding, ...] = ()
    skills: tuple[Coding, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    active: bool = True
    version: int = 1


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of equipment. One that belongs to a patient (an implant) is kept but never bookable."""

    id: UUID
    name: str
    device_type: Coding
    site_id: UUID | None = None
    location_id: UUID | None = None
    bookable: bool = True
    identifiers: tuple[Identifier, ...] = ()
    active: bool = True
    version: int = 1


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """`count` actors of `kind` that carry all of `codes` (or the one named), from `offset_minutes` for `duration_minutes`.

    Codes are written `system|code` and match a practitioner's specialties and skills, a room's type, or a device's type.
    Buffers are kept free of other visits but are not part of the appointment. All minutes are multiples of 5.
    """

    kind: ActorKind
    codes: tuple[str, ...] = ()
    actor_id: UUID | None = None
    count: int = 1
    offset_minutes: int = 0
    duration_minutes: int
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    label: str = ""


class Prerequisite(msgspec.Struct, frozen=True, kw_only=True):
    """What must be there first: a referral (the booking names one), or an earlier visit of another type that was not cancelled."""

    kind: Literal["referral", "earlier-visit"]
    visit_type_id: UUID | None = None
    text: str = ""


class BookingRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a visit type may be booked. `grid_minutes` is counted on the site's wall clock; empty `site_ids` means every site."""

    grid_minutes: int = 15
    lead_minutes: int = 60
    horizon_days: int = 90
    site_ids: tuple[UUID, ...] = ()
    urgency_tiers: tuple[UrgencyTier, ...] = ("P2",)
    prerequisites: tuple[Prerequisite, ...] = ()
    patient_bookable: bool = True
    needs_confirmation: bool = False


class VisitType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of visit within a healthcare service. `instructions` maps a BCP 47 tag to what the patient should know before.

    `published` shows its times to everybody who asks (SMART Scheduling Links).
    """

    id: UUID
    healthcare_service_id: UUID
    name: str
    duration_minutes: int
    requirements: tuple[Requirement, ...]
    rules: BookingRules = BookingRules()
    instructions: dict[str, str] = {}
    published: bool = False
    active: bool = True
    version: int = 1


class HealthcareService(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered, by specialty, at which sites."""

    id: UUID
    name: str
    specialty: Coding
    site_ids: tuple[UUID, ...] = ()
    description: str = ""
    active: bool = True
    version: int = 1


class ServiceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A service with its visit types, as a list shows it."""

    service: HealthcareService
    visit_types: tuple[VisitType, ...]


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A practitioner with the roles that say what they do and where."""

    practitioner: Practitioner
    roles: tuple[PractitionerRole, ...]


Resource = Organization | Location | Practitioner | PractitionerRole | Device | HealthcareService | VisitType


class FindServices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: ShortText | None = None
    site_id: UUID | None = None
    limit: Limit = 50
    offset: Offset = 0


class FindStaff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["practitioner", "nurse", "technician"] | None = None
    specialty: ShortText | None = None
    site_id: UUID | None = None
    language: Language | None = None
    limit: Limit = 50
    offset: Offset = 0


class ServicesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[ServiceSummary, ...]
    total: int


class StaffPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Staff, ...]
    total: int


class SitesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Location, ...]
    total: int


class PutResources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Create or change many at once; each row is matched by id. Everything is stored, or the refusal names the first bad row."""

    organizations: tuple[Organization, ...] = ()
    locations: tuple[Location, ...] = ()
    practitioners: tuple[Practitioner, ...] = ()
    practitioner_roles: tuple[PractitionerRole, ...] = ()
    devices: tuple[Device, ...] = ()
    healthcare_services: tuple[HealthcareService, ...] = ()
    visit_types: tuple[VisitType, ...] = ()


class PutResult(msgspec.Struct, frozen=True, kw_only=True):
    created: int
    changed: int
    unchanged: int


class PutEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry: the only one in `resources`. A new one gets its id here; any other is at `expected_version`, or else it is refused."""

    resources: PutResources
    is_new: bool = False
    expected_version: int | None = None


class FindEntries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries of one type, whole, inactive ones too, in order of their ids: those named, or all. `after` is where an earlier page ended."""

    resource_type: EntryType
    ids: Annotated[tuple[UUID, ...], Meta(max_length=1000)] = ()
    after: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class EntriesPage(msgspec.Struct, frozen=True, kw_only=True):
    """A tuple for each type, of which the asked one is filled. `next` is the last id shown where more follow."""

    organizations: tuple[Organization, ...] = ()
    locations: tuple[Location, ...] = ()
    practitioners: tuple[Practitioner, ...] = ()
    practitioner_roles: tuple[PractitionerRole, ...] = ()
    devices: tuple[Device, ...] = ()
    healthcare_services: tuple[HealthcareService, ...] = ()
    visit_types: tuple[VisitType, ...] = ()
    next: UUID | None = None


class FindByIdentifier(msgspec.Struct, frozen=True, kw_only=True):
    """Which of our ids carry these identifiers, for one resource type (`Organization`, `Location`, …)."""

    resource_type: str
    identifiers: tuple[Identifier, ...]


class IdentifierMatch(msgspec.Struct, frozen=True, kw_only=True):
    identifier: Identifier
    id: UUID


# --- refusals -----------------------------------------------------------------------------------------------------------------


class UnknownResource(Refusal):
    code = "directory.unknown_resource"
    status = 404
    issue = "not-found"
    title = "The directory does not know this id."


class InvalidResource(Refusal):
    code = "directory.invalid_resource"
    status = 422
    issue = "business-rule"
    title = "This entry breaks a rule of the directory."


# --- events: one per resource type, carrying the whole value, so that a late reader needs no question back ---------------------


class LocationChanged(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "directory.location.changed.v1"
    location: Location

    @property
    def subject(self) -> UUID:
        return self.location.id


class PractitionerChanged(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "directory.practitioner.changed.v1"
    practitioner: Practitioner
    roles: tuple[PractitionerRole, ...]

    @property
    def subject(self) -> UUID:
        return self.practitioner.id


class DeviceChanged(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "directory.device.changed.v1"
    device: Device

    @property
    def subject(self) -> UUID:
        return self.device.id


class VisitTypeChanged(Event, frozen=True, kw_only=True):
    """Carries its service, so that readers can show and filter by it."""

    topic: ClassVar[str] = "directory.visit_type.changed.v1"
    visit_type: VisitType
    service: HealthcareService

    @property
    def subject(self) -> UUID:
        return self.visit_type.id


class Directory(Protocol):
    """What the rims may ask the directory."""

    async def find_services(self, actor: Actor, query: FindServices) -> ServicesPage: ...

    async def get_visit_type(self, actor: Actor, visit_type_id: UUID) -> VisitType: ...

    async def get_service(self, actor: Actor, service_id: UUID) -> ServiceSummary: ...

    async def find_sites(self, actor: Actor) -> SitesPage: ...

    async def find_staff(self, actor: Actor, query: FindStaff) -> StaffPage: ...

    async def get_staff(self, actor: Actor, practitioner_id: UUID) -> Staff: ...

    async def find_entries(self, actor: Actor, query: FindEntries) -> EntriesPage: ...

    async def find_by_identifier(self, actor: Actor, query: FindByIdentifier) -> tuple[IdentifierMatch, ...]: ...

    async def put_resources(self, actor: Actor, command: PutResources) -> PutResult: ...

    async def put_entry(self, actor: Actor, command: PutEntry, idempotency_key: str | None = None) -> EntriesPage: ...
