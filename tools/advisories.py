"""Ask for known vulnerabilities of every locked package, and say honestly when they could not be asked for.

Example: .venv/bin/python tools/advisories.py

Three outcomes: "none known" (exit 0), "vulnerable: …" (exit 1), and "not checked: …" (exit 0, said in so many words: it is no pass), where
the service cannot be reached or does not know a package. pip-audit alone calls the latter "No known vulnerabilities found".
What was learned of a lock file holds for a while, so that checking twice is quick.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-dev.lock"
REMEMBERED = ROOT / ".venv" / "advisories.json"
SERVICE = ("pypi.org", 443)
REACH_SECONDS_MAX = 2.0
ASK_SECONDS_MAX = 120.0
GOOD_NEWS_SECONDS = 24 * 3600
NO_NEWS_SECONDS = 3600
NONE_KNOWN = "none known"


class Outcome(NamedTuple):
    """What to print, and the exit code."""

    says: str
    code: int


def main() -> int:
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    outcome = remembered(digest)
    if outcome is None:
        outcome = unreachable() or ask()
        if outcome.code == 0:
            REMEMBERED.write_text(json.dumps([digest, outcome.says]))
    sys.stdout.write(f"{outcome.says}\n")
    return outcome.code


def remembered(digest: str) -> Outcome | None:
    """What was learned of this very lock file a while ago. Bad news is asked for again each time."""
    try:
        of, says = json.loads(REMEMBERED.read_text())
        age = time.time() - REMEMBERED.stat().st_mtime
    except (OSError, ValueError):
        return None
    fresh = age < (GOOD_NEWS_SECONDS if says == NONE_KNOWN else NO_NEWS_SECONDS)
    return Outcome(f"{says} (as of {age / 60:.0f} minutes ago)", 0) if of == digest and fresh else None


def unreachable() -> Outcome | None:
    """The outcome where nobody answers. A proxy named in the environment is taken at its word."""
    if any(os.environ.get(name) for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")):
        return None
    try:
        socket.create_connection(SERVICE, REACH_SECONDS_MAX).close()
    except OSError as fault:
        return _not_checked(f"{SERVICE[0]} cannot be reached ({type(fault).__name__})")
    return None


def ask() -> Outcome:
    """pip-audit's answer for the lock file. It installs nothing: the lock names every package with its version and hash."""
    program = Path(sys.executable).with_name("pip-audit")
    command = (program, "--requirement", LOCK, "--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return _not_checked(f"no answer within {ASK_SECONDS_MAX:.0f} seconds")
    try:
        return judged(json.loads(answer.stdout)["dependencies"])
    except (ValueError, KeyError):
        complaint = next(iter(reversed(answer.stderr.strip().splitlines())), f"pip-audit ended with {answer.returncode}")
        return _not_checked(complaint[:200])


def judged(packages: list[dict[str, Any]]) -> Outcome:
    """What pip-audit's report means. A package that was skipped was not checked, whatever the report concludes."""
    found = [f"{package['name']} {package['version']}: {fault['id']}" for package in packages for fault in package.get("vulns", ())]
    if found:
        return Outcome("vulnerable:\n" + "\n".join(found), 1)
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped or not packages:
        return _not_checked(f"the advisory service knows {len(packages) - len(skipped)} of {len(packages)} packages")
    return Outcome(NONE_KNOWN, 0)


def _not_checked(why: str) -> Outcome:
    return Outcome(f"not checked: {why}", 0)


if __name__ == "__main__":
    sys.exit(main())
