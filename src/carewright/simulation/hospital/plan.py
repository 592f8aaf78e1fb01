"""The language in which specialties and services are described: needs, visits, services."""

from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

from carewright.contracts.directory import ActorKind, Coding, UrgencyTier
from carewright.simulation.hospital.codes import BENCH, DEVICE, KINDS, ROOM, SITE_KEYS, SKILL, SiteKey, Spread, token

Comes = Literal["anyone", "adult", "child", "senior", "woman", "woman-40", "adult-45"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One requirement of a visit; without `minutes` it lasts from its offset to the visit's end."""

    kind: ActorKind
    codes: tuple[str, ...]
    label: str
    count: int = 1
    offset: int = 0
    minutes: int | None = None
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A kind of visit.

    The first need leads: visits are laid out on the calendars of its actors, and `share` is this visit's part of theirs.
    """

    name: str
    minutes: int
    needs: tuple[Need, ...]
    share: float
    grid: int = 10
    lead_minutes: int = 120
    horizon_days: int = 120
    tiers: tuple[UrgencyTier, ...] = ("P2",)
    referral: bool = False
    confirm: bool = False
    patient_bookable: bool = True
    comes: Comes = "anyone"
    instructions: str = "arrive"
    sites: tuple[SiteKey, ...] = SITE_KEYS


class Rules(TypedDict, total=False):
    """What a visit may say about itself beside its needs."""

    grid: int
    lead_minutes: int
    horizon_days: int
    tiers: tuple[UrgencyTier, ...]
    referral: bool
    confirm: bool
    patient_bookable: bool
    comes: Comes
    instructions: str
    sites: tuple[SiteKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A healthcare service with its visits."""

    name: str
    specialty: Coding
    description: str
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialty:
    """A specialty: how many practitioners live at which site, which clinics some of them visit, and what they offer.

    Each of `skills` belongs to every third practitioner, in turn. `days_most` is how many weekdays they have for visits at the most:
    surgeons spend the others in the operating room.
    """

    service: Service
    spread: Spread
    outreach: tuple[SiteKey, ...] = ()
    skills: tuple[Coding, ...] = ()
    hours: Literal["clinic", "emergency"] = "clinic"
    weekend: bool = False
    days_most: int = 5


_NAMES: dict[str, str] = {token(system, kind.code): kind.display for system, kinds in KINDS.values() for kind in kinds}


def doctor(specialty: Coding, skill: Coding | None = None, *, offset: int = 0, minutes: int | None = None, after: int = 0) -> Need:
    """A practitioner of the specialty, with the skill where one is named."""
    codes = (token(specialty.system, specialty.code), *((token(skill.system, skill.code),) if skill else ()))
    label = skill.display if skill else specialty.display
    return Need(kind="practitioner", codes=codes, label=label, offset=offset, minutes=minutes, after=after)


def _of(
    kind: ActorKind, code: str, *, offset: int = 0, minutes: int | None = None, before: int = 0, after: int = 0, count: int = 1
) -> Need:
    return Need(kind=kind, codes=(code,), label=_NAMES[code], offset=offset, minutes=minutes, before=before, after=after, count=count)


def room(code: str, *, clean: int = 5) -> Need:
    """A room of a type for the whole visit, cleaned afterwards."""
    return _of("room", token(ROOM, code), after=clean)


def bench(code: str, *, clean: int = 0) -> Need:
    return _of("lab-bench", token(BENCH, code), after=clean)


def device(code: str, *, offset: int = 0, minutes: int | None = None, after: int = 0) -> Need:
    return _of("device", token(DEVICE, code), offset=offset, minutes=minutes, after=after)


def nurse(skill: str, *, offset: int = 0, minutes: int | None = None, count: int = 1, after: int = 0) -> Need:
    return _of("nurse", token(SKILL, skill), offset=offset, minutes=minutes, count=count, after=after)


def technician(skill: str, *, offset: int = 0, minutes: int | None = None, before: int = 0, after: int = 0) -> Need:
    return _of("technician", token(SKILL, skill), offset=offset, minutes=minutes, before=before, after=after)


def offers(name: str, specialty: Coding, description: str, *visits: Visit) -> Service:
    """A service and its visits."""
    return Service(name=name, specialty=specialty, description=description, visits=visits)


def clinic(
    specialty: Coding,
    exam: str,
    *,
    new: int = 40,
    follow: int = 20,
    referral: bool = True,
    comes: Comes = "anyone",
    video: float = 0.20,
    rooming: str = "clinic-nursing",
) -> tuple[Visit, ...]:
    """What nearly every specialty offers: a first visit with a nurse for its first ten minutes, a follow-up, a follow-up by video."""
    own = doctor(specialty)
    return (
        Visit(
            name="New patient visit",
            minutes=new,
            needs=(own, room(exam), nurse(rooming, minutes=10)),
            share=0.17,
            lead_minutes=24 * 60,
            referral=referral,
            comes=comes,
            instructions="new-patient",
        ),
        Visit(
            name="Follow-up visit",
            minutes=follow,
            needs=(own, room(exam, clean=0)),
            share=0.83 - video,
            tiers=("P1", "P2"),
            comes=comes,
            instructions="follow-up",
        ),
        Visit(
            name="Video follow-up",
            minutes=15,
            needs=(own,),
            share=video,
            grid=5,
            lead_minutes=60,
            tiers=("P1", "P2"),
            comes=comes,
            instructions="video",
        ),
    )


def procedure(name: str, minutes: int, *needs: Need, share: float = 0.06, **rules: Unpack[Rules]) -> Visit:
    """A planned intervention at the main site: by referral, three days ahead at the least; what staff must confirm, staff book."""
    usual: Rules = {
        "grid": 15,
        "lead_minutes": 3 * 24 * 60,
        "referral": True,
        "patient_bookable": not rules.get("confirm", False),
        "instructions": "procedure",
        "sites": ("main",),
    }
    return Visit(name=name, minutes=minutes, needs=needs, share=share, **(usual | rules))
