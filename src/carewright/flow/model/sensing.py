"""What a sensor sees, from what it says: pure rules, without a clock.

A device errs: a beam is crossed by a passer-by, a camera counts a coat. What it says counts once it has said so for a while (a run of
readings), so what is shown changes once at most within `hold_seconds`. Of people the whole run agrees upon the number that is nearest to
what was shown: of 20, 22 and 21 after 17, that at least 20 are there. A room is the case of 0 and 1.
"""

from datetime import datetime, timedelta
from math import isfinite
from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.rooms import Place
from carewright.contracts.sensors import Disagreement, Reading, ReadingFault, Seen, SeenArea, SeenHere, Sensor, SensorChanged, SensorTuning

AHEAD_MOST = timedelta(seconds=60)
"""A device's clock may be so far ahead of ours (as other processes' clocks may: `authz.CLOCKS_APART_SECONDS`); its readings are of now."""
COUNTS_ANEW = timedelta(seconds=30)
"""Brokers and networks reorder within seconds. A device whose numbers are smaller after so long was started again."""
SOMEBODY_AFTER = timedelta(minutes=2)
"""Whoever fetches something from a free room is out again by then, and whoever brings a patient in has told us."""
NOBODY_AFTER = timedelta(minutes=15)
"""A patient may leave the bed for a while."""
WRITTEN_PARTS = 4
"""So often within `silent_seconds` it is written that a sensor was heard which says nothing new."""
FAULTS_APART = timedelta(minutes=1)


