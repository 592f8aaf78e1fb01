"""Sensors at a real MQTT broker: heard over TLS, through a broker that is killed and a database that is away; nonsense passed over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace as with_fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from carewright.contracts.permissions import ALL, SYSTEM
from carewright.contracts.queue import PutQueue
from carewright.contracts.sensors import EnrolSensor, ListSensors, Reading, Seen, Sensor, SensorTuning
from carewright.flow import mqtt
from carewright.flow.context import FlowContext
from carewright.flow.mqtt import broker_of, readings_in, sensor_in
from carewright.flow.service import queue, sensors
from carewright.flow.settings import FlowSettings
from carewright.kernel.authz import Actor
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.restraints import Restraint, Restraints
from carewright.kernel.settings import StartFailed
from tests.mqtt_broker import USER, MqttBroker, running_broker
from tests.samples import known_id
from tests.servers import MORNING, Contexts, run_sql

SITE, SERVICE = known_id(1), known_id(2)
AT_ONCE = SensorTuning(hold_seconds=0, readings_least=1, silent_seconds=60)
WAIT_SECONDS_MAX = 30.0
NONSENSE = (b"", b"many", b"{", b"[]", b"null", b"NaN", b"-1", b"1000000", b'{"value":1,"patient":"Anna"}', b"9" * 20_000)
STRANGE = ("", "carewright/sensors//readings", "carewright/sensors/readings", f"other/{known_id(1)}/readings")
HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'carewright carewright_flow%'"


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MqttBroker]:
    async with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
async def operations(context: Contexts) -> FlowContext:
    return FlowContext.of(await context("flow", "operations"))


def settings_of(broker: MqttBroker, **said: Any) -> FlowSettings:
    return FlowSettings(**{
        "mqtt_url": f"mqtts://localhost:{broker.port}", "mqtt_user": USER, "mqtt_password_file": str(broker.password_file),
        "mqtt_authority_file": str(broker.authority.file),
    } | said)  # fmt: skip


class Away:
    """A database that is not there."""

    def of(self, _: UUID) -> "Away":
        return self

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        raise Unavailable


class Following:
    """A process that hears: cancelled with the block."""

    def __init__(self, ctx: FlowContext, broker: MqttBroker, outgoing: Outgoing | None = None, **said: Any) -> None:
        nobody = Actor(subject="system", organization_id=known_id(0), role=SYSTEM, permissions=ALL)
        place = broker_of(settings_of(broker, **said))
        assert place is not None
        self._work = mqtt.follow(with_fields(ctx, actor=nobody), place, outgoing or Outgoing())

    async def __aenter__(self) -> None:
        self._task = asyncio.ensure_future(self._work)

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def listening(context: Contexts, operations: FlowContext) -> FlowContext:
    system = await context.system("flow")
    return FlowContext(**{name: getattr(system, name) for name in system.__dataclass_fields__}, live=operations.live)


async def enrolled(ctx: FlowContext, transport: Any = "mqtt") -> tuple[Sensor, str]:
    area = await queue.put_queue(ctx, PutQueue(site_id=SITE, service_id=SERVICE, name="Podiatry"))
    command = EnrolSensor(site_id=SITE, name="Camera", transport=transport, queue_ids=(area.id,), tuning=AT_ONCE)
    made = await sensors.enrol_sensor(ctx, command)
    assert (made.secret is None, made.topic is None) == ((True, False) if transport == "mqtt" else (False, True))
    return made.sensor, made.topic or sensors.TOPIC.format(made.sensor.id)


async def seen_by(ctx: FlowContext, sensor: Sensor) -> Seen:
    found = (await sensors.list_sensors(ctx, ListSensors(site_id=SITE))).items
    return next(each.seen for each in found if each.id == sensor.id)


def said(value: int, seconds: int) -> bytes:
    """A reading of so many seconds after the test began, by the device's clock."""
    return b'{"value":%d,"at":"%s","sequence":%d}' % (value, (MORNING + timedelta(seconds=seconds)).isoformat().encode(), seconds)


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await what():  # noqa: ASYNC110  (a broker sets no asyncio.Event)
            await asyncio.sleep(0.05)


async def until_seen(ctx: FlowContext, sensor: Sensor, value: int | None) -> None:
    async def is_seen() -> bool:
        return (await seen_by(ctx, sensor)).value == value

    await until(is_seen)


async def until_heard(broker: MqttBroker, ctx: FlowContext, sensor: Sensor, topic: str, value: int) -> None:
    """Publish until it is seen: nobody knows when the subscriber is there."""

    async def is_seen() -> bool:
        await broker.publish(topic, str(value).encode(), qos=0)
        await asyncio.sleep(0.2)
        return (await seen_by(ctx, sensor)).value == value

    await until(is_seen)


