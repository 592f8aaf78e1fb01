"""Sensors from the command line: `carewright sensor`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from carewright.contracts.flow import Sensors
from carewright.contracts.sensors import ChangeSensor, EnrolledSensor, EnrolSensor, ListSensors, Sensor, UnknownSensor
from carewright.kernel.authz import Actor
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

T = TypeVar("T")


async def enrolled(sections: Mapping[str, Any], organization_id: UUID, said: Mapping[str, Any]) -> EnrolledSensor:
    """Raises `StartFailed` for values that are none."""
    command = _read(EnrolSensor, said)
    async with _asking(sections, organization_id) as (sensors, actor):
        return await sensors.enrol_sensor(actor, command)


async def changed(
    sections: Mapping[str, Any], organization_id: UUID, site_id: UUID, sensor_id: UUID, name: str | None, tuning: Mapping[str, int]
) -> Sensor:
    """What was not said stays as it is. Raises `StartFailed` for values that are none."""
    async with _asking(sections, organization_id) as (sensors, actor):
        found = next((each for each in await _all(sensors, actor, site_id) if each.id == sensor_id), None)
        if found is None:
            raise UnknownSensor(sensor_id=str(sensor_id))
        said = {"sensor_id": sensor_id, "name": name or found.name, "tuning": msgspec.structs.asdict(found.tuning) | dict(tuning)}
        return await sensors.change_sensor(actor, _read(ChangeSensor, said | {"expected_version": found.version}))


async def renewed(sections: Mapping[str, Any], organization_id: UUID, sensor_id: UUID) -> EnrolledSensor:
    async with _asking(sections, organization_id) as (sensors, actor):
        return await sensors.renew_sensor_secret(actor, sensor_id)


async def stopped(sections: Mapping[str, Any], organization_id: UUID, sensor_id: UUID) -> Sensor:
    async with _asking(sections, organization_id) as (sensors, actor):
        return await sensors.stop_sensor(actor, sensor_id)


async def listed(sections: Mapping[str, Any], organization_id: UUID, site_id: UUID) -> list[Sensor]:
    async with _asking(sections, organization_id) as (sensors, actor):
        return await _all(sensors, actor, site_id)


def line_of(sensor: Sensor) -> str:
    """One line for the terminal."""
    watches = f"place {sensor.place_id}" if sensor.place_id else "queue " + " ".join(map(str, sensor.queue_ids))
    return f"{sensor.id} {sensor.transport} {watches} {sensor.name}: {_state(sensor)}"


def told(enrolled: EnrolledSensor) -> str:
    """What to put into the device, in one line."""
    if enrolled.topic is not None:
        return f"Have it publish to {enrolled.topic} at the hospital's broker."
    return f"Its secret, shown this once, is the bearer token of its requests: {enrolled.secret}"


def _state(sensor: Sensor) -> str:
    seen = sensor.seen
    if sensor.stopped_at is not None:
        return "stopped"
    if seen.read_at is None:
        state = "not heard yet"
    elif seen.is_silent:
        state = f"silent since {seen.read_at:%Y-%m-%d %H:%M:%S} UTC"
    else:
        state = f"sees {'nothing certain yet' if seen.value is None else seen.value}, heard {seen.read_at:%H:%M:%S} UTC"
    return state + (f"; a reading was refused at {sensor.fault_at:%H:%M:%S} UTC: {sensor.fault}" if sensor.fault_at else "")


async def _all(sensors: Sensors, actor: Actor, site_id: UUID) -> list[Sensor]:
    found: list[Sensor] = []
    query = ListSensors(site_id=site_id)
    while True:
        page = await sensors.list_sensors(actor, query)
        found += page.items
        if page.next is None:
            return found
        query = msgspec.structs.replace(query, after=page.next)


def _read(kind: type[T], said: Mapping[str, Any]) -> T:
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as fault:
        raise StartFailed(str(fault)) from fault


@asynccontextmanager
async def _asking(sections: Mapping[str, Any], organization_id: UUID) -> AsyncIterator[tuple[Sensors, Actor]]:
    """Flow, and whoever sits at the machine as an administrator: they have the keys in their hands already."""
    async with running([module for module in MODULES if module.name == "flow"], sections) as system:
        yield system.offer(Sensors), system.tokens.actor("administrator", "command-line", organization_id)
