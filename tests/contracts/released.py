"""What was released, and may be relied on: the API's description without its prose, what the FHIR CapabilityStatement states, and what our
pages ask of other roles, since an older page stands beside a newer role while a version is rolled out (tests/http/test_pacts_of_pages.py).

Write it anew for a release, or after something came new:  .venv/bin/python -m tests.contracts.released --write
It refuses while anything that was released is missing: put it back, or offer the new beside the old.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from carewright.fhir.service.capabilities import capability_statement
from tests.contracts import openapi
from tests.contracts.breaking import breaks

FOLDER = Path(__file__).with_name("released")
API = FOLDER / "openapi.json"
FHIR = FOLDER / "capabilities.txt"
PACTS = FOLDER / "pacts"
PROSE = ("description", "summary", "title", "tags")
CONTRACTS = Path(__file__).with_name("pacts")
PAGES = ("portal", "console")
MAPS = ("properties", "schemas", "paths", "responses")
"""Where a key is a name, and never prose."""


def described() -> dict[str, Any]:
    """The API as it is served now, without its prose, and without its refusals: those are promised by their codes."""
    document: dict[str, Any] = without_prose(openapi.current())
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        operation["responses"] = {status: answer for status, answer in operation["responses"].items() if status < "3"}
    return document


def without_prose(value: Any, *, is_map: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: without_prose(each, is_map=key in MAPS) for key, each in value.items() if is_map or key not in PROSE}
    return [without_prose(each) for each in value] if isinstance(value, list) else value


def stated() -> set[str]:
    """What the CapabilityStatement says now, each a line."""
    return facts(capability_statement("https://hospital.example/fhir/R4", datetime(2026, 1, 1, tzinfo=UTC)))


def facts(statement: dict[str, Any]) -> set[str]:
    """Each thing that a client may count on: types, interactions, parameters, includes, operations, forms."""
    found = {f"form {each}" for each in statement["format"]}
    for each in statement["rest"][0]["resource"]:
        kind = each["type"]
        found |= {kind, *(f"{kind} {one['code']}" for one in each["interaction"])}
        found |= {f"{kind}?{one['name']} {one['type']}" for one in each.get("searchParam", ())}
        found |= {f"{kind} _include {one}" for one in each.get("searchInclude", ())}
        found |= {f"{kind}/${one['name']} {one['definition']}" for one in each.get("operation", ())}
    return found


def missing() -> list[str]:
    """What was released and is not there any more."""
    gone = set(FHIR.read_text("utf-8").splitlines()) - stated()
    return [*breaks(json.loads(API.read_text("utf-8")), described()), *(f"FHIR: {each}" for each in sorted(gone))]


def write() -> None:
    API.write_text(json.dumps(described(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    FHIR.write_text("\n".join(sorted(stated())) + "\n", "utf-8")
    for page in PAGES:
        for each in CONTRACTS.glob(f"{page}-*.json"):
            (PACTS / each.name).write_text(json.dumps(json.loads(each.read_text("utf-8")), separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    if API.exists() and (broken := missing()):
        raise SystemExit("\n".join(broken))
    write()
