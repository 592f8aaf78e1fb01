"""What sensors say: heard, judged and counted, whichever way it came. It moves nobody and stalls nobody.

What says nothing new is settled from memory (`live.py`); what does is worked out anew on the sensor's row, locked.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.permissions import SENSOR
from carewright.contracts.sensors import Reading, ReadingsRefused, ReadingsTaken, RefusedReading, ReportReadings, Sensor, UnknownSensor
from carewright.flow.context import FlowContext
from carewright.flow.live import Known
from carewright.flow.model import sensing as rules
from carewright.flow.model.sensing import Sensing
from carewright.flow.service.sensors import RESOLVE, actor_for
from carewright.flow.store import sensors as store
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.outbox import publish

REPORT = "flow.sensor.report"
DUE_MOST = 500


class Heard(NamedTuple):
    """What is known after some readings, and which of them do not count."""

    known: Sensing
    refused: tuple[RefusedReading, ...]


async def report_readings(ctx: FlowContext, command: ReportReadings) -> ReadingsTaken:
    """What the sensor that asks has seen. Readings that came before are no error.

    Of more than it may say now the newest count. Raises `UnknownSensor`, `TooManyRequests`, and `ReadingsRefused` where none counts and one
    of them never can.
    """
    ctx.actor.require(REPORT)
    kind, _, text = ctx.actor.subject.partition("/")
    if kind != SENSOR:
        raise UnknownSensor
    sensor_id = UUID(text)
    allowed = ctx.live.allowed(sensor_id, len(command.readings))
    known = ctx.live.known(sensor_id) or await _asked(ctx, sensor_id)
    return await _take(ctx, known, command.readings, allowed)


async def hear_at_broker(ctx: FlowContext, organization_id: UUID | None, sensor_id: UUID, command: ReportReadings) -> ReadingsTaken:
    """What a sensor has published at a broker, which let it in: that of `organization_id`, or anybody's. Asked as the system.

    Raises as `report_readings` does.
    """
    ctx.actor.require(RESOLVE)
    allowed = ctx.live.allowed(sensor_id, len(command.readings))
    known = None if ctx.live.is_unknown(sensor_id) else ctx.live.known(sensor_id) or await _asked(ctx, sensor_id)
    if known is None or known.sensor.transport != "mqtt" or organization_id not in (None, known.organization_id):
        raise UnknownSensor(sensor_id=str(sensor_id))
    return await _take(ctx.acting(actor_for(known.organization_id, known.sensor)), known, command.readings, allowed)


async def watch(ctx: Context) -> int:
    """Have runs count that have held, and tell which sensors are silent. The timer's turn; how many there were."""
    due = await store.sensors_due(ctx.db, ctx.clock.now(), DUE_MOST)
    for organization_id, sensor_id in due:
        here = ctx.working_in(organization_id)
        async with here.db.transaction() as tx:
            kept = await store.sensor_for_change(tx, organization_id, sensor_id)
            if kept is not None and kept.sensor.stopped_at is None:
                await _write(here, tx, kept, rules.as_of(kept.sensing, ctx.clock.now(), kept.sensor.tuning))
    if due:
        ctx.wake()
    return len(due)


async def _asked(ctx: FlowContext, sensor_id: UUID) -> Known:
    kept = await store.sensor_by_id(ctx.db, sensor_id)
    if kept is None or kept.sensor.stopped_at is not None:
        ctx.live.note_unknown(sensor_id)
        raise UnknownSensor(sensor_id=str(sensor_id))
    return ctx.live.remember(*kept)


async def _take(ctx: FlowContext, known: Known, readings: Sequence[Reading], allowed: int) -> ReadingsTaken:
    """The newest that are allowed."""
    beyond = len(readings) - allowed
    heard = await _hear(ctx, known, readings[beyond:])
    faults: list[str] = [each.fault for each in heard.refused]
    if len(faults) == allowed and not set(faults) <= {"repeated", "late"}:
        raise ReadingsRefused(faults=faults)
    passed = (RefusedReading(index=index, fault="beyond") for index in range(beyond))
    refused = tuple(RefusedReading(index=each.index + beyond, fault=each.fault) for each in heard.refused)
    return ReadingsTaken(taken=allowed - len(faults), refused=(*passed, *refused))


async def _hear(ctx: FlowContext, known: Known, readings: Sequence[Reading]) -> Heard:
    """Readings of a sensor, written where they say something new."""
    heard = _judge(known.sensor, known.now, readings, ctx.clock.now())
    if not rules.is_worth_writing(known.written, heard.known, known.sensor.tuning):
        known.now = heard.known
        return heard
    organization_id, sensor_id = known.organization_id, known.sensor.id
    async with ctx.db.transaction() as tx:
        kept = await store.sensor_for_change(tx, organization_id, sensor_id)
        if kept is None or kept.sensor.stopped_at is not None:
            ctx.live.forget(sensor_id)
            raise UnknownSensor(sensor_id=str(sensor_id))
        before = known.now if known.written.version == kept.sensing.version else kept.sensing
        heard = _judge(kept.sensor, before, readings, ctx.clock.now())
        written = await _write(ctx, tx, kept, heard.known)
    ctx.live.remember(organization_id, kept.sensor, written)
    if rules.is_shown_otherwise(kept.sensing, written):
        ctx.wake()
    return heard


def _judge(sensor: Sensor, known: Sensing, readings: Sequence[Reading], now: datetime) -> Heard:
    """Each in turn: what does not count leaves the others as they are."""
    refused: list[RefusedReading] = []
    for index, said in enumerate(readings):
        read = rules.judged(said, known, sensor, now)
        if isinstance(read, str):
            refused.append(RefusedReading(index=index, fault=read))
            known = rules.noted(known, read, now)
        else:
            known = rules.heard(known, read, sensor.tuning)
    return Heard(known, tuple(refused))


async def _write(ctx: Context, tx: Session, kept: store.Kept, known: Sensing) -> Sensing:
    """What is known of a sensor from now on. The caller holds its row."""
    written = replace(known, version=kept.sensing.version + 1)
    await store.update_sensing(tx, kept.organization_id, kept.sensor.id, written)
    if rules.is_shown_otherwise(kept.sensing, written):
        await publish(ctx, tx, rules.changed(kept.sensor, written, kept.organization_id))
    return written
