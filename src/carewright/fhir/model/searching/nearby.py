"""`near` of Location (http://hl7.org/fhir/R4/location.html#search): latitude|longitude|distance|unit, as the crow flies."""

import math
from typing import Any

import msgspec

KM_DEFAULT = 50.0
"""Where a search gives no distance, R4 leaves it to the server."""
KM_OF = {"km": 1.0, "m": 0.001, "[mi_us]": 1.609347, "[mi_i]": 1.609344, "mi": 1.609344}
EARTH_KM = 6371.0088
"""The mean radius of the Earth (IUGG)."""


class Circle(msgspec.Struct, frozen=True):
    latitude: float
    longitude: float
    km: float


def parse(text: str) -> Circle:
    """Raises `ValueError` where it is not a place on the Earth, or its unit is not known."""
    parts = [*text.split("|"), "", ""]
    if not 4 <= len(parts) <= 6:
        raise ValueError
    latitude, longitude = float(parts[0]), float(parts[1])
    distance, unit = float(parts[2] or KM_DEFAULT), parts[3] or "km"
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and distance >= 0 and unit in KM_OF):
        raise ValueError
    return Circle(latitude, longitude, distance * KM_OF[unit])


def matches(asked: Circle, value: Any) -> bool:
    """Whether a Location.position lies within the circle."""
    try:
        return distance_km(asked.latitude, asked.longitude, float(value["latitude"]), float(value["longitude"])) <= asked.km
    except (KeyError, TypeError, ValueError):
        return False


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The length of the great circle, by the haversine formula."""
    one, other = math.radians(latitude), math.radians(other_latitude)
    half = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
