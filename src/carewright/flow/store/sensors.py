"""The rows of sensors and of what they see, to values and back. One function runs one named query."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.sensors import Seen, Sensor, SensorTuning
from carewright.flow.model.sensing import Sensing
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.flow")


class Kept(NamedTuple):
    """A sensor and what is known of it. Its `seen` is empty: what is shown depends on the moment."""

    organization_id: UUID
    sensor: Sensor
    sensing: Sensing


async def insert_sensor(tx: Session, organization_id: UUID, sensor: Sensor, secret_hash: bytes | None) -> bool:
    """Whether it is there now: not where another one watches the place."""
    tuning = sensor.tuning
    row = await tx.fetch_one(
        Q.insert_sensor, organization_id, sensor.id, sensor.site_id, sensor.name, sensor.transport, sensor.place_id,
        list(sensor.queue_ids), tuning.hold_seconds, tuning.readings_least, tuning.silent_seconds, tuning.count_most, secret_hash,
        sensor.enrolled_at,
    )  # fmt: skip
    if row is not None:
        await tx.execute(Q.insert_sensing, organization_id, sensor.id)
    return row is not None


async def sensor_of_place(db: Session, organization_id: UUID, place_id: UUID) -> UUID | None:
    row = await db.fetch_one(Q.sensor_of_place, organization_id, place_id)
    return row["id"] if row else None


async def has_queues(db: Session, organization_id: UUID, site_id: UUID, queue_ids: Collection[UUID]) -> bool:
    """Whether all of these queues are at the site."""
    (row,) = await db.fetch(Q.count_of_queues, organization_id, site_id, list(queue_ids))
    return bool(row["known"] == len(queue_ids))


async def update_sensor(tx: Session, organization_id: UUID, sensor: Sensor) -> None:
    tuning = sensor.tuning
    await tx.execute(
        Q.update_sensor, organization_id, sensor.id, sensor.name, tuning.hold_seconds, tuning.readings_least, tuning.silent_seconds,
        tuning.count_most, sensor.version,
    )  # fmt: skip


async def set_secret(tx: Session, organization_id: UUID, sensor: Sensor, secret_hash: bytes) -> None:
    await tx.execute(Q.set_sensor_secret, organization_id, sensor.id, secret_hash, sensor.version)


async def stop_sensor(tx: Session, organization_id: UUID, sensor: Sensor) -> None:
    await tx.execute(Q.stop_sensor, organization_id, sensor.id, sensor.stopped_at, sensor.version)


async def sensor_by_secret(db: Session, secret_hash: bytes) -> Kept | None:
    """Of whichever organization."""
    row = await db.fetch_one(Q.sensor_by_secret, secret_hash)
    return _kept(row) if row else None


async def sensor_by_id(db: Session, sensor_id: UUID) -> Kept | None:
    """Of the tenant, or of whichever organization where the system asks."""
    row = await db.fetch_one(Q.sensor_by_id, sensor_id)
    return _kept(row) if row else None


async def sensor_for_change(tx: Session, organization_id: UUID, sensor_id: UUID) -> Kept | None:
    """The sensor, its rows as nobody else changes them until the transaction ends."""
    row = await tx.fetch_one(Q.sensor_for_change, organization_id, sensor_id)
    return _kept(row) if row else None


async def sensors_at(db: Session, organization_id: UUID, site_id: UUID, after: UUID, limit: int) -> list[Kept]:
    """Those that were not stopped, at most `limit` behind `after`, in order of ids."""
    return [_kept(row) for row in await db.fetch(Q.sensors_at, organization_id, site_id, after, limit)]


async def sensors_of_places(db: Session, organization_id: UUID, place_ids: Sequence[UUID]) -> dict[UUID | None, Kept]:
    """By the place that each watches."""
    rows = await db.fetch(Q.sensors_of_places, organization_id, list(place_ids))
    return {row["place_id"]: _kept(row) for row in rows}


async def sensors_of_queues(db: Session, organization_id: UUID, queue_ids: Sequence[UUID]) -> list[Kept]:
    """Those that watch where people wait for any of these, by name."""
    return [_kept(row) for row in await db.fetch(Q.sensors_of_queues, organization_id, list(queue_ids))]


async def sensors_due(db: Session, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Organizations and sensors of which time alone changed what is known."""
    return [(row["organization_id"], row["id"]) for row in await db.fetch(Q.sensors_due, now, limit)]


async def update_sensing(tx: Session, organization_id: UUID, sensor_id: UUID, known: Sensing) -> None:
    """The caller holds the row."""
    await tx.execute(
        Q.update_sensing, organization_id, sensor_id, known.value, known.since, known.run_value, known.run_from, known.run_readings,
        known.read_at, known.sequence, known.is_silent, known.fault, known.fault_at, known.version,
    )  # fmt: skip


async def forget_past(db: Session, before: datetime, limit: int) -> int:
    """Drop those that were stopped before that, of every organization; how many there were."""
    return len(await db.fetch(Q.forget_sensors, before, limit))


def _kept(row: Row) -> Kept:
    tuning = SensorTuning(**{name: row[name] for name in SensorTuning.__struct_fields__})
    said = {name: row[name] for name in Sensor.__struct_fields__ if name not in ("tuning", "seen", "queue_ids")}
    sensor = Sensor(**said, queue_ids=tuple(row["queue_ids"]), tuning=tuning, seen=Seen())
    sensing = {name: row[name] for name in Sensing.__struct_fields__ if name != "version"}
    return Kept(row["organization_id"], sensor, Sensing(**sensing, version=row["sensing_version"]))
