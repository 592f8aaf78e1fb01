"""Run the tests tier by tier, cheapest first, and say in one line at the end how it went.

Examples:
    make test                                    every tier
    make test ARGS="--tier rules"                one tier (may be repeated)
    make test ARGS="--tier store -- -k outbox"   what follows the two dashes goes to pytest
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS_MAX = 30


@dataclass(frozen=True)
class Tier:
    """A group of tests that need the same surroundings. `seconds_max` ends a tier that hangs."""

    name: str
    what: str
    folders: tuple[str, ...]
    seconds_max: int


TIERS = (
    Tier("rules", "house rules, units, properties, contracts: no server", ("tidy", "unit", "properties", "contracts"), 900),
    Tier("store", "queries, migrations, outbox, races: PostgreSQL and Valkey", ("store",), 1200),
    Tier("http", "the API and its document: one server", ("http",), 900),
    Tier("roles", "the same scenarios in one process and in one per role", ("roles",), 900),
    Tier("faults", "processes killed under load", ("faults",), 1500),
    Tier("browser", "pages in a real Chromium, phone and desktop", ("browser",), 900),
)


@dataclass(frozen=True)
class Outcome:
    """What one tier, or all of them, came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped in {self.seconds:.0f}s"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.list:
        return list_tiers()
    chosen = [tier for tier in TIERS if not options.tier or tier.name in options.tier]
    outcomes = {}
    for number, tier in enumerate(chosen, start=1):
        say(f"\n=== tier {number} of {len(chosen)}: {tier.name} ({tier.what})")
        outcomes[tier.name] = run_tier(tier, options.pytest)
        say(f"--- {tier.name}: {outcomes[tier.name]}")
    return close(outcomes)


def parse(arguments: list[str]) -> argparse.Namespace:
    usage, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="tests/run.py", description=usage, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tier", action="append", choices=[tier.name for tier in TIERS], help="run this tier; may be repeated")
    parser.add_argument("--list", action="store_true", help="show the tiers and stop")
    parser.add_argument("pytest", nargs="*", metavar="ARG", help="arguments for pytest, after --")
    return parser.parse_args(arguments)


def list_tiers() -> int:
    for tier in TIERS:
        say(f"{tier.name:8} {tier.what}")
    return 0


def run_tier(tier: Tier, extra: list[str]) -> Outcome:
    """Run one tier in a pytest of its own, its output passed on as it comes. A folder without tests is a failure."""
    present = [folder for folder in tier.folders if any((ROOT / "tests" / folder).glob("**/test_*.py"))]
    missing = [folder for folder in tier.folders if folder not in present]
    for folder in missing:
        say(f"There are no tests in tests/{folder}.")
    outcome = run_folders(present, tier.seconds_max, extra) if present else Outcome()
    return outcome + Outcome(failed=len(missing))


def run_folders(folders: list[str], seconds_max: int, extra: list[str]) -> Outcome:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        code = run_pytest([f"tests/{folder}" for folder in folders], report, seconds_max, extra)
        return count(report, code) + Outcome(seconds=time.monotonic() - started)


def run_pytest(paths: list[str], report: Path, seconds_max: int, extra: list[str]) -> int:
    """Pytest's exit code. A run that passes its time is stopped the way Ctrl-C stops it, so that its servers end with it."""
    command = [sys.executable, "-m", "pytest", *paths, "--quiet", "--durations=5", f"--junitxml={report}", *extra]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        try:
            return process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            say(f"\nThe tier did not finish within {seconds_max} s.")
            process.send_signal(signal.SIGINT)
        try:
            return process.wait(STOP_SECONDS_MAX) or 1
        except subprocess.TimeoutExpired:
            process.kill()
            return 1


def count(report: Path, code: int) -> Outcome:
    """Read pytest's own figures. A tier that ended badly without naming a failed test counts as one failure."""
    suites = list(ElementTree.parse(report).iter("testsuite")) if report.exists() else []
    total, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Outcome(passed=max(total - failed - skipped, 0), failed=failed or int(code != 0), skipped=skipped)


def close(outcomes: dict[str, Outcome]) -> int:
    total = sum(outcomes.values(), Outcome())
    bad = [name for name, outcome in outcomes.items() if outcome.failed]
    say(f"\nfailed tiers: {', '.join(bad)}" if bad else "\nevery tier passed")
    say(f"===== {total} =====")
    return 1 if bad else 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
