"""Everybody who works here: practitioners by specialty, nurses and technicians by skill."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from carewright.contracts.directory import Coding, Practitioner, PractitionerRole
from carewright.simulation.hospital.actors import Actor
from carewright.simulation.hospital.arrays import apportion
from carewright.simulation.hospital.codes import ROLE, SITE_KEYS, Kind, SiteKey, coding, token
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.people import GENDERS, LANGUAGES, People, invent
from carewright.simulation.hospital.places import Places, counted, identifier, kinds_of
from carewright.simulation.hospital.plan import Specialty
from carewright.simulation.hospital.size import HospitalSize

DOCTOR = Coding(system=ROLE, code="doctor", display="Doctor")
NURSE = Coding(system=ROLE, code="nurse", display="Nurse")
TECHNICIAN = Coding(system="urn:carewright:role", code="technician", display="Technician")

# How many bookable practitioners share a clinic visited on some weekdays: every fourth, beginning with a different one for each clinic.
_OUTREACH_EVERY = 4
_SKILL_EVERY = 3


@dataclass(slots=True)
class Staff:
    """Persons with their roles and, in the same order, the actors who have calendars."""

    practitioners: list[Practitioner] = field(default_factory=list)
    roles: list[PractitionerRole] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    """A position to fill."""

    kind: Literal["practitioner", "nurse", "technician"]
    role: Coding
    home: SiteKey
    visits: SiteKey | None = None
    specialties: tuple[Coding, ...] = ()
    skills: tuple[Coding, ...] = ()
    hours: Literal["clinic", "diagnostics", "always", "night", "emergency"] = "clinic"
    weekend: bool = False
    days_most: int = 5


def build_staff(draw: Draw, size: HospitalSize, places: Places, specialties: Sequence[Specialty], needed: frozenset[str]) -> Staff:
    """Fill every post of a hospital of `size`."""
    posts = _practitioner_posts(size.practitioners, specialties)
    posts += _skilled_posts(draw, "nurse", NURSE, size.nurses, needed, second_skill=0.5)
    posts += _skilled_posts(draw, "technician", TECHNICIAN, size.technicians, needed, second_skill=0.0)
    gender = (draw.units(len(posts)) > 0.56).astype("int64")
    people = invent(draw, len(posts), gender, middle_names=0.1)
    staff = Staff()
    for number, post in enumerate(posts):
        _hire(draw, staff, places, post, people, number)
    return staff


def _practitioner_posts(total: int, specialties: Sequence[Specialty]) -> list[_Post]:
    cells = [
        (specialty, key, weight) for specialty in specialties for key, weight in zip(SITE_KEYS, specialty.spread, strict=True) if weight
    ]
    shares = apportion(total, [weight for _, _, weight in cells])
    return [
        _practitioner_post(specialty, key, nth) for (specialty, key, _), share in zip(cells, shares, strict=True) for nth in range(share)
    ]


def _practitioner_post(specialty: Specialty, key: SiteKey, nth: int) -> _Post:
    outreach = specialty.outreach if key == "main" else ()
    turn = nth % _OUTREACH_EVERY
    return _Post(
        kind="practitioner",
        role=DOCTOR,
        home=key,
        visits=outreach[turn] if turn < len(outreach) else None,
        specialties=(specialty.service.specialty,),
        skills=tuple(skill for at, skill in enumerate(specialty.skills) if (nth + at) % _SKILL_EVERY == 0),
        hours=specialty.hours,
        weekend=specialty.weekend,
        days_most=specialty.days_most,
    )


def _skilled_posts(
    draw: Draw, kind: Literal["nurse", "technician"], role: Coding, total: int, needed: frozenset[str], *, second_skill: float
) -> list[_Post]:
    system, kinds = kinds_of(kind, needed)
    posts = []
    for each, key, count in counted(kinds, total):
        for _ in range(count):
            skills = [each]
            if each.hours == "clinic" and draw.chance(second_skill):
                skills.append(_second(draw, kinds, each, key))
            codings = tuple(coding(system, skill) for skill in dict.fromkeys(skills))
            posts.append(_Post(kind=kind, role=role, home=key, skills=codings, hours=each.hours, weekend=each.hours != "clinic"))
    return posts


def _second(draw: Draw, kinds: Sequence[Kind], first: Kind, key: SiteKey) -> Kind:
    """Another skill that is used at the same site."""
    at = SITE_KEYS.index(key)
    return draw.pick([kind for kind in kinds if kind.spread[at] and kind.hours == first.hours])


def _hire(draw: Draw, staff: Staff, places: Places, post: _Post, people: People, number: int) -> None:
    person = _person(draw, post, people, number)
    keys = (post.home, post.visits) if post.visits else (post.home,)
    staff.practitioners.append(person)
    staff.roles.append(
        PractitionerRole(
            id=draw.uuid(),
            practitioner_id=person.id,
            for_organization_id=places.hospital_id,
            site_ids=tuple(places.sites[key].id for key in keys),
            codes=(post.role,),
            specialties=post.specialties,
            skills=post.skills,
            identifiers=identifier("role", number + 1),
        )
    )
    staff.actors.append(
        Actor(
            id=person.id,
            kind=post.kind,
            display=person.display,
            codes=frozenset(token(each.system, each.code) for each in (*post.specialties, *post.skills)),
            home=post.home,
            visits=post.visits,
            hours=post.hours,
            weekend=post.weekend,
            days_most=post.days_most,
        )
    )


def _person(draw: Draw, post: _Post, people: People, number: int) -> Practitioner:
    spoken = {0, int(people.home_language[number])} if draw.chance(0.6) else {0}
    if draw.chance(0.08):
        spoken.add(LANGUAGES.index("es"))
    gender = GENDERS[int(people.gender[number])]
    return Practitioner(
        id=draw.uuid(),
        kind=post.kind,
        family=people.family_names[number],
        given=people.given_names[number],
        prefix="Dr." if post.kind == "practitioner" else None,
        gender=gender,
        languages=tuple(LANGUAGES[at] for at in sorted(spoken)),
        identifiers=identifier("staff", number + 1),
    )
