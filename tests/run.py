"""Run the tests tier by tier, the cheap rules first, and say in one line at the end how it went.

With two processors or more, two tiers run side by side: each waits for its own servers most of the time. Their lines begin with their name.

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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS_MAX = 30
FAILED = ("failure", "error")
STORY_LINES = 50
"""Told again at the end, and each once more in one line, where whoever sees only the end of a long log finds it."""
SUMMARY_MAX = 160


@dataclass(frozen=True)
class Tier:
    """A group of tests that need the same surroundings. `seconds_max` ends a tier that hangs, unless it was asked for with arguments of
    its own: whoever wants a thousand kills waits for them."""

    name: str
    what: str
    folders: tuple[str, ...]
    seconds_max: int


RULES = Tier("rules", "house rules, units, properties, contracts: no server", ("tidy", "unit", "properties", "contracts"), 900)
"""Goes first and alone: what it finds is found soonest."""
TIERS = (
    RULES,
    Tier("store", "queries, migrations, outbox, races: PostgreSQL and Valkey", ("store",), 3600),
    Tier("faults", "processes killed under load", ("faults",), 1800),
    Tier("roles", "the same scenarios in one process and in one per role", ("roles",), 1800),
    Tier("http", "the API and its document: one server", ("http",), 1200),
    Tier("foreign", "FHIR clients and validators that others wrote: one server, the package index", ("foreign",), 900),
    Tier("browser", "pages in a real Chromium, phone and desktop", ("browser",), 1200),
)
"""After the rules the longest first, so that those side by side end together."""
SIDE_BY_SIDE = min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class Outcome:
    """What one tier, or all of them, came to. `stories` tell of each failure by its name and the end of what pytest said."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    stories: tuple[str, ...] = ()

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
            self.stories + other.stories,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped in {self.seconds:.0f}s"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.list:
        return list_tiers()
    started = time.monotonic()
    chosen = [tier for tier in TIERS if not options.tier or tier.name in options.tier]
    outcomes = run_tiers([RULES], 1, options.pytest) if RULES in chosen else {}
    outcomes |= run_tiers([tier for tier in chosen if tier is not RULES], options.side_by_side, options.pytest)
    return close(outcomes, time.monotonic() - started)


def parse(arguments: list[str]) -> argparse.Namespace:
    usage, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="tests/run.py", description=usage, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tier", action="append", choices=[tier.name for tier in TIERS], help="run this tier; may be repeated")
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE, metavar="N", help="tiers at once (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="show the tiers and stop")
    parser.add_argument("pytest", nargs="*", metavar="ARG", help="arguments for pytest, after --")
    return parser.parse_args(arguments)


def list_tiers() -> int:
    for tier in TIERS:
        say(f"{tier.name:8} {tier.what}")
    return 0


def run_tiers(tiers: list[Tier], side_by_side: int, extra: list[str]) -> dict[str, Outcome]:
    """Outcomes by name. Where only one tier runs at a time, what it prints is passed on untouched."""
    named = min(side_by_side, len(tiers)) > 1

    def run(tier: Tier) -> Outcome:
        say(f"\n=== tier {tier.name} ({tier.what})")
        outcome = run_tier(tier, extra, named=named)
        say(f"--- {tier.name}: {outcome}")
        return outcome

    with ThreadPoolExecutor(max(side_by_side, 1)) as hands:
        return dict(zip([tier.name for tier in tiers], hands.map(run, tiers), strict=True))


def run_tier(tier: Tier, extra: list[str], *, named: bool) -> Outcome:
    """Run one tier in a pytest of its own, its output passed on as it comes. A folder without tests is a failure."""
    present = [folder for folder in tier.folders if any((ROOT / "tests" / folder).glob("**/test_*.py"))]
    missing = [folder for folder in tier.folders if folder not in present]
    for folder in missing:
        say(f"There are no tests in tests/{folder}.")
    outcome = run_folders(tier, present, extra, named=named) if present else Outcome()
    return outcome + Outcome(failed=len(missing))


def run_folders(tier: Tier, folders: list[str], extra: list[str], *, named: bool) -> Outcome:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", *(f"tests/{folder}" for folder in folders), "--quiet", "--durations=5", f"--junitxml={report}",
            *extra,
        ]  # fmt: skip
        code = run_pytest(tier, command, named=named, is_watched=bool(extra))
        return count(report, code) + Outcome(seconds=time.monotonic() - started)


def run_pytest(tier: Tier, command: list[str], *, named: bool, is_watched: bool = False) -> int:
    """Pytest's exit code. A run that somebody watches may take as long as it likes."""
    told = subprocess.PIPE if named else None
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=told, stderr=told and subprocess.STDOUT, text=True)
    teller = Thread(target=tell, args=(tier.name, process), daemon=True)
    teller.start()
    code = process.wait() if is_watched else wait(tier, process)
    teller.join(STOP_SECONDS_MAX)  # a server that outlives its tests may keep the line open for ever
    return code


def wait(tier: Tier, process: subprocess.Popen[str]) -> int:
    """The exit code. A run that passes its time is stopped the way Ctrl-C stops it, so that its servers end with it."""
    try:
        return process.wait(tier.seconds_max)
    except subprocess.TimeoutExpired:
        say(f"\nThe tier {tier.name} did not finish within {tier.seconds_max} s.")
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(STOP_SECONDS_MAX) or 1
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait() or 1


def tell(name: str, process: subprocess.Popen[str]) -> None:
    """Pass on what a tier prints, each line with its name."""
    if process.stdout:
        with process.stdout as lines:
            for line in lines:
                say(f"{name:7} | {line.rstrip()}")


def count(report: Path, code: int) -> Outcome:
    """Read pytest's own figures. A tier that ended badly without naming a failed test counts as one failure."""
    suites = list(ElementTree.parse(report).iter("testsuite")) if report.exists() else []
    stories = tuple(story(case, told) for suite in suites for case in suite.iter("testcase") for told in case if told.tag in FAILED)
    total, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Outcome(passed=max(total - failed - skipped, 0), failed=failed or int(code != 0), skipped=skipped, stories=stories)


def story(case: ElementTree.Element, told: ElementTree.Element) -> str:
    message = told.get("message") or ""
    lines = (told.text or message).splitlines()[-STORY_LINES:]
    return "\n".join([f"{case.get('classname')}::{case.get('name')}: {message[:SUMMARY_MAX]!r}", *(f"    {line}" for line in lines)])


def close(outcomes: dict[str, Outcome], seconds: float) -> int:
    total = replace(sum(outcomes.values(), Outcome()), seconds=seconds)
    bad = [name for name, outcome in outcomes.items() if outcome.failed]
    for each in total.stories:
        say(f"\nfailed: {each}")
    for each in total.stories:
        say(f"failed: {each.splitlines()[0]}")
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
