"""The rows of rooms and beds, to values and back. One function runs one named query."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from carewright.contracts.directory import Coding, Device, Location
from carewright.contracts.queue import RoomName
from carewright.contracts.rooms import ListPlaces, Place, PlaceCount
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.flow")


async def put_place(tx: Session, organization_id: UUID, place: Location) -> None:
    """Where it is and what it is; how it stands is not touched."""
    of_type = _code(place.room_type) if place.room_type else None
    await tx.execute(Q.put_place, organization_id, place.id, place.site_id, place.kind, place.name, place.part_of_id, of_type, place.active)


async def put_device(tx: Session, organization_id: UUID, device: Device) -> None:
    await tx.execute(Q.put_device, organization_id, device.id, device.location_id if device.active else None, _code(device.device_type))


async def places_at(db: Session, organization_id: UUID, query: ListPlaces, after: UUID, limit: int) -> list[Place]:
    """At most `limit` behind `after`, in order of ids."""
    rows = await db.fetch(
        Q.places_at, organization_id, query.site_id, query.kind, query.status, after, limit, list(query.ids) or None, query.room_type
    )
    return [_place(row) for row in rows]


async def count_places(db: Session, organization_id: UUID, site_id: UUID) -> tuple[PlaceCount, ...]:
    """How many there are of each kind and type, by how they stand."""
    rows = await db.fetch(Q.count_places, organization_id, site_id)
    return tuple(PlaceCount(**{name: row[name] for name in PlaceCount.__struct_fields__}) for row in rows)


async def free_places(db: Session, organization_id: UUID, site_id: UUID, kind: str) -> list[Place]:
    """As they stand now; none is locked."""
    return [_place(row) for row in await db.fetch(Q.free_places, organization_id, site_id, kind)]


async def part_of(db: Session, organization_id: UUID, place_id: UUID) -> UUID | None:
    """The part of the house in which a place is."""
    row = await db.fetch_one(Q.part_of, organization_id, place_id)
    return row["part_of_id"] if row else None


async def names_of(db: Session, organization_id: UUID, place_ids: Sequence[UUID]) -> tuple[RoomName, ...]:
    """What these places are called."""
    rows = await db.fetch(Q.names_of_places, organization_id, place_ids) if place_ids else ()
    return tuple(RoomName(id=row["id"], name=row["name"]) for row in rows)


async def lock_if_free(tx: Session, organization_id: UUID, place_id: UUID) -> Place | None:
    """The place, its row locked until the transaction ends; None where it is not free, or somebody is just taking it."""
    row = await tx.fetch_one(Q.lock_if_free, organization_id, place_id)
    return _place(row) if row else None


async def place_by_id(db: Session, organization_id: UUID, place_id: UUID) -> Place | None:
    row = await db.fetch_one(Q.place_by_id, organization_id, place_id)
    return _place(row) if row else None


async def place_for_change(tx: Session, organization_id: UUID, place_id: UUID) -> Place | None:
    """The place, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.place_for_change, organization_id, place_id)
    return _place(row) if row else None


async def places_of(tx: Session, organization_id: UUID, encounter_ids: Iterable[UUID]) -> list[Place]:
    """Where these encounters are, the rows locked until the transaction ends."""
    return [_place(row) for row in await tx.fetch(Q.places_of, organization_id, list(encounter_ids))]


async def who_waited_in_rooms(db: Session, organization_id: UUID, encounter_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these visits had a turn that waited in its room."""
    return {row["encounter_id"] for row in await db.fetch(Q.who_waited_in_rooms, organization_id, list(encounter_ids))}


async def bed_of(db: Session, organization_id: UUID, encounter_id: UUID) -> UUID | None:
    row = await db.fetch_one(Q.bed_of, organization_id, encounter_id)
    return row["id"] if row else None


async def update_place(tx: Session, organization_id: UUID, place: Place) -> None:
    """How it stands. The caller holds the row."""
    await tx.execute(
        Q.update_place, organization_id, place.id, place.status, place.encounter_id, place.since, place.last_used_at, place.reason,
        list(place.precautions), place.version,
    )  # fmt: skip


def _code(coding: Coding) -> str:
    return f"{coding.system or ''}|{coding.code}"


def _place(row: Row) -> Place:
    said = {name: row[name] for name in Place.__struct_fields__ if name != "seen"}
    return Place(**said | {"devices": tuple(row["devices"]), "precautions": tuple(row["precautions"])})
