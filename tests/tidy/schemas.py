"""The stored schema of every event: what other programs, and our own older releases, may rely on.

Write them anew after adding an event or an optional field:  .venv/bin/python -m tests.tidy.schemas --write
It refuses to change the meaning of a stored event; one that was never released may be deleted first.
"""

import importlib
import json
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

import carewright.contracts
from carewright.kernel.events import Event

FOLDER = Path(carewright.contracts.__file__).parent / "schemas"
Schema = Mapping[str, Any]


def events() -> dict[str, type[Event]]:
    """Every published event by its topic."""
    for module in pkgutil.iter_modules(carewright.contracts.__path__, "carewright.contracts."):
        importlib.import_module(module.name)
    return {topic: kind for topic, kind in Event.by_topic.items() if kind.__module__.startswith("carewright.contracts.")}


def schema_of(event: type[msgspec.Struct]) -> Schema:
    """The JSON Schema of an event's payload, as it reads back from a file."""
    return msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(event)), type=dict[str, Any])


def text_of(schema: Schema) -> str:
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def breaks(stored: Schema, current: Schema) -> list[str]:
    """What a reader of `stored` could no longer rely on. Anything here needs a new version of the event."""
    return [problem for name in _definitions(stored) for problem in _breaks_in(name, stored, current)]


def _definitions(schema: Schema) -> dict[str, Any]:
    definitions: dict[str, Any] = schema.get("$defs", {})
    return definitions


def _breaks_in(name: str, stored: Schema, current: Schema) -> list[str]:
    old, new = _definitions(stored)[name], _definitions(current).get(name)
    if new is None:
        return [f"{name} is gone"]
    fields, kept = old.get("properties", {}), new.get("properties", {})
    gone = [f"{name}.{field} is gone" for field in fields if field not in kept]
    changed = [f"{name}.{field} changed" for field in fields if field in kept and _meaning(fields[field]) != _meaning(kept[field])]
    demanded = [f"{name}.{field} is new and required" for field in new.get("required", []) if field not in old.get("required", [])]
    return gone + changed + demanded


def _meaning(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field without its documentation."""
    return {key: value for key, value in field.items() if key not in ("description", "title", "examples")}


def write() -> list[Path]:
    """Store every schema that is new or grew. Refuses to overwrite one whose meaning changed."""
    FOLDER.mkdir(exist_ok=True)
    written = []
    for topic, kind in events().items():
        path, schema = FOLDER / f"{topic}.json", schema_of(kind)
        if path.exists() and (problems := breaks(json.loads(path.read_text("utf-8")), schema)):
            raise SystemExit(f"{topic}: {'; '.join(problems)}. Publish a new version beside the old one.")
        if not path.exists() or path.read_text("utf-8") != text_of(schema):
            path.write_text(text_of(schema), "utf-8")
            written.append(path)
    return written


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    for path in write():
        sys.stdout.write(f"{path.name}\n")
