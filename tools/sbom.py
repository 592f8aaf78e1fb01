"""Write sbom.cdx.json: what Carewright is made of when it runs, as CycloneDX 1.6, with licences and who needs whom.

Example: .venv/bin/python tools/sbom.py

cyclonedx-py describes everything in .venv; what only development needs is taken out again, by the names in requirements.lock. A package
that is installed in another version than the lock names fails, and so does a document that does not keep to the schema.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
TARGET = ROOT / "sbom.cdx.json"
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def main() -> int:
    document = for_running(described(), locked(LOCK.read_text("utf-8")))
    faults = faults_of(document)
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    if faults:
        return 1
    TARGET.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", "utf-8")
    sys.stdout.write(f"{len(document['components'])} components in {TARGET.name}\n")
    return 0


def described() -> dict[str, Any]:
    """Everything that is installed, as cyclonedx-py sees it."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    command = (program, "environment", sys.executable, "--pyproject", "pyproject.toml", "--output-reproducible", "--spec-version", "1.6")
    made: dict[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    return made


def locked(text: str) -> dict[str, set[str]]:
    """Names and versions in a lock file; more than one version where Pythons differ."""
    versions: dict[str, set[str]] = {}
    for name, version in LOCKED.findall(text):
        versions.setdefault(plain(name), set()).add(version)
    return versions


def for_running(document: dict[str, Any], versions: dict[str, set[str]]) -> dict[str, Any]:
    """The document without what only development needs."""
    kept = [component for component in document["components"] if plain(component["name"]) in versions]
    for component in kept:
        wanted = versions[plain(component["name"])]
        if component["version"] not in wanted:
            raise SystemExit(f"{component['name']} {component['version']} is installed, {', '.join(wanted)} is locked: install anew.")
    known = {component["bom-ref"] for component in kept} | {document["metadata"]["component"]["bom-ref"]}
    graph = [
        {**node, "dependsOn": [ref for ref in node.get("dependsOn", ()) if ref in known]}
        for node in document["dependencies"] if node["ref"] in known
    ]  # fmt: skip
    return document | {"components": kept, "dependencies": graph}


def faults_of(document: dict[str, Any]) -> list[str]:
    """What the schema of CycloneDX 1.6 has against a document."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    return [] if fault is None else [str(fault)]


def plain(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
