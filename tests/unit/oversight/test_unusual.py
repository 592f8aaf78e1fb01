"""Which access is unusual: few, and right."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from carewright.contracts.patients import NameRelation
from carewright.kernel.authz import BREAKING_GLASS
from carewright.kernel.clock import ManualClock
from carewright.kernel.ids import Ids
from carewright.oversight.model import unusual as model

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "relation", "expected", "kinds"),
    [
        ("nurse", "other", True, []),
        ("nurse", "other", False, ["no_appointment"]),
        ("nurse", "same-surname", True, ["same_surname"]),
        ("nurse", "same-surname", False, ["same_surname"]),
        ("front-desk", "other", False, []),
        ("front-desk", "same-surname", True, []),
        ("scheduler", "same-surname", False, ["same_surname"]),
        ("front-desk", "same-person", True, ["own_record"]),
        ("physician", "same-person", False, ["own_record"]),
    ],
)
def test_what_is_unusual_depends_on_who_reads_whom(role: str, relation: NameRelation, expected: bool, kinds: list[str]) -> None:
    assert model.kinds(role, "TREAT", relation, expected=expected, new=False) == kinds


def test_a_broken_glass_explains_a_stranger_and_no_relative() -> None:
    assert model.kinds("nurse", BREAKING_GLASS, "other", expected=False, new=False) == []
    assert model.kinds("nurse", BREAKING_GLASS, "same-surname", expected=False, new=False) == ["same_surname"]


def test_whoever_was_registered_just_now_has_no_appointment_yet() -> None:
    assert model.kinds("nurse", "TREAT", "other", expected=False, new=True) == []


def test_an_id_says_when_a_record_was_made() -> None:
    made = Ids(ManualClock(NOON)).new()
    assert model.is_new(made, NOON)
    assert model.is_new(made, NOON + timedelta(hours=23))
    assert not model.is_new(made, NOON + timedelta(hours=25))
    assert not model.is_new(made, NOON - timedelta(minutes=1))
    assert not model.is_new(UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8"), NOON)
