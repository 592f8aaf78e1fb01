"""The page that says how we stand to the standards we speak, made from a list and from the tests that are marked with its ids:

.venv/bin/python -m tests.tidy.conformance --write
"""

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tests.tidy.source import ROOT

LIST = ROOT / "docs" / "conformance.txt"
PAGE = ROOT / "docs" / "conformance.md"
HEADING = "== "
MARK = "pytest.mark.requirement"
NAMES = {MARK, "requirement"}
STATES = {"": "held", "!": "open", "-": "not applicable"}
PREAMBLE = """# Conformance

What the standards that we speak require, which test holds it, and what is open. The words are ours; the requirements stand in full where
each heading leads. *Partly* is what tests hold with a gap that is named; *open* is what no test holds.

Written by `python -m tests.tidy.conformance --write` from [conformance.txt](conformance.txt) and from the tests that are marked with its
ids; it fails when it is stale, when a mark names no requirement, and when nothing holds what is said to be held.
"""


class Requirement(NamedTuple):
    """One line of the list: `mark` is a key of `STATES`, `says` the gap or the reason."""

    id: str
    level: str
    words: str
    mark: str = ""
    says: str = ""


def sections() -> Mapping[str, list[Requirement]]:
    """The lines of the list by the heading they stand under. Raises `ValueError` for one out of form."""
    found: dict[str, list[Requirement]] = {}
    for line in LIST.read_text("utf-8").splitlines():
        if line.startswith(HEADING):
            found[line.removeprefix(HEADING)] = []
        elif line and not line.startswith("# "):
            list(found.values())[-1].append(requirement(line))
    return found


def requirement(line: str) -> Requirement:
    """One line of the list."""
    parts = line.split(" | ")
    if len(parts) == 3 and all(parts):
        parts.append("")
    id_, level, words, status = parts if len(parts) == 4 else ("", "", "", "?")
    if status and (status[:2] not in ("! ", "- ") or len(status.split()) < 4):
        raise ValueError(f"out of form: {line}")
    return Requirement(id_, level, words, status[:1], status[2:])


@lru_cache
def tests_by_id() -> Mapping[str, list[str]]:
    """Where the tests stand that are marked with an id, as pytest takes them."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for id_ in _ids(node.decorator_list):
                    found[id_].append(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def _ids(decorators: Sequence[ast.expr]) -> Iterator[str]:
    for each in decorators:
        if isinstance(each, ast.Call) and ast.unparse(each.func) in NAMES:
            yield from (str(ast.literal_eval(argument)) for argument in each.args)


def state_of(each: Requirement) -> str:
    """In one word."""
    return "partly" if each.mark == "!" and each.id in tests_by_id() else STATES[each.mark]


def page() -> str:
    """The whole page."""
    made = sections()
    counts = Counter(state_of(each) for section in made.values() for each in section)
    summary = ", ".join(f"{counts[state]} {state}" for state in ("held", "partly", "open", "not applicable"))
    return "\n".join([PREAMBLE, f"In all: {summary}.", *(_section(heading, each) for heading, each in made.items())])


def _section(heading: str, requirements: Sequence[Requirement]) -> str:
    title, _, source = heading.partition(": ")
    rows = [f"| {each.id} | {each.level} | {each.words} | {state_of(each)} | {_told(each)} |" for each in requirements]
    head = ["| requirement | level | in short | stands | by |", "|---|---|---|---|---|"]
    return "\n".join(["", f"## {title}", "", *([f"Source: {source}", ""] if source else []), *head, *rows, ""])


def _told(each: Requirement) -> str:
    tests = [f"`{test}`" for test in tests_by_id().get(each.id, ())]
    return "<br>".join([*([each.says] if each.says else []), *tests])


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    PAGE.write_text(page(), "utf-8")
