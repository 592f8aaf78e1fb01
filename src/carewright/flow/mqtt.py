"""Sensors over MQTT 3.1.1: a subscriber at the hospital's broker. One process leads; what the broker may deliver twice counts once.

The subscription outlives us at the broker (no clean session, QoS 1): what is published while nobody hears is delivered afterwards. What was
delivered and is not settled yet, as while PostgreSQL is away, is kept, of each sensor the newest.
"""

import asyncio
import logging
import ssl
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import aiomqtt
import msgspec
from msgspec.structs import replace
from prometheus_client import Counter, Gauge

from carewright.contracts.sensors import Reading, ReportReadings
from carewright.flow.context import FlowContext
from carewright.flow.service import readings
from carewright.flow.service.sensors import TOPIC
from carewright.flow.settings import FlowSettings
from carewright.kernel import telemetry
from carewright.kernel.clock import Clock
from carewright.kernel.db import Session
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.priority import Priority, working_as
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import load
from carewright.kernel.transport import is_here

K = load("carewright.kernel")
LEAD = "flow mqtt"
CLIENT = "carewright"
"""Our name at the broker. Who comes under it later takes the place of who was there: two never hear."""
SUBSCRIBED = TOPIC.format("+")
QOS = 1
KEEPALIVE_SECONDS = 15
LOOK_SECONDS = 1.0
GATHER_SECONDS = 0.05
"""What comes within so long is settled together: of each sensor in one statement."""
AWAY_SECONDS = (1.0, 2.0, 5.0, 10.0)
"""How long a broker that does not answer is left alone, the first time, the second, and so on."""
PAYLOAD_BYTES_MAX = 16 * 1024
SENSORS_MOST = 10_000
READINGS_MOST = 100
UNREAD_MOST = 10_000
CONNECTED = Gauge("carewright_sensor_broker_connected", "1 while this process hears sensors at the MQTT broker.")
MESSAGES = Counter("carewright_sensor_messages_total", "Messages of sensors at the MQTT broker, by what became of them.", ["fate"])
log = telemetry.logger(__name__)
_batch = Annotated[tuple[Reading, ...], msgspec.Meta(min_length=1, max_length=READINGS_MOST)]


class Broker(NamedTuple):
    """Where sensors publish, and as whom we come there."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: ssl.SSLContext | None
    organization_id: UUID | None


def broker_of(settings: FlowSettings) -> Broker | None:
    """From the settings; None where there is none. Raises `StartFailed` for what cannot be, and for sensors in the clear."""
    if not settings.mqtt_url:
        return None
    try:
        parts = urlsplit(settings.mqtt_url)
        place = parts.hostname or "", parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        organization_id = UUID(settings.mqtt_organization) if settings.mqtt_organization else None
    except ValueError as fault:
        raise StartFailed("CAREWRIGHT_FLOW_MQTT_URL is no address, or CAREWRIGHT_FLOW_MQTT_ORGANIZATION no id.") from fault
    if parts.scheme not in ("mqtt", "mqtts") or not place[0] or parts.username or parts.path.strip("/"):
        raise StartFailed("CAREWRIGHT_FLOW_MQTT_URL is written as mqtts://broker.hospital.internal:8883, without an account.")
    if parts.scheme == "mqtt" and not settings.mqtt_plain and not is_here(place[0]):
        raise StartFailed("MQTT beyond this machine needs TLS: write mqtts://, or set CAREWRIGHT_FLOW_MQTT_PLAIN.")
    try:
        password = Path(settings.mqtt_password_file).read_text("utf-8").partition("\n")[0] if settings.mqtt_password_file else None
        tls = _tls(settings) if parts.scheme == "mqtts" else None
    except (OSError, ValueError) as fault:  # ssl.SSLError is an OSError
        raise StartFailed("A file that CAREWRIGHT_FLOW_MQTT_…_FILE names cannot be read, or does not fit.") from fault
    return Broker(*place, settings.mqtt_user or None, password, tls, organization_id)


def _tls(settings: FlowSettings) -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=settings.mqtt_authority_file or None)
    if settings.mqtt_certificate_file:
        tls.load_cert_chain(settings.mqtt_certificate_file, settings.mqtt_key_file or None)
    return tls


def sensor_in(topic: str) -> UUID | None:
    """The sensor that a topic names."""
    before, _, behind = TOPIC.partition("{}")
    if not (topic.startswith(before) and topic.endswith(behind)):
        return None
    try:
        return UUID(topic[len(before) : -len(behind)])
    except ValueError:
        return None


def readings_in(payload: bytes) -> tuple[Reading, ...]:
    """What a message says: a reading as over HTTP, several of them, or a bare number. Raises `ValueError`."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError("this is too long")
    if payload[:1] == b"[":
        return msgspec.json.decode(payload, type=_batch)
    if payload[:1] == b"{":
        return (msgspec.json.decode(payload, type=Reading),)
    return (Reading(value=msgspec.json.decode(payload, type=bool | int | float)),)


