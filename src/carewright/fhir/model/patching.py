"""JSON Patch (RFC 6902) on a resource, and the refusals of every kind of patch.

A patch is applied to a copy, so it happens as a whole or not at all. The result may be no resource any more: `validating` says so, and the
caller that type and id are still those of the address.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from carewright.fhir.model.limits import DEPTH_MAX, VALUES_MAX, excess_of
from carewright.kernel.errors import Refusal

OPERATIONS_MAX = 1_000
INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
ESCAPE = re.compile(r"~(?![01])")
Container = dict[str, Any] | list[Any]


class PatchMalformed(Refusal):
    code = "fhir.patch.malformed"
    status = 400
    issue = "structure"
    title = "This is not a patch."


class PatchTooLarge(Refusal):
    code = "fhir.patch.too_large"
    status = 413
    issue = "too-costly"
    title = "The patch has more operations, or copies more, than we take."


class PatchNotSupported(Refusal):
    code = "fhir.patch.not_supported"
    status = 422
    issue = "not-supported"
    title = "The path uses more of FHIRPath than names, indexes and where with an equality."


class PatchMisses(Refusal):
    """`operation` counts from 0."""

    code = "fhir.patch.not_found"
    status = 422
    issue = "not-found"
    title = "An operation of the patch points at nothing."


class PatchDoesNotFit(Refusal):
    """`operation` counts from 0."""

    code = "fhir.patch.does_not_fit"
    status = 422
    issue = "processing"
    title = "An operation of the patch cannot be done where it points."


class PatchTestFailed(Refusal):
    """`operation` counts from 0."""

    code = "fhir.patch.test_failed"
    status = 422
    issue = "conflict"
    title = "The resource is not what a test of the patch says."


def patched(resource: Any, patch: object) -> Any:
    """The resource after a JSON Patch. Raises the refusals above, but not `PatchNotSupported`."""
    ensure_small(resource, patch)
    patching = _Patching(deepcopy(resource))
    for number, operation in enumerate(operations_in(patch)):
        try:
            patching.apply(operation)
        except Refusal as refused:
            raise type(refused)(operation=number) from None
    return patching.document[""]


def ensure_small(*values: object) -> None:
    """Raises `PatchTooLarge` for a value beyond the limits of resources."""
    if any(map(excess_of, values)):
        raise PatchTooLarge


def operations_in(found: object) -> list[Any]:
    """The operations of a patch. Raises `PatchMalformed` where they are no list, `PatchTooLarge` where they are too many."""
    if not isinstance(found, list):
        raise PatchMalformed
    if len(found) > OPERATIONS_MAX:
        raise PatchTooLarge
    return found


def is_same(one: Any, other: Any) -> bool:
    """Equality of JSON: numbers by value, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


class _Patching:
    """The document under way, in a holder of its own so that the whole can be replaced too.

    What is inserted and the pointers to it are no deeper than a resource, so the document never gets deeper than twice that. `copy` can
    double it each time, so what is copied is added up.
    """

    def __init__(self, resource: Any) -> None:
        self.document = {"": resource}
        self._copied = 0
        self._deeds: dict[str, Callable[[Any], None]] = {
            "add": self._add, "remove": self._remove, "replace": self._replace, "move": self._move, "copy": self._copy, "test": self._test,
        }  # fmt: skip

    def apply(self, operation: Any) -> None:
        deed = operation.get("op") if isinstance(operation, dict) else None
        if not isinstance(deed, str) or deed not in self._deeds:
            raise PatchMalformed
        self._deeds[deed](operation)

    def _add(self, operation: Any) -> None:
        self._insert(_pointer(operation, "path"), deepcopy(_value(operation)))

    def _remove(self, operation: Any) -> None:
        self._take(_pointer(operation, "path"))

    def _replace(self, operation: Any) -> None:
        value = deepcopy(_value(operation))
        holder, key = self._place(_pointer(operation, "path"))
        holder[key] = value

    def _move(self, operation: Any) -> None:
        source, target = _pointer(operation, "from"), _pointer(operation, "path")
        if target[: len(source)] == source and len(target) > len(source):
            raise PatchDoesNotFit
        self._insert(target, self._take(source))

    def _copy(self, operation: Any) -> None:
        holder, key = self._place(_pointer(operation, "from"))
        self._copied += _count(holder[key])
        if self._copied > VALUES_MAX:
            raise PatchTooLarge
        self._insert(_pointer(operation, "path"), deepcopy(holder[key]))

    def _test(self, operation: Any) -> None:
        holder, key = self._place(_pointer(operation, "path"))
        if not is_same(holder[key], _value(operation)):
            raise PatchTestFailed

    def _place(self, pointer: list[str]) -> tuple[Any, Any]:
        """The container of what is pointed at, and its key or index in it."""
        holder: Any = self.document
        key: Any = ""
        for token in pointer:
            holder = holder[key]
            key = _key(holder, token)
        return holder, key

    def _take(self, pointer: list[str]) -> Any:
        if not pointer:
            raise PatchDoesNotFit
        holder, key = self._place(pointer)
        return holder.pop(key)

    def _insert(self, pointer: list[str], value: Any) -> None:
        ensure_small(value)
        if not pointer:
            self.document[""] = value
            return
        holder, key = self._place(pointer[:-1])
        container, last = holder[key], pointer[-1]
        if isinstance(container, dict):
            container[last] = value
        elif isinstance(container, list):
            container.insert(len(container) if last == "-" else _index(last, len(container) + 1), value)
        else:
            raise PatchMisses


def _value(operation: Any) -> Any:
    if "value" not in operation:
        raise PatchMalformed
    return operation["value"]


def _pointer(operation: Any, name: str) -> list[str]:
    """The tokens of a JSON Pointer (RFC 6901)."""
    text = operation.get(name)
    if not isinstance(text, str) or (text and not text.startswith("/")) or ESCAPE.search(text):
        raise PatchMalformed
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:]]
    if len(tokens) > DEPTH_MAX:
        raise PatchTooLarge
    return tokens


def _key(container: Any, token: str) -> Any:
    if isinstance(container, list):
        return _index(token, len(container))
    if not isinstance(container, dict) or token not in container:
        raise PatchMisses
    return token


def _index(token: str, size: int) -> int:
    if not INDEX.fullmatch(token) or int(token) >= size:
        raise PatchMisses
    return int(token)


def _count(value: Any) -> int:
    """How many values there are, the outer one too."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_count, inside))
