"""What sensors see where people wait, in words: beside a queue, and at a glance."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from carewright.contracts.queue import QueueSummary
from carewright.contracts.sensors import SeenArea


class Area(NamedTuple):
    """A waiting area. `told` says how many are there, or why nobody knows."""

    seen: SeenArea
    told: str


def areas_of(queues: Iterable[QueueSummary], zone: ZoneInfo) -> Sequence[Area]:
    """Each area once, though people may wait there for several queues."""
    seen = {each.sensor_id: each for queue in queues for each in queue.areas}
    return [Area(each, _told(each, zone)) for each in sorted(seen.values(), key=lambda one: (one.name, one.sensor_id))]


def _told(seen: SeenArea, zone: ZoneInfo) -> str:
    if seen.is_silent:
        heard = f" since {seen.read_at.astimezone(zone):%H:%M}" if seen.read_at else ""
        return f"not known: its sensor is silent{heard}"
    if seen.people is None or seen.since is None:
        return "not known yet"
    return f"{seen.people} {'person' if seen.people == 1 else 'people'}, since {seen.since.astimezone(zone):%H:%M}"
