"""The stored OpenAPI document: what clients of the API may rely on, reviewed as a file whenever it changes.

Write it anew after a change that is meant:  .venv/bin/python -m tests.contracts.openapi --write
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from carewright.kernel.http import openapi
from carewright.roles.registry import MODULES

FILE = Path(__file__).with_name("openapi.json")


def current() -> dict[str, Any]:
    """The document as the API serves it, as it reads back from JSON; without the version, which changes with every release."""
    routes = [route for module in MODULES for route in module.routes]
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi.document(routes)))
    del document["info"]["version"]
    return document


def text() -> str:
    return json.dumps(current(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    FILE.write_text(text(), "utf-8")
    sys.stdout.write(f"{FILE.name}\n")
