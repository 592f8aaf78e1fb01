"""Single FHIR elements to ours: texts, identifiers, codes, names, dates, contact points, addresses. Odd ones are remarked on."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TypeVar

import msgspec

from carewright.contracts.directory import Coding, Identifier, PostalAddress
from carewright.contracts.patients import ContactPoint, Gender
from carewright.fhir.model import r4
from carewright.fhir.model.reports import Remark, RowRejected
from carewright.kernel.values import utc

TEXT_MAX = 200
VALUES_MAX = 50
GENDERS: dict[str, Gender] = {"male": "male", "female": "female", "other": "other", "unknown": "unknown"}
NAME_ORDER = ("official", "usual", None, "temp", "nickname", "anonymous", "old", "maiden")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
PHONE_DIGITS_MIN = 3
WHOLE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
PARTIAL_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?", re.ASCII)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
WINDOWS_1252 = {point: bytes([point]).decode("cp1252") for point in range(0x80, 0xA0) if point not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
"""C1 controls in a name are Windows-1252 punctuation read as Latin-1; the HTML standard reads them back the same way
(https://html.spec.whatwg.org/multipage/parsing.html#numeric-character-reference-end-state)."""

IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
GOVERNMENT_TYPES = frozenset({"SS", "DL", "PPN"})
GOVERNMENT_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/us-ssn"})

Read = TypeVar("Read")
Kept = TypeVar("Kept")


class Reader:
    """Reads the elements of one row of `resource_type` and gathers what is worth a remark."""

    def __init__(self, resource_type: str) -> None:
        self._type = resource_type
        self._remarks: dict[Remark, None] = {}

    @property
    def remarks(self) -> tuple[Remark, ...]:
        return tuple(self._remarks)

    def path(self, element: str) -> str:
        return f"{self._type}.{element}"

    def remark(self, code: str, element: str) -> None:
        self._remarks[Remark(f"fhir.import.{code}", self.path(element))] = None

    def text(self, value: str | None, element: str) -> str:
        """`value` with its white space made single, or "". Raises `RowRejected` for what no column can hold."""
        repaired = (value or "").translate(WINDOWS_1252)
        if value and repaired != value:
            self.remark("text_repaired", element)
        text = " ".join(repaired.split())
        if len(text) > TEXT_MAX:
            raise RowRejected("text_too_long", self.path(element))
        if CONTROL.search(text):
            raise RowRejected("control_character", self.path(element))
        return text

    def texts(self, values: Sequence[str | None], element: str) -> tuple[str, ...]:
        return tuple(text for text in self.each(values, element, lambda value: self.text(value, element)) if text)

    def each(self, values: Sequence[Read], element: str, read: Callable[[Read], Kept | None]) -> tuple[Kept, ...]:
        """What `read` makes of each value, repetitions left out; lists beyond `VALUES_MAX` are refused."""
        if len(values) > VALUES_MAX:
            raise RowRejected("too_many_values", self.path(element))
        return tuple(dict.fromkeys(kept for kept in map(read, values) if kept is not None))

    def name(self, value: str | None, element: str = "name") -> str:
        """A resource's name; without one the row is rejected."""
        if name := self.text(value, element):
            return name
        raise RowRejected("missing_name", self.path(element))

    def identifiers(self, values: Sequence[r4.Identifier]) -> tuple[Identifier, ...]:
        """Business identifiers in use. Numbers of passports, driving licences and social security are not ours to keep."""
        return self.each(values, "identifier", self._identifier)

    def _identifier(self, identifier: r4.Identifier) -> Identifier | None:
        if identifier.use == "old" or _from_government(identifier):
            return None
        system, value = self.text(identifier.system, "identifier.system"), self.text(identifier.value, "identifier.value")
        if value and not system:
            self.remark("identifier_without_system", "identifier")
        return Identifier(system=system, value=value) if system and value else None

    def codings(self, concepts: Sequence[r4.CodeableConcept], element: str) -> tuple[Coding, ...]:
        """Every code of every concept."""
        codings = [coding for concept in concepts for coding in concept.coding]
        return self.each(codings, element, lambda coding: self._coding(coding, element))

    def _coding(self, coding: r4.Coding, element: str) -> Coding | None:
        system, code = self.text(coding.system, element), self.text(coding.code, element)
        if code and not system:
            self.remark("code_without_system", element)
        return Coding(system=system, code=code, display=self.text(coding.display, element)) if system and code else None

    def person(self, names: Sequence[r4.HumanName]) -> "PersonName":
        """The official name, else the usual one, else the first that is not an old one."""
        usable = [name for name in names[:VALUES_MAX] if name.family or name.text or any(name.given)]
        if not usable:
            raise RowRejected("missing_name", self.path("name"))
        name = min(usable, key=_name_rank)
        given = self.texts(name.given, "name.given")
        prefix = " ".join(self.texts(name.prefix, "name.prefix")) or None
        if family := self.text(name.family, "name.family"):
            return PersonName(family, given, prefix)
        self.remark("name_incomplete", "name")
        whole = self.text(name.text, "name.text")
        if not whole and not given:
            raise RowRejected("missing_name", self.path("name"))
        return PersonName(whole, (), None) if whole else PersonName(given[-1], given[:-1], prefix)

    def gender(self, code: str | None) -> Gender | None:
        if code is not None and code not in GENDERS:
            self.remark("unknown_gender_code", "gender")
        return GENDERS.get(code or "")

    def birth_date(self, text: str | None) -> date | None:
        """A whole date. FHIR allows a year or a month alone: those are left out, and anything else is refused."""
        if text is None:
            return None
        if PARTIAL_DATE.fullmatch(text):
            self.remark("partial_birth_date", "birthDate")
            return None
        try:
            if WHOLE_DATE.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass  # told below
        raise RowRejected("invalid_birth_date", self.path("birthDate"))

    def instant(self, text: str | None, element: str) -> datetime | None:
        """A whole dateTime. FHIR allows a year, a month or a day alone: those are left out, and anything else is refused."""
        if text is None:
            return None
        if WHOLE_DATE.fullmatch(text) or PARTIAL_DATE.fullmatch(text):
            self.remark("partial_time", element)
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise RowRejected("invalid_time", self.path(element)) from None
        if found.tzinfo is None:
            raise RowRejected("invalid_time", self.path(element))
        return utc(found)

    def languages(self, concepts: Iterable[r4.CodeableConcept]) -> tuple[str, ...]:
        """BCP 47 tags in the order given."""
        return self.each([coding for concept in concepts for coding in concept.coding], "communication", self._language)

    def _language(self, coding: r4.Coding) -> str | None:
        if coding.code and LANGUAGE.fullmatch(coding.code) and len(coding.code) <= 35:
            return coding.code
        self.remark("invalid_language", "communication")
        return None

    def telecom(self, points: Sequence[r4.ContactPoint]) -> tuple[ContactPoint, ...]:
        """Phone numbers and e-mail addresses in use, by rank; the rest is nothing we write to."""
        ranked = sorted(points, key=lambda point: point.rank or VALUES_MAX)
        return self.each(ranked, "telecom", self._contact_point)

    def _contact_point(self, point: r4.ContactPoint) -> ContactPoint | None:
        value = self.text(point.value, "telecom.value")
        if point.use == "old" or not value:
            return None
        if point.system == "phone" and sum(map(str.isdecimal, value)) >= PHONE_DIGITS_MIN:
            return ContactPoint(system="phone", value=value)
        if point.system == "email" and EMAIL.fullmatch(value):
            return ContactPoint(system="email", value=value)
        if point.system in ("phone", "email"):
            self.remark("invalid_contact", "telecom")
        return None

    def address(self, address: r4.Address | tuple[r4.Address, ...] | None) -> r4.Address | None:
        """The one address of a place."""
        if not isinstance(address, tuple):
            return address
        self.remark("address_list", "address")
        return address[0] if address else None

    def address_line(self, address: r4.Address | None) -> str | None:
        """An address as one line of text: its own, or its parts."""
        if address is None:
            return None
        if own := self.text(address.text, "address.text"):
            return own
        town = " ".join(self.texts((address.city, address.state, address.postal_code), "address"))
        parts = (*self.texts(address.line, "address.line"), town)
        return self.text(", ".join(part for part in parts if part), "address") or None

    def postal_address(self, address: r4.Address | None) -> PostalAddress | None:
        """The parts of an address that has any."""
        if address is None:
            return None
        city, district, state, postal_code, country = (
            self.text(part, "address") for part in (address.city, address.district, address.state, address.postal_code, address.country)
        )
        lines = tuple(self.texts(address.line, "address.line"))
        made = PostalAddress(lines=lines, city=city, district=district, state=state, postal_code=postal_code, country=country)
        return None if made == PostalAddress() else made


class PersonName(msgspec.Struct, frozen=True):
    family: str
    given: tuple[str, ...]
    prefix: str | None


def _name_rank(name: r4.HumanName) -> int:
    return NAME_ORDER.index(name.use if name.use in NAME_ORDER else None)


def _from_government(identifier: r4.Identifier) -> bool:
    codings = identifier.type.coding if identifier.type else ()
    return identifier.system in GOVERNMENT_SYSTEMS or any(
        coding.system == IDENTIFIER_TYPES and coding.code in GOVERNMENT_TYPES for coding in codings
    )
