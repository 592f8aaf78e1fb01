"""What this process remembers of sensors, so that a reading which says nothing new costs no database: who each is, and what is known of it.

It may be behind by `KNOWN_SECONDS`, and decides nothing: whatever is written is worked out anew on the row, which is locked. So a sensor
that was stopped, or was given another secret, is heard no more after so long; and what another process heard counts here from then on.
"""

from dataclasses import dataclass
from uuid import UUID

from carewright.contracts.sensors import Sensor
from carewright.flow.model.sensing import Sensing
from carewright.kernel.clock import Clock
from carewright.kernel.errors import TooManyRequests
from carewright.kernel.limits import Limits, Rate, whole_seconds

KNOWN_SECONDS = 5.0
KNOWN_MOST = 10_000
PACE = Rate(per_second=2, most=200)
"""Readings of one sensor: two a second, and what it kept while its network was away."""


@dataclass(slots=True)
class Known:
    """A sensor as this process knows it until `until`: what is `written` of it, and what is known `now`, which may be a little more."""

    organization_id: UUID
    sensor: Sensor
    written: Sensing
    now: Sensing
    until: float


class Live:
    """The memory of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[UUID, Known] = {}
        self._by_secret: dict[bytes, tuple[UUID, float]] = {}
        self._unknown: dict[UUID, float] = {}
        self._limits = Limits(clock.monotonic_seconds)

    def known(self, sensor_id: UUID) -> Known | None:
        """None where it must be asked for."""
        found = self._known.get(sensor_id)
        return found if found is not None and self._clock.monotonic_seconds() < found.until else None

    def by_secret(self, secret_hash: bytes) -> Known | None:
        """Whose this secret was when the database was asked about it, however often the sensor was heard since."""
        sensor_id, until = self._by_secret.get(secret_hash, (None, 0.0))
        return self.known(sensor_id) if sensor_id is not None and self._clock.monotonic_seconds() < until else None

    def remember(self, organization_id: UUID, sensor: Sensor, written: Sensing, secret_hash: bytes | None = None) -> Known:
        """What was just read or written of a sensor. What this process knew beyond it stays, unless another one wrote."""
        if len(self._known) >= KNOWN_MOST:
            self._known.clear()
            self._by_secret.clear()
        before = self._known.get(sensor.id)
        now = before.now if before is not None and before.written.version == written.version else written
        known = Known(organization_id, sensor, written, now, self._clock.monotonic_seconds() + KNOWN_SECONDS)
        self._known[sensor.id] = known
        if secret_hash is not None:
            self._by_secret[secret_hash] = sensor.id, known.until
        return known

    def forget(self, sensor_id: UUID) -> None:
        """It was stopped or changed: the next reading asks."""
        self._known.pop(sensor_id, None)
        self._by_secret = {mark: whose for mark, whose in self._by_secret.items() if whose[0] != sensor_id}

    def note_unknown(self, sensor_id: UUID) -> None:
        """Nobody knows it: whoever names it again asks nobody for a while."""
        if len(self._unknown) >= KNOWN_MOST:
            self._unknown.clear()
        self._unknown[sensor_id] = self._clock.monotonic_seconds() + KNOWN_SECONDS

    def is_unknown(self, sensor_id: UUID) -> bool:
        return self._clock.monotonic_seconds() < self._unknown.get(sensor_id, 0.0)

    def allowed(self, sensor_id: UUID, readings: int) -> int:
        """How many of so many readings a sensor may say now. Raises `TooManyRequests` where it may say none."""
        for number in range(readings):
            wait = self._limits.take(str(sensor_id), PACE)
            if wait and not number:
                raise TooManyRequests(retry_after_seconds=whole_seconds(wait))
            if wait:
                return number
        return readings
