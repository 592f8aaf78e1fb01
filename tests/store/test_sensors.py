"""Sensors in PostgreSQL: enrolled, heard, silent, stopped; what is written of them, and what a place's row shows."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace as with_fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, Location, LocationChanged
from carewright.contracts.flow import UnknownPlace, UnknownQueue
from carewright.contracts.permissions import ALL, SYSTEM
from carewright.contracts.queue import PutQueue
from carewright.contracts.rooms import ListPlaces, Place
from carewright.contracts.sensors import (
    ChangeSensor,
    EnrolledSensor,
    EnrolSensor,
    ListSensors,
    PlaceWatched,
    Reading,
    ReadingsRefused,
    ReadingsTaken,
    ReportReadings,
    Seen,
    Sensor,
    SensorChanged,
    SensorTuning,
    UnknownSensor,
)
from carewright.flow import handlers
from carewright.flow.context import FlowContext
from carewright.flow.jobs import forget_past
from carewright.flow.live import KNOWN_SECONDS
from carewright.flow.service import queue, readings, rooms, sensors
from carewright.kernel.authz import Actor
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Once
from carewright.kernel.errors import Forbidden, PreconditionFailed, TooManyRequests
from carewright.kernel.sql import load
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

SITE, OTHER_SITE, SERVICE, TOWER, ROOM, ELSEWHERE = (known_id(number) for number in range(1, 7))
EXAM = Coding(system="urn:test:room", code="exam")
AT_ONCE = SensorTuning(hold_seconds=0, readings_least=1, silent_seconds=60)
Q = load("carewright.flow")


@pytest.fixture
async def operations(context: Contexts) -> FlowContext:
    """Of a site with one room and one queue."""
    ctx = FlowContext.of(await context("flow", "operations"))
    async with ctx.db.transaction() as tx:
        for id_, site_id in ((ROOM, SITE), (ELSEWHERE, OTHER_SITE)):
            place = Location(id=id_, kind="room", name="Room 1", site_id=site_id, part_of_id=TOWER, room_type=EXAM)
            await handlers.copy_place(ctx, tx, LocationChanged(organization_id=ctx.actor.organization_id, location=place))
    return ctx


@pytest.fixture
async def system(context: Contexts, operations: FlowContext) -> FlowContext:
    """As a module is started: it sees every tenant."""
    return replace_context(operations, await context.system("flow"))


def replace_context(ctx: FlowContext, base: Any) -> FlowContext:
    return FlowContext(**{name: getattr(base, name) for name in base.__dataclass_fields__}, live=ctx.live)


async def enrolled(ctx: FlowContext, tuning: SensorTuning = AT_ONCE, **said: Any) -> EnrolledSensor:
    watches = said or {"place_id": ROOM}
    return await sensors.enrol_sensor(ctx, EnrolSensor(site_id=SITE, name="Beam", tuning=tuning, **watches))


async def counting(ctx: FlowContext, tuning: SensorTuning = AT_ONCE) -> Sensor:
    made = await queue.put_queue(ctx, PutQueue(site_id=SITE, service_id=SERVICE, name="Podiatry"))
    return (await enrolled(ctx, tuning, queue_ids=(made.id,))).sensor


def reporting(ctx: FlowContext, sensor: Sensor) -> FlowContext:
    return ctx.acting(sensors.actor_for(ctx.actor.organization_id, sensor))


async def say(ctx: FlowContext, sensor: Sensor, *values: float, **said: Any) -> ReadingsTaken:
    told = tuple(Reading(value=value, **said) for value in values)
    return await readings.report_readings(reporting(ctx, sensor), ReportReadings(readings=told))


async def seen(ctx: FlowContext) -> Seen:
    (sensor,) = (await sensors.list_sensors(ctx, ListSensors(site_id=SITE))).items
    return sensor.seen


async def row(ctx: FlowContext) -> Place:
    (place,) = (await rooms.list_places(ctx, ListPlaces(site_id=SITE))).items
    return place


async def told(ctx: FlowContext) -> list[tuple[int | None, bool]]:
    return [(each.value, each.is_silent) for each in await facts_of(ctx) if isinstance(each, SensorChanged)]


def resolving(ctx: FlowContext) -> FlowContext:
    nobody = Actor(subject="system", organization_id=UUID(int=0), role=SYSTEM, permissions=ALL)
    return FlowContext(**{name: getattr(ctx, name) for name in ctx.__dataclass_fields__} | {"actor": nobody})


async def test_a_sensor_is_known_by_its_secret_until_it_is_stopped(operations: FlowContext, system: FlowContext) -> None:
    made = await enrolled(operations)
    assert made.secret is not None
    actor = await sensors.actor_of(resolving(system), made.secret)
    assert actor is not None
    assert (actor.subject, actor.organization_id) == (f"sensor/{made.sensor.id}", operations.actor.organization_id)
    assert actor.permissions == {"flow.sensor.report"}
    renewed = await sensors.renew_sensor_secret(operations, made.sensor.id)
    assert renewed.secret not in (None, made.secret)
    assert await sensors.actor_of(resolving(system), made.secret) is None
    assert renewed.secret is not None
    assert await sensors.actor_of(resolving(system), renewed.secret) == actor
    await sensors.stop_sensor(operations, made.sensor.id)
    assert await sensors.actor_of(resolving(system), renewed.secret) is None
    with pytest.raises(UnknownSensor):
        await say(operations, made.sensor, 1)
    for nonsense in ("", "cwd_", "cwd_" + "0" * 40, "cws_" + "0" * 40, made.secret.upper()):
        assert await sensors.actor_of(resolving(system), nonsense) is None


async def test_another_process_knows_within_seconds_that_a_sensor_was_stopped(
    operations: FlowContext, system: FlowContext, clock: ManualClock
) -> None:
    made = await enrolled(operations)
    assert made.secret is not None
    there = FlowContext.of(system)
    assert await sensors.actor_of(resolving(there), made.secret) is not None
    await sensors.stop_sensor(operations, made.sensor.id)
    clock.advance(seconds=KNOWN_SECONDS)
    assert await sensors.actor_of(resolving(there), made.secret) is None


async def test_a_sensor_at_the_broker_has_no_secret_to_renew_and_stays_as_it_is(operations: FlowContext) -> None:
    made = await enrolled(operations, transport="mqtt", place_id=ROOM)
    again = await sensors.renew_sensor_secret(operations, made.sensor.id)
    assert (again.secret, again.topic, again.sensor.version) == (None, made.topic, made.sensor.version)
    change = ChangeSensor(sensor_id=made.sensor.id, name="Bed 13", tuning=AT_ONCE, expected_version=again.sensor.version)
    assert (await sensors.change_sensor(operations, change)).name == "Bed 13"


async def test_a_secret_that_was_renewed_is_not_kept_alive_by_the_new_one(
    operations: FlowContext, system: FlowContext, clock: ManualClock
) -> None:
    made = await enrolled(operations)
    there = FlowContext.of(system)
    assert made.secret is not None
    assert await sensors.actor_of(resolving(there), made.secret) is not None
    renewed = await sensors.renew_sensor_secret(operations, made.sensor.id)
    assert renewed.secret is not None
    for ctx in (there, operations):
        clock.advance(seconds=KNOWN_SECONDS)
        await say(ctx, made.sensor, 1)
        assert await sensors.actor_of(resolving(with_fields(system, live=ctx.live)), renewed.secret) is not None
        assert await sensors.actor_of(resolving(with_fields(system, live=ctx.live)), made.secret) is None


async def test_no_secret_is_in_the_table_nor_in_the_answer_to_a_repeated_request(operations: FlowContext, system: FlowContext) -> None:
    command = EnrolSensor(site_id=SITE, name="Beam", place_id=ROOM)
    once = operations.acting(operations.actor, Once("enrol", b"0" * 32))
    first = await sensors.enrol_sensor(once, command)
    again = await sensors.enrol_sensor(once, command)
    assert (again.sensor, again.secret) == (first.sensor, None)
    assert first.secret is not None


async def test_a_place_has_one_sensor_however_many_are_enrolled_at_once(operations: FlowContext) -> None:
    answers = await asyncio.gather(*(enrolled(operations) for _ in range(4)), return_exceptions=True)
    made = [each for each in answers if isinstance(each, EnrolledSensor)]
    refused = [each for each in answers if isinstance(each, PlaceWatched)]
    assert (len(made), len(refused)) == (1, 3)
    assert {each.facts["sensor_id"] for each in refused} == {str(made[0].sensor.id)}
    await sensors.stop_sensor(operations, made[0].sensor.id)
    assert (await enrolled(operations)).sensor.id != made[0].sensor.id


async def test_a_sensor_watches_what_is_there_at_its_site(operations: FlowContext) -> None:
    for place_id in (ELSEWHERE, known_id(99)):
        with pytest.raises(UnknownPlace):
            await enrolled(operations, place_id=place_id)
    with pytest.raises(UnknownQueue):
        await enrolled(operations, queue_ids=(known_id(99),))
    with pytest.raises(ValueError, match="one place"):
        EnrolSensor(site_id=SITE, name="Beam")
    with pytest.raises(ValueError, match="one place"):
        EnrolSensor(site_id=SITE, name="Beam", place_id=ROOM, queue_ids=(known_id(99),))


async def test_who_works_elsewhere_or_may_not_does_nothing_with_a_sensor(operations: FlowContext, context: Contexts) -> None:
    made = (await enrolled(operations)).sensor
    elsewhere = operations.acting(replace(operations.actor, site_ids=frozenset({OTHER_SITE})))
    with pytest.raises(UnknownSensor):
        await sensors.stop_sensor(elsewhere, made.id)
    with pytest.raises(Forbidden):
        await sensors.list_sensors(elsewhere, ListSensors(site_id=SITE))
    with pytest.raises(Forbidden):
        await enrolled(elsewhere)
    nurse = operations.acting(context.actor("nurse"))
    assert (await sensors.list_sensors(nurse, ListSensors(site_id=SITE))).items[0].id == made.id
    for deed in (enrolled(nurse), sensors.stop_sensor(nurse, made.id), sensors.renew_sensor_secret(nurse, made.id)):
        with pytest.raises(Forbidden):
            await deed
    with pytest.raises(Forbidden):
        await readings.report_readings(nurse, ReportReadings(readings=(Reading(value=1),)))
    stranger = operations.acting(replace(sensors.actor_for(known_id(98), made)))
    with pytest.raises(UnknownSensor):
        await readings.report_readings(stranger, ReportReadings(readings=(Reading(value=1),)))


async def test_a_change_is_made_on_what_was_seen_and_acts_at_once(operations: FlowContext, clock: ManualClock) -> None:
    made = (await enrolled(operations)).sensor
    await say(operations, made, 1)
    slower = replace(AT_ONCE, readings_least=2)
    changed = await sensors.change_sensor(operations, ChangeSensor(sensor_id=made.id, name="Radar", tuning=slower, expected_version=1))
    assert (changed.name, changed.tuning, changed.version, changed.seen.value) == ("Radar", slower, 2, 1)
    with pytest.raises(PreconditionFailed):
        await sensors.change_sensor(operations, ChangeSensor(sensor_id=made.id, name="Lidar", tuning=slower, expected_version=1))
    clock.advance(seconds=1)
    await say(operations, made, 0)
    assert (await seen(operations)).value == 1
    clock.advance(seconds=1)
    await say(operations, made, 0)
    assert (await seen(operations)).value == 0


async def test_what_a_sensor_sees_is_on_its_places_row_with_whoever_it_contradicts(operations: FlowContext, clock: ManualClock) -> None:
    assert (await row(operations)).seen is None
    made = (await enrolled(operations)).sensor
    nothing = (await row(operations)).seen
    assert nothing is not None
    assert (nothing.sensor_id, nothing.occupied, nothing.is_silent) == (made.id, None, False)
    await say(operations, made, 1)
    here = (await row(operations)).seen
    assert here is not None
    assert (here.occupied, here.since, here.disagreement) == (True, MORNING, None)
    for _ in range(4):
        clock.advance(seconds=30)
        await say(operations, made, 1)
    place = await row(operations)
    assert place.seen is not None
    assert (place.status, place.seen.disagreement) == ("free", "somebody")
    assert (place.encounter_id, place.version) == (None, 1), "a sensor moves nobody"
    clock.advance(seconds=60)
    silent = (await row(operations)).seen
    assert silent is not None
    assert (silent.occupied, silent.is_silent, silent.disagreement) == (None, True, None), "before any timer has run"


async def test_a_count_is_told_when_it_is_otherwise_and_a_silence_once(
    operations: FlowContext, system: FlowContext, clock: ManualClock
) -> None:
    made = await counting(operations)
    for value in (3, 3, 4, 4, 4):
        await say(operations, made, value)
        clock.advance(seconds=1)
    assert await told(operations) == [(3, False), (4, False)]
    clock.advance(seconds=60)
    assert await readings.watch(system) >= 1, "of every organization"
    assert await readings.watch(system) == 0
    assert await told(operations) == [(3, False), (4, False), (None, True)]
    await say(operations, made, 5)
    assert (await told(operations))[-1] == (5, False)


async def test_a_change_that_is_said_once_counts_by_the_timer(operations: FlowContext, system: FlowContext, clock: ManualClock) -> None:
    made = (await enrolled(operations, replace(AT_ONCE, hold_seconds=10))).sensor
    await say(operations, made, 1)
    clock.advance(seconds=9)
    await readings.watch(system)
    assert (await seen(operations)).value is None
    clock.advance(seconds=1)
    assert (await seen(operations)).value == 1, "whoever looks needs no timer"
    assert await told(operations) == []
    assert await readings.watch(system) >= 1
    assert await told(operations) == [(1, False)]
    stored = await operations.db.fetch_one(Q.sensor_by_id, made.id)
    assert stored is not None
    assert (stored["value"], stored["since"], stored["run_readings"]) == (1, MORNING, 0)


async def test_an_hour_of_a_reading_a_second_writes_a_row_that_is_there_some_times(operations: FlowContext, clock: ManualClock) -> None:
    made = await counting(operations, SensorTuning(hold_seconds=10, readings_least=2, silent_seconds=300))
    for _ in range(3600):
        clock.advance(seconds=1)
        await say(operations, made, 17)
    stored = await operations.db.fetch_one(Q.sensor_by_id, made.id)
    assert stored is not None
    assert stored["value"] == 17
    assert stored["sensing_version"] <= 3 + 3600 / 75, "two for the run, and one each quarter of the silence"
    assert len(await told(operations)) == 1


async def test_a_batch_counts_in_its_order_and_names_what_does_not(operations: FlowContext, clock: ManualClock) -> None:
    made = await counting(operations)
    at = [MORNING + timedelta(seconds=each) for each in (-30, -20, -20, -25, 600, -86_400, -10, -5)]
    values = [3, 4, 4, 9, 9, 9, -1, 6]
    batch = tuple(Reading(value=value, at=when, sequence=number) for number, (value, when) in enumerate(zip(values, at, strict=True)))
    answer = await readings.report_readings(reporting(operations, made), ReportReadings(readings=batch))
    faults = [(each.index, each.fault) for each in answer.refused]
    assert (answer.taken, faults) == (4, [(3, "late"), (4, "ahead"), (5, "old"), (6, "impossible")])
    assert (await seen(operations)).value == 6
    (sensor,) = (await sensors.list_sensors(operations, ListSensors(site_id=SITE))).items
    assert (sensor.fault, sensor.fault_at) == ("impossible", MORNING)
    again = await readings.report_readings(reporting(operations, made), ReportReadings(readings=batch[7:]))
    assert (again.taken, [each.fault for each in again.refused]) == (0, ["repeated"])


NONSENSE: list[tuple[str, dict[str, Any]]] = [
    ("impossible", {"value": -1}),
    ("impossible", {"value": 1_000_000}),
    ("impossible", {"value": float("nan")}),
    ("impossible", {"value": 1.5}),
    ("ahead", {"value": 1, "at": MORNING + timedelta(days=365)}),
    ("old", {"value": 1, "at": MORNING - timedelta(days=36500)}),
]


@pytest.mark.parametrize(("fault", "said"), NONSENSE)
async def test_nonsense_is_refused_and_named_and_changes_nothing(operations: FlowContext, fault: str, said: dict[str, Any]) -> None:
    made = await counting(operations)
    await say(operations, made, 7)
    with pytest.raises(ReadingsRefused) as refused:
        await readings.report_readings(reporting(operations, made), ReportReadings(readings=(Reading(**said),)))
    assert refused.value.facts == {"faults": [fault]}
    assert (await seen(operations)).value == 7


async def test_a_flood_is_refused_before_anything_is_asked_and_ends_by_itself(operations: FlowContext, clock: ManualClock) -> None:
    made = await counting(operations)
    for number in range(200):
        assert (await say(operations, made, number % 2, sequence=number)).taken == 1
    with pytest.raises(TooManyRequests) as refused:
        await say(operations, made, 1, sequence=1000)
    assert refused.value.facts["retry_after_seconds"] == 1
    clock.advance(seconds=1)
    assert (await say(operations, made, 1, sequence=2000)).taken == 1


async def test_two_processes_that_hear_one_sensor_make_one_truth_of_it(operations: FlowContext, clock: ManualClock) -> None:
    made = await counting(operations, SensorTuning(hold_seconds=0, readings_least=2, silent_seconds=60))
    here, there = operations, FlowContext.of(operations)
    said: Sequence[tuple[FlowContext, int]] = [(here, 1), (there, 1), (here, 2), (there, 2), (there, 2), (here, 2)]
    for ctx, value in said:
        await say(ctx, made, value)
        clock.advance(seconds=1)
    assert await told(operations) == [(1, False), (2, False)]
    clock.advance(seconds=KNOWN_SECONDS)
    await asyncio.gather(*(say(each, made, 3, sequence=number) for number, each in enumerate([here, there, here, there])))
    clock.advance(seconds=1)
    await say(here, made, 3)
    assert (await seen(operations)).value == 3


async def test_a_stopped_sensor_shows_nothing_and_is_forgotten_in_time(
    operations: FlowContext, system: FlowContext, clock: ManualClock
) -> None:
    made = (await enrolled(operations)).sensor
    await say(operations, made, 1)
    stopped = await sensors.stop_sensor(operations, made.id)
    assert stopped.stopped_at == MORNING
    assert await told(operations) == [(1, False), (None, True)]
    assert (await row(operations)).seen is None
    assert (await sensors.list_sensors(operations, ListSensors(site_id=SITE))).items == ()
    with pytest.raises(UnknownSensor):
        await sensors.stop_sensor(operations, made.id)
    clock.advance(days=91)
    await readings.watch(system)
    assert await told(operations) == [(1, False), (None, True)]
    await forget_past(system)
    assert await operations.db.fetch_one(Q.sensor_by_id, made.id) is None
