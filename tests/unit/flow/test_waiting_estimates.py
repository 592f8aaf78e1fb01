"""Estimates against simulated days of which the truth is known, and single queues by hand."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from carewright.flow.model.waiting.demand import NEVER, Booked, Stream
from carewright.flow.model.waiting.distribution import Distribution, always, exponential
from carewright.flow.model.waiting.estimates import CELLS_MAX, Estimate, LiveQueue, Serving, Waiting, estimate
from carewright.flow.model.waiting.groups import SINGLES, grouped, groups_of, starts_of
from carewright.flow.model.waiting.learning import Correction, Outcome, corrected, learned
from carewright.flow.model.waiting.simulation import Staff
from tests.booked_world import POLICIES, outcomes_with_booked, outcomes_with_elsewhere
from tests.waiting_world import BUSY, ORDERS, QUIET, SERVICES, coverage, outcomes_of

TEN, ONE = always(10.0), Staff(steps=((0, 1),))


@pytest.mark.parametrize("rule", ORDERS)
@pytest.mark.parametrize(("load", "days"), [(BUSY, 250), (QUIET, 1_000)])
def test_the_range_is_kept_in_four_cases_of_five(rule: str, load: float, days: int) -> None:
    told_and_true = outcomes_of(ORDERS[rule], load, days, 7)
    outcomes = [each for tier in told_and_true.values() for each in tier]
    assert len(outcomes) > 800
    assert 0.75 <= coverage(outcomes) <= 0.85
    assert all(0.7 <= coverage(tier) <= 0.9 for tier in told_and_true.values()), "of each tier as well; these are fewer, so less is certain"
    assert 0.45 <= np.mean([each.actual < each.median for each in outcomes]) <= 0.55


@pytest.mark.parametrize("order", POLICIES)
def test_with_booked_patients_still_to_come_the_range_is_kept_too(order: str) -> None:
    """Each practitioner is booked every half hour and sees walk-ins beside; a day is run by the rules of the call, event by event."""
    told_and_true = outcomes_with_booked(POLICIES[order], 250, 7)
    outcomes = [each for kind in told_and_true.values() for each in kind]
    assert len(outcomes) > 1_000
    assert 0.75 <= coverage(outcomes) <= 0.85
    assert all(0.7 <= coverage(kind) <= 0.9 for kind in told_and_true.values())
    assert 0.45 <= np.mean([each.actual < each.median for each in outcomes]) <= 0.55


def test_without_them_people_are_told_too_little() -> None:
    told_and_true = outcomes_with_booked(POLICIES["accumulating"], 250, 7, reckons_with_booked=False)
    assert coverage(told_and_true["walked in"]) < 0.72


@pytest.mark.parametrize("order", POLICIES)
def test_with_many_who_wait_elsewhere_and_are_passed_over_the_range_is_kept_too(order: str) -> None:
    told_and_true = outcomes_with_elsewhere(POLICIES[order], 250, 7)
    outcomes = [each for kind in told_and_true.values() for each in kind]
    assert len(told_and_true["elsewhere"]) > 300
    assert 0.75 <= coverage(outcomes) <= 0.85
    assert all(0.7 <= coverage(kind) <= 0.9 for kind in told_and_true.values())
    here = told_and_true["here"] + told_and_true["booked"]
    assert 0.45 <= np.mean([each.actual < each.median for each in here]) <= 0.55, "of the others many are called when they come"


def test_without_knowing_who_is_elsewhere_they_are_told_too_little() -> None:
    told_and_true = outcomes_with_elsewhere(POLICIES["accumulating"], 250, 7, reckons_with_elsewhere=False)
    assert coverage(told_and_true["elsewhere"]) < 0.6


def test_what_takes_longer_than_it_did_is_learned_from_what_became_of_the_estimates() -> None:
    """Each tier learns of its own, as what is slower delays the less urgent more; of one outcome in three, for more days."""
    before, after = (outcomes_of(ORDERS["accumulating"], QUIET, 300, seed, slower=1.5) for seed in (11, 12))
    kept = {tier: coverage(after[tier], learned(before[tier][::3])) for tier in after}
    assert all(coverage(tier) < 0.6 for tier in after.values())
    assert all(0.7 <= each <= 0.9 for each in kept.values())
    assert 0.75 <= sum(kept[tier] * len(after[tier]) for tier in after) / sum(map(len, after.values())) <= 0.85
    scale = learned(before[2]).scale
    assert 0.4 <= np.mean([each.actual < scale * each.median for each in after[2]]) <= 0.6


def test_a_queue_without_memory_is_told_the_percentiles_of_the_gamma_distribution() -> None:
    line = [Waiting(tier=0, waited_minutes=10.0 - place, service=exponential(10)) for place in range(9)]
    serving = [Serving(elapsed_minutes=3.0, service=exponential(10))] * 2
    queue = queue_of(line, serving, Staff(steps=((0, 2),)))
    *_, last = estimate(np.random.default_rng(2), queue, 4_000)
    assert (last.low, last.median, last.high) == pytest.approx((27.16, 43.35, 64.97), rel=0.05), "chi-squared of 18 degrees, times 5/2"


def queue_of(waiting: Sequence[Waiting], serving: Sequence[Serving] = (), staff: Staff = ONE, coming: Sequence[Stream] = ()) -> LiveQueue:
    nobody = [Stream(service=always(1.0))] * 3
    return LiveQueue(waiting=waiting, serving=serving, coming=coming or nobody, staff=staff, order=ORDERS["accumulating"])


def told(queue: LiveQueue) -> list[float | None]:
    return [each.median for each in estimate(np.random.default_rng(2), queue)]


def waits(tier: int, waited_minutes: float, service: Distribution = TEN) -> Waiting:
    return Waiting(tier=tier, waited_minutes=waited_minutes, service=service)


def test_each_who_waits_is_answered_in_the_order_they_were_named() -> None:
    queue = queue_of([waits(2, 5.0), waits(0, 1.0), waits(2, 90.0), waits(1, 1.0)], [Serving(elapsed_minutes=4.0, service=TEN)])
    assert told(queue) == [36.0, 6.0, 16.0, 26.0]


def test_when_nobody_waits_nothing_is_told() -> None:
    assert told(queue_of([])) == []


def test_who_is_not_served_by_the_staff_that_is_known_is_told_no_minutes() -> None:
    queue = queue_of([waits(2, 5.0), waits(2, 4.0), waits(2, 3.0)], staff=Staff(steps=((0, 1), (15, 0))))
    assert told(queue) == [0.0, 10.0, None]
    assert told(msgspec.structs.replace(queue, staff=Staff(steps=((0, 0),)))) == [None] * 3


def test_whoever_cannot_overtake_makes_nobody_wait() -> None:
    crowded = Stream(walk_ins_per_hour=[60.0] * 12, service=TEN)
    queue, nobody = queue_of([waits(1, 5.0), waits(1, 4.0)]), Stream(service=TEN)
    assert told(msgspec.structs.replace(queue, coming=[nobody, nobody, crowded])) == told(queue)
    assert told(msgspec.structs.replace(queue, coming=[crowded, nobody, nobody]))[1] is None


def test_an_appointment_that_may_overtake_is_reckoned_with_by_how_likely_it_is_kept() -> None:
    line = [waits(2, 5.0), waits(2, 4.0)]
    expected_medians = []
    for no_show in (0.9, 0.1):
        kept = Stream(service=TEN, booked=[Booked(due_minute=2.0, no_show=no_show, service=TEN)])
        nobody = Stream(service=TEN)
        expected_medians.append(told(queue_of(line, coming=[kept, nobody, nobody])))
    assert expected_medians == [[0.0, 10.0], [0.0, 20.0]]


def test_somebody_still_served_after_their_shift_frees_nobody() -> None:
    serving = [Serving(elapsed_minutes=each, service=TEN) for each in (1.0, 2.0)]
    assert told(queue_of([waits(2, 5.0)], serving))[0] in {8.0, 9.0}


def test_who_goes_when_fewer_serve_may_be_any_of_them() -> None:
    """One ends in 1 minute and one in 9, and one of the two leaves after 5: the next begins at 1 minute, and the one after at 9 or 11."""
    serving = [Serving(elapsed_minutes=each, service=TEN) for each in (9.0, 1.0)]
    queue = queue_of([waits(2, 5.0), waits(2, 4.0)], serving, Staff(steps=((0, 2), (5, 1))))
    first, second = estimate(np.random.default_rng(2), queue)
    assert (first.low, first.high) == (1.0, 1.0)
    assert (second.low, second.high) == (9.0, 11.0)


def test_a_very_long_queue_is_replayed_less_often() -> None:
    queue = queue_of([waits(2, 5.0)] * 9)
    few = estimate(np.random.default_rng(2), queue, 10**9)
    assert few == estimate(np.random.default_rng(2), queue, CELLS_MAX // 9)


def test_thousands_are_told_almost_what_they_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    line = [
        waits(int(tier), waited, SERVICES[1]) for tier, waited in zip(rng.integers(1, 3, 4_000), rng.uniform(0, 300, 4_000), strict=True)
    ]
    coming = [Stream(walk_ins_per_hour=[2.0] * 24, service=SERVICES[0]), *[Stream(walk_ins_per_hour=[20.0] * 24, service=SERVICES[1])] * 2]
    queue = queue_of(line, staff=Staff(steps=((0, 60), (300, 90))), coming=coming)
    approximate = estimate(np.random.default_rng(2), queue, 50)
    monkeypatch.setattr("carewright.flow.model.waiting.groups.SINGLES", 10**9)
    exact = estimate(np.random.default_rng(2), queue, 50)
    for bound in ("low", "median", "high"):
        one, other = (np.array([getattr(each, bound) for each in each_way]) for each_way in (approximate, exact))
        assert np.abs(one - other).max() < 0.05 * other.max()
        assert np.abs(one - other).mean() < 0.01 * other.max()


@pytest.mark.parametrize("people", [0, 1, SINGLES, SINGLES + 1, 7_001])
def test_groups_are_small_in_front_and_grow_behind(people: int) -> None:
    firsts = groups_of(people).tolist()
    sizes = [after - before for before, after in pairwise([*firsts, people])]
    assert sum(sizes) == people
    assert sizes[:SINGLES] == [1] * min(people, SINGLES)
    assert all(size <= 1 + first // SINGLES for first, size in zip(firsts, sizes, strict=True))


def test_a_group_is_as_long_as_all_who_come_of_it() -> None:
    arrivals = np.array([[0.0, 1.0, 2.0, NEVER, NEVER]])
    came, lasts = grouped(arrivals, np.array([[1.0, 2.0, 4.0, 8.0, 16.0]]), np.array([0, 1, 4]))
    assert came.tolist() == [[0.0, 1.0, NEVER]]
    assert lasts.tolist() == [[1.0, 6.0, 0.0]]
    assert starts_of(np.zeros((1, 0)), np.zeros((1, 0)), groups_of(0), 0, 1).shape == (1, 0)


def outcome(actual: float) -> Outcome:
    return Outcome(low=20.0, median=30.0, high=50.0, actual=actual)


AS_TOLD = [outcome(actual) for actual in [15.0] * 10 + [25.0] * 40 + [40.0] * 40 + [60.0] * 10]


def test_without_outcomes_nothing_is_corrected() -> None:
    assert learned([]) == Correction()
    estimated = Estimate(low=1.0, median=2.0, high=4.0)
    assert corrected(estimated, Correction()) == estimated


def test_a_handful_of_surprises_changes_little() -> None:
    correction = learned([outcome(90.0)] * 3)
    assert (correction.scale, correction.below, correction.above) == pytest.approx((1.0, 1.0, 1.0), abs=0.4)


def test_only_the_newest_outcomes_count() -> None:
    assert learned([outcome(900.0)] * 500 + AS_TOLD * 20) == learned(AS_TOLD * 20)


def test_a_corrected_range_stays_in_order_and_above_zero() -> None:
    correction = Correction(scale=0.5, below=4.0, above=0.0)
    assert corrected(Estimate(low=20.0, median=30.0, high=50.0), correction) == Estimate(low=0.0, median=15.0, high=15.0)


def test_what_is_beyond_what_can_be_seen_stays_so() -> None:
    correction = Correction(scale=2.0)
    assert corrected(Estimate(low=10.0, median=None, high=None), correction) == Estimate(low=10.0, median=None, high=None)
    assert corrected(Estimate(low=10.0, median=20.0, high=None), correction) == Estimate(low=20.0, median=40.0, high=None)
