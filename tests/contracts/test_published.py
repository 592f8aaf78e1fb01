"""What others rely on may only grow: codes of refusals, codes of import reports, settings, and the pages that list them."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from carewright.contracts.permissions import ROLES
from carewright.fhir.model.reports import REASONS as OF_FHIR
from carewright.kernel.errors import Refusal
from carewright.kernel.modules import Module
from carewright.migration.model.reasons import REASONS as OF_ROWS
from carewright.roles.registry import MODULES, SECTIONS
from tests.tidy import reference
from tests.tidy.source import ROOT
from tests.tidy.test_codes import published

CODES = Path(__file__).with_name("codes.txt")
CONFIGURATION = (ROOT / "docs" / "reference" / "configuration.md").read_text("utf-8")
SETTING = re.compile(r"^\| `(CAREWRIGHT_[A-Z0-9_]+)` \| (.+?) \|", re.MULTILINE)


def current_codes() -> set[str]:
    return {kind.code for kind in published(Refusal)} | set(OF_FHIR) | set(OF_ROWS)


def test_no_code_was_renamed_or_taken_back() -> None:
    assert set(CODES.read_text("utf-8").split()) - current_codes() == set()


def test_a_new_code_is_put_on_the_list() -> None:
    assert current_codes() - set(CODES.read_text("utf-8").split()) == set(), "add it to tests/contracts/codes.txt, which only grows"


def test_the_list_is_in_order() -> None:
    lines = CODES.read_text("utf-8").splitlines()
    assert lines == sorted(set(lines))


def test_the_page_of_refusals_is_the_one_that_the_code_writes() -> None:
    assert reference.ERRORS.read_text("utf-8") == reference.page(), "run: python -m tests.tidy.reference --write"


def test_every_setting_is_on_its_page_with_its_default() -> None:
    wanted = {
        f"CAREWRIGHT_{section}_{field.name}".upper(): "" if field.default is MISSING else shown(field.default)
        for section, kind in SECTIONS.items()
        for field in fields(kind)
    }
    assert dict(SETTING.findall(CONFIGURATION)) == wanted


def shown(default: object) -> str:
    if default in ("", None):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_permission_that_a_route_asks_for_can_be_had(module: Module) -> None:
    asked = {route.permission for route in module.routes if route.permission}
    assert asked <= frozenset().union(*ROLES.values())
