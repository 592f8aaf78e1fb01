"""What lies at a path of a resource, and what a reference points at."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from carewright.fhir.model.searching.definitions import Parameter, Path

Resource = dict[str, Any]

_LITERAL = re.compile(r"(?:(?P<base>.+)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")


def elements(at: str, value: object) -> Iterator[Any]:
    """Every element at the dotted names `at` below `value`; lists are gone through, at the end too."""
    reached: list[Any] = [value]
    for step in at.split(".") if at else ():
        reached = [inner[step] for inner in _flat(reached) if isinstance(inner, dict) and inner.get(step) is not None]
    return _flat(reached)


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        elif value is not None:
            yield value


def found(paths: Iterable[Path], root: object, resource: Resource) -> Iterator[tuple[Path, Any]]:
    """Each value at `paths` below `root`, with its path; what the path leaves out is left out. `resource` is the one that holds `root`."""
    for path in paths:
        for value in elements(path.at, root):
            if _is_meant(path, value, resource):
                yield path, value


def values_of(parameter: Parameter, resource: Resource) -> Iterator[tuple[Path, Any]]:
    """Each value that a parameter looks at. A parameter that asks for existence has exactly one, true or false."""
    if parameter.exists:
        yield parameter.paths[0], any(value is not False for _, value in found(parameter.paths, resource, resource))
    else:
        yield from found(parameter.paths, resource, resource)


def _is_meant(path: Path, value: object, resource: Resource) -> bool:
    if path.only is not None:
        return isinstance(value, dict) and value.get("system") == path.only
    return path.is_type is None or (isinstance(value, dict) and type_of(value, resource) == path.is_type)


def type_of(reference: Resource, resource: Resource) -> str | None:
    """The type a Reference points at: by its address, by what `resource` contains, or as it says itself."""
    address = reference.get("reference")
    if isinstance(address, str):
        if address.startswith("#"):
            return _contained_type(address[1:], resource)
        if match := _LITERAL.fullmatch(address):
            return match["type"]
    stated = reference.get("type")
    return stated if isinstance(stated, str) else None


def _contained_type(id_: str, resource: Resource) -> str | None:
    contained = (inner for inner in elements("contained", resource) if isinstance(inner, dict))
    return next((inner.get("resourceType") for inner in contained if inner.get("id") == id_), None)


def local(address: str, base: str) -> str | None:
    """`Type/id` of an address on this server, whose own address is `base`; without a version. None for another server's."""
    match = _LITERAL.fullmatch(address)
    if not match or (match["base"] or base).rstrip("/") != base.rstrip("/"):
        return None
    return f"{match['type']}/{match['id']}"


def identity(resource: Resource) -> str:
    """`Type/id`."""
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"
