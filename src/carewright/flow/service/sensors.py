"""Use cases of sensors: enrolled, changed, given another secret, stopped, listed. One function, one transaction, one permission."""

import re
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.flow import UnknownPlace, UnknownQueue
from carewright.contracts.permissions import ROLES, SENSOR
from carewright.contracts.sensors import (
    ChangeSensor,
    EnrolledSensor,
    EnrolSensor,
    ListSensors,
    PlaceWatched,
    Seen,
    Sensor,
    SensorsPage,
    SensorTransport,
    UnknownSensor,
)
from carewright.flow.context import FlowContext
from carewright.flow.model import sensing as rules
from carewright.flow.store import rooms
from carewright.flow.store import sensors as store
from carewright.flow.store.sensors import Kept
from carewright.kernel import audit
from carewright.kernel.authz import DEVICE_PREFIX, Actor
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.idempotency import committed, once, once_committed, remember
from carewright.kernel.links import hash_of
from carewright.kernel.outbox import publish
from carewright.kernel.reach import id_after
from carewright.kernel.rng import new_secret

READ = "flow.sensor.read"
MANAGE = "flow.sensor.manage"
RESOLVE = "flow.sensor.resolve"
SECRET_BYTES = 20
SECRET = re.compile(DEVICE_PREFIX + "[0-9a-f]{40}")
TOPIC = "carewright/sensors/{}/readings"
"""Where a sensor publishes, at the hospital's broker."""


async def actor_of(ctx: FlowContext, secret: str) -> Actor | None:
    """The sensor whose secret this is; None for one that was stopped, or never was. Whoever asked refuses, and that is recorded."""
    ctx.actor.require(RESOLVE)
    if SECRET.fullmatch(secret) is None:
        return None
    mark = hash_of(secret)
    known = ctx.live.by_secret(mark)
    if known is None:
        found = await store.sensor_by_secret(ctx.db, mark)
        if found is None:
            return None
        known = ctx.live.remember(*found, secret_hash=mark)
    return actor_for(known.organization_id, known.sensor)


def actor_for(organization_id: UUID, sensor: Sensor) -> Actor:
    """A sensor that reports."""
    return Actor(
        subject=f"{SENSOR}/{sensor.id}", organization_id=organization_id, role=SENSOR, permissions=ROLES[SENSOR],
        site_ids=frozenset({sensor.site_id}), purpose="HOPERAT",
    )  # fmt: skip


async def enrol_sensor(ctx: Context, command: EnrolSensor) -> EnrolledSensor:
    """A new sensor, and its secret. Raises `UnknownPlace`, `UnknownQueue`, `PlaceWatched`."""
    ctx.actor.require(MANAGE)
    _ensure_at(ctx, command.site_id)

    async def work() -> EnrolledSensor:
        secret = _new_secret(command.transport)
        async with ctx.db.transaction() as tx:
            made = await _enrol(ctx, tx, command, secret)
            await remember(ctx, tx, _enrolled(made, None))
        return _enrolled(made, secret)

    return await once(ctx, EnrolledSensor, work)


async def change_sensor(ctx: FlowContext, command: ChangeSensor) -> Sensor:
    """What it is called, and when what it says counts. Raises `UnknownSensor`, `PreconditionFailed`."""
    ctx.actor.require(MANAGE)

    async def work(tx: Session) -> Sensor:
        kept = await _for_change(ctx, tx, command.sensor_id, command.expected_version)
        changed = replace(kept.sensor, name=command.name, tuning=command.tuning, version=kept.sensor.version + 1)
        await store.update_sensor(tx, ctx.actor.organization_id, changed)
        await audit.record(tx, _entry(ctx, "flow.sensor.change", "U", changed))
        return _shown(ctx, kept._replace(sensor=changed))

    answer = await once_committed(ctx, Sensor, work)
    ctx.live.forget(command.sensor_id)
    return answer


async def renew_sensor_secret(ctx: FlowContext, sensor_id: UUID) -> EnrolledSensor:
    """Another secret, as where its device was replaced; the one before is of use no more. Raises `UnknownSensor`.

    A sensor that is heard at the broker has none, and stays as it is.
    """
    ctx.actor.require(MANAGE)
    async with ctx.db.transaction() as tx:
        kept = await _for_change(ctx, tx, sensor_id, None)
        secret = _new_secret(kept.sensor.transport)
        if secret is None:
            return _enrolled(_shown(ctx, kept), None)
        renewed = replace(kept.sensor, version=kept.sensor.version + 1)
        await store.set_secret(tx, ctx.actor.organization_id, renewed, hash_of(secret))
        await audit.record(tx, _entry(ctx, "flow.sensor.renew", "U", renewed))
    ctx.live.forget(sensor_id)
    return _enrolled(_shown(ctx, kept._replace(sensor=renewed)), secret)


