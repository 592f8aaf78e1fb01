"""Requests made of the API's own description, with somebody else's ids wherever an id may stand.

`probes` walks every operation of the OpenAPI document. For each place that takes an id (path, query, body at any depth, header) and each
foreign id, in each way of writing it, there is one request that is otherwise in form. A new route is probed without a word here; a schema
that no value can be made of stops the walk.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec

Json = dict[str, Any]
INSTANT = "2031-03-04T09:00:00Z"
TEXT = "probe"
WAYS = ("plain", "upper", "bare", "urn", "encoded", "double")
"""How an id may be written. The last ones are none: what reads them generously must not read past the fence."""
NOWHERE = str(UUID(int=1))
"""Stands for an id in an example until one's own takes its place."""


class Probe(NamedTuple):
    """One request. `sent` are the ids in it, in small letters: an answer may repeat them."""

    operation: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    sent: frozenset[str]


def written(one: UUID, way: str) -> str:
    """The id, written that way."""
    text = str(one)
    return {
        "plain": text, "upper": text.upper(), "bare": one.hex, "urn": one.urn, "encoded": text.replace("-", "%2D"), "double": text * 2,
    }[way]  # fmt: skip


class Others(NamedTuple):
    """What somebody else was given besides ids: cursors of their pages, and the idempotency keys they chose."""

    cursors: Sequence[str] = ()
    keys: Sequence[str] = ()


class Operation:
    """One operation of the document, and requests that fit it."""

    def __init__(self, document: Json, path: str, method: str) -> None:
        self._schemas: Json = document["components"]["schemas"]
        self.path, self.method = path, method.upper()
        described = document["paths"][path][method]
        self.id = described["operationId"]
        self.permission = described.get("x-permission")
        self._parameters = described["parameters"]
        content = described.get("requestBody", {}).get("content", {})
        self._body = self.example(content["application/json"]["schema"]) if content else None
        self.ids_in_body = list(_places(self._body)) if content else []

    def parameters(self, where: str) -> list[str]:
        """The names of the parameters there."""
        return [each["name"] for each in self._parameters if each["in"] == where]

    def ids_in_query(self) -> list[str]:
        """The query parameters that take an id, or a cursor, which holds one."""
        return [
            each["name"] for each in self._parameters if each["in"] == "query" and (_takes_id(each["schema"]) or each["name"] == "after")
        ]

    def probe(
        self, place: tuple[str, Any] | None, text: str, own: Mapping[str, str], headers: Mapping[str, str], sent: frozenset[str]
    ) -> Probe:
        """A request in form with `text` in one place, and everywhere else what is one's own: `own` has it by name."""
        path = self.path
        for name in self.parameters("path"):
            path = path.replace(f"{{{name}}}", text if place == ("path", name) else own.get(name, NOWHERE))
        query = {
            each["name"]: own.get(each["name"], self.example(each["schema"])) for each in self._parameters
            if each["in"] == "query" and each["required"]
        } | ({place[1]: text} if place and place[0] == "query" else {})  # fmt: skip
        body = _owned(deepcopy(self._body), own)
        if place and place[0] == "body":
            _put(body, place[1], text)
        if self.id == "book_appointment":
            del body["time" if place == ("body", ("hold_id",)) else "hold_id"]  # it takes one of them
        raw = b"" if body is None else msgspec.json.encode(body)
        sends = dict(headers) | ({"content-type": "application/json"} if raw else {})
        target = quote(path, safe="/%:") + (f"?{urlencode(query)}" if query else "")
        return Probe(self.id, self.method, target, sends, raw, sent)

    def example(self, schema: Json) -> Any:
        """The smallest value in form that has every id the schema has room for. Raises `ValueError` where none can be made."""
        if "$ref" in schema:
            return self.example(self._schemas[schema["$ref"].rpartition("/")[2]])
        if "enum" in schema:
            return schema["enum"][0]
        if "anyOf" in schema:
            return self.example(next(each for each in schema["anyOf"] if each != {"type": "null"}))
        kind = schema.get("type")
        if kind == "object":
            properties: Json = schema.get("properties", {})
            wanted = [name for name in properties if name in schema.get("required", ()) or self._holds_id(properties[name])]
            return {name: self.example(properties[name]) for name in wanted}
        if kind == "array":
            count = max(schema.get("minItems", 0), int(self._holds_id(schema.get("items", {}))))
            return [self.example(schema["items"]) for _ in range(count)]
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        if kind == "boolean":
            return False
        if kind == "string":
            return _text(schema)
        raise ValueError(f"{self.id}: no value can be made of {schema}")

    def _holds_id(self, schema: Json) -> bool:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        inner = [*schema.get("anyOf", ()), *schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else ())]
        return _takes_id(schema) or any(self._holds_id(each) for each in inner)


def operations(document: Json) -> list[Operation]:
    """Every operation of the API."""
    return [Operation(document, path, method) for path, methods in document["paths"].items() for method in methods]


def probes(
    asked: Sequence[Operation], token: str, own: Mapping[str, str], foreign: Sequence[UUID], ways: Sequence[str], others: "Others"
) -> Iterator[Probe]:
    """One actor's probes: each operation, each place for an id, each foreign id, each way of writing it; cursors and keys of others too.

    The first of `foreign` is the patient's.
    """
    for operation in asked:
        headers = {"authorization": f"Bearer {token}"}
        is_keyed = "Idempotency-Key" in operation.parameters("header")
        places: list[tuple[str, Any]] = [("path", name) for name in operation.parameters("path")]
        places += [("query", name) for name in operation.ids_in_query()]
        places += [("body", place) for place in operation.ids_in_body]
        for number, (place, one, way) in enumerate(product(places, foreign, ways)):
            fresh = {"idempotency-key": f"{operation.id}-{number}"} if is_keyed else {}
            yield operation.probe(place, written(one, way), own, headers | fresh, frozenset({str(one)}))
        for cursor in others.cursors if "after" in operation.parameters("query") else ():
            yield operation.probe(("query", "after"), cursor, own, headers, frozenset())
        about = ("body", ("patient_id",)) if ("patient_id",) in operation.ids_in_body else None
        for key in others.keys if is_keyed else ():
            yield operation.probe(about, str(foreign[0]), own, headers | {"idempotency-key": key}, frozenset({str(foreign[0])}))


def _takes_id(schema: Json) -> bool:
    return schema.get("format") == "uuid" or any(each.get("format") == "uuid" for each in schema.get("anyOf", ()))


def _text(schema: Json) -> str:
    kind = schema.get("format")
    known = {"uuid": NOWHERE, "date-time": INSTANT, "date": INSTANT[:10]}
    if kind in known:
        return known[kind]
    return TEXT.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 100)]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where ids stand in an example, as paths of keys and indexes."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, number))
    elif value == NOWHERE:
        yield path


def _owned(value: Any, own: Mapping[str, str], name: str = "") -> Any:
    """The example with one's own ids and times in it."""
    if isinstance(value, dict):
        return {key: _owned(inner, own, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_owned(inner, own, name) for inner in value]
    return own.get(name, value) if value in (NOWHERE, INSTANT) else value


def _put(value: Any, path: tuple[Any, ...], text: str) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = text
