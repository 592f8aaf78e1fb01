"""Find a Chromium for the browser tests, or install one.

Tried in turn: the one named by CAREWRIGHT_CHROMIUM, one on the path, Playwright's own, Playwright's download, and Debian's
package where apt-get may be used. Run this file to see what is found: `.venv/bin/python -m tests.browser.chromium`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DOWNLOAD_SECONDS_MAX = 240
PACKAGE_SECONDS_MAX = 400
# Without --no-sandbox Chromium refuses to run as root; in containers /dev/shm is often too small for it.
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage")
ASK_PLAYWRIGHT = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"


def require_chromium() -> Path:
    """A Chromium that runs. Without one the calling test is skipped, and fails where CI is set: CI must have looked."""
    found = find_or_install_chromium()
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium was found, and none could be installed")
    if found is None:
        pytest.skip("no Chromium here: install the package `chromium`, or name one by CAREWRIGHT_CHROMIUM")
    return found


def find_or_install_chromium() -> Path | None:
    """The path of a Chromium that answers `--version`, or None. Says what it found or tried."""
    for what, ways in (("found", installed), ("downloaded", downloaded), ("installed", packaged)):
        for path in ways():
            if version := version_of(path):
                say(f"Chromium {what}: {path} ({version})")
                return path
    say("No Chromium: none installed, Playwright's download failed, and apt-get cannot be used or failed.")
    return None


def installed() -> Iterator[Path]:
    """What is already here."""
    named = os.environ.get("CAREWRIGHT_CHROMIUM")
    candidates = [named] if named else [shutil.which(name) for name in NAMES]
    yield from (Path(path) for path in candidates if path)
    if not named:
        yield from playwrights_own()


def downloaded() -> Iterator[Path]:
    """What Playwright can fetch."""
    say("Looking for a Chromium to download with Playwright ...")
    if run([sys.executable, "-m", "playwright", "install", "chromium"], DOWNLOAD_SECONDS_MAX):
        yield from playwrights_own()


def packaged() -> Iterator[Path]:
    """What Debian's or Ubuntu's package brings, for root only."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    say("Installing the package chromium by apt-get ...")
    if run(["apt-get", "update"], PACKAGE_SECONDS_MAX) and run(
        ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"], PACKAGE_SECONDS_MAX
    ):
        yield from (Path(path) for path in map(shutil.which, NAMES) if path)


def playwrights_own() -> Iterator[Path]:
    """Where Playwright keeps its Chromium. Asked in a process of its own: its API starts a driver and an event loop."""
    answer = subprocess.run([sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False)
    path = Path(answer.stdout.strip())
    if answer.returncode == 0 and path.is_file():
        yield path


def version_of(path: Path) -> str | None:
    """What the browser calls itself, or None where it does not run: a stub, or libraries missing."""
    try:
        answer = subprocess.run([path, *ARGUMENTS, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def run(command: list[str], seconds_max: int) -> bool:
    """Whether the command ended well; says in one line why not."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds_max, env=environment)
    except subprocess.CalledProcessError as failure:
        reasons = [line.strip() for line in failure.stderr.splitlines() if "rror" in line or line.startswith("E:")]
        say(f"  It failed: {reasons[0] if reasons else f'exit status {failure.returncode}'}")
        return False
    except (OSError, subprocess.TimeoutExpired) as failure:
        say(f"  It failed: {failure}")
        return False
    return True


def say(line: str) -> None:
    """Write past pytest's capture, because an installation takes a while."""
    if sys.__stderr__:
        sys.__stderr__.write(line + "\n")


if __name__ == "__main__":
    sys.exit(find_or_install_chromium() is None)
