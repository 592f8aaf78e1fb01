"""Sensors over HTTP: parse, call one use case, answer. A sensor reports here by itself, with its secret as the bearer token."""

import msgspec

from carewright.contracts.flow import UnknownPlace, UnknownQueue
from carewright.contracts.sensors import (
    ChangeSensor,
    EnrolledSensor,
    EnrolSensor,
    ListSensors,
    PlaceWatched,
    ReadingsRefused,
    ReadingsTaken,
    ReportReadings,
    Sensor,
    SensorName,
    SensorsPage,
    SensorTuning,
    UnknownSensor,
)
from carewright.flow.context import FlowContext
from carewright.flow.service import readings, sensors
from carewright.kernel.errors import TooManyRequests
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

SENSORS = "/api/v1/sensors"
READINGS = "/api/v1/sensor-readings"


class ChangeSensorBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sensor is called, and when what it says counts."""

    name: SensorName
    tuning: SensorTuning


async def enrol_sensor(ctx: FlowContext, call: Call[Nothing, EnrolSensor]) -> EnrolledSensor:
    """A new one, and its secret."""
    return await sensors.enrol_sensor(ctx, call.body)


async def list_sensors(ctx: FlowContext, call: Call[ListSensors, Nothing]) -> SensorsPage:
    """What each sees, and whether it was heard of late."""
    return await sensors.list_sensors(ctx, call.query)


async def change_sensor(ctx: FlowContext, call: Call[Nothing, ChangeSensorBody]) -> Sensor:
    """Its name and its tuning."""
    command = ChangeSensor(
        sensor_id=call.path["sensor_id"], name=call.body.name, tuning=call.body.tuning, expected_version=call.version
    )  # fmt: skip
    return await sensors.change_sensor(ctx, command)


async def renew_sensor_secret(ctx: FlowContext, call: Call[Nothing, Nothing]) -> EnrolledSensor:
    """Another secret."""
    return await sensors.renew_sensor_secret(ctx, call.path["sensor_id"])


async def stop_sensor(ctx: FlowContext, call: Call[Nothing, Nothing]) -> Sensor:
    """Heard no more."""
    return await sensors.stop_sensor(ctx, call.path["sensor_id"])


async def report_readings(ctx: FlowContext, call: Call[Nothing, ReportReadings]) -> ReadingsTaken:
    """What the sensor saw."""
    return await readings.report_readings(ctx, call.body)


ROUTES = (
    Route("GET", SENSORS, list_sensors, "Sensors of a site, and what each sees", sensors.READ, SensorsPage, query=ListSensors),
    Route(
        "POST", SENSORS, enrol_sensor, "Enrol a sensor; its secret is told this once", sensors.MANAGE, EnrolledSensor, body=EnrolSensor,
        keyed=True, refusals=(UnknownPlace, UnknownQueue, PlaceWatched),
    ),
    Route(
        "PUT", SENSORS + "/{sensor_id}", change_sensor, "What a sensor is called, and when what it says counts", sensors.MANAGE, Sensor,
        body=ChangeSensorBody, versioned=True, refusals=(UnknownSensor,),
    ),
    Route(
        "POST", SENSORS + "/{sensor_id}/secret", renew_sensor_secret, "Another secret for a sensor; the one before is of use no more",
        sensors.MANAGE, EnrolledSensor, refusals=(UnknownSensor,),
    ),
    Route(
        "POST", SENSORS + "/{sensor_id}/stop", stop_sensor, "Hear a sensor no more", sensors.MANAGE, Sensor, refusals=(UnknownSensor,)
    ),
    Route(
        "POST", READINGS, report_readings, "What the sensor that asks has seen, the oldest reading first", readings.REPORT, ReadingsTaken,
        body=ReportReadings, priority=Priority.REPORT, refusals=(UnknownSensor, ReadingsRefused, TooManyRequests),
    ),
)  # fmt: skip
