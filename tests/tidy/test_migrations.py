"""Migrations are in form, and no two of a module have one number: two branches may each have taken the next."""

import pytest

from carewright.kernel import migrate
from carewright.roles.registry import MODULES


@pytest.mark.parametrize("module", ["kernel", *(module.name for module in MODULES if module.has_tables)])
def test_a_module_has_its_migrations_in_one_order(module: str) -> None:
    numbers = [migration.number for migration in migrate.discover(module)]
    assert numbers == sorted(set(numbers))
    assert numbers
