"""What a change of an OpenAPI document takes away from those who use the API: pure, of two documents.

A sender may lose what it could send (a parameter, a value, a length), a reader what it could rely on (an address, a field). What comes
new breaks nobody, except where it is required of a sender.
"""

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Compare = Callable[["Schemas", "Schemas", Json, Json, str], Iterator[str]]
LOWER = ("maxLength", "maximum", "maxItems")
HIGHER = ("minLength", "minimum", "minItems")
FORMS = ("pattern", "format")


class Schemas:
    """The schemas of one document, by their references."""

    def __init__(self, document: Json) -> None:
        self._named: Json = document["components"]["schemas"]

    def options(self, schema: Json) -> dict[str, Json]:
        """What a value may be, by its type."""
        if "$ref" in schema:
            return self.options(self._named[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return {kind: each for option in schema["anyOf"] for kind, each in self.options(option).items()}
        return {schema.get("type", "any"): schema}


def breaks(released: Json, current: Json) -> list[str]:
    """Everything that somebody who relies on `released` misses in `current`."""
    old, new = Schemas(released), Schemas(current)
    found: list[str] = []
    for path, methods in released["paths"].items():
        for method, operation in methods.items():
            kept = current["paths"].get(path, {}).get(method)
            where = f"{method.upper()} {path}"
            found += [f"{where} is gone"] if kept is None else _operation(old, new, operation, kept, where)
    return found


def _operation(old: Schemas, new: Schemas, before: Json, after: Json, where: str) -> Iterator[str]:
    if before.get("x-permission") != after.get("x-permission"):
        yield f"{where} asks for another permission"
    yield from _parameters(old, new, before, after, where)
    yield from _compared(narrowed, old, new, _body(before.get("requestBody", {})), _body(after.get("requestBody", {})), f"{where} body")
    for status in (status for status in before["responses"] if status < "3"):
        if status not in after["responses"]:
            yield f"{where} answers {status} no more"
            continue
        yield from _compared(lost, old, new, _body(before["responses"][status]), _body(after["responses"][status]), f"{where} {status}")


def _parameters(old: Schemas, new: Schemas, before: Json, after: Json, where: str) -> Iterator[str]:
    known = {(each["in"], each["name"]): each for each in before["parameters"]}
    kept = {(each["in"], each["name"]): each for each in after["parameters"]}
    for key, each in known.items():
        if key not in kept:
            yield f"{where} takes {each['name']} no more"
        else:
            yield from narrowed(old, new, each["schema"], kept[key]["schema"], f"{where} {each['name']}")
    for key, each in kept.items():
        if each.get("required") and not known.get(key, {}).get("required"):
            yield f"{where} requires {each['name']}"


def _body(described: Json) -> Json | None:
    """The schema of a body in our own media type; None for no body."""
    content: Json = described.get("content", {})
    return next((each.get("schema") for each in content.values()), None)


def _compared(compare: Compare, old: Schemas, new: Schemas, before: Json | None, after: Json | None, where: str) -> Iterator[str]:
    if before is None or after is None:
        if before is not after:
            yield f"{where} came or went"
        return
    yield from compare(old, new, before, after, where)


def narrowed(old: Schemas, new: Schemas, before: Json, after: Json, where: str) -> Iterator[str]:
    """What could be sent and cannot be any more."""
    allowed = new.options(after)
    for kind, each in old.options(before).items():
        if kind not in allowed:
            yield f"{where} may be {kind} no more"
            continue
        yield from _tightened(each, allowed[kind], where)
        required = set(allowed[kind].get("required", ())) - set(each.get("required", ()))
        yield from (f"{where}.{name} is required" for name in sorted(required))
        yield from _inside(narrowed, old, new, each, allowed[kind], where)


def _tightened(before: Json, after: Json, where: str) -> Iterator[str]:
    """A value, a length or a form that was good and is not."""
    if "enum" in after and (gone := set(before.get("enum", ["any other"])) - set(after["enum"])):
        yield f"{where} may be {', '.join(sorted(map(str, gone)))} no more"
    yield from (f"{where} has a lower {bound}" for bound in LOWER if after.get(bound, float("inf")) < before.get(bound, float("inf")))
    yield from (f"{where} has a higher {bound}" for bound in HIGHER if after.get(bound, float("-inf")) > before.get(bound, float("-inf")))
    yield from (f"{where} has another {form}" for form in FORMS if form in after and after[form] != before.get(form))


def lost(old: Schemas, new: Schemas, before: Json, after: Json, where: str) -> Iterator[str]:
    """What could be relied on in an answer and cannot be any more."""
    known = old.options(before)
    for kind, each in new.options(after).items():
        if kind not in known:
            yield f"{where} may be {kind}"
            continue
        sure = set(known[kind].get("required", ())) - set(each.get("required", ()))
        yield from (f"{where}.{name} may be missing" for name in sorted(sure & each.get("properties", {}).keys()))
        yield from (f"{where} has another {form}" for form in FORMS if form in known[kind] and each.get(form) != known[kind][form])
        yield from _inside(lost, old, new, known[kind], each, where)


def _inside(compare: Compare, old: Schemas, new: Schemas, before: Json, after: Json, where: str) -> Iterator[str]:
    """The fields of an object and the items of a list."""
    fields, kept = before.get("properties", {}), after.get("properties", {})
    for name, each in fields.items():
        yield from compare(old, new, each, kept[name], f"{where}.{name}") if name in kept else [f"{where}.{name} is gone"]
    if "items" in before and "items" in after:
        yield from compare(old, new, before["items"], after["items"], f"{where}[]")