class Inbox:
    """What was delivered and is not settled yet: of each sensor the newest readings, so that a flood of one takes no other's place."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._unsettled: dict[UUID, deque[Reading]] = {}
        self.filled = asyncio.Event()

    def take(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """One message. A reading without a time is of now, unless the broker kept it for whoever subscribes: then nobody knows."""
        sensor_id = sensor_in(topic)
        try:
            said = readings_in(payload)
        except ValueError:  # msgspec.DecodeError is one
            said = ()
        now = self._clock.now()
        said = tuple(each if each.at else replace(each, at=now) for each in said if each.at or not is_retained)
        if sensor_id is None or not said:
            MESSAGES.labels("retained" if is_retained else "nonsense").inc()
        elif sensor_id not in self._unsettled and len(self._unsettled) >= SENSORS_MOST:
            MESSAGES.labels("beyond").inc()
        else:
            self._unsettled.setdefault(sensor_id, deque(maxlen=READINGS_MOST)).extend(said)
            self.filled.set()

    def next(self) -> tuple[UUID, tuple[Reading, ...]] | None:
        """Take out the sensor that has waited for longest, with what it said; None where nothing is left."""
        for sensor_id in self._unsettled:
            return sensor_id, tuple(self._unsettled.pop(sensor_id))
        self.filled.clear()
        return None

    def put_back(self, sensor_id: UUID, said: tuple[Reading, ...]) -> None:
        """It could not be settled: it comes before what came meanwhile."""
        self._unsettled[sensor_id] = deque((*said, *self._unsettled.get(sensor_id, ())), maxlen=READINGS_MOST)
        self.filled.set()


async def follow(ctx: FlowContext, broker: Broker, outgoing: Outgoing) -> None:
    """Lead or wait to lead, until cancelled. While PostgreSQL is away whoever led goes on hearing: nobody else can lead."""
    inbox = Inbox(ctx.clock)
    hearing: asyncio.Future[None] | None = None
    try:
        with working_as(Priority.REPORT):
            while True:
                try:
                    async with ctx.db.reserved() as session:
                        row = await session.fetch_one(K.try_lead, LEAD)
                        if row and row["leads"]:
                            hearing = hearing or asyncio.ensure_future(_hear(broker, outgoing, inbox))
                            await _lead(ctx, broker, inbox, session, hearing)
                        else:
                            await _ended(hearing)
                            hearing = None
                except Unavailable:
                    log.info("mqtt.waits")
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await _ended(hearing)


async def _lead(ctx: FlowContext, broker: Broker, inbox: Inbox, session: Session, hearing: asyncio.Future[None]) -> None:
    """Settle what is heard while the lock is ours. Raises `Unavailable` when PostgreSQL is away, and whatever ended the hearing."""
    log.info("mqtt.leads", host=broker.host)
    while not hearing.done():
        await _settle(ctx, broker, inbox)
        await session.fetch_one(K.database_now)  # the lock goes with this connection: notice when it is gone
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await inbox.filled.wait()
        await asyncio.sleep(GATHER_SECONDS)
    await hearing


async def _ended(hearing: asyncio.Future[None] | None) -> None:
    """Nobody hears any more."""
    if hearing is not None:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def _settle(ctx: FlowContext, broker: Broker, inbox: Inbox) -> None:
    """Have everything count that was delivered. Raises `Unavailable`, and nothing of it is lost."""
    while (found := inbox.next()) is not None:
        sensor_id, said = found
        try:
            taken = await readings.hear_at_broker(ctx, broker.organization_id, sensor_id, ReportReadings(readings=said))
            MESSAGES.labels("taken" if taken.taken else "repeated").inc()
        except Unavailable:
            inbox.put_back(sensor_id, said)
            raise
        except Refusal as refusal:
            MESSAGES.labels(refusal.code.rpartition(".")[2]).inc()


async def _hear(broker: Broker, outgoing: Outgoing, inbox: Inbox) -> None:
    """Whatever is published, until cancelled. A broker that is away is asked again."""
    failed = 0
    while True:
        try:
            outgoing.ensure_peer(broker.host)
            async with _client(broker) as client:
                await client.subscribe(SUBSCRIBED, qos=QOS)
                CONNECTED.set(1)
                log.info("mqtt.connected", host=broker.host)
                failed = 0
                async for message in client.messages:
                    inbox.take(str(message.topic), _bytes(message.payload), is_retained=message.retain)
        except (aiomqtt.MqttError, OSError, Refusal) as fault:
            log.warning("mqtt.away", host=broker.host, error=type(fault).__name__)
        finally:
            CONNECTED.set(0)
        await asyncio.sleep(AWAY_SECONDS[min(failed, len(AWAY_SECONDS) - 1)])
        failed += 1


def _client(broker: Broker) -> aiomqtt.Client:
    quiet = logging.getLogger("carewright.mqtt")
    quiet.setLevel(logging.CRITICAL)
    return aiomqtt.Client(
        broker.host, broker.port, username=broker.user, password=broker.password, identifier=CLIENT, clean_session=False,
        keepalive=KEEPALIVE_SECONDS, tls_context=broker.tls, max_queued_incoming_messages=UNREAD_MOST, logger=quiet,
    )  # fmt: skip


def _bytes(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else b""
