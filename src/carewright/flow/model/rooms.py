"""Which room or bed suits, and what becomes of it: pure rules."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.flow import PlaceChanged, PlaceNotFree, PlaceStepNotAllowed
from carewright.contracts.queue import QueueEntry, QueueEntryStatus
from carewright.contracts.rooms import AssignPlace, ClosedReason, Place, PlaceAction, PlaceStatus

STEPS: Mapping[PlaceAction, tuple[frozenset[PlaceStatus], PlaceStatus]] = {
    "vacate": (frozenset({"occupied"}), "turnover"),
    "discharge": (frozenset({"occupied"}), "turnover"),
    "ready": (frozenset({"turnover"}), "free"),
    "close": (frozenset({"free", "turnover"}), "closed"),
    "open": (frozenset({"closed"}), "free"),
}
"""From where each step goes, and where to."""
IN_THE_ROOM: frozenset[QueueEntryStatus] = frozenset({"called", "in-service"})
NEVER = datetime.min.replace(tzinfo=UTC)


def suits(place: Place, wanted: AssignPlace) -> bool:
    """Whether a place is of the type, has the equipment and is fit for the precautions that are asked for."""
    return (
        wanted.room_type in (None, place.room_type)
        and set(wanted.devices) <= set(place.devices)
        and set(wanted.precautions) <= set(place.precautions)
    )


def in_order(places: Iterable[Place], wanted: AssignPlace, near: Collection[UUID | None]) -> list[Place]:
    """The places that suit, the best first.

    What is fit for precautions that nobody asked for is kept for those who need it; then the nearest, which is a place in the same part of
    the house; then the one that was not used for longest, so that none is worn out and no staff always cleans.
    """
    return sorted(
        (each for each in places if suits(each, wanted)),
        key=lambda each: (
            len(set(each.precautions) - set(wanted.precautions)), each.part_of_id not in near, each.last_used_at or NEVER, each.id,
        ),
    )  # fmt: skip


def occupied(place: Place, encounter_id: UUID, now: datetime) -> Place:
    """The place with somebody in it. Raises `PlaceNotFree`."""
    if place.status != "free" or not place.active:
        raise PlaceNotFree(place_id=str(place.id), place_status=place.status)
    return replace(place, status="occupied", encounter_id=encounter_id, since=now, version=place.version + 1)


def left(place: Place, now: datetime, *, is_used: bool = True) -> Place:
    """The place after somebody left: to be cleaned, if they were in it at all."""
    cleared = replace(place, encounter_id=None, patient_id=None, since=now, version=place.version + 1)
    return replace(cleared, status="turnover", last_used_at=now) if is_used else replace(cleared, status="free")


def stepped(place: Place, action: PlaceAction, reason: ClosedReason, now: datetime) -> Place:
    """The place after a step. Raises `PlaceStepNotAllowed`."""
    sources, to = STEPS[action]
    if place.status not in sources:
        raise PlaceStepNotAllowed(place_id=str(place.id), place_status=place.status, action=action)
    if place.status == "occupied":
        return left(place, now)
    return replace(place, status=to, since=now, reason=reason if to == "closed" else None, version=place.version + 1)


def room_of(entry: QueueEntry) -> UUID | None:
    """The room in which a turn has its patient now."""
    return entry.location_id if entry.status in IN_THE_ROOM else None


def changed(place: Place, organization_id: UUID) -> PlaceChanged:
    """The fact that a change leaves behind."""
    return PlaceChanged(
        organization_id=organization_id, place_id=place.id, site_id=place.site_id, status=place.status, encounter_id=place.encounter_id,
        version=place.version,
    )  # fmt: skip
