"""docs/security/policies.md says what the code does: its values, its ways in, its keys, who asks whom, its levels of data."""

import importlib
import re
from dataclasses import MISSING, fields
from typing import get_args

import pytest

from carewright.contracts.access import SignInMethod
from carewright.kernel.modules import Module
from carewright.kernel.privacy.vault import Purpose
from carewright.roles.registry import MODULES, SECTIONS
from tests.tidy.source import ROOT

PAGE = (ROOT / "docs/security/policies.md").read_text("utf-8")
VALUE = re.compile(r"`((?:CAREWRIGHT_|carewright\.)[\w.]+)`(?: \||  ?=) `([^`]+)`")
FIRST = re.compile(r"^\| `([\w-]+)` \|", re.MULTILINE)
SETTINGS = {
    f"CAREWRIGHT_{section}_{field.name}".upper(): None if field.default is MISSING else field.default
    for section, kind in SECTIONS.items()
    for field in fields(kind)
}
OUR_OWN = {
    "CAREWRIGHT_ACCESS_PUBLIC_URL", "CAREWRIGHT_CDS_PUBLIC_URL", "CAREWRIGHT_EHR_PUBLIC_URL", "CAREWRIGHT_FHIR_BASE_URL",
    "CAREWRIGHT_FHIR_BOOKING_URL", "CAREWRIGHT_IDENTITY_ISSUER", "CAREWRIGHT_PORTAL_PUBLIC_URL",
}  # fmt: skip
"""Addresses of ours that others are told."""


def part(heading: str) -> str:
    """What stands under a heading."""
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def decided(name: str) -> object:
    """The value of a setting by default, or of a constant."""
    if name in SETTINGS:
        return SETTINGS[name]
    module, _, constant = name.rpartition(".")
    return getattr(importlib.import_module(module), constant)


@pytest.mark.parametrize(("name", "value"), VALUE.findall(PAGE))
def test_a_value_of_the_policies_is_that_of_the_code(name: str, value: str) -> None:
    assert str(decided(name)) == value


def test_every_limit_of_the_policies_has_its_value() -> None:
    said = {name for name, _ in VALUE.findall(PAGE)}
    for heading in ("Guessing and flooding", "Sessions", "What costs much"):
        rows = [line for line in part(heading).splitlines() if line.startswith("| ") and "where it is decided" not in line]
        assert rows
        assert all(any(f"`{name}`" in row for name in said) for row in rows if "`" in row), heading


def test_every_setting_that_the_policies_name_is_one() -> None:
    assert set(re.findall(r"CAREWRIGHT_[A-Z0-9_]+[A-Z]", PAGE)) <= set(SETTINGS)


def test_the_policies_list_every_way_in() -> None:
    assert set(FIRST.findall(part("Ways in"))) == set(get_args(SignInMethod))


def test_the_policies_list_every_key() -> None:
    files = {name for name in SETTINGS if name.endswith(("_KEY_FILE", "_SECRET_FILE", "_TOKEN_FILE"))}
    assert set(FIRST.findall(part("Keys"))) == files | set(get_args(Purpose))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_policies_say_whom_a_module_asks(module: Module) -> None:
    asked = ", ".join(each.__name__ for each in module.needs) or "-"
    assert f"| {module.name} | {asked} |" in part("Who talks to whom")


def test_the_policies_list_every_address_that_is_asked() -> None:
    asked = {name for name in SETTINGS if name.endswith(("_URL", "_ISSUER", "_ENDPOINT", "_PEERS", "_ORIGINS"))} - OUR_OWN
    assert {name for name in asked if f"`{name}`" not in part("Who talks to whom")} == set()


def test_the_policies_protect_every_level_of_data() -> None:
    levels = set(re.findall(r"^#   ([a-z]+) ", (ROOT / "docs/security/fields.txt").read_text("utf-8"), re.MULTILINE))
    assert set(FIRST.findall(part("Levels of data"))) == levels


def test_the_policies_list_every_place_that_records_go_to() -> None:
    places = {name for name in SETTINGS if "WITNESS_FILE" in name or "WITNESS_URL" in name or "TRACE_ENDPOINT" in name}
    written = part("What is written down about what happens")
    assert places
    assert {name for name in places if f"`{name}`" not in written} == set()
    assert all(f"| {what} |" in written for what in ("journal of deeds", "logs", "metrics", "traces", "messages sent"))


def test_the_policies_say_how_soon_a_weakness_is_closed() -> None:
    days = [int(number) for number in re.findall(r"(\d+) days for", part("Updates"))]
    assert days == sorted(days)
    assert len(days) == 3
