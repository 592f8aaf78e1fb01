"""The flow module's language of rooms and beds: how each stands, and who is put where. What is refused and told stands in `flow`."""

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
    """The places of a site. `after` is the cursor of an earlier page."""

    site_id: UUID
    kind: PlaceKind | None = None
    status: PlaceStatus | None = None
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class PlacesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Place, ...]
    next: str | None = None


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
