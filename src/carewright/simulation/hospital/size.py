"""How large a hospital to build."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalSize:
    """Counts of the hospital to build. The default is the demonstration hospital.

    `specialties` and `shared_services` take the first so many of their tables, `days` is the length of the calendars, `fill` the share of
    practitioners' open time that is booked on average, `appointments_per_weekday` the mean over weekdays that are no holidays.
    """

    specialties: int = 40
    shared_services: int = 8
    practitioners: int = 320
    nurses: int = 230
    technicians: int = 170
    rooms: int = 260
    beds: int = 1_200
    devices: int = 120
    lab_benches: int = 8
    patients: int = 120_000
    days: int = 90
    fill: float = 0.70
    appointments_per_weekday: int = 4_500


FULL = HospitalSize()
TINY = HospitalSize(
    specialties=4,
    shared_services=2,
    practitioners=14,
    nurses=24,
    technicians=24,
    rooms=40,
    beds=24,
    devices=24,
    lab_benches=3,
    patients=200,
    days=14,
    appointments_per_weekday=270,
)
