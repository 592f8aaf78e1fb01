"""Scheduling's settings: defaults, limits and units."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`hold_seconds`: how long a hold lives. `horizon_days`: how far ahead calendars are kept as bits and may be booked.

    `archive_after_days`: when an appointment that is over leaves the live tables. `pool_connections`: commits that are under way together
    share one flush of the log, so on a slow disk bookings a second grow with the connections.
    """

    hold_seconds: int = 600
    holds_per_patient_max: int = 3
    horizon_days: int = 120
    archive_after_days: int = 7
    openings_kept_days: int = 30
    pool_connections: int = 32
