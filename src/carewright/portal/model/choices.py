"""The wishes a patient may state on the times page, and the visits and services they choose from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from unicodedata import combining, normalize
from uuid import UUID

from carewright.contracts.directory import Location, ServiceSummary, Staff, VisitType
from carewright.contracts.languages import LANGUAGES
from carewright.portal.model.times import PARTS, TimesQuery
from carewright.portal.model.wall import duration

OFFERED_AS = {"morning": "Morning, before 12", "afternoon": "Afternoon, 12 to 5", "evening": "Evening, after 5"}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Wishes:
    """The choices of the form, each with what is chosen now. An empty group is not shown."""

    sites: tuple[Option, ...]
    practitioners: tuple[Option, ...]
    languages: tuple[Option, ...]
    parts: tuple[Option, ...]


def wishes(query: TimesQuery, sites: Sequence[Location], staff: Sequence[Staff]) -> Wishes:
    return Wishes(
        sites=_any_or("Any location", [(str(site.id), site.name) for site in sites], query.site, least=2),
        practitioners=_any_or("Anyone who is free", _people(staff), query.practitioner),
        languages=_any_or("Any language", _spoken(staff), query.language, least=2),
        parts=_any_or("Any time of day", [(part, OFFERED_AS[part]) for part in PARTS], query.part),
    )


def _any_or(label: str, choices: list[tuple[str, str]], chosen: object, *, least: int = 1) -> tuple[Option, ...]:
    if len(choices) < least and chosen is None:
        return ()
    current = "" if chosen is None else str(chosen)
    return tuple(Option(value, text, value == current) for value, text in [("", label), *choices])


def _people(staff: Sequence[Staff]) -> list[tuple[str, str]]:
    return sorted(((str(one.practitioner.id), one.practitioner.display) for one in staff), key=lambda pair: pair[1])


def _spoken(staff: Sequence[Staff]) -> list[tuple[str, str]]:
    tags = {tag for one in staff for tag in one.practitioner.languages}
    return sorted(((tag, language_name(tag)) for tag in tags), key=lambda pair: pair[1])


def language_name(tag: str) -> str:
    """The English name of a language tag; the tag itself where we have none."""
    return LANGUAGES.get(tag.lower().partition("-")[0], tag)


def able(staff: Iterable[Staff], visit_type: VisitType) -> tuple[Staff, ...]:
    """Those who can lead this kind of visit: they carry every code that its first practitioner requirement asks for."""
    wanted = lead_codes(visit_type)
    return tuple(one for one in staff if wanted <= _codes(one))


def lead_codes(visit_type: VisitType) -> frozenset[str]:
    """The codes of the first practitioner the visit needs; empty where it needs none."""
    leads = (need for need in visit_type.requirements if need.kind == "practitioner")
    return frozenset(next((need.codes for need in leads), ()))


def _codes(one: Staff) -> frozenset[str]:
    return frozenset(f"{code.system}|{code.code}" for role in one.roles for code in (*role.specialties, *role.skills))


def offered_sites(sites: Sequence[Location], service_sites: Sequence[UUID], visit_type: VisitType) -> tuple[Location, ...]:
    """The sites at which the visit may take place: no list means everywhere."""
    allowed = set(visit_type.rules.site_ids or service_sites) or {site.id for site in sites}
    return tuple(site for site in sites if site.id in allowed and site.active)


@dataclass(frozen=True, slots=True)
class Visit:
    """A kind of visit as a patient reads it."""

    id: UUID
    name: str
    length: str
    instructions: str
    instructions_language: str
    referral: bool
    before: tuple[str, ...]
    confirmed_later: bool


def visit(kind: VisitType, language: str | None, names: Mapping[UUID, str] | None = None) -> Visit:
    """`names` are the visit types known by id, to name an earlier visit that must come first."""
    text, tag = instructions(kind, language)
    conditions = kind.rules.prerequisites
    return Visit(
        id=kind.id,
        name=kind.name,
        length=duration(kind.duration_minutes),
        instructions=text,
        instructions_language=tag,
        referral=needs_referral(kind),
        before=tuple(
            one.text or (names or {}).get(one.visit_type_id, "") if one.visit_type_id else one.text
            for one in conditions
            if one.kind == "earlier-visit"
        ),
        confirmed_later=kind.rules.needs_confirmation,
    )


def needs_referral(kind: VisitType) -> bool:
    return any(one.kind == "referral" for one in kind.rules.prerequisites)


def instructions(kind: VisitType, language: str | None) -> tuple[str, str]:
    """What to know before the visit, in the patient's language where there is one, else in English, else as it is; with its tag."""
    texts = kind.instructions
    wanted = (language or "").lower()
    for tag in (wanted, wanted.partition("-")[0], "en", "en-us", "en-gb"):
        for own, text in texts.items():
            if tag and own.lower() == tag:
                return text, own
    return next(((text, own) for own, text in texts.items()), ("", "en"))


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """A service in the list; `visits` are those that a search hit by name."""

    id: UUID
    name: str
    description: str
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class SpecialtyCards:
    name: str
    services: tuple[ServiceCard, ...]

    @property
    def alone(self) -> bool:
        """Whether the specialty's name would only repeat the one service below it."""
        return len(self.services) == 1

    @property
    def heading(self) -> str:
        """The first words a person reads on the card."""
        return self.services[0].name if self.alone else self.name


def bookable(summary: ServiceSummary) -> tuple[VisitType, ...]:
    """The visits of a service that a patient may book without help."""
    return tuple(kind for kind in summary.visit_types if kind.active and kind.rules.patient_bookable)


def cards(found: Iterable[ServiceSummary], text: str) -> tuple[SpecialtyCards, ...]:
    """Services with something to book that `text` hits, by specialty, in the order of the alphabet of what a person reads."""
    words = folded(text).split()
    shown = sorted((one for one in found if one.service.active and bookable(one) and _hit(one, words)), key=_order)
    groups = (SpecialtyCards(name, tuple(_card(one, words) for one in services)) for name, services in groupby(shown, key=_specialty))
    return tuple(sorted(groups, key=lambda group: folded(group.heading)))


def folded(text: str) -> str:
    """Without accents, hyphens and capitals, so that "checkup", "Check-up" and "naïve" find what they mean."""
    plain = "".join(character for character in normalize("NFKD", text) if not combining(character))
    return plain.casefold().replace("-", "")


def _said(summary: ServiceSummary) -> str:
    service = summary.service
    return folded(f"{service.name} {service.specialty.display} {service.description}")


def _hit(summary: ServiceSummary, words: Sequence[str]) -> bool:
    whole = " ".join([_said(summary), *(folded(kind.name) for kind in bookable(summary))])
    return all(word in whole for word in words)


def _specialty(summary: ServiceSummary) -> str:
    return summary.service.specialty.display or summary.service.name


def _order(summary: ServiceSummary) -> tuple[str, str]:
    return _specialty(summary), summary.service.name


def _card(summary: ServiceSummary, words: Sequence[str]) -> ServiceCard:
    service, said = summary.service, _said(summary)
    hits = tuple(visit(kind, None) for kind in bookable(summary) if _names(kind, words, said))
    return ServiceCard(service.id, service.name, service.description, hits)


def _names(kind: VisitType, words: Sequence[str], said: str) -> bool:
    """Whether the visit's own name holds one of the words, and it or its service all of them."""
    name = folded(kind.name)
    return any(word in name for word in words) and all(word in name or word in said for word in words)
