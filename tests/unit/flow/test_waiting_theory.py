from itertools import pairwise

import pytest

from carewright.flow.model.waiting.theory import (
    conserved,
    erlang_c,
    mg1_priority_waits,
    mmc_ageing_waits,
    mmc_priority_waits,
    mmc_share_within,
    mmc_wait,
    wait_with_ahead,
)

RATES = [0.3, 0.6, 0.5]


@pytest.mark.parametrize(("servers", "offered", "share"), [(1, 0.9, 0.9), (2, 1.8, 0.852632), (5, 4, 0.554113), (10, 9, 0.668732)])
def test_erlang_c_is_as_in_the_tables(servers: int, offered: float, share: float) -> None:
    assert erlang_c(servers, offered) == pytest.approx(share, abs=1e-6)


def test_erlang_c_knows_thousands_of_servers() -> None:
    assert 0 < erlang_c(5_000, 4_950) < 1


@pytest.mark.parametrize("offered", [1.0, 1.5, -0.1])
def test_a_load_without_a_long_run_is_refused(offered: float) -> None:
    with pytest.raises(ValueError, match="load must be below one"):
        erlang_c(1, offered)
    with pytest.raises(ValueError, match="load must be below one"):
        mg1_priority_waits([offered], [1.0], [2.0])


def test_the_wait_of_mm1_is_the_load_over_what_is_left() -> None:
    assert mmc_wait(0.8, 1.0, 1) == pytest.approx(0.8 / 0.2)


def test_who_waits_at_all_waits_longer_than_nothing() -> None:
    assert mmc_share_within(0, 1.8, 1.0, 2) == pytest.approx(1 - 0.852632, abs=1e-6)
    assert mmc_share_within(1e3, 1.8, 1.0, 2) == pytest.approx(1.0)


def test_one_class_alone_waits_as_without_classes() -> None:
    assert mmc_priority_waits([1.4], 1.0, 2) == pytest.approx([mmc_wait(1.4, 1.0, 2)])
    assert mmc_ageing_waits(RATES, 1.0, 2, [1, 1, 1]) == pytest.approx([mmc_wait(1.4, 1.0, 2)] * 3)


def test_services_without_memory_are_one_case_of_services_of_any_kind() -> None:
    rates = [each / 2 for each in RATES]
    assert mg1_priority_waits(rates, [1.0] * 3, [2.0] * 3) == pytest.approx(mmc_priority_waits(rates, 1.0, 1))


def test_one_class_with_services_of_one_length_is_half_of_pollaczek_and_khinchine() -> None:
    assert mg1_priority_waits([0.8], [1.0], [1.0]) == pytest.approx([mmc_wait(0.8, 1.0, 1) / 2])


def test_ageing_ever_steeper_is_strict_priority() -> None:
    assert mmc_ageing_waits(RATES, 1.0, 2, [1e18, 1e9, 1]) == pytest.approx(mmc_priority_waits(RATES, 1.0, 2))


@pytest.mark.parametrize("ageing", [[1, 1, 1], [4, 2, 1], [81, 3.3, 1], [1e18, 1e9, 1]])
def test_an_order_moves_waiting_and_takes_none_away(ageing: list[float]) -> None:
    waits = mmc_ageing_waits(RATES, 1.0, 2, ageing)
    assert all(urgent <= other + 1e-12 for urgent, other in pairwise(waits))
    assert conserved(RATES, waits) == pytest.approx(conserved(RATES, [mmc_wait(1.4, 1.0, 2)] * 3))


def test_who_has_people_ahead_waits_for_each_of_them_and_for_those_who_overtake() -> None:
    assert wait_with_ahead(5, [], 0.5, 3) == pytest.approx(6 / 1.5)
    assert wait_with_ahead(5, [0.75], 0.5, 3) == pytest.approx(2 * 6 / 1.5)
