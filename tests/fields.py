"""The list of every field of every answer, with its level and who may read it (docs/security/fields.txt), and the API's own fields."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.tidy.source import ROOT

LIST = ROOT / "docs" / "security" / "fields.txt"
LEVELS = ("open", "work", "person", "secret", "words")
Json = dict[str, Any]


class Rule(NamedTuple):
    """How secret a field is, and the permission that it asks for besides the route's; None for none."""

    level: str
    permission: str | None


def rules() -> dict[str, Rule]:
    """By `Schema.field`. Raises `ValueError` for a line out of form, or a field named twice."""
    found: dict[str, Rule] = {}
    for line in (line for line in LIST.read_text("utf-8").splitlines() if line and not line.startswith("#")):
        schema, level, permission, fields = line.split(" | ")
        for name in fields.split(", "):
            if level not in LEVELS or f"{schema}.{name}" in found:
                raise ValueError(line)
            found[f"{schema}.{name}"] = Rule(level, None if permission == "-" else permission)
    return found


class Answers:
    """The schemas of what operations answer."""

    def __init__(self, document: Json) -> None:
        self._schemas: Json = document["components"]["schemas"]
        self._by_id = {
            described["operationId"]: next(
                answer["content"]["application/json"]["schema"] for status, answer in described["responses"].items() if status[0] == "2"
            )
            for methods in document["paths"].values() for described in methods.values()
        }  # fmt: skip

    def fields(self) -> set[str]:
        """Every field that some operation may answer with."""
        found: set[str] = set()
        for schema in self._by_id.values():
            self._gather(schema, found, set())
        return found

    def _gather(self, schema: Json, found: set[str], seen: set[str]) -> None:
        name = schema.get("$ref", "").rpartition("/")[2]
        if name in seen:
            return
        if name:
            seen.add(name)
            schema = self._schemas[name]
            found |= {f"{name}.{field}" for field in schema.get("properties", {})}
        for inner in (*schema.get("anyOf", ()), *schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else ())):
            self._gather(inner, found, seen)

    def told(self, operation: str, value: Any) -> Iterator[str]:
        """The fields in an answer that say something: neither missing, nor null, nor empty."""
        return self._told(self._by_id[operation], value)

    def _told(self, schema: Json, value: Any) -> Iterator[str]:
        name = schema.get("$ref", "").rpartition("/")[2]
        if name:
            schema = self._schemas[name]
        if "anyOf" in schema:
            fits = [each for each in schema["anyOf"] if each != {"type": "null"}]
            yield from () if value is None else self._told(fits[0], value)
        elif isinstance(value, dict):
            for field, inner in value.items():
                described = schema.get("properties", {}).get(field)
                if described is not None and inner not in (None, "", [], {}):
                    yield f"{name}.{field}"
                    yield from self._told(described, inner)
        elif isinstance(value, list):
            for each in value:
                yield from self._told(schema["items"], each)
