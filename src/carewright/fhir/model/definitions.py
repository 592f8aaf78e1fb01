"""The forms of FHIR R4: for each type its elements in their order, as HL7 defines them (`fhir/definitions/r4.json`).

A backbone element is a type of its own, named by its path: `Appointment.participant`. `contentReference` is followed already: the element
has the type that it refers to.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

ABSTRACT = frozenset({"Resource", "DomainResource"})
Kind = Literal["primitive", "type", "resource"]


class Element(msgspec.Struct, frozen=True, array_like=True):
    """One element. `max` is 0 where there is no limit; `types` are several only for a choice (`value[x]`, named `value` here).

    `value_set` names the codes of a required binding that can be listed; `targets` are the types that a Reference may point at, none
    meaning any; `rules` are the invariants of this element besides those of its type, each with the sentence of its definition.
    """

    name: str
    min: int
    max: int
    types: tuple[str, ...]
    flags: str = ""
    value_set: str = ""
    targets: tuple[str, ...] = ()
    rules: dict[str, str] = {}

    @property
    def is_list(self) -> bool:
        return self.max != 1

    @property
    def is_summary(self) -> bool:
        return "s" in self.flags

    @property
    def is_modifier(self) -> bool:
        return "m" in self.flags

    @property
    def is_choice(self) -> bool:
        return "x" in self.flags

    @property
    def is_attribute(self) -> bool:
        """Whether XML writes it as an attribute of its parent."""
        return "a" in self.flags

    @property
    def takes_extensions(self) -> bool:
        """Whether JSON may have `_name` beside it. Ids and what XML writes as attributes are bare strings."""
        return not self.is_attribute and self.name != "id"

    def property_of(self, type_name: str) -> str:
        """The JSON property that holds a value of that type: `value`, or `valueQuantity` for a choice."""
        return self.name + type_name[0].upper() + type_name[1:] if self.is_choice else self.name


class Property(msgspec.Struct, frozen=True):
    """What a JSON property holds."""

    element: Element
    type_name: str


class Type(msgspec.Struct, frozen=True, dict=True):
    """A type with everything it inherits. `pattern` is the regular expression of a primitive."""

    name: str
    kind: Kind
    elements: tuple[Element, ...]
    rules: Mapping[str, str]
    pattern: str

    @cached_property
    def properties(self) -> Mapping[str, Property]:
        """By the name of the JSON property, in the order of the elements."""
        return {each.property_of(name): Property(each, name) for each in self.elements for name in each.types}

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The elements that XML writes as attributes."""
        return frozenset(each.name for each in self.elements if each.is_attribute)

    @cached_property
    def by_name(self) -> Mapping[str, Element]:
        return {each.name: each for each in self.elements}


class Definitions(msgspec.Struct, frozen=True):
    """All of R4: `types` by name, `value_sets` by name with the codes of each code system, and the names of the resources."""

    version: str
    types: Mapping[str, Type]
    value_sets: Mapping[str, Mapping[str, frozenset[str]]]
    resources: frozenset[str]

    def resource(self, name: object) -> Type | None:
        """The type of a resource that may be sent, or None."""
        return self.types[name] if isinstance(name, str) and name in self.resources and name not in ABSTRACT else None

    def is_primitive(self, type_name: str) -> bool:
        return self.types[type_name].kind == "primitive"


class _Row(msgspec.Struct, frozen=True):
    kind: Kind
    base: str
    elements: tuple[Element, ...] = ()
    constraints: dict[str, str] = {}
    pattern: str = ""


class _Table(msgspec.Struct, frozen=True):
    version: str
    types: dict[str, _Row]
    value_sets: dict[str, dict[str, frozenset[str]]]
    resources: frozenset[str]


def read_definitions(raw: bytes) -> Definitions:
    """The definitions from their table in JSON, as tools/r4_definitions.py writes it."""
    table: Any = msgspec.json.decode(raw, type=_Table)
    types = {name: _whole(name, table.types) for name in table.types}
    return Definitions(table.version, types, table.value_sets, table.resources)


def _whole(name: str, rows: Mapping[str, _Row]) -> Type:
    """A type with what its bases have, theirs first: this is the order of the definitions."""
    row, elements, rules = rows[name], rows[name].elements, rows[name].constraints
    base = row.base
    while base:
        elements, rules = rows[base].elements + elements, rows[base].constraints | rules
        base = rows[base].base
    return Type(name, row.kind, elements, rules, row.pattern)
