"""What the staff's pages say of rooms and beds: each word of the contract as people say it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from carewright.contracts.rooms import (
    BedRequest,
    ClosedReason,
    Place,
    PlaceAction,
    PlaceKind,
    PlaceLack,
    PlaceReason,
    PlaceStatus,
    Precaution,
    ProposedPlaces,
)
from carewright.contracts.sensors import Disagreement

KINDS: Mapping[PlaceKind, str] = {"bed": "Beds", "room": "Rooms", "lab-bench": "Lab benches"}
ONE: Mapping[PlaceKind, str] = {"bed": "bed", "room": "room", "lab-bench": "lab bench"}
STATES: Mapping[PlaceStatus, str] = {"free": "Free", "occupied": "Occupied", "turnover": "Cleaning", "closed": "Closed"}
TAGS: Mapping[PlaceStatus, str] = {"free": "booked", "occupied": "held", "turnover": "pending", "closed": "cancelled"}
"""The tag of the design system that looks like it."""
CLOSED: Mapping[ClosedReason, str] = {
    "maintenance": "Being repaired", "cleaning": "Thorough cleaning", "staffing": "No staff", "infection-control": "Infection control",
    "reserved": "Kept for somebody", "other": "Something else",
}  # fmt: skip
PRECAUTIONS: Mapping[Precaution, str] = {"contact": "Contact", "droplet": "Droplets", "airborne": "Airborne"}
LABELS: Mapping[PlaceAction, str] = {
    "vacate": "Has left, the visit goes on", "discharge": "Discharge", "ready": "Clean", "close": "Close", "open": "Open again",
}  # fmt: skip
OFFERED: Mapping[PlaceStatus, Sequence[PlaceAction]] = {
    "free": ("close",), "occupied": ("discharge", "vacate"), "turnover": ("ready", "close"), "closed": ("open",),
}  # fmt: skip
DONE: Mapping[str, str] = {
    "put": "The patient is in {name} now.",
    "vacate": "{name} is to be cleaned. The visit goes on.", "discharge": "The patient is discharged. {name} is to be cleaned.",
    "ready": "{name} is free.", "close": "{name} is closed.", "open": "{name} is free again.",
}  # fmt: skip
WHY: Mapping[PlaceReason, str] = {
    "type": "of the type asked for", "equipment": "has the equipment", "precautions": "fit for the precautions",
    "not-more-than-needed": "fit for no more than is needed", "more-than-needed": "fit for precautions that others may need more",
    "near": "near to where the patient is", "never-used": "not used before", "longest-unused": "not used for longest",
}  # fmt: skip
SENSED: Mapping[Disagreement, str] = {"somebody": "Its sensor sees somebody", "nobody": "Its sensor sees nobody"}
LACKS: Mapping[PlaceLack, str] = {
    "type": "of another type", "equipment": "without the equipment", "precautions": "not fit for the precautions",
}  # fmt: skip


def clock_of(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A time of today as a time, another with its day."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%a %d %b, %H:%M}"


def key_of(one: Place | BedRequest) -> str:
    """What a page that shows who it is knows by: the place, or who waits, as it stands."""
    return f"{one.id}-{one.version}"


def ticked(said: Mapping[str, str]) -> list[Precaution]:
    """The precautions that a form names."""
    return [each for each in PRECAUTIONS if said.get(each) == "yes"]


def word_of(code: str) -> str:
    """A code as a word, where the directory has none for it."""
    return code.rpartition("|")[2].replace("-", " ").capitalize()


def features_of(place: Place) -> str:
    """What stands in a place, and what it is fit for."""
    fit = "fit for " + ", ".join(PRECAUTIONS[each].lower() for each in place.precautions) if place.precautions else ""
    return "; ".join(filter(None, (", ".join(map(word_of, place.devices)), fit)))


def sensed(place: Place) -> str:
    """What a sensor says against the board, or that nothing is heard of it."""
    if place.seen is None:
        return ""
    silent = "Its sensor is silent" if place.seen.is_silent else ""
    return SENSED[place.seen.disagreement] if place.seen.disagreement else silent


def why_of(reasons: Iterable[PlaceReason]) -> str:
    return ", ".join(WHY[each] for each in reasons).capitalize()


def lacking(found: ProposedPlaces, kind: PlaceKind) -> str:
    """What there is, and what the rest lacks, in a sentence."""
    rest = ", ".join(f"{each.count} {LACKS[each.lack]}" for each in found.unsuited)
    return f"{KINDS[kind]} free now: {found.free}{' (' + rest + ')' if rest else ''}."