async def stop_sensor(ctx: FlowContext, sensor_id: UUID) -> Sensor:
    """It is heard no more, and what it saw is shown no more. Raises `UnknownSensor`."""
    ctx.actor.require(MANAGE)

    async def work(tx: Session) -> Sensor:
        organization_id = ctx.actor.organization_id
        kept = await _for_change(ctx, tx, sensor_id, None)
        stopped = replace(kept.sensor, stopped_at=ctx.clock.now(), version=kept.sensor.version + 1)
        nothing = rules.Sensing(read_at=kept.sensing.read_at, is_silent=True, version=kept.sensing.version + 1)
        await store.stop_sensor(tx, organization_id, stopped)
        await store.update_sensing(tx, organization_id, sensor_id, nothing)
        await publish(ctx, tx, rules.changed(stopped, nothing, organization_id))
        await audit.record(tx, _entry(ctx, "flow.sensor.stop", "U", stopped))
        return replace(stopped, seen=Seen(read_at=nothing.read_at, is_silent=True))

    answer = await committed(ctx, work)
    ctx.live.forget(sensor_id)
    return answer


async def list_sensors(ctx: Context, query: ListSensors) -> SensorsPage:
    """The sensors of a site, and what each sees now."""
    ctx.actor.require(READ)
    _ensure_at(ctx, query.site_id)
    found = await store.sensors_at(ctx.db, ctx.actor.organization_id, query.site_id, id_after(query.after), query.limit + 1)
    items = tuple(_shown(ctx, each) for each in found[: query.limit])
    return SensorsPage(items=items, next=str(items[-1].id) if len(found) > len(items) else None)


async def _enrol(ctx: Context, tx: Session, command: EnrolSensor, secret: str | None) -> Sensor:
    organization_id = ctx.actor.organization_id
    if command.place_id is not None:
        place = await rooms.place_by_id(tx, organization_id, command.place_id)
        if place is None or place.site_id != command.site_id:
            raise UnknownPlace(place_id=str(command.place_id))
    queue_ids = tuple(dict.fromkeys(command.queue_ids))
    if queue_ids and not await store.has_queues(tx, organization_id, command.site_id, queue_ids):
        raise UnknownQueue
    made = Sensor(
        id=ctx.ids.new(), site_id=command.site_id, name=command.name, transport=command.transport, place_id=command.place_id,
        queue_ids=queue_ids, tuning=command.tuning, enrolled_at=ctx.clock.now(), seen=Seen(),
    )  # fmt: skip
    if not await store.insert_sensor(tx, organization_id, made, hash_of(secret) if secret else None):
        there = await store.sensor_of_place(tx, organization_id, command.place_id) if command.place_id else None
        raise PlaceWatched(sensor_id=str(there))
    await audit.record(tx, _entry(ctx, "flow.sensor.create", "C", made))
    return made


async def _for_change(ctx: Context, tx: Session, sensor_id: UUID, expected_version: int | None) -> Kept:
    kept = await store.sensor_for_change(tx, ctx.actor.organization_id, sensor_id)
    if kept is None or kept.sensor.stopped_at is not None or not ctx.actor.works_at(kept.sensor.site_id):
        raise UnknownSensor(sensor_id=str(sensor_id))
    if expected_version not in (None, kept.sensor.version):
        raise PreconditionFailed(version=kept.sensor.version)
    return kept


def _shown(ctx: Context, kept: Kept) -> Sensor:
    return replace(kept.sensor, seen=rules.seen_of(kept.sensing, ctx.clock.now(), kept.sensor.tuning))


def _enrolled(sensor: Sensor, secret: str | None) -> EnrolledSensor:
    return EnrolledSensor(sensor=sensor, secret=secret, topic=TOPIC.format(sensor.id) if sensor.transport == "mqtt" else None)


def _new_secret(transport: SensorTransport) -> str | None:
    """Who is heard by MQTT shows its broker who it is, not us."""
    return DEVICE_PREFIX + new_secret(SECRET_BYTES).hex() if transport == "http" else None


def _entry(ctx: Context, event: str, action: audit.Action, sensor: Sensor) -> audit.Entry:
    return audit.entry(ctx, event, action, entities=(audit.Entity(type="Sensor", id=sensor.id),))


def _ensure_at(ctx: Context, site_id: UUID) -> None:
    if not ctx.actor.works_at(site_id):
        raise Forbidden("You work with sensors at your own sites only.")
