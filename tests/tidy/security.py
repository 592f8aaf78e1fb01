"""The pages that say how we stand to ASVS and HIPAA, made from lists that name tests:  .venv/bin/python -m tests.tidy.security --write"""

import ast
import sys
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tests.tidy.source import ROOT

FOLDER = ROOT / "docs" / "security"
MARKS = {"=": "held", "-": "not applicable", "!": "open"}
ASVS = """Ids and levels are those of [OWASP ASVS 5.0.0](https://github.com/OWASP/ASVS/tree/v5.0.0), where the requirements stand in full;
the words here are ours."""
HIPAA = """Clauses of [45 CFR 164](https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164): administrative (308) and
technical (312) safeguards, documentation (316), accounting of disclosures (528). What a hospital must do itself is not applicable."""
TITLES = {"asvs": ("How we stand to OWASP ASVS 5.0", ASVS), "hipaa": ("How we stand to HIPAA", HIPAA)}


class Requirement(NamedTuple):
    """One line of a list: `mark` is a key of `MARKS`, `says` the tests' names, the reason, or the gap."""

    id: str
    level: str
    words: str
    mark: str
    says: str

    @property
    def tests(self) -> list[str]:
        """The tests that hold it, without test_."""
        return self.says.split(", ") if self.mark == "=" else []


def requirements(name: str) -> list[Requirement]:
    """The lines of a list. Raises `ValueError` for one out of form."""
    lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return [requirement(line) for line in lines if line and not line.startswith("#")]


def requirement(line: str) -> Requirement:
    """One line of a list."""
    parts = line.split(" | ")
    if len(parts) != 4 or parts[3][:2] not in {f"{mark} " for mark in MARKS} or (parts[3][0] != "=" and len(parts[3].split()) < 3):
        raise ValueError(f"out of form: {line}")
    identifier, level, words, status = parts
    return Requirement(identifier, level, words, status[0], status[2:])


@lru_cache
def tests_by_name() -> dict[str, str]:
    """Where each test stands, as pytest takes it."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.setdefault(node.name, f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def page(name: str) -> str:
    """The whole page."""
    title, source = TITLES[name]
    made = requirements(name)
    rows = [f"| {each.id} | {each.level} | {each.words} | {MARKS[each.mark]} | {_told(each)} |" for each in made]
    head = ["| requirement | level | in short | stands | by |", "|---|---|---|---|---|"]
    note = f"Written by `python -m tests.tidy.security --write` from [{name}.txt]({name}.txt); a named test that is missing fails."
    return "\n".join([f"# {title}", "", source, "", note, "", *_summary(made), "", *head, *rows, ""])


def _summary(made: Sequence[Requirement]) -> list[str]:
    counts = Counter((each.level, each.mark) for each in made)
    levels = list(dict.fromkeys(sorted(each.level for each in made)))
    rows = [f"| {level} | " + " | ".join(str(counts[level, mark]) for mark in MARKS) + " |" for level in levels]
    return [f"| level | {' | '.join(MARKS.values())} |", "|---|---|---|---|", *rows]


def _told(each: Requirement) -> str:
    if each.mark != "=":
        return each.says
    return "<br>".join(f"`{tests_by_name().get(f'test_{test}', test)}`" for test in each.tests)


def path_of(name: str) -> Path:
    """The page's file."""
    return FOLDER / f"{name}.md"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    for listed in TITLES:
        path_of(listed).write_text(page(listed), "utf-8")
