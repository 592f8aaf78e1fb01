"""The simulated queue against what is known of it: formulas in the long run, and single days by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from carewright.flow.model.waiting.demand import NEVER, Booked, Stream, crowd_of, draw_crowd
from carewright.flow.model.waiting.distribution import Distribution, always, exponential, lognormal, normal, observed
from carewright.flow.model.waiting.simulation import Order, Staff, accumulating, head_start, replay, strict
from carewright.flow.model.waiting.theory import (
    conserved,
    mg1_priority_waits,
    mmc_ageing_waits,
    mmc_priority_waits,
    mmc_share_within,
    mmc_wait,
    wait_with_ahead,
)

WARM_UP_MINUTES = 20 * 60
HOURS = 100
CLASSES = [0.3, 0.6, 0.5]


def waits_of(
    rates: Sequence[float], services: Sequence[Distribution], servers: int, order: Order, days: int = 600, seed: int = 20261126
) -> list[np.ndarray]:
    """The waits of each class in a long run: `days` runs of 100 hours, without the first 20, while the queue fills."""
    rng = np.random.default_rng(seed)
    streams = [Stream(walk_ins_per_hour=[60 * rate] * HOURS, service=service) for rate, service in zip(rates, services, strict=True)]
    crowd = draw_crowd(rng, streams, days)
    starts = replay(crowd, order, Staff(steps=((0, servers),)))
    waits = []
    for tier in range(len(rates)):
        came = crowd.arrivals[:, crowd.tier(tier)]
        counted = (came > WARM_UP_MINUTES) & (came < NEVER)
        waits.append((starts[:, crowd.tier(tier)] - came)[counted])
    return waits


def means(waits: Sequence[np.ndarray]) -> list[float]:
    return [float(each.mean()) for each in waits]


@pytest.mark.parametrize(("servers", "rate", "days"), [(1, 0.7, 500), (2, 1.6, 500), (5, 4, 200), (10, 8, 150)])
def test_the_simulation_matches_mmc_within_two_percent(servers: int, rate: float, days: int) -> None:
    (waits,) = waits_of([rate], [exponential(1.0)], servers, accumulating([1.0]), days)
    assert waits.mean() == pytest.approx(mmc_wait(rate, 1.0, servers), rel=0.02)
    for minutes in (0.0, 1.0, 3.0):
        assert (waits <= minutes).mean() == pytest.approx(mmc_share_within(minutes, rate, 1.0, servers), rel=0.02)


@pytest.mark.parametrize("servers", [2, 3])
def test_the_simulation_matches_non_preemptive_priority_within_two_percent(servers: int) -> None:
    rates = [each * servers / 2 for each in CLASSES]
    waits = waits_of(rates, [exponential(1.0)] * 3, servers, strict(3), days=400)
    assert means(waits) == pytest.approx(mmc_priority_waits(rates, 1.0, servers), rel=0.02)


def test_the_simulation_matches_priority_at_one_server_with_any_services_within_two_percent() -> None:
    rates, services = [0.2, 0.1, 0.15], [lognormal(1.0, 0.8), exponential(2.0), lognormal(2.0, 1.2)]
    waits = waits_of(rates, services, 1, strict(3), days=1500)
    expected = mg1_priority_waits(rates, [each.mean for each in services], [each.second_moment for each in services])
    assert means(waits) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("ageing", [[4.0, 2.0, 1.0], [81.0, 3.3, 1.0]])
def test_the_simulation_matches_accumulating_priority_within_two_percent(ageing: list[float]) -> None:
    waits = waits_of(CLASSES, [exponential(1.0)] * 3, 2, accumulating(ageing), days=400)
    assert means(waits) == pytest.approx(mmc_ageing_waits(CLASSES, 1.0, 2, ageing), rel=0.02)


def test_what_is_waited_is_conserved_under_every_order() -> None:
    orders = (accumulating([1, 1, 1]), accumulating([9, 3, 1]), head_start([30, 5, 0]), strict(3), strict(3, frozenset({2})))
    sums = [conserved(CLASSES, means(waits_of(CLASSES, [exponential(1.0)] * 3, 2, order, days=150))) for order in orders]
    assert sums == pytest.approx([conserved(CLASSES, [mmc_wait(1.4, 1.0, 2)] * 3)] * 5, rel=0.02)


def test_who_has_people_ahead_waits_as_the_formula_says() -> None:
    days, ahead = 4_000, 8
    rng = np.random.default_rng(5)
    overtakers = draw_crowd(rng, [Stream(walk_ins_per_hour=[60 * 0.8] * 10, service=exponential(1.0))], days)
    line = (np.arange(-ahead - 1.0, 0.0) * np.ones((days, 1)), exponential(1.0).draw(rng, (days, ahead + 1)))
    starts = replay(crowd_of([(overtakers.arrivals[:, :-1], overtakers.services[:, :-1]), line]), strict(2), Staff(steps=((0, 2),)),
                    exponential(1.0).draw(rng, (days, 2)))  # fmt: skip
    assert starts[:, -2].mean() == pytest.approx(wait_with_ahead(ahead, [0.8], 1.0, 2), rel=0.02)


def starts_by_hand(order: Order, staff: Staff, *tiers: tuple[list[float], float]) -> list[list[float]]:
    crowd = crowd_of([(np.array([came]), np.full((1, len(came)), service)) for came, service in tiers])
    starts = replay(crowd, order, staff)
    return [starts[0, crowd.tier(tier)][: len(came)].tolist() for tier, (came, _) in enumerate(tiers)]


def test_a_head_start_of_ten_minutes_overtakes_who_came_nine_before_and_not_who_came_eleven() -> None:
    starts = starts_by_hand(head_start([10, 0]), Staff(steps=((0, 1),)), ([12.0], 5.0), ([0.0, 1.0, 3.0], 20.0))
    assert starts == [[40.0], [0.0, 20.0, 45.0]]


def test_who_ages_faster_overtakes_only_once_it_has_more_points() -> None:
    order, staff = accumulating([3, 1]), Staff(steps=((0, 1),))
    assert starts_by_hand(order, staff, ([14.0], 5.0), ([0.0, 1.0], 20.0)) == [[40.0], [0.0, 20.0]]
    assert starts_by_hand(order, staff, ([13.0], 5.0), ([0.0, 1.0], 20.0)) == [[20.0], [0.0, 25.0]]


def test_an_emergency_comes_before_everybody_however_long_they_waited() -> None:
    order = accumulating([1, 1e9], frozenset({0}))
    assert starts_by_hand(order, Staff(steps=((0, 1),)), ([59.0], 5.0), ([0.0, 1.0], 60.0)) == [[60.0], [0.0, 65.0]]


def test_a_server_that_is_kept_waits_for_emergencies() -> None:
    order = accumulating([1, 1], frozenset({0}))
    starts = starts_by_hand(order, Staff(steps=((0, 2),), kept=1), ([30.0], 5.0), ([0.0, 1.0], 60.0))
    assert starts == [[30.0], [0.0, 60.0]]


def test_while_an_emergency_is_served_another_server_is_kept() -> None:
    order = accumulating([1, 1], frozenset({0}))
    starts = starts_by_hand(order, Staff(steps=((0, 2),), kept=1), ([50.0], 20.0), ([0.0, 1.0], 60.0))
    assert starts == [[50.0], [0.0, 70.0]]


def test_who_goes_off_duty_is_not_kept() -> None:
    order = accumulating([1, 1], frozenset({0}))
    staff = Staff(steps=((0, 2), (30, 1), (90, 2)), kept=1)
    assert starts_by_hand(order, staff, ([40.0], 5.0), ([0.0, 1.0], 20.0)) == [[40.0], [0.0, 20.0]]
    assert starts_by_hand(order, staff, ([40.0], 5.0), ([0.0, 31.0], 20.0)) == [[40.0], [0.0, 90.0]]


def test_with_all_servers_kept_only_emergencies_are_served() -> None:
    order = accumulating([1, 1], frozenset({0}))
    assert starts_by_hand(order, Staff(steps=((0, 1),), kept=1), ([30.0], 5.0), ([0.0], 60.0)) == [[30.0], [NEVER]]


def test_nobody_begins_before_the_shift_and_who_leaves_ends_what_was_begun() -> None:
    staff = Staff(steps=((60, 1), (100, 0), (200, 1), (220, 0)))
    assert starts_by_hand(accumulating([1]), staff, ([0.0, 1.0, 2.0, 3.0], 30.0)) == [[60.0, 90.0, 200.0, NEVER]]


def test_a_crowd_that_nobody_is_in_has_no_starts() -> None:
    assert starts_by_hand(accumulating([1]), Staff(steps=((0, 1),)), ([], 1.0)) == [[]]
    assert starts_by_hand(accumulating([1]), Staff(steps=((0, 0),)), ([1.0], 1.0)) == [[NEVER]]


def test_working_time_is_added_up_over_the_shifts() -> None:
    staff = Staff(steps=((-30, 2), (60, 3), (120, 0)))
    assert [staff.person_minutes(until) for until in (0, 60, 90, 500)] == [0, 120, 210, 300]
    assert staff.with_more(2).steps == ((-30, 4), (60, 5), (120, 0))


def test_the_same_seed_draws_the_same_days() -> None:
    stream = Stream(walk_ins_per_hour=[3.0, 9.0], service=exponential(10.0), booked=[Booked(due_minute=30, service=always(20.0))])
    one, two = (draw_crowd(np.random.default_rng(3), [stream], 5) for _ in range(2))
    assert (one.arrivals == two.arrivals).all()
    assert (one.services == two.services).all()


def test_people_walk_in_at_the_rate_of_their_hour() -> None:
    crowd = draw_crowd(np.random.default_rng(3), [Stream(walk_ins_per_hour=[3.0, 0.0, 9.0], service=always(1.0))], 4_000)
    came = crowd.arrivals[crowd.arrivals < NEVER]
    per_hour = np.histogram(came, [0, 60, 120, 180])[0] / 4_000
    assert per_hour == pytest.approx([3.0, 0.0, 9.0], rel=0.02)
    assert (crowd.arrivals < NEVER).sum(axis=1).var() == pytest.approx(12.0, rel=0.06)


def test_who_has_an_appointment_comes_about_then_or_not_at_all() -> None:
    booked = [Booked(due_minute=120, no_show=0.25, service=always(20.0))]
    stream = Stream(service=always(1.0), booked=booked, lateness=normal(-5.0, 10.0))
    crowd = draw_crowd(np.random.default_rng(3), [stream], 8_000)
    came = crowd.arrivals[crowd.arrivals < NEVER]
    assert len(came) / 8_000 == pytest.approx(0.75, rel=0.02)
    assert (came.mean(), came.std()) == pytest.approx((115.0, 10.0), rel=0.02)
    assert set(crowd.services[:, 0]) == {20.0}


def test_who_is_overdue_under_way_comes_later_or_rather_not() -> None:
    booked = [Booked(due_minute=-10, no_show=0.25, service=always(20.0))]
    stream = Stream(service=always(1.0), booked=booked, lateness=normal(0.0, 10.0), is_under_way=True)
    crowd = draw_crowd(np.random.default_rng(3), [stream], 8_000)
    came = crowd.arrivals[crowd.arrivals < NEVER]
    assert came.min() >= 0
    assert came.mean() == pytest.approx(10 * 1.5251 - 10, rel=0.05), "the mean of a normal deviate above 1 is 1.5251"
    assert len(came) / 8_000 == pytest.approx(0.75 * 0.1587 / (0.75 * 0.1587 + 0.25), rel=0.05)
    long_gone = Stream(
        service=always(1.0), booked=[Booked(due_minute=-500, service=always(1.0))], lateness=normal(0, 10), is_under_way=True
    )
    assert (draw_crowd(np.random.default_rng(3), [long_gone], 9).arrivals == NEVER).all()


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation"),
    [(exponential(12), 12, 12), (lognormal(20, 0.6), 20, 12), (normal(-4, 9), -4, 9), (always(7), 7, 0)],
)
def test_a_distribution_has_the_mean_and_deviation_it_was_made_with(distribution: Distribution, mean: float, deviation: float) -> None:
    assert distribution.mean == pytest.approx(mean, abs=1e-6)
    assert np.sqrt(distribution.second_moment - distribution.mean**2) == pytest.approx(deviation, rel=0.01, abs=1e-6)
    assert (np.diff(distribution.values) >= 0).all()


def test_the_more_was_observed_the_less_counts_what_was_expected() -> None:
    seen = np.random.default_rng(4).gamma(2.0, 8.0, 5_000).tolist()
    means_seen = [observed(seen[:count], lognormal(40, 0.6)).mean for count in (0, 20, 5_000)]
    assert means_seen == pytest.approx([40, 28, 16], rel=0.1)


def test_what_is_left_of_a_service_depends_on_what_has_passed() -> None:
    rng = np.random.default_rng(4)
    assert exponential(10).draw_left(rng, 25.0, 20_000).mean() == pytest.approx(10, rel=0.03)
    assert always(10).draw_left(rng, 4.0, 3).tolist() == [6.0] * 3
    assert (always(10).draw_left(rng, 400.0, 3) > 0).all(), "longer than ever: some more"
    assert 0 < lognormal(10, 0.5).draw_left(rng, 1e6, 1_000).mean() < 30
