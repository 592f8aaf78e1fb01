"""Whether a JSON value is a resource of FHIR R4: everything that is wrong with its form, place by place.

Checked are names, cardinalities, JSON types, formats of primitives, choices, extensions of primitives, contained resources, targets of
references, codes of required bindings, invariants, and limits of depth and size. Not checked: whether what is referred to exists, codes of
large systems (languages, media types, currencies, UCUM), profiles, and what an extension means.
"""

import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from carewright.fhir.model.definitions import Definitions, Element, Type
from carewright.fhir.model.invariants import RULES
from carewright.fhir.model.issues import Issue, IssueType
from carewright.fhir.model.limits import excess_of
from carewright.fhir.model.primitives import has_json_type, is_in_form, is_too_long, json_type_of

ISSUES_MAX = 100
NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)
RESTFUL = re.compile(r"(?:https?://.*/)?([A-Z][A-Za-z]+)(?:/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?|\?.*)", re.ASCII)
"""A reference to a resource of a server, or a conditional one (https://hl7.org/fhir/R4/references.html#literal)."""

Object = dict[str, Any]


def issues_of(definitions: Definitions, resource: object) -> tuple[Issue, ...]:
    """What is wrong with `resource`, at most `ISSUES_MAX` issues, in the order of its elements; empty where nothing is.

    A rule is asked about an object only where everything inside the object is right.
    """
    if excess := excess_of(resource):
        return (Issue("error", "too-costly", "", f"The resource {excess}."),)
    walk = _Walk(definitions)
    walk.resource(resource, "")
    return tuple(walk.issues[:ISSUES_MAX])