class Sensing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a sensor. `run_…` are readings that say otherwise than `value` and do not count yet.

    `is_silent` is what was told last. `version` rises with every change that is written.
    """

    value: int | None = None
    since: datetime | None = None
    run_value: int | None = None
    run_from: datetime | None = None
    run_readings: int = 0
    read_at: datetime | None = None
    sequence: int | None = None
    is_silent: bool = False
    fault: ReadingFault | None = None
    fault_at: datetime | None = None
    version: int = 0


class Read(msgspec.Struct, frozen=True):
    """A reading that counts: how many, by our clock when, and its number."""

    value: int
    at: datetime
    sequence: int | None


def judged(said: Reading, known: Sensing, sensor: Sensor, now: datetime) -> Read | ReadingFault:
    """The reading, or why it does not count. Nothing that a device says is believed before it was here."""
    value = _number(said.value, 1 if sensor.place_id else sensor.tuning.count_most)
    if value is None:
        return "impossible"
    if said.at is not None and said.at > now + AHEAD_MOST:
        return "ahead"
    at = min(said.at or now, now)
    if now - at >= timedelta(seconds=sensor.tuning.silent_seconds):
        return "old"
    return _order(said, at, known, now) or Read(value, at, said.sequence)


def _number(value: float, most: int) -> int | None:
    """A whole number from 0 to `most`; None for what is none."""
    return int(value) if isfinite(value) and 0 <= value <= most and value == int(value) else None


def _order(said: Reading, at: datetime, known: Sensing, now: datetime) -> ReadingFault | None:
    """Whether it was heard before, or comes behind a newer one."""
    if known.read_at is None:
        return None
    if said.sequence is not None and known.sequence is not None and now - known.read_at <= COUNTS_ANEW:
        if said.sequence <= known.sequence:
            return "repeated" if said.sequence == known.sequence else "late"
    elif at == known.read_at:
        return "repeated"
    return "late" if at < known.read_at else None


def heard(known: Sensing, read: Read, tuning: SensorTuning) -> Sensing:
    """What is known after a reading."""
    known = unless_silent(known, read.at, tuning)
    number = known.sequence if read.sequence is None else read.sequence
    known = replace(known, read_at=read.at, sequence=number, is_silent=False)
    if read.value == known.value:
        return replace(known, run_value=None, run_from=None, run_readings=0)
    return settled(_run(known, read, tuning), read.at, tuning)


def _run(known: Sensing, read: Read, tuning: SensorTuning) -> Sensing:
    """The run with one more reading, which begins it where the readings before said otherwise."""
    readings = min(known.run_readings + 1, tuning.readings_least)
    if known.run_value is None or known.value is None:
        return replace(known, run_value=read.value, run_from=known.run_from or read.at, run_readings=readings)
    shown = known.value
    if (read.value > shown) != (known.run_value > shown):
        return replace(known, run_value=read.value, run_from=read.at, run_readings=1)
    nearest = min(known.run_value, read.value, key=lambda value: abs(value - shown))
    return replace(known, run_value=nearest, run_readings=readings)


def settled(known: Sensing, now: datetime, tuning: SensorTuning) -> Sensing:
    """A run that has held counts, whether or not it is said once more: a device may tell changes alone."""
    if known.run_from is None or known.run_readings < tuning.readings_least:
        return known
    if now - known.run_from < timedelta(seconds=tuning.hold_seconds):
        return known
    return replace(known, value=known.run_value, since=known.run_from, run_value=None, run_from=None, run_readings=0)


def unless_silent(known: Sensing, now: datetime, tuning: SensorTuning) -> Sensing:
    """What is known of a sensor that was not heard for so long: nothing."""
    if known.read_at is None or now - known.read_at < timedelta(seconds=tuning.silent_seconds):
        return known
    return replace(known, value=None, since=None, run_value=None, run_from=None, run_readings=0, is_silent=True)


def as_of(known: Sensing, now: datetime, tuning: SensorTuning) -> Sensing:
    """What is known at this moment, if nothing more was heard: time alone makes a run count, and a sensor silent."""
    return unless_silent(settled(known, now, tuning), now, tuning)


def noted(known: Sensing, fault: ReadingFault, now: datetime) -> Sensing:
    """What is known after a reading that does not count. What comes twice or late is the network's way, and nobody's fault."""
    if fault in ("repeated", "late") or (fault == known.fault and known.fault_at and now - known.fault_at < FAULTS_APART):
        return known
    return replace(known, fault=fault, fault_at=now)


def is_worth_writing(written: Sensing, known: Sensing, tuning: SensorTuning) -> bool:
    """Whether the database must know: not of each reading that says what the one before said."""
    if replace(known, read_at=written.read_at, sequence=written.sequence) != written:
        return True
    if written.read_at is None or known.read_at is None:
        return known.read_at is not None
    return known.read_at - written.read_at >= timedelta(seconds=tuning.silent_seconds / WRITTEN_PARTS)


def is_shown_otherwise(before: Sensing, after: Sensing) -> bool:
    """Whether who looks sees something else."""
    return (before.value, before.is_silent) != (after.value, after.is_silent)


def seen_of(known: Sensing, now: datetime, tuning: SensorTuning) -> Seen:
    """What is shown now."""
    current = as_of(known, now, tuning)
    return Seen(value=current.value, since=current.since, read_at=current.read_at, is_silent=current.is_silent)


def seen_here(place: Place, sensor_id: UUID, seen: Seen, now: datetime) -> SeenHere:
    """What a place's row says of its sensor."""
    return SeenHere(
        sensor_id=sensor_id, occupied=None if seen.value is None else seen.value > 0, since=seen.since, read_at=seen.read_at,
        is_silent=seen.is_silent, disagreement=_disagreement(place, seen, now),
    )  # fmt: skip


def seen_area(sensor: Sensor, known: Sensing, now: datetime) -> SeenArea:
    """What a queue shows of the area in which people wait for it."""
    seen = seen_of(known, now, sensor.tuning)
    return SeenArea(
        sensor_id=sensor.id, name=sensor.name, people=seen.value, since=seen.since, read_at=seen.read_at, is_silent=seen.is_silent
    )  # fmt: skip


def _disagreement(place: Place, seen: Seen, now: datetime) -> Disagreement | None:
    """Only of what has been so for a while, by both. Whoever cleans or repairs may be in a room that is not free."""
    if seen.value is None or seen.since is None:
        return None
    so_for = now - max(seen.since, place.since or seen.since)
    if place.status == "free" and seen.value > 0 and so_for >= SOMEBODY_AFTER:
        return "somebody"
    return "nobody" if place.status == "occupied" and seen.value == 0 and so_for >= NOBODY_AFTER else None


def changed(sensor: Sensor, known: Sensing, organization_id: UUID) -> SensorChanged:
    """The fact that a change of what is shown leaves behind."""
    return SensorChanged(
        organization_id=organization_id, sensor_id=sensor.id, site_id=sensor.site_id, place_id=sensor.place_id,
        queue_ids=sensor.queue_ids, value=known.value, since=known.since, is_silent=known.is_silent, version=known.version,
    )  # fmt: skip
