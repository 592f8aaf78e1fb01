"""Sealed values open where they belong, and nowhere else."""

from datetime import UTC, datetime

import pytest

from carewright.kernel.clock import ManualClock
from carewright.kernel.sealed import SEALED_LENGTH_MAX, Sealer
from carewright.kernel.token_keys import TokenKeys

CLOCK = ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
SEALER = Sealer(TokenKeys.of(b"k" * 32), CLOCK)
SEALED = SEALER.seal("portal.try", b"+1 312 555 0147")


def test_what_was_sealed_opens_for_its_purpose() -> None:
    assert SEALER.open("portal.try", SEALED) == b"+1 312 555 0147"


def test_nothing_of_it_can_be_read_and_no_two_look_alike() -> None:
    assert "555" not in SEALED
    assert SEALER.seal("portal.try", b"+1 312 555 0147") != SEALED


def test_it_opens_for_no_other_purpose_and_with_no_other_key() -> None:
    assert SEALER.open("portal.tri", SEALED) is None
    assert Sealer(TokenKeys.of(b"l" * 32), CLOCK).open("portal.try", SEALED) is None


def test_a_change_of_any_letter_is_noticed() -> None:
    for place in range(len(SEALED)):
        changed = SEALED[:place] + ("A" if SEALED[place] not in "AB" else "C") + SEALED[place + 1 :]
        assert SEALER.open("portal.try", changed) in (None, b"+1 312 555 0147"), "the last bits of a base64 part may stand for nothing"
    first = SEALED.split(".")[3][0]
    assert SEALER.open("portal.try", SEALED.replace(f".{first}", ".A" if first != "A" else ".B")) is None


@pytest.mark.parametrize(
    "text", ["", ".", "....", "a.b.c.d.e", "é", "\0", "x" * 10_000, SEALED[:-1], SEALED + ".", "e30....", "e30.e30.e30.e30.e30"]
)
def test_what_was_never_sealed_is_nothing(text: str) -> None:
    assert SEALER.open("portal.try", text) is None


def test_a_value_too_long_for_a_cookie_is_not_looked_at() -> None:
    assert SEALER.open("portal.try", SEALER.seal("portal.try", b"x" * SEALED_LENGTH_MAX)) is None
