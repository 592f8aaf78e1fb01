"""The flow module's language of rooms and beds: how each stands, who is put where, who waits for a bed.

What is refused and told stands in `flow`.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.sensors import SeenHere
from carewright.kernel.values import Cursor, Instant, Version

PlaceKind = Literal["room", "bed", "lab-bench"]
PlaceStatus = Literal["free", "occupied", "turnover", "closed"]
"""`turnover` is after somebody left and before it is clean."""
PlaceAction = Literal["vacate", "discharge", "ready", "close", "open"]
Precaution = Literal["contact", "droplet", "airborne"]
"""Transmission-based precautions (CDC, Guideline for Isolation Precautions, 2007, part III)."""
ClosedReason = Literal["maintenance", "cleaning", "staffing", "infection-control", "reserved", "other"]
TypeCode = Annotated[str, Meta(min_length=3, max_length=300, pattern=r"^[^|]*\|[^|]+$")]
"""A code as `system|code`."""
TypeCodes = Annotated[tuple[TypeCode, ...], Meta(max_length=20)]
Precautions = Annotated[tuple[Precaution, ...], Meta(max_length=3)]
PlaceReason = Literal[
    "type", "equipment", "precautions", "not-more-than-needed", "more-than-needed", "near", "never-used", "longest-unused"
]
"""Why a place is proposed, or comes after others: `more-than-needed` is fit for precautions that others may need more."""
BedUrgency = Literal["emergency", "urgent", "planned"]
CancelReason = Literal["not-needed", "elsewhere", "mistake"]
BedRequestEnd = Literal["admitted", "visit-over", CancelReason]
PlaceLack = Literal["type", "equipment", "precautions"]
ListedPlaces = Annotated[tuple[UUID, ...], Meta(max_length=100)]
"""As many as an address can name."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A room, a bed or a bench, and how it stands. `devices` are the types of what stands there; `precautions` are those it is fit for.

    `encounter_id` is whose it is while occupied, and is told, with the patient, to those alone who work with places. `seen` is there in
    the list of places, where a sensor watches it.
    """

    id: UUID
    site_id: UUID
    kind: PlaceKind
    name: str
    status: PlaceStatus
    part_of_id: UUID | None = None
    room_type: str | None = None
    devices: tuple[str, ...] = ()
    precautions: tuple[Precaution, ...] = ()
    active: bool = True
    encounter_id: UUID | None = None
    patient_id: UUID | None = None
    since: Instant | None = None
    last_used_at: Instant | None = None
    reason: ClosedReason | None = None
    seen: SeenHere | None = None
    version: int = 1


class ListPlaces(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The places of a site; `ids` are those alone. `after` is the cursor of an earlier page.

    Without `whose` nobody is told who is in them, whatever they may see, and the journal names no patient.
    """

    site_id: UUID
    ids: ListedPlaces = ()
    kind: PlaceKind | None = None
    room_type: TypeCode | None = None
    status: PlaceStatus | None = None
    whose: bool = True
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class PlacesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Place, ...]
    next: str | None = None


class CountPlaces(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How full a site's rooms and beds are."""

    site_id: UUID


class PlaceCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many places of a kind and a type stand so."""

    kind: PlaceKind
    room_type: str | None = None
    status: PlaceStatus
    count: int


class PlaceCounts(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[PlaceCount, ...]


class ProposePlaces(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which places of this kind would suit whom an encounter is about, the best first. Asked as `AssignPlace` is, and nobody is moved."""

    encounter_id: UUID
    site_id: UUID
    kind: PlaceKind = "bed"
    room_type: TypeCode | None = None
    devices: TypeCodes = ()
    precautions: Precautions = ()
    near_id: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 5


class ProposedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A free place, and why it comes where it does."""

    place: Place
    why: tuple[PlaceReason, ...]


class Unsuited(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the free places lack something."""

    lack: PlaceLack
    count: int


class ProposedPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """The best places, of how many are `free` of the kind, and what the others lack: one may lack several."""

    items: tuple[ProposedPlace, ...]
    free: int
    unsuited: tuple[Unsuited, ...] = ()


class AssignPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put whom an encounter is about into `place_id`, or into the place of this kind at the site that suits best; a bed admits them.

    Whoever is in another bed (or room) leaves it. `near_id` is a place, or the building, to stay close to. What is said of type, devices
    and precautions holds for a place that is named too.
    """

    encounter_id: UUID
    site_id: UUID
    kind: PlaceKind = "room"
    place_id: UUID | None = None
    room_type: TypeCode | None = None
    devices: TypeCodes = ()
    precautions: Precautions = ()
    near_id: UUID | None = None


class StepPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Vacate (the visit goes on), discharge (it is over), ready (it is clean), close for `reason`, open."""

    place_id: UUID
    action: PlaceAction
    reason: ClosedReason = "other"
    expected_version: Version | None = None


class SetPrecautions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a place is fit for: a room with negative pressure, for one, for what is airborne."""

    place_id: UUID
    precautions: Precautions
    expected_version: Version | None = None


class PatientPrecautions(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient needs against what they may pass on. Version 0: nobody ever said any."""

    patient_id: UUID
    precautions: tuple[Precaution, ...] = ()
    recorded_at: Instant | None = None
    recorded_by: str | None = None
    version: int = 0


class RecordPrecautions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a patient needs from now on; none ends it."""

    patient_id: UUID
    precautions: Precautions
    expected_version: Annotated[int, Meta(ge=0)] | None = None


class RoomRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a queue chooses a room by itself: when somebody checks in, or when they are called without one being named.

    Who finds none free when they check in gets one when they are called. `near_id` is a place, or the building, to stay close to.
    """

    at: Literal["check-in", "call"]
    room_type: TypeCode | None = None
    devices: TypeCodes = ()
    near_id: UUID | None = None


class BedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody waits for a bed, and which; `ended` says what came of it.

    Whose it is is told to those alone who work with places, which `precautions` were asked for to those alone who may read a patient's.
    """

    id: UUID
    site_id: UUID
    urgency: BedUrgency
    asked_at: Instant
    asked_by: str
    encounter_id: UUID | None = None
    patient_id: UUID | None = None
    room_type: str | None = None
    devices: tuple[str, ...] = ()
    precautions: tuple[Precaution, ...] = ()
    ended_at: Instant | None = None
    ended: BedRequestEnd | None = None
    version: int = 1


class ListBedRequests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who waits for a bed at a site; `ids` are those requests alone, `encounter_id` that visit's. Without `whose` it is told of nobody."""

    site_id: UUID
    ids: ListedPlaces = ()
    encounter_id: UUID | None = None
    whose: bool = True
    limit: Annotated[int, Meta(ge=1, le=200)] = 100


class BedRequests(msgspec.Struct, frozen=True, kw_only=True):
    """The most urgent first, then who was asked for earliest. `waiting` is how many there are at the site."""

    items: tuple[BedRequest, ...]
    waiting: int


class AskForBed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have whom a visit is about wait for a bed. Asked again, it is for what is said now.

    `precautions` are for this time, besides those kept of the patient. Whoever may not read which were asked for takes none of them away.
    """

    encounter_id: UUID
    site_id: UUID
    urgency: BedUrgency = "planned"
    room_type: TypeCode | None = None
    devices: TypeCodes = ()
    precautions: Precautions = ()


class CancelBedRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nobody waits for it any more."""

    request_id: UUID
    reason: CancelReason
    expected_version: Version | None = None