class _Walk:
    """One pass over a resource. `_inside` are the ids of what the current resource contains, with their types."""

    def __init__(self, definitions: Definitions) -> None:
        self.issues: list[Issue] = []
        self._definitions = definitions
        self._inside: Mapping[str, str] = {}

    def resource(self, value: object, path: str) -> None:
        """A resource that stands by itself, or in a bundle or in parameters."""
        outer, self._inside = self._inside, _contained_ids(value)
        self._resource(value, path)
        self._inside = outer

    def _resource(self, value: object, path: str) -> None:
        name = value.get("resourceType") if isinstance(value, dict) else None
        kind = self._definitions.resource(name)
        if not isinstance(value, dict) or name is None:
            self._tell("structure", path, "A resource is an object with a resourceType.")
        elif kind is None:
            self._tell("not-supported", path, "This is not a resource type of FHIR R4.")
        else:
            self._object(kind, value, path or kind.name)

    def _object(self, kind: Type, value: object, path: str) -> None:
        if not isinstance(value, dict):
            self._tell("structure", path, "An object belongs here.")
            return
        before = len(self.issues)
        present = self._present(kind, value, path)
        for element in kind.elements:
            if element.name in present:
                self._element(element, present[element.name], value, f"{path}.{element.name}")
            elif element.min:
                self._tell("required", f"{path}.{element.name}", "This element is required.")
        if not value.keys() - {"id"} and kind.kind != "resource":
            self._tell("invariant", path, "An element has a value or children (ele-1).", "ele-1")
        if len(self.issues) == before:
            self._rules(kind.rules, value, path)
            self._reference(kind, value, path)

    def _rules(self, rules: Mapping[str, str], value: object, path: str) -> None:
        for key, sentence in rules.items():
            if key in RULES and not RULES[key](value):
                self._tell("invariant", path, f"{sentence.rstrip('.')} ({key}).", key)

    def _present(self, kind: Type, value: Object, path: str) -> dict[str, dict[str, None]]:
        """The elements that are there by name, with the types they are there with. An underscore is for primitives alone."""
        present: dict[str, dict[str, None]] = {}
        for name in value:
            known = kind.properties.get(name.removeprefix("_"))
            if known and (not name.startswith("_") or (known.element.takes_extensions and self._definitions.is_primitive(known.type_name))):
                present.setdefault(known.element.name, {})[known.type_name] = None
            elif name != "resourceType" or kind.kind != "resource":
                place = f"{path}.{name}" if NAME.fullmatch(name) else path
                self._tell("structure", place, f"{kind.name} has no such element.")
        return present

    def _element(self, element: Element, types: Mapping[str, None], value: Object, path: str) -> None:
        if len(types) > 1:
            self._tell("structure", path, "Only one of the types of this element can be there.")
        for type_name in types:
            self._values(element, type_name, value, f"{path}.ofType({type_name})" if element.is_choice else path)

    def _values(self, element: Element, type_name: str, value: Object, path: str) -> None:
        name = element.property_of(type_name)
        kind = self._definitions.types[type_name]
        if kind.kind == "primitive" and element.is_list and None in (value.get(name, ()), value.get(f"_{name}", ())):
            self._tell("structure", path, "A list with at least one entry belongs here.")
        elif kind.kind == "primitive":
            self._primitives(element, kind, value.get(name), value.get(f"_{name}"), path)
        else:
            self._complex(element, kind, value[name], path)

    def _complex(self, element: Element, kind: Type, found: Any, path: str) -> None:
        if not element.is_list:
            self._one(element, kind, found, path)
        elif self._is_list(element, found, path):
            for number, each in enumerate(found):
                self._one(element, kind, each, f"{path}[{number}]")

    def _one(self, element: Element, kind: Type, value: object, path: str) -> None:
        before = len(self.issues)
        if kind.kind == "resource":
            is_inside = element.name == "contained"
            (self._resource if is_inside else self.resource)(value, path)
            return
        self._object(kind, value, path)
        if len(self.issues) == before and isinstance(value, dict):
            self._rules(element.rules, value, path)
            self._bound(element, kind, value, path)
            self._target(element, kind, value, path)

    def _is_list(self, element: Element, found: Any, path: str) -> bool:
        if not isinstance(found, list) or not found:
            self._tell("structure", path, "A list with at least one entry belongs here.")
            return False
        if element.max and len(found) > element.max:
            self._tell("structure", path, f"This element can be there {element.max} times at most.")
        return True

    def _primitives(self, element: Element, kind: Type, found: Any, beside: Any, path: str) -> None:
        """A primitive and the object with its id and extensions beside it; lists of both are aligned by null."""
        if not element.is_list:
            self._primitive(element, kind, found, beside, path)
            return
        if all(each is None or self._is_list(element, each, path) for each in (found, beside)):
            if found and beside and len(found) != len(beside):
                self._tell("structure", path, "The list of values and that of their extensions differ in length.")
            for number, (value, extra) in enumerate(zip_longest(found or (), beside or ())):
                self._primitive(element, kind, value, extra, f"{path}[{number}]")

    def _primitive(self, element: Element, kind: Type, value: object, beside: object, path: str) -> None:
        if value is None and beside is None:
            self._tell("structure", path, "A null can stand here only beside an extension.")
        if beside is not None:
            self._object(self._definitions.types["Element"], beside, path)
        if value is None:
            return
        if not has_json_type(kind.name, value):
            self._tell("structure", path, f"JSON has {json_type_of(kind.name)} here.")
        elif is_too_long(kind.name, value):
            self._tell("too-long", path, "The value is longer than FHIR allows.")
        elif not is_in_form(kind, value):
            self._tell("value", path, f"This is not in the form of FHIR's {kind.name}.")
        elif element.value_set and not any(value in codes for codes in self._codes(element).values()):
            self._tell("code-invalid", path, f"The code is not one of the required value set {element.value_set}.")
        else:
            self._rules(element.rules, value, path)

    def _codes(self, element: Element) -> Mapping[str, frozenset[str]]:
        return self._definitions.value_sets[element.value_set]

    def _bound(self, element: Element, kind: Type, value: Object, path: str) -> None:
        """A coding, or one coding of a concept, is in the required value set."""
        codings = {"Coding": [value], "CodeableConcept": value.get("coding", [])}.get(kind.name)
        if not element.value_set or codings is None:
            return
        codes = self._codes(element)
        if not any(each.get("code") in codes.get(each.get("system", ""), ()) for each in codings):
            self._tell("code-invalid", path, f"No code is one of the required value set {element.value_set}.")

    def _target(self, element: Element, kind: Type, value: Object, path: str) -> None:
        """A reference points at a type that may stand here, as far as it says its type."""
        if kind.name != "Reference" or not element.targets:
            return
        said = {self._type_behind(value.get("reference", "")), value.get("type", "")} - {""}
        if said & self._definitions.resources - set(element.targets):
            self._tell("invalid", path, f"A reference to {_either(element.targets)} belongs here.")

    def _reference(self, kind: Type, value: Object, path: str) -> None:
        """ref-1: what a reference calls contained is. "#" alone is the resource itself."""
        reference = value.get("reference", "") if kind.name == "Reference" else ""
        if reference.startswith("#") and reference != "#" and reference[1:] not in self._inside:
            self._tell("invariant", path, "SHALL have a contained resource if a local reference is provided (ref-1).", "ref-1")

    def _type_behind(self, reference: str) -> str:
        """The type that a reference's address says, or "" (logical references, `urn:uuid:`, addresses that are no server's)."""
        if reference.startswith("#"):
            return self._inside.get(reference[1:], "")
        match = RESTFUL.fullmatch(reference)
        return match[1] if match else ""

    def _tell(self, kind: IssueType, path: str, text: str, rule: str = "") -> None:
        if len(self.issues) <= ISSUES_MAX:
            self.issues.append(Issue("error", kind, path, text, rule))


def _contained_ids(value: object) -> dict[str, str]:
    contained = value.get("contained") if isinstance(value, dict) else None
    found = [each for each in contained if isinstance(each, dict)] if isinstance(contained, list) else []
    return {str(each.get("id")): str(each.get("resourceType", "")) for each in found}


def _either(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
