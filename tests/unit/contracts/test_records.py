"""How long what is kept: the table, the floors of states, and what an organization may choose."""

from typing import get_args

import pytest

from carewright.contracts.records import FLOORS, RULES, What, days_kept, rule_of
from carewright.roles.registry import MODULES

SIX_YEARS, SEVEN_YEARS = 2192, 2557


def test_every_row_is_a_kind_of_record_and_every_kind_has_its_row() -> None:
    assert tuple(RULES) == get_args(What)
    assert all(rule.default is None or rule.default >= rule.floor for rule in RULES.values())
    assert {what for _, what in FLOORS} <= set(RULES)


def test_what_the_law_asks_for_is_kept_whatever_an_organization_chose() -> None:
    assert days_kept("break-glass-reviews", None, None) == SIX_YEARS
    assert days_kept("break-glass-reviews", 1, None) == SIX_YEARS
    assert days_kept("appointments", None, None) == SEVEN_YEARS
    assert days_kept("appointments", 1, None) == 1827
    assert days_kept("telehealth-media", None, None) == 30


@pytest.mark.parametrize(
    ("state", "days"), [("CA", SEVEN_YEARS), ("MA", 7305), ("NY", SIX_YEARS), ("TX", 3653), ("VT", 1827), (None, 1827)]
)
def test_a_state_may_ask_for_more(state: str | None, days: int) -> None:
    assert rule_of("appointments", state).floor == days
    assert days_kept("appointments", 1, state) == days


def test_an_organization_may_keep_things_longer() -> None:
    assert days_kept("messages", 9_999, "TX") == 9_999


def test_nothing_disposes_of_the_audit_log() -> None:
    assert days_kept("audit", 1, "CA") is None


def test_every_module_that_keeps_records_has_its_timer() -> None:
    names = [timer.name for module in MODULES for timer in module.timers]
    assert {name for name in names if name.endswith(".dispose")} == {
        "access.dispose", "coverage.dispose", "flow.dispose", "hl7.dispose", "notifications.dispose", "orders.dispose",
        "patients.dispose",
        "scheduling.dispose", "vitals.dispose",
    }  # fmt: skip
