"""FHIR clients that others wrote, installed once into .venv/foreign, every package checked against its hash.

Python's stand in python.lock, Node's in package-lock.json. CI must have Python's. Where there is no Node, or elsewhere no way to the
package index, the tests say so and are skipped.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system import ROOT

HERE = Path(__file__).parent
CACHE = ROOT / ".venv" / "foreign"
INSTALL_SECONDS_MAX = 300
RUN_SECONDS_MAX = 120
UNREACHABLE = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|from versions: none")
"""How npm and pip say that there is no network. Anything else that they say is a fault."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Programs of one language. `folder` is where they find their packages."""

    program: str
    folder: Path

    def ask(self, script: str, told: Any) -> Any:
        """What `script` answers to `told`, both JSON, in a process of its own."""
        place = Path(shutil.copy(HERE / script, self.folder))
        asked = subprocess.run(
            [self.program, place], input=json.dumps(told), capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX
        )
        assert asked.returncode == 0, f"{script} ended with {asked.returncode}:\n{asked.stdout}\n{asked.stderr}"
        return json.loads(asked.stdout)


class Unreachable(Exception):
    """There is no way to the package index from here."""


def installed(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    """The folder with what `lock` names, made anew when the lock changed. Raises `Unreachable`."""
    folder, wanted = CACHE / name, lock.read_text("utf-8")
    done = folder / "installed.lock"
    if not done.exists() or done.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        done.write_text(wanted, "utf-8")
    return folder


def install_python(folder: Path) -> None:
    said([sys.executable, "-m", "venv", folder])
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--quiet")
    said([*pip, "--require-hashes", "--only-binary=:all:", "-r", HERE / "python.lock"])


def install_node(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    said(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder])


def said(command: list[str | Path]) -> str:
    """What a command printed. Raises `Unreachable` where it found no network, and fails the test for another reason."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS_MAX)
    if ran.returncode and UNREACHABLE.search(ran.stdout + ran.stderr):
        raise Unreachable
    assert ran.returncode == 0, f"{command[0]} ended with {ran.returncode}:\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout
