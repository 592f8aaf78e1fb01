"""The flow module's language of sensors: devices that see whether somebody is in a room or a bed, or how many are in a waiting area.

What they tell is a number and a time, and nothing of whom they see.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Cursor, Instant, ShortText, Version

SensorTransport = Literal["http", "mqtt"]
"""By which of the two a sensor is heard; what comes by the other is nobody's."""
ReadingFault = Literal["repeated", "late", "ahead", "old", "impossible", "beyond"]
"""Why a reading does not count: heard before; an older one than was heard last; of a time to come; of a time so long ago that it says
nothing of now; no number that this sensor could see; more than it may say at once, newer ones count."""
Disagreement = Literal["somebody", "nobody"]
"""A sensor sees somebody in a place that is free, or nobody in one that is occupied."""
SensorName = Annotated[ShortText, Meta(min_length=1)]
WatchedQueues = Annotated[tuple[UUID, ...], Meta(max_length=20)]
HoldSeconds = Annotated[int, Meta(ge=0, le=600)]
ReadingsLeast = Annotated[int, Meta(ge=1, le=20)]
SilentSeconds = Annotated[int, Meta(ge=10, le=86_400)]
CountMost = Annotated[int, Meta(ge=1, le=5_000)]
Sequence = Annotated[int, Meta(ge=0, le=2**53)]


class SensorTuning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When what a sensor says counts: once it has said so in `readings_least` readings and for `hold_seconds`.

    Nothing heard for `silent_seconds` makes it silent: what it saw is shown no more. Twice the time between two readings is the least that
    makes sense. More than `count_most` people is impossible where it is.
    """

    hold_seconds: HoldSeconds = 10
    readings_least: ReadingsLeast = 2
    silent_seconds: SilentSeconds = 300
    count_most: CountMost = 300


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a sensor sees: how many, since when, and of when the newest reading is. Of a room or a bed 0 is nobody, and 1 is somebody.

    `value` is None where nothing is known: it has not said enough yet, or is silent.
    """

    value: int | None = None
    since: Instant | None = None
    read_at: Instant | None = None
    is_silent: bool = False


class Sensor(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor of a site: of the place `place_id`, or of the area in which people wait for `queue_ids`.

    `fault` is why a reading of it did not count last, and when: a clock that is wrong, for one.
    """

    id: UUID
    site_id: UUID
    name: str
    transport: SensorTransport
    place_id: UUID | None = None
    queue_ids: tuple[UUID, ...] = ()
    tuning: SensorTuning
    enrolled_at: Instant
    stopped_at: Instant | None = None
    seen: Seen
    fault: ReadingFault | None = None
    fault_at: Instant | None = None
    version: int = 1


class EnrolSensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sensor of one place, or of the area of one queue or several."""

    site_id: UUID
    name: SensorName
    transport: SensorTransport = "http"
    place_id: UUID | None = None
    queue_ids: WatchedQueues = ()
    tuning: SensorTuning = SensorTuning()

    def __post_init__(self) -> None:
        """Raises `ValueError` for what watches nothing, or two things."""
        if (self.place_id is None) == (not self.queue_ids):
            raise ValueError("a sensor watches one place, or the area of one queue or several")


class EnrolledSensor(msgspec.Struct, frozen=True, kw_only=True):
    """`secret` is told this once, to be put into the device as the bearer token of its requests.

    It is None in an answer to a repeated request, since nobody knows it any more and another one can be had; and of a sensor that is heard
    by MQTT, whose password is its broker's. That one publishes to `topic`.
    """

    sensor: Sensor
    secret: str | None = None
    topic: str | None = None


class ChangeSensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sensor_id: UUID
    name: SensorName
    tuning: SensorTuning
    expected_version: Version | None = None


class ListSensors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sensors of a site that were not stopped. `after` is the cursor of an earlier page."""

    site_id: UUID
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class SensorsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Sensor, ...]
    next: str | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device saw: somebody (true, 1) or nobody (false, 0), or how many. `at` is by its own clock, if it has one.

    `sequence` counts its readings, so that one that comes twice counts once.
    """

    value: bool | int | float
    at: Instant | None = None
    sequence: Sequence | None = None


class ReportReadings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Readings of the sensor that asks, the oldest first."""

    readings: Annotated[tuple[Reading, ...], Meta(min_length=1, max_length=100)]


class RefusedReading(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the readings, from 0, and why it does not count."""

    index: int
    fault: ReadingFault


class ReadingsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many count, and which do not."""

    taken: int
    refused: tuple[RefusedReading, ...] = ()


class SeenArea(msgspec.Struct, frozen=True, kw_only=True):
    """What a sensor sees where people wait: how many, whoever they are; whoever brings somebody along is counted too.

    `people` is None where nothing is known.
    """

    sensor_id: UUID
    name: str
    people: int | None = None
    since: Instant | None = None
    read_at: Instant | None = None
    is_silent: bool = False


class SeenHere(msgspec.Struct, frozen=True, kw_only=True):
    """What the sensor of a room or a bed sees; `disagreement` where the board says otherwise for longer than somebody needs to say so.

    It moves nobody: who is in a room a person decides. `occupied` is None where nothing is known.
    """

    sensor_id: UUID
    occupied: bool | None = None
    since: Instant | None = None
    read_at: Instant | None = None
    is_silent: bool = False
    disagreement: Disagreement | None = None


class UnknownSensor(Refusal):
    code = "sensors.unknown_sensor"
    status = 404
    issue = "not-found"
    title = "We do not know this sensor."


class PlaceWatched(Refusal):
    """`sensor_id` is the one that watches it."""

    code = "sensors.place_watched"
    status = 409
    issue = "duplicate"
    title = "Another sensor watches this room or bed."


class ReadingsRefused(Refusal):
    """`faults` is why, of each."""

    code = "sensors.readings_refused"
    status = 422
    issue = "value"
    title = "None of these readings can count. Look at the device and its clock."


class SensorChanged(Event, frozen=True, kw_only=True):
    """A sensor sees otherwise than it did: so many people (of a place: 1 is somebody), or nothing that is known. It tells of no person."""

    topic: ClassVar[str] = "sensors.sensor.changed.v1"
    sensor_id: UUID
    site_id: UUID
    place_id: UUID | None = None
    queue_ids: tuple[UUID, ...] = ()
    value: int | None = None
    since: Instant | None = None
    is_silent: bool
    version: int

    @property
    def subject(self) -> UUID:
        return self.sensor_id
