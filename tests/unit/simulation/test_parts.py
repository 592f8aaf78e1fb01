from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.simulation.hospital.arrays import apportion
from carewright.simulation.hospital.demand import scaled
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.holidays import holidays
from carewright.simulation.hospital.names import ORIGINS
from carewright.simulation.hospital.people import FAMILY, GIVEN, invent

weights = st.lists(st.integers(min_value=0, max_value=50), min_size=1, max_size=30).filter(any)


def drawing() -> Draw:
    return Draw(np.random.default_rng(1), datetime(2026, 11, 23, tzinfo=UTC))


@given(weights, st.integers(min_value=30, max_value=500))
def test_shares_add_up_and_nobody_with_a_weight_goes_without(of: list[int], total: int) -> None:
    shares = apportion(total, of)
    assert sum(shares) == total
    assert all((share > 0) == (weight > 0) for share, weight in zip(shares, of, strict=True))


@given(weights)
def test_weights_that_add_up_to_the_total_are_the_shares(of: list[int]) -> None:
    assert apportion(sum(of), of) == of


def test_too_few_to_go_round_is_said() -> None:
    with pytest.raises(ValueError, match="too few"):
        apportion(2, [1, 1, 1])


def test_the_federal_holidays_of_2026() -> None:
    assert holidays(date(2026, 1, 1), 365) == (
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 5, 25),
        date(2026, 6, 19),
        date(2026, 7, 4),
        date(2026, 9, 7),
        date(2026, 10, 12),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 12, 25),
    )


def test_holidays_are_found_across_the_turn_of_the_year() -> None:
    assert holidays(date(2026, 12, 20), 20) == (date(2026, 12, 25), date(2027, 1, 1))


def test_ids_rise_and_carry_the_time_of_the_start() -> None:
    draw = drawing()
    ids = draw.uuids(10_000)
    assert ids == sorted(set(ids))
    started = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ids[0].int >> 80)
    assert started == datetime(2026, 11, 23, tzinfo=UTC)
    assert draw.uuid() > ids[-1]


@given(st.floats(min_value=1, max_value=90))
def test_probabilities_are_scaled_to_the_total(total: float) -> None:
    appetites = np.linspace(0.5, 1.5, 100)
    probabilities = scaled(appetites, np.ones(100), total)
    assert probabilities.sum() == pytest.approx(total, abs=1e-6)
    assert probabilities.max() <= 0.97


def test_given_names_go_with_gender_and_origin() -> None:
    people = invent(drawing(), 500, np.zeros(500, np.int64))
    women = {
        word
        for begin, length in zip(GIVEN.begin[: len(ORIGINS)], GIVEN.length[: len(ORIGINS)], strict=True)
        for word in GIVEN.words[begin : begin + length]
    }
    assert {given for names in people.given_names for given in names} <= women
    assert set(people.family_names) <= set(FAMILY.words)
