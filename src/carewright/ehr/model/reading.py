"""What an EHR says of a person, a place or an appointment, as far as we keep it. Whatever else it says is passed over."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import Identifier
from carewright.contracts.fhir import datatypes
from carewright.contracts.patients import ContactPoint, Gender
from carewright.kernel.values import utc

OWN = re.compile(r"\bCarewright ([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\b")
"""How an appointment of ours is known again at an EHR that keeps no identifiers of others: in its comment."""
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9\-.]+$")]
TEXT_MAX = 200
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
CONTACTS: Mapping[str | None, Literal["phone", "email"]] = {"phone": "phone", "email": "email"}
S = TypeVar("S", bound=msgspec.Struct)


class Misread(Exception):
    """What should be a resource is none that we can read."""


class Versioned(msgspec.Struct, frozen=True, rename="camel"):
    """Resource.meta."""

    last_updated: datetime | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What every resource has. `said_at` is when it last changed there, if it says so."""

    id: Id
    meta: Versioned = Versioned()
    identifier: tuple[datatypes.Identifier, ...] = ()

    @property
    def said_at(self) -> datetime | None:
        at = self.meta.last_updated
        return utc(at) if at is not None and at.tzinfo is not None else None

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """Those that are whole."""
        whole = (Identifier(system=each.system, value=each.value) for each in self.identifier if each.system and each.value)
        return tuple(dict.fromkeys(whole))


class Person(Resource, frozen=True, kw_only=True, rename="camel"):
    """A Patient or a Practitioner."""

    active: bool = True
    name: tuple[datatypes.HumanName, ...] = ()
    gender: Gender | None = None
    birth_date: str | None = None
    telecom: tuple[datatypes.ContactPoint, ...] = ()

    @property
    def official(self) -> datatypes.HumanName:
        """The official name, or else the first. Raises `Misread` where nobody has a family name."""
        named = [each for each in self.name if each.family and each.use != "old"]
        if not named:
            raise Misread("name")
        return next((each for each in named if each.use == "official"), named[0])

    @property
    def given(self) -> tuple[str, ...]:
        return tuple(each for each in self.official.given if each)[:10]

    @property
    def birth_on(self) -> date | None:
        try:
            return date.fromisoformat(self.birth_date) if self.birth_date and len(self.birth_date) == 10 else None
        except ValueError:
            raise Misread("birthDate") from None

    @property
    def contacts(self) -> tuple[ContactPoint, ...]:
        found = (
            ContactPoint(system=CONTACTS[each.system], value=each.value)
            for each in self.telecom
            if each.system in CONTACTS and each.value and len(each.value) <= TEXT_MAX
        )
        return tuple(dict.fromkeys(found))[:20]


class Place(Resource, frozen=True, kw_only=True, rename="camel"):
    """A Location."""

    name: Text = ""
    status: str = "active"


class Participant(msgspec.Struct, frozen=True):
    actor: datatypes.Reference | None = None


class Visit(Resource, frozen=True, kw_only=True, rename="camel"):
    """An Appointment."""

    status: Literal[
        "proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error", "checked-in", "waitlist"
    ]
    start: datetime
    end: datetime | None = None
    service_type: tuple[datatypes.CodeableConcept, ...] = ()
    participant: tuple[Participant, ...] = ()
    comment: str | None = None

    @property
    def start_at(self) -> datetime:
        """Raises `Misread` for a time without an offset."""
        if self.start.tzinfo is None:
            raise Misread("start")
        return utc(self.start)

    @property
    def own_id(self) -> UUID | None:
        """Our id, where we booked it there."""
        found = OWN.search(self.comment or "")
        return UUID(found[1]) if found else None

    def codes(self) -> Iterable[str]:
        """What kind of visit it is, as `system|code` and as the code alone."""
        for each in (coding for concept in self.service_type for coding in concept.coding if coding.code):
            yield from (f"{each.system}|{each.code}", str(each.code))

    def actors(self, kind: str) -> list[str]:
        """The ids of those of one type who take part."""
        references = (part.actor.reference or "" for part in self.participant if part.actor)
        return [each.removeprefix(f"{kind}/") for each in references if each.startswith(f"{kind}/")]


def read(resource: Any, kind: type[S]) -> S:
    """Raises `Misread` for what has another form."""
    try:
        return msgspec.convert(resource, kind)
    except msgspec.ValidationError:
        raise Misread("form") from None


def instant(at: datetime) -> str:
    """As FHIR's searches have it: in UTC, to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
