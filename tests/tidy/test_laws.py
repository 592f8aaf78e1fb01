"""The import laws hold, and each of them can be broken: the same contracts are held against a hospital that breaks them all."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.source import ROOT

BREACHES = {
    "Law 1: cli > roles": {"scheduling/service.py": "import carewright.patients"},
    "Law 2: inside a module": {"scheduling/store.py": "import carewright.scheduling.service", "scheduling/service.py": ""},
    "Law 3: only roles": {"cli/main.py": "import carewright.patients.module", "patients/module.py": ""},
    "Law 3: cli parses": {"cli/main.py": "import carewright.patients"},
    "Law 4: model and contracts": {"scheduling/model.py": "import time"},
    "Law 4: nor does anything": {"contracts/patients.py": "import carewright.kernel.db", "kernel/db.py": "import asyncpg"},
    "Law 5: the web framework": {"scheduling/service.py": "import starlette"},
    "Law 5: drivers": {"scheduling/store.py": "import asyncpg"},
    "Law 6: no cycles": {"kernel/a.py": "import carewright.kernel.b", "kernel/b.py": "import carewright.kernel.a"},
}
ROWS = (
    "cli", "roles", "simulation", "mock", "access", "audit", "directory", "patients", "scheduling", "flow", "orders", "notifications",
    "oversight", "portal", "console", "identity", "fhir", "hl7", "ehr", "records", "coverage", "subscriptions", "calendars",
    "cds", "migration", "vitals", "lobby", "contracts", "kernel",
)  # fmt: skip
SOUND = {"kernel/http/serve.py": "import starlette, uvicorn", "kernel/drivers.py": "import asyncpg, valkey, httpx"}


def laws_broken(folder: Path) -> list[str]:
    """The names of the contracts that do not hold for the package in `folder`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", "--config", "pyproject.toml"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"}
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "Contracts:" in answer.stdout, answer.stdout + answer.stderr
    return re.findall(r"^(Law .*) BROKEN$", answer.stdout, re.MULTILINE)


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """A small package that keeps every law."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for row in ROWS:
        write(tmp_path, f"{row}/__init__.py", "")
    write(tmp_path, "__init__.py", "")
    write(tmp_path, "kernel/http/__init__.py", "")
    for place, text in SOUND.items():
        write(tmp_path, place, text)
    return tmp_path


def write(folder: Path, place: str, text: str) -> None:
    path = folder / "src" / "carewright" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", "utf-8")


def test_carewright_keeps_the_laws() -> None:
    assert laws_broken(ROOT) == []


def test_a_sound_hospital_keeps_the_laws(hospital: Path) -> None:
    assert laws_broken(hospital) == []


@pytest.mark.parametrize("law", BREACHES)
def test_a_breach_is_seen(hospital: Path, law: str) -> None:
    for place, text in BREACHES[law].items():
        write(hospital, place, text)
    assert any(name.startswith(law) for name in laws_broken(hospital))


def test_there_are_no_exceptions() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert not re.search(r"^ignore_imports", text, re.MULTILINE)
