"""What a hospital amounts to, in figures that people can read."""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from carewright.contracts.directory import ActorKind
from carewright.scheduling.model.calendar import start_of
from carewright.scheduling.model.ticks import Horizon
from carewright.simulation.hospital.appointments import STATUSES
from carewright.simulation.hospital.arrays import Flags, Floats, Ints, ints
from carewright.simulation.hospital.holidays import holidays
from carewright.simulation.hospital.hospital import Hospital

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts, and how full the calendars are. Fill is claimed time, buffers included, over open time.

    `per_workday` is the mean number of appointments on weekdays that are no holidays; `by_weekday` the mean of each weekday, Monday
    first, holidays left out; `fill_by_week` the practitioners' fill week by week.
    """

    name: str
    first_on: date
    last_on: date
    holidays: tuple[date, ...]
    counts: dict[str, int]
    statuses: dict[str, int]
    fill: dict[ActorKind, float]
    fill_by_week: tuple[float, ...]
    per_workday: float
    by_weekday: tuple[float, ...]

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        return [
            f"{self.name}, {self.first_on} to {self.last_on}",
            "",
            *(f"  {count:>9,}  {what}" for what, count in self.counts.items()),
            "",
            "Appointments: " + ", ".join(f"{count:,} {status}" for status, count in self.statuses.items()),
            f"  {self.per_workday:,.0f} on a working weekday",
            "  " + ", ".join(f"{day[:3]} {mean:,.0f}" for day, mean in zip(WEEKDAYS, self.by_weekday, strict=True)),
            "  closed for holidays: " + (", ".join(f"{on}" for on in self.holidays) or "none"),
            "",
            "Calendars, booked share of open time:",
            *(f"  {share:>6.1%}  {kind}" for kind, share in self.fill.items()),
            "  practitioners by week: " + " ".join(f"{share:.0%}" for share in self.fill_by_week),
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def summarise(hospital: Hospital) -> Summary:
    """Count and measure a hospital."""
    first, days = hospital.start_on, hospital.size.days
    closed = holidays(first, days)
    daily = np.bincount(local_days(hospital, hospital.appointments.site, hospital.appointments.start), minlength=days)[:days]
    dates = [first + timedelta(days=number) for number in range(days)]
    working = np.array([on.weekday() < 5 and on not in closed for on in dates])
    weekday = ints([on.weekday() for on in dates])
    open_day = np.array([on not in closed for on in dates])
    return Summary(
        name=hospital.directory.organizations[0].name,
        first_on=first,
        last_on=hospital.last_on,
        holidays=closed,
        counts=_counts(hospital),
        statuses={name: int((hospital.appointments.status == at).sum()) for at, name in enumerate(STATUSES)},
        fill=_fill(hospital),
        fill_by_week=_fill_by_week(hospital),
        per_workday=_mean(daily[working]),
        by_weekday=tuple(_mean(daily[open_day & (weekday == day)]) for day in range(_WEEK)),
    )


def local_days(hospital: Hospital, site: Ints, tick: Ints) -> Ints:
    """How many local days after the start date each tick lies at its site."""
    horizon = Horizon(origin=hospital.origin, days=hospital.size.days + 1)
    result = np.zeros(len(tick), np.int64)
    for number, location in enumerate(hospital.directory.locations[: len(hospital.site_ids)]):
        zone = ZoneInfo(location.time_zone or "UTC")
        midnights = [start_of(zone, hospital.start_on + timedelta(days=day)) for day in range(hospital.size.days + 2)]
        begins = ints([horizon.tick_at(midnight) for midnight in midnights])
        here = site == number
        result[here] = np.searchsorted(begins, tick[here], side="right") - 1
    return result


def _counts(hospital: Hospital) -> dict[str, int]:
    directory = hospital.directory
    kinds: dict[str, int] = {}
    for person in directory.practitioners:
        kinds[person.kind] = kinds.get(person.kind, 0) + 1
    places: dict[str, int] = {}
    for location in directory.locations:
        places[location.kind] = places.get(location.kind, 0) + 1
    return {
        "sites": places["site"],
        "buildings": places["building"],
        "rooms": places["room"],
        "beds": places["bed"],
        "lab benches": places["lab-bench"],
        "devices": len(directory.devices),
        "practitioners": kinds["practitioner"],
        "nurses": kinds["nurse"],
        "technicians": kinds["technician"],
        "services": len(directory.healthcare_services),
        "visit types": len(directory.visit_types),
        "patients": len(hospital.patients),
        "calendars": len(hospital.actors),
        "openings": len(hospital.openings),
        "appointments": len(hospital.appointments),
        "claims on time": len(hospital.appointments.claims),
    }


def _fill(hospital: Hospital) -> dict[ActorKind, float]:
    kinds = [actor.kind for actor in hospital.actors]
    taken, offered = _ticks_by_actor(hospital)
    of_kind: dict[ActorKind, Flags] = {kind: np.array([each == kind for each in kinds]) for kind in dict.fromkeys(kinds)}
    return {kind: _share(taken[flags], offered[flags]) for kind, flags in of_kind.items()}


def _ticks_by_actor(hospital: Hospital) -> tuple[Floats, Floats]:
    """For every actor the ticks claimed and the ticks open."""
    openings, claims, actors = hospital.openings, hospital.appointments.claims, len(hospital.actors)
    ours = claims.schedule < actors
    taken = np.bincount(claims.schedule[ours], weights=(claims.end - claims.start)[ours], minlength=actors)
    offered = np.bincount(openings.actor, weights=openings.ticks, minlength=actors)
    return taken.astype(np.float64), offered.astype(np.float64)


def _fill_by_week(hospital: Hospital) -> tuple[float, ...]:
    practitioner = np.array([actor.kind == "practitioner" for actor in hospital.actors])
    openings, claims = hospital.openings, hospital.appointments.claims
    ours = np.flatnonzero(claims.schedule < len(practitioner))
    ours = ours[practitioner[claims.schedule[ours]]]
    theirs = np.flatnonzero(practitioner[openings.actor])
    of_claim = local_days(hospital, hospital.appointments.site[claims.appointment[ours]], claims.start[ours]) // _WEEK
    of_opening = local_days(hospital, openings.site[theirs], openings.start[theirs]) // _WEEK
    weeks = -(-hospital.size.days // _WEEK)
    taken = np.bincount(of_claim, weights=(claims.end - claims.start)[ours], minlength=weeks).astype(np.float64)
    offered = np.bincount(of_opening, weights=openings.ticks[theirs], minlength=weeks).astype(np.float64)
    return tuple(_share(taken[week : week + 1], offered[week : week + 1]) for week in range(weeks))


def _share(taken: Floats, offered: Floats) -> float:
    return float(taken.sum() / offered.sum()) if offered.sum() else 0.0


def _mean(counts: Ints) -> float:
    return float(counts.mean()) if len(counts) else 0.0
