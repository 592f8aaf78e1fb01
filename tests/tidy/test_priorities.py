"""Every address has a priority, the page says which, and nobody names an address that there is not."""

import pytest

from carewright.kernel.http.app import BEYOND
from carewright.kernel.http.priorities import Addresses, listed
from carewright.kernel.modules import Module
from carewright.kernel.priority import Priority
from carewright.roles.registry import MODULES
from tests.tidy import priorities

ADDRESSES = [each for _, each in priorities.everything()]


def test_the_page_says_what_is_served() -> None:
    assert priorities.PAGE.read_text("utf-8") == priorities.page(), "run: python -m tests.tidy.priorities --write"


def test_every_address_is_found_under_its_own_priority() -> None:
    table = Addresses(ADDRESSES)
    assert len(ADDRESSES) > 300
    for method, path, priority in ADDRESSES:
        assert table.of(method, path).priority is priority, f"{method} {path}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_whatever_a_module_says_of_an_address_is_said_of_one_that_it_serves(module: Module) -> None:
    served = Addresses(listed(module.routes, priorities.pages_of(module), {}))
    for each in module.priorities:
        method, _, path = each.rpartition(" ")
        found = [served.of(method or any_of, path).pattern for any_of in ("GET", "POST", "DELETE")]
        assert set(found) != {"unknown"}, each


def test_nothing_but_health_and_files_is_beyond_all_classes() -> None:
    assert {path for _, path, priority in ADDRESSES if priority is None} == {*BEYOND, "/static/{name:path}"}


def test_each_class_has_its_addresses() -> None:
    assert {priority for _, _, priority in ADDRESSES if priority is not None} == set(Priority)
