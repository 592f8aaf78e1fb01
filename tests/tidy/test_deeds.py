"""One table names what the audit log calls each use case, so that a refusal is found under the name of the deed."""

import ast
from collections.abc import Iterator

from carewright.contracts.deeds import EVENTS, SILENT, TABLE
from carewright.kernel.http.endpoint import module_of as module_of_handle
from carewright.roles.protocols import methods_of, module_of
from carewright.roles.registry import MODULES
from tests.tidy.source import Source, python_of_package


def use_cases() -> set[str]:
    """Whatever can be refused: every route's, and every Protocol's."""
    routes = {f"{module_of_handle(route.handle)}.{route.handle.__name__}" for module in MODULES for route in module.routes}
    protocols = (protocol for module in MODULES for protocol in module.offers)
    return routes | {f"{module_of(protocol)}.{name}" for protocol in protocols for name in methods_of(protocol)}


def written_words(source: Source) -> Iterator[str]:
    """Every word of the source but permissions, which are asked for, or named at the top of a file."""
    asked = (node.args for node in ast.walk(source.tree) if isinstance(node, ast.Call) and _name(node.func) in ("require", "may"))
    named = ([node.value] for node in source.tree.body if isinstance(node, ast.Assign))
    given = ([node.value] for node in ast.walk(source.tree) if isinstance(node, ast.keyword) and node.arg == "permission")
    permissions = {id(inner) for group in (*asked, *named, *given) for each in group for inner in ast.walk(each)}
    words = (node for node in ast.walk(source.tree) if isinstance(node, ast.Constant) and id(node) not in permissions)
    return (node.value for node in words if isinstance(node.value, str))


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else ""


def test_every_use_case_has_its_name_and_nothing_else_has() -> None:
    assert set(EVENTS) == use_cases(), "put it into carewright/contracts/deeds.py, or take it out"


def test_the_table_has_each_use_case_once_and_in_order() -> None:
    names = [line.split()[0] for line in TABLE.strip().splitlines()]
    assert names == sorted(set(names))


def test_a_refusal_has_the_name_under_which_the_deed_is_written() -> None:
    written = {word for source in python_of_package() if source.place != "contracts/deeds.py" for word in written_words(source)}
    assert set(EVENTS.values()) - written == SILENT
