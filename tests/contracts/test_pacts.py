"""Every question of our pages to another role stands in a contract, and no contract lies there without one who asks."""

import ast
from collections.abc import Iterator

import pytest

from carewright.console.module import MODULE as CONSOLE
from carewright.kernel.modules import Module
from carewright.portal.module import MODULE as PORTAL
from carewright.roles.protocols import methods_of
from tests.contracts.released import CONTRACTS, PACTS
from tests.pacts.every import EVERY
from tests.pacts.pages import CALLS, WITHOUT
from tests.tidy.source import ROOT

PAGES = pytest.mark.parametrize("page", [PORTAL, CONSOLE], ids=lambda page: page.name)


def asked_by(page: Module) -> set[str]:
    """The methods of the Protocols it needs that its code calls, by the name of the method: no two of them share one."""
    known = {method for protocol in page.needs for method in methods_of(protocol)}
    return {name for name in _called(page.name) if name in known}


def _called(module: str) -> Iterator[str]:
    for file in sorted((ROOT / "src" / "carewright" / module).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr


@PAGES
def test_no_two_protocols_of_a_page_share_a_name(page: Module) -> None:
    names = [method for protocol in page.needs for method in methods_of(protocol)]
    assert len(names) == len(set(names)), "tell what a page asks by its Protocol too"


@PAGES
def test_whatever_a_page_asks_is_in_a_contract_or_says_why_not(page: Module) -> None:
    without = {method for name, method in WITHOUT if name == page.name}
    contracted = {call.method for call in CALLS[page.name]}
    assert asked_by(page) - contracted == without, "add a Call to tests/pacts/pages.py, or a reason to WITHOUT"


@PAGES
def test_a_contract_has_only_what_the_page_asks(page: Module) -> None:
    for_every_process = {"actor_of"}
    assert {call.method for call in CALLS[page.name]} - asked_by(page) <= for_every_process


def test_a_method_is_asked_once_by_a_page() -> None:
    for calls in CALLS.values():
        assert len({call.method for call in calls}) == len(calls)


def test_every_contract_lies_there_and_no_other() -> None:
    assert {each.stem for each in CONTRACTS.glob("*.json")} == {contract.name for contract in EVERY}


def test_what_pages_of_a_release_ask_is_kept() -> None:
    """So that nothing a released page asks can go unseen: it is verified as long as it lies there."""
    kept = {each.stem for each in PACTS.glob("*.json")}
    assert kept >= {contract.name for contract in EVERY if contract.consumer in CALLS}
