"""The bench's search over a whole ward (IHTC-2024), as the stored checker, which shares no line with it, sees what it finds."""

import numpy as np
import pytest

from bench.planner.data import OPTIM, program, stored
from bench.planner.ihtp.instance import ward_of, written
from bench.planner.ihtp.search import Found, search
from carewright.scheduling.engines.chains import Effort

pytestmark = pytest.mark.skipif(not OPTIM.exists(), reason="the instances (../shared/data/optim beside the repository) are not here")
STEPS = 400_000


def found(name: str, *, seed: int = 1, threads: int = 1) -> Found:
    return search(ward_of(stored(f"ihtp/{name}.json")), Effort(steps=STEPS, seed=seed, threads=threads))


@pytest.mark.parametrize("name", ["small05", "test02", "i01", "i09"])
def test_a_plan_of_a_ward_costs_what_the_checker_says_and_breaks_no_rule(name: str) -> None:
    instance, plan = stored(f"ihtp/{name}.json"), found(name)
    broken, cost, _ = program("ihtp_check").score(instance, written(instance, plan.admissions, plan.nurses))
    assert (broken, cost) == (0, plan.cost)


def test_the_same_seed_finds_the_same_plan_of_a_ward_on_any_number_of_threads() -> None:
    one, other = found("small05", threads=1), found("small05", threads=2)
    assert one.cost == other.cost
    assert one.admissions == other.admissions
    assert np.array_equal(one.nurses, other.nurses)
    assert found("small05", seed=2).admissions != one.admissions
