"""Invariants hold, or end the unit of work; also where assertions are switched off."""

import subprocess
import sys

import pytest

from carewright.kernel.errors import Refusal
from carewright.kernel.invariants import BROKEN, InvariantBroken, invariant


def test_a_claim_that_holds_changes_nothing() -> None:
    before = BROKEN._value.get()
    invariant(True, "water is wet")
    assert BROKEN._value.get() == before


def test_a_broken_claim_is_raised_and_counted() -> None:
    before = BROKEN._value.get()
    with pytest.raises(InvariantBroken, match="every claim has a calendar"):
        invariant(False, "every claim has a calendar")
    assert BROKEN._value.get() == before + 1


def test_a_broken_claim_is_no_refusal() -> None:
    assert not issubclass(InvariantBroken, Refusal)


def test_claims_stay_on_where_assertions_are_off() -> None:
    program = "assert False; from carewright.kernel.invariants import invariant; invariant(False, 'stays on')"
    answer = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "InvariantBroken: stays on" in answer.stderr
