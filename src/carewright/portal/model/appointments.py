"""An appointment as its patient reads it: what, when, where, with whom, and what can still be done about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from msgspec import UNSET

from carewright.contracts.directory import Location
from carewright.contracts.scheduling import HOLD_ENDED, Appointment
from carewright.portal.model.wall import Wall, counted, duration, full_date

AHEAD = ("proposed", "pending", "booked", "waitlist")
WITH = ("practitioner", "nurse", "technician")
PLACES = ("room", "lab-bench", "bed")
STATE_WORDS = {
    "proposed": "Proposed", "pending": "Waiting for confirmation", "booked": "Booked", "arrived": "You have arrived",
    "checked-in": "You are checked in", "fulfilled": "Visit took place", "cancelled": "Cancelled", "noshow": "Missed",
    "waitlist": "On the waiting list", "entered-in-error": "Entered by mistake",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """`state` is the FHIR status, or `held` for a time that is kept and `gone` for one that is kept no longer."""

    id: UUID
    visit_type_id: UUID
    site_id: UUID
    state: str
    state_words: str
    visit: str
    service: str
    day: str
    time: str
    length: str
    zone: str
    zone_label: str
    site: str
    address: str
    phone: str
    place: str
    people: tuple[str, ...]
    note: str
    can_change: bool
    version: int
    start: datetime
    end: datetime


def is_hold(one: Appointment) -> bool:
    """A pending appointment that ends by itself is a time kept while the patient decides."""
    return one.status == "pending" and one.expires_at is not None


def was_only_held(one: Appointment) -> bool:
    """Whether it never came further than a hold, now let go or run out."""
    return one.status == "cancelled" and one.cancelation_reason in HOLD_ENDED


def is_live_hold(one: Appointment, now: datetime) -> bool:
    return is_hold(one) and one.expires_at is not None and one.expires_at > now


def is_ahead(one: Appointment, now: datetime) -> bool:
    """Whether the visit is still to come, or going on."""
    return one.status in (*AHEAD, "arrived", "checked-in") and one.end > now and not is_hold(one)


def appointment_view(one: Appointment, wall: Wall, now: datetime, site: Location | None) -> AppointmentView:
    state = _state(one, now)
    return AppointmentView(
        id=one.id,
        visit_type_id=one.visit_type_id,
        site_id=one.site_id,
        state=state,
        state_words="Kept for you" if state == "held" else STATE_WORDS[one.status],
        visit=one.visit_type_name,
        service=one.service_name,
        day=full_date(wall.day(one.start), wall.locale),
        time=wall.time(one.start),
        length=duration(round((one.end - one.start).total_seconds() / 60)),
        zone=wall.zone.key,
        zone_label=wall.city,
        site=one.site_name,
        address=(site.address if site else None) or "",
        phone=(site.phone if site else None) or "",
        place=", ".join(_displays(one, PLACES)),
        people=tuple(_displays(one, WITH)),
        note="" if one.note is UNSET else one.note,
        can_change=one.status in ("booked", "pending") and not is_hold(one) and one.start > now,
        version=one.version,
        start=one.start,
        end=one.end,
    )


def _state(one: Appointment, now: datetime) -> str:
    if not is_hold(one):
        return one.status
    return "held" if is_live_hold(one, now) else "gone"


def _displays(one: Appointment, kinds: tuple[str, ...]) -> list[str]:
    """The names of the actors of these kinds, those who lead first; an actor that has no name to show is left out."""
    return [actor.display for kind in kinds for actor in one.participants if actor.kind == kind and actor.display]


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long a hold still lasts. `until` is the site's wall time."""

    seconds: int
    until: str
    words: str


def time_left(one: Appointment, wall: Wall, now: datetime) -> TimeLeft:
    ends_at = one.expires_at or now
    seconds = max(0, int((ends_at - now).total_seconds()))
    return TimeLeft(seconds, wall.time(ends_at), f"about {counted(ceil(seconds / 60), 'minute')}")


def newest_first(found: Iterable[Appointment]) -> list[Appointment]:
    return sorted(found, key=lambda one: one.start, reverse=True)


def soonest_first(found: Iterable[Appointment]) -> list[Appointment]:
    return sorted(found, key=lambda one: one.start)
