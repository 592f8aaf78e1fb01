"""The input of an operation (https://hl7.org/fhir/R4/parameters.html): a Parameters resource, or the query of a GET."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement
from carewright.fhir.model.pointing import pointer
from carewright.kernel.values import Instant

PARAMETERS_MAX = 100


class Given(NamedTuple):
    """One parameter: its value, or the resource it carries, and where it stands."""

    value: Any
    expression: str


class Parameters:
    """What was given, by name, in the order it came."""

    def __init__(self, given: Mapping[str, list[Given]]) -> None:
        self._given = given

    @classmethod
    def of_resource(cls, resource: Any) -> "Parameters":
        """Raises `InvalidElement` for what is no Parameters resource."""
        entries = resource.get("parameter", []) if isinstance(resource, dict) else None
        if not isinstance(entries, list) or resource.get("resourceType") != "Parameters" or len(entries) > PARAMETERS_MAX:
            raise InvalidElement("A Parameters resource belongs here.", expression="Parameters")
        given: dict[str, list[Given]] = {}
        for number, each in enumerate(entries):
            expression = f"Parameters.parameter[{number}]"
            if not isinstance(each, dict) or not isinstance(each.get("name"), str):
                raise InvalidElement("Every parameter has a name.", expression=expression)
            values = [each[key] for key in each if key == "resource" or key.startswith("value")]
            if len(values) != 1:
                raise InvalidElement("Every parameter has one value, or one resource.", expression=expression)
            given.setdefault(each["name"], []).append(Given(values[0], expression))
        return cls(given)

    @classmethod
    def of_query(cls, pairs: Iterable[tuple[str, str]]) -> "Parameters":
        given: dict[str, list[Given]] = {}
        for name, text in pairs:
            given.setdefault(name, []).append(Given(text, name))
        return cls(given)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every parameter with its value, in the order of names; a value that is no text is empty."""
        return ((name, each.value if isinstance(each.value, str) else "") for name, found in self._given.items() for each in found)

    def many(self, name: str) -> list[Given]:
        return self._given.get(name, [])

    def one(self, name: str) -> Given | None:
        """Raises `InvalidElement` when it was given more than once."""
        found = self.many(name)
        if len(found) > 1:
            raise InvalidElement(f"The parameter {name} is given once.", expression=found[1].expression)
        return found[0] if found else None

    def text(self, name: str, length_max: int) -> str | None:
        """Words, without space around them. Raises `InvalidElement`."""
        given = self.one(name)
        if given is None:
            return None
        if not isinstance(given.value, str) or len(given.value) > length_max:
            raise InvalidElement(f"At most {length_max} characters belong here.", expression=given.expression)
        return given.value.strip() or None

    def instant(self, name: str) -> datetime:
        """A parameter that must be there; a date alone is its first moment in UTC. Raises `MissingElement`, `InvalidElement`."""
        given = self.one(name)
        if given is None:
            raise MissingElement(f"The parameter {name} is needed.", expression=name)
        try:
            return msgspec.convert(given.value, Instant)
        except msgspec.ValidationError:
            pass  # a date, perhaps
        try:
            return datetime.combine(msgspec.convert(given.value, date), time(), UTC)
        except msgspec.ValidationError:
            raise InvalidElement("An instant with its offset belongs here: 2026-11-26T09:30:00Z.", expression=given.expression) from None

    def resource(self, name: str) -> Resource | None:
        given = self.one(name)
        if given is None:
            return None
        if not isinstance(given.value, dict) or "resourceType" not in given.value:
            raise InvalidElement("A resource belongs here.", expression=given.expression)
        return given.value


def reference_of(given: Given) -> Resource:
    """A Reference; in a query, its text alone."""
    return given.value if isinstance(given.value, dict) else {"reference": given.value}


def pointer_to(kind: str, given: Given, base: str) -> UUID:
    """The id a parameter refers to. Raises `InvalidElement` unless it is of this type."""
    found = pointer(reference_of(given), given.expression, base)
    if found is None or found.kind != kind:
        raise InvalidElement(f"A reference to a {kind} belongs here.", expression=given.expression)
    return found.uuid


def token_of(given: Given) -> tuple[str | None, str]:
    """System and code of a Coding, a CodeableConcept (its first coding), a code, or `system|code`. Raises `InvalidElement`."""
    value = given.value
    if isinstance(value, dict) and isinstance(value.get("coding"), list) and value["coding"]:
        value = value["coding"][0]
    if isinstance(value, dict) and isinstance(value.get("code"), str):
        return value.get("system"), value["code"]
    if isinstance(value, str) and value:
        system, parted, code = value.rpartition("|")
        return (system or None, code) if parted else (None, value)
    raise InvalidElement("A code belongs here.", expression=given.expression)
