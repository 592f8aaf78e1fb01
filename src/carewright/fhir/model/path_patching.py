"""FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): add, insert, delete, replace and move at simple paths.

A path is names with indexes: `Appointment.participant[1].status`. Taken too are `where(name = literal)`, `first()` and `ofType(Type)`. A
choice goes by its name (`Observation.value`), and its type is that of the value. An object that a deletion leaves empty goes with it.
Extensions of primitives cannot be reached.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any, NamedTuple

from carewright.fhir.model.definitions import Definitions, Element, Type
from carewright.fhir.model.patching import (
    PatchDoesNotFit,
    PatchMalformed,
    PatchMisses,
    PatchNotSupported,
    ensure_small,
    is_same,
    operations_in,
)
from carewright.kernel.errors import Refusal

PATH_MAX = 500
NAME = r"[A-Za-z][A-Za-z0-9]*"
STEP = re.compile(
    rf"""(?:
        \[(?P<index>[0-9]{{1,6}})\]
        | where\(\s*(?P<field>{NAME}(?:\.{NAME})*)\s*=\s*(?P<literal>'(?:[^'\\]|\\.)*'|true|false|-?[0-9]{{1,18}}(?:\.[0-9]{{1,18}})?)\s*\)
        | (?P<first>first\(\))
        | ofType\((?P<type>{NAME})\)
        | `?(?P<name>{NAME})`?(?![\w(])
    )""",
    re.VERBOSE | re.ASCII,
)
PARTS = frozenset({"type", "path", "name", "value", "index", "source", "destination"})
Object = dict[str, Any]


class _Place(NamedTuple):
    """One value in the resource: `owner[key]`, or `owner[key][at]` of a list."""

    owner: Object
    key: str
    at: int | None
    element: Element
    type_name: str
    parent: "_Place | None"

    @property
    def value(self) -> Any:
        found = self.owner.get(self.key)
        return found if self.at is None or found is None else found[self.at]


def patched_by_paths(definitions: Definitions, resource: Object, patch: object) -> Object:
    """The resource after a FHIRPath Patch: a Parameters resource with one parameter `operation` for each change.

    Raises the refusals of `patching`, `PatchNotSupported` for a path beyond what is taken here. A deletion that finds nothing is no error.
    """
    ensure_small(resource, patch)
    operations = patch.get("parameter", []) if isinstance(patch, dict) and patch.get("resourceType") == "Parameters" else None
    patching = _Patching(definitions, deepcopy(resource))
    for number, operation in enumerate(operations_in(operations)):
        try:
            patching.apply(_parts(operation))
        except Refusal as refused:
            raise type(refused)(operation=number) from None
    return patching.resource


def _parts(operation: Any) -> Mapping[str, Object]:
    """The parts of one operation by name, each once."""
    parts = operation.get("part") if isinstance(operation, dict) and operation.get("name") == "operation" else None
    if not isinstance(parts, list) or not all(isinstance(each, dict) and each.get("name") in PARTS for each in parts):
        raise PatchMalformed
    named: dict[str, Object] = {each["name"]: each for each in parts}
    if len(named) != len(parts):
        raise PatchMalformed
    return named


class _Patching:
    """The resource under way."""

    def __init__(self, definitions: Definitions, resource: Object) -> None:
        self.resource = resource
        self._definitions = definitions
        self._deeds: dict[str, Callable[[Mapping[str, Object]], None]] = {
            "add": self._add, "insert": self._insert, "delete": self._delete, "replace": self._replace, "move": self._move,
        }  # fmt: skip

    def apply(self, parts: Mapping[str, Object]) -> None:
        deed = parts.get("type", {}).get("valueCode")
        if not isinstance(deed, str) or deed not in self._deeds:
            raise PatchMalformed
        self._deeds[deed](parts)

    def _add(self, parts: Mapping[str, Object]) -> None:
        """Append to a list, or set what is not there."""
        place, name = self._one(parts), _text(parts, "name")
        owner = place.value
        element = self._type_of(place).by_name.get(name)
        if element is None or not isinstance(owner, dict):
            raise PatchDoesNotFit
        key, value = self._value(element, parts)
        if element.is_list:
            _append(owner, key, value)
        elif any(element.property_of(each) in owner for each in element.types):
            raise PatchDoesNotFit
        else:
            owner[key] = value

    def _insert(self, parts: Mapping[str, Object]) -> None:
        element, items, beside = self._list(parts)
        at = _number(parts, "index")
        if at > len(items):
            raise PatchDoesNotFit
        items.insert(at, self._value(element, parts)[1])
        if beside is not None:
            beside.insert(at, None)

    def _delete(self, parts: Mapping[str, Object]) -> None:
        places = self._places(_text(parts, "path"))
        if len(places) > 1:
            raise PatchDoesNotFit
        if places:
            _remove(places[0])

    def _replace(self, parts: Mapping[str, Object]) -> None:
        place = self._one(parts)
        if place.parent is None:
            raise PatchDoesNotFit
        key, value = self._value(place.element, parts)
        if place.at is not None:
            place.owner[place.key][place.at] = value
            _clear_beside(place.owner, place.key, place.at)
        else:
            del place.owner[place.key]
            place.owner.pop(f"_{place.key}", None)
            place.owner[key] = value

    def _move(self, parts: Mapping[str, Object]) -> None:
        _, items, beside = self._list(parts)
        source, destination = _number(parts, "source"), _number(parts, "destination")
        if max(source, destination) >= len(items):
            raise PatchDoesNotFit
        for each in (items, beside):
            if each is not None:
                each.insert(destination, each.pop(source))

    def _one(self, parts: Mapping[str, Object]) -> _Place:
        places = self._places(_text(parts, "path"))
        if not places:
            raise PatchMisses
        if len(places) > 1:
            raise PatchDoesNotFit
        return places[0]

    def _list(self, parts: Mapping[str, Object]) -> tuple[Element, list[Any], list[Any] | None]:
        """A whole list, with that of the extensions of its primitives, aligned."""
        places = self._places(_text(parts, "path"))
        if not places:
            raise PatchMisses
        first = places[0]
        items, beside = first.owner.get(first.key), first.owner.get(f"_{first.key}")
        whole = isinstance(items, list) and len(places) == len(items) and all(each.owner is first.owner for each in places)
        if not isinstance(items, list) or not whole or not (beside is None or len(beside) == len(items)):
            raise PatchDoesNotFit
        return first.element, items, beside

    def _value(self, element: Element, parts: Mapping[str, Object]) -> tuple[str, Any]:
        """The property that a value goes to, and the value."""
        part = parts.get("value")
        if part is None:
            raise PatchMalformed
        if "resource" in part:
            return element.name, deepcopy(part["resource"])
        keys = [key for key in part if key.startswith("value")]
        if len(keys) == 1 and "part" not in part:
            types = [each for each in element.types if element.is_choice and element.property_of(each)[len(element.name) :] == keys[0][5:]]
            if element.is_choice and not types:
                raise PatchDoesNotFit
            return element.property_of(types[0]) if types else element.name, deepcopy(part[keys[0]])
        if keys or not isinstance(part.get("part"), list) or element.is_choice:
            raise PatchMalformed
        return element.name, self._anonymous(self._definitions.types[element.types[0]], part["part"])

    def _anonymous(self, kind: Type, parts: list[Any]) -> Object:
        """An object of a type without a name of its own (a backbone element), given part by part."""
        made: Object = {}
        for part in parts:
            name = part.get("name") if isinstance(part, dict) else None
            element = kind.by_name.get(name) if isinstance(name, str) else None
            if element is None:
                raise PatchDoesNotFit
            key, value = self._value(element, {"value": {each: inner for each, inner in part.items() if each != "name"}})
            if element.is_list:
                _append(made, key, value)
            else:
                made[key] = value
        return made

    def _type_of(self, place: _Place) -> Type:
        value = place.value
        kind = self._definitions.resource(value.get("resourceType")) if isinstance(value, dict) else None
        return kind or self._definitions.types[place.type_name]

    def _places(self, path: str) -> list[_Place]:
        """Everything that a path leads to."""
        whole = Element("", 1, 1, ("Resource",))
        places = [_Place({"": self.resource}, "", None, whole, "Resource", None)]
        for number, step in enumerate(_steps(path)):
            if number == 0 and step["name"] == self.resource.get("resourceType"):
                continue
            places = self._step(places, step)
        return places

    def _step(self, places: list[_Place], step: Mapping[str, str | None]) -> list[_Place]:
        if step["index"] is not None:
            return places[int(step["index"]) : int(step["index"]) + 1]
        if step["first"]:
            return places[:1]
        if step["type"]:
            return [each for each in places if each.type_name == step["type"]]
        if step["field"] and step["literal"]:
            wanted = _literal(step["literal"])
            return [each for each in places if any(is_same(found.value, wanted) for found in self._below(each, step["field"]))]
        return [child for each in places for child in self._children(each, str(step["name"]))]

    def _below(self, place: _Place, field: str) -> list[_Place]:
        places = [place]
        for name in field.split("."):
            places = [child for each in places for child in self._children(each, name)]
        return places

    def _children(self, place: _Place, name: str) -> Iterator[_Place]:
        owner, element = place.value, self._type_of(place).by_name.get(name)
        if element is None:
            raise PatchMisses
        for type_name in element.types if isinstance(owner, dict) else ():
            key = element.property_of(type_name)
            found = owner.get(key)
            if isinstance(found, list):
                yield from (_Place(owner, key, index, element, type_name, place) for index in range(len(found)))
            elif found is not None:
                yield _Place(owner, key, None, element, type_name, place)


def _steps(path: str) -> Iterator[Mapping[str, str | None]]:
    if len(path) > PATH_MAX:
        raise PatchNotSupported
    at = 0
    while at < len(path):
        has_dot = path[at] == "."
        match = STEP.match(path, at + has_dot)
        if match is None or has_dot != (at > 0 and match["index"] is None):
            raise PatchNotSupported
        at = match.end()
        yield match.groupdict()


def _literal(text: str) -> Any:
    if text.startswith("'"):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return {"true": True, "false": False}[text] if text in ("true", "false") else Decimal(text)


def _append(owner: Object, key: str, value: Any) -> None:
    owner.setdefault(key, []).append(value)
    if isinstance(beside := owner.get(f"_{key}"), list):
        beside.extend([None] * (len(owner[key]) - len(beside)))


def _clear_beside(owner: Object, key: str, index: int) -> None:
    """The extensions of a primitive that is replaced go with it."""
    beside = owner.get(f"_{key}")
    if isinstance(beside, list) and index < len(beside):
        beside[index] = None
        if not any(each is not None for each in beside):
            del owner[f"_{key}"]


def _remove(place: _Place) -> None:
    """Take the value away, its extensions with it, and what is empty then."""
    if place.parent is None:
        raise PatchDoesNotFit
    for name in (place.key, f"_{place.key}"):
        held = place.owner.get(name)
        if place.at is None:
            place.owner.pop(name, None)
        elif isinstance(held, list):
            del held[place.at : place.at + 1]
            if not any(each is not None for each in held):
                del place.owner[name]
    if not place.owner and place.parent.parent is not None:
        _remove(place.parent)


def _text(parts: Mapping[str, Object], name: str) -> str:
    value = parts.get(name, {}).get("valueString")
    if not isinstance(value, str) or not value:
        raise PatchMalformed
    return value


def _number(parts: Mapping[str, Object], name: str) -> int:
    value = parts.get(name, {}).get("valueInteger")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise PatchMalformed
    return value
