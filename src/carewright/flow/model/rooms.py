"""Which room or bed suits, and what becomes of it: pure rules."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.flow import PlaceChanged, PlaceNotFree, PlaceStepNotAllowed
from carewright.contracts.queue import QueueEntry, QueueEntryStatus
from carewright.contracts.rooms import (
    AssignPlace,
    ClosedReason,
    Place,
    PlaceAction,
    PlaceLack,
    PlaceReason,
    PlaceStatus,
    ProposePlaces,
    Unsuited,
)

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


def lacks(place: Place, wanted: AssignPlace | ProposePlaces) -> tuple[PlaceLack, ...]:
    """What a place has not of what is asked for: the type, the equipment, fitness for the precautions."""
    has: Mapping[PlaceLack, bool] = {
        "type": wanted.room_type in (None, place.room_type),
        "equipment": set(wanted.devices) <= set(place.devices),
        "precautions": set(wanted.precautions) <= set(place.precautions),
    }
    return tuple(lack for lack, is_there in has.items() if not is_there)


def why(place: Place, wanted: ProposePlaces, near: Collection[UUID | None]) -> tuple[PlaceReason, ...]:
    """Why a place that suits comes where `in_order` puts it."""
    is_spare = set(place.precautions) <= set(wanted.precautions)
    said: Mapping[PlaceReason, bool] = {
        "type": wanted.room_type is not None,
        "equipment": bool(wanted.devices),
        "precautions": bool(wanted.precautions),
        "not-more-than-needed": is_spare and bool(wanted.precautions),
        "more-than-needed": not is_spare,
        "near": place.part_of_id in near,
        "never-used": place.last_used_at is None,
        "longest-unused": place.last_used_at is not None,
    }
    return tuple(reason for reason, holds in said.items() if holds)


def unsuited(places: Iterable[Place], wanted: ProposePlaces) -> tuple[Unsuited, ...]:
    """How many places lack what."""
    counts = Counter(lack for each in places for lack in lacks(each, wanted))
    return tuple(Unsuited(lack=lack, count=count) for lack, count in sorted(counts.items()))


def in_order(places: Iterable[Place], wanted: AssignPlace | ProposePlaces, near: Collection[UUID | None]) -> list[Place]:
    """The places that suit, the best first.

    What is fit for precautions that nobody asked for is kept for those who need it; then the nearest, which is a place in the same part of
    the house; then the one that was not used for longest, so that none is worn out and no staff always cleans.
    """
    return sorted(
        (each for each in places if not lacks(each, wanted)),
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
    is_there = entry.status in IN_THE_ROOM or (entry.status == "waiting" and entry.in_room)
    return entry.location_id if is_there else None


def changed(place: Place, organization_id: UUID) -> PlaceChanged:
    """The fact that a change leaves behind."""
    return PlaceChanged(
        organization_id=organization_id, place_id=place.id, site_id=place.site_id, status=place.status, encounter_id=place.encounter_id,
        version=place.version,
    )  # fmt: skip