async def test_a_sensor_is_heard_before_and_after_its_broker_was_killed(
    operations: FlowContext, context: Contexts, broker: MqttBroker, clock: ManualClock
) -> None:
    sensor, topic = await enrolled(operations)
    async with Following(await listening(context, operations), broker):
        await until_heard(broker, operations, sensor, topic, 3)
        await broker.kill()
        clock.advance(seconds=10)
        assert (await seen_by(operations, sensor)).value == 3
        clock.advance(seconds=50)
        assert (await seen_by(operations, sensor)).is_silent
        await broker.start()
        await until_heard(broker, operations, sensor, topic, 4)


async def test_what_was_published_while_nobody_led_is_delivered_afterwards_and_counts_once(
    operations: FlowContext, context: Contexts, broker: MqttBroker, clock: ManualClock
) -> None:
    sensor, topic = await enrolled(operations)
    here = await listening(context, operations)
    async with Following(here, broker):
        await until_heard(broker, operations, sensor, topic, 1)
    clock.advance(seconds=9)
    await broker.publish(topic, *[said(7, 8)] * 3)
    assert (await seen_by(operations, sensor)).value == 1
    async with Following(here, broker):
        await until_seen(operations, sensor, 7)
    assert (await seen_by(operations, sensor)).read_at == MORNING + timedelta(seconds=8)


async def test_a_sensor_is_heard_after_the_database_hung_up(
    operations: FlowContext, context: Contexts, broker: MqttBroker, clock: ManualClock, database_url: str
) -> None:
    sensor, topic = await enrolled(operations)
    async with Following(await listening(context, operations), broker):
        await until_heard(broker, operations, sensor, topic, 3)
        clock.advance(seconds=2)
        await run_sql(database_url, HANG_UP)
        await broker.publish(topic, said(4, 1))
        await until_seen(operations, sensor, 4)


async def test_what_cannot_be_settled_waits(operations: FlowContext, context: Contexts, broker: MqttBroker, clock: ManualClock) -> None:
    sensor, topic = await enrolled(operations)
    here = await listening(context, operations)
    nobody = Actor(subject="system", organization_id=known_id(0), role=SYSTEM, permissions=ALL)
    inbox, place = mqtt.Inbox(clock), broker_of(settings_of(broker))
    assert place is not None
    inbox.take(topic, b"5", is_retained=False)
    await mqtt._settle(with_fields(here, actor=nobody), place, inbox)
    clock.advance(seconds=1)
    inbox.take(topic, b"6", is_retained=False)
    away = with_fields(here, actor=nobody, db=Away())  # type: ignore[arg-type]  # it is asked for a transaction alone
    with pytest.raises(Unavailable):
        await mqtt._settle(away, place, inbox)
    await mqtt._settle(with_fields(here, actor=nobody), place, inbox)
    assert (await seen_by(operations, sensor)).value == 6


async def test_nonsense_and_strangers_are_passed_over_and_the_next_is_heard(
    operations: FlowContext, context: Contexts, broker: MqttBroker, clock: ManualClock
) -> None:
    sensor, topic = await enrolled(operations)
    by_http, its_topic = await enrolled(operations, "http")
    async with Following(await listening(context, operations), broker):
        await until_heard(broker, operations, sensor, topic, 2)
        clock.advance(seconds=1)
        await broker.publish(topic, *NONSENSE)
        await broker.publish(its_topic, b"5")
        await broker.publish(sensors.TOPIC.format(uuid4()), b"5")
        await broker.publish(sensors.TOPIC.format("nobody"), b"5")
        clock.advance(seconds=1)
        await until_heard(broker, operations, sensor, topic, 6)
    assert (await seen_by(operations, by_http)).read_at is None, "a sensor is heard by its own way alone"
    found = (await sensors.list_sensors(operations, ListSensors(site_id=SITE))).items
    assert next(each.fault for each in found if each.id == sensor.id) == "impossible"


async def test_what_a_broker_kept_for_whoever_subscribes_is_of_no_known_time(
    operations: FlowContext, context: Contexts, broker: MqttBroker
) -> None:
    sensor, topic = await enrolled(operations)
    other, its_topic = await enrolled(operations)
    await broker.publish(topic, b"9", retain=True)
    async with Following(await listening(context, operations), broker):
        await until_heard(broker, operations, other, its_topic, 1)
    assert (await seen_by(operations, sensor)).value is None
    await broker.publish(topic, b"", retain=True)


