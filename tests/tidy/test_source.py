"""The house rules, held against the tree as it stands."""

import statistics
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.tidy import rules
from tests.tidy.allowed import ALLOWED
from tests.tidy.source import PACKAGE, ROOT, Finding, Source, modules, python_everywhere, python_of_package, sql_of_package, tracked_text

Rule = Callable[[Source], Iterator[Finding]]
IN_THE_PACKAGE: tuple[Rule, ...] = (
    rules.sql_in_python,
    rules.formatted_sql,
    rules.clock_or_chance,
    rules.printing,
    rules.unfinished,
)
EVERYWHERE: tuple[Rule, ...] = (rules.unexplained_ignore, rules.unexplained_skip, rules.too_long)
# Style: the median function is short, few are long. The shape of code bases held up as models (Starlette, Procrastinate).
FUNCTION_LINES_MEDIAN_MAX = 9
FUNCTION_LINES_P95_MAX = 40
FUNCTION_LINES_LONG = 70
FUNCTIONS_LONG_SHARE_MAX = 0.012


@pytest.mark.parametrize("rule", IN_THE_PACKAGE, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Rule) -> None:
    assert_none(unallowed(rule.__name__, broken(rule, python_of_package())))


@pytest.mark.parametrize("rule", EVERYWHERE, ids=lambda rule: rule.__name__)
def test_all_python_keeps_the_rule(rule: Rule) -> None:
    assert_none(broken(rule, python_everywhere()))


def test_a_query_touches_only_tables_of_its_module() -> None:
    assert_none(unallowed("foreign_table", broken(foreign_table(), sql_of_package())))


def test_every_module_has_its_card() -> None:
    cards = [Source(f"{name}/__init__.py", (PACKAGE / name / "__init__.py").read_text("utf-8")) for name in [*modules(), "kernel"]]
    assert_none(broken(rules.card_missing, cards))


def test_no_file_names_a_folder_of_one_machine() -> None:
    paths = {f"{Path.home()}/", f"{ROOT.parent}/"} - {"/", "//"}
    assert_none(broken(partial(rules.machine_path, paths=paths), tracked_text()))


def test_every_exception_is_still_needed() -> None:
    found = {rule.__name__: list(broken(rule, python_of_package())) for rule in IN_THE_PACKAGE}
    found["foreign_table"] = list(broken(foreign_table(), sql_of_package()))
    unused = [a for a in ALLOWED if not any(f.place == a.place and a.what in f.seen for f in found[a.rule])]
    assert unused == []


def test_functions_are_short() -> None:
    lengths = sorted(length for source in python_of_package() for length in rules.function_lengths(source))
    p95 = lengths[int(len(lengths) * 0.95)]
    long = sum(length > FUNCTION_LINES_LONG for length in lengths) / len(lengths)
    assert statistics.median(lengths) <= FUNCTION_LINES_MEDIAN_MAX
    assert p95 <= FUNCTION_LINES_P95_MAX
    assert long <= FUNCTIONS_LONG_SHARE_MAX


def foreign_table() -> Rule:
    kernel = {table for source in sql_of_package() if source.row == "kernel" for table in rules.tables_of(source.text)}
    return partial(rules.foreign_table, schemas=modules(), kernel_tables=kernel | {"migration"})


def broken(rule: Rule, sources: Iterable[Source]) -> Iterator[Finding]:
    for source in sources:
        yield from rule(source)


def unallowed(rule: str, findings: Iterable[Finding]) -> list[Finding]:
    allowances = [allowance for allowance in ALLOWED if allowance.rule == rule]
    return [f for f in findings if not any(f.place == a.place and a.what in f.seen for a in allowances)]


def assert_none(findings: Iterable[Finding]) -> None:
    seen = [str(finding) for finding in findings]
    assert not seen, "\n" + "\n".join(seen)
