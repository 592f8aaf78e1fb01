"""Places are filled whenever they can be, and in the order of preference."""

from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from carewright.scheduling.model.matching import Crowd, fill

POOLS = st.lists(st.lists(st.integers(0, 4), unique=True, max_size=5), min_size=1, max_size=4)


def allowed(chosen: tuple[tuple[int, ...], ...], crowds: list[Crowd]) -> bool:
    return all(set(chosen[one]).isdisjoint(chosen[other]) for crowd in crowds for one, other in combinations(crowd, 2))


def first_by_trying_all(pools: list[list[int]], counts: list[int], crowds: list[Crowd]) -> list[list[int]] | None:
    """Every choice in the order of the pools: the first that puts nobody into two places of a crowd."""
    ways = product(*(combinations(pool, count) for pool, count in zip(pools, counts, strict=True)))
    return next(([list(rows) for rows in chosen] for chosen in ways if allowed(chosen, crowds)), None)


@settings(max_examples=300)
@given(POOLS, st.data())
def test_the_first_possible_choice_is_found_whenever_there_is_one(pools: list[list[int]], data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 2), min_size=len(pools), max_size=len(pools)))
    numbers = range(len(pools))
    together = data.draw(st.lists(st.lists(st.sampled_from(numbers), unique=True, min_size=2), max_size=3)) if len(pools) > 1 else []
    crowds = [*((number,) for number in numbers), *(tuple(crowd) for crowd in together)]
    assert fill(pools, counts, crowds) == first_by_trying_all(pools, counts, crowds)


def test_a_hopeless_crowd_is_given_up_at_once() -> None:
    everybody = list(range(31))
    assert fill([everybody] * 16, [2] * 16, [tuple(range(16))]) is None


def test_a_large_crowd_is_filled_without_trying_all() -> None:
    pools = [list(range(number, 40)) for number in range(16)]
    chosen = fill(pools, [2] * 16, [tuple(range(16))])
    assert chosen is not None
    assert len({actor for rows in chosen for actor in rows}) == 32