async def test_a_broker_speaks_for_the_organization_that_the_settings_name(
    operations: FlowContext, context: Contexts, broker: MqttBroker, clock: ManualClock
) -> None:
    sensor, topic = await enrolled(operations)
    here = await listening(context, operations)
    async with Following(here, broker, mqtt_organization=str(operations.actor.organization_id)):
        await until_heard(broker, operations, sensor, topic, 1)
    clock.advance(seconds=1)
    strangers = mqtt.Inbox(clock)
    strangers.take(topic, b"2", is_retained=False)
    place = broker_of(settings_of(broker, mqtt_organization=str(known_id(77))))
    assert place is not None
    nobody = Actor(subject="system", organization_id=known_id(0), role=SYSTEM, permissions=ALL)
    await mqtt._settle(with_fields(here, actor=nobody), place, strangers)
    assert (await seen_by(operations, sensor)).value == 1


async def test_nothing_goes_to_a_broker_that_is_quarantined(operations: FlowContext, context: Contexts, broker: MqttBroker) -> None:
    sensor, topic = await enrolled(operations)
    restraints = Restraints()
    held = Restraint(organization_id=known_id(1), id=known_id(2), kind="peer", name="localhost", since=MORNING)
    restraints.take([held])
    async with Following(await listening(context, operations), broker, Outgoing(restraints=restraints)):
        await broker.publish(topic, b"1")
        await asyncio.sleep(1)
        assert (await seen_by(operations, sensor)).read_at is None
        restraints.take([])
        await until_heard(broker, operations, sensor, topic, 1)


async def test_two_processes_are_one_subscriber(operations: FlowContext, context: Contexts, broker: MqttBroker, clock: ManualClock) -> None:
    sensor, topic = await enrolled(operations)
    here = await listening(context, operations)
    first, second = Following(here, broker), Following(here, broker)
    async with first:
        await until_heard(broker, operations, sensor, topic, 1)
        async with second:
            clock.advance(seconds=1)
            await until_heard(broker, operations, sensor, topic, 2)
    clock.advance(seconds=1)
    async with Following(here, broker):
        await until_heard(broker, operations, sensor, topic, 3)


@pytest.mark.parametrize(
    ("payload", "values"),
    [
        (b"17", [17]), (b"true", [True]), (b"0", [0]), (b'{"value":3}', [3]), (b'[{"value":3},{"value":4}]', [3, 4]),
    ],
)  # fmt: skip
def test_a_message_is_a_reading_several_or_a_number(payload: bytes, values: list[float]) -> None:
    assert readings_in(payload) == tuple(Reading(value=value) for value in values)


@pytest.mark.parametrize("topic", STRANGE)
def test_another_topic_names_no_sensor(topic: str) -> None:
    assert sensor_in(topic) is None
    assert sensor_in(sensors.TOPIC.format(known_id(1))) == known_id(1)


def test_a_flood_of_one_sensor_keeps_its_newest_and_takes_no_others_place(clock: ManualClock) -> None:
    inbox, noisy, quiet = mqtt.Inbox(clock), known_id(1), known_id(2)
    inbox.take(sensors.TOPIC.format(noisy), b"1", is_retained=False)
    inbox.take(sensors.TOPIC.format(quiet), b"2", is_retained=False)
    for number in range(1000):
        inbox.take(sensors.TOPIC.format(noisy), str(number).encode(), is_retained=False)
    found = inbox.next()
    assert found is not None
    assert (found[0], [each.value for each in found[1]]) == (noisy, list(range(900, 1000)))
    inbox.take(sensors.TOPIC.format(noisy), b"5", is_retained=False)
    inbox.put_back(*found)
    assert inbox.next() == (quiet, (Reading(value=2, at=MORNING),))
    again = inbox.next()
    assert again is not None
    assert [each.value for each in again[1]] == [*range(901, 1000), 5]
    assert inbox.next() is None


@pytest.mark.parametrize(
    "said",
    [
        {"mqtt_url": "http://broker.example"}, {"mqtt_url": "mqtt://broker.example"}, {"mqtt_url": "mqtts://"},
        {"mqtt_url": "mqtts://me:secret@broker.example"}, {"mqtt_url": "mqtts://broker.example:port"},
        {"mqtt_url": "mqtts://broker.example", "mqtt_password_file": "/nowhere"},
        {"mqtt_url": "mqtts://broker.example", "mqtt_authority_file": "/nowhere"},
        {"mqtt_url": "mqtts://broker.example", "mqtt_organization": "ours"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_stop_the_start(said: dict[str, Any]) -> None:
    with pytest.raises(StartFailed) as refused:
        broker_of(FlowSettings(**said))
    assert "secret" not in str(refused.value)


def test_a_broker_in_the_clear_is_on_this_machine_or_behind_a_tunnel(tmp_path: Path) -> None:
    assert broker_of(FlowSettings()) is None
    here = broker_of(FlowSettings(mqtt_url="mqtt://localhost"))
    assert here is not None
    assert (here.port, here.tls) == (1883, None)
    assert broker_of(FlowSettings(mqtt_url="mqtt://broker.example", mqtt_plain=True)) is not None
