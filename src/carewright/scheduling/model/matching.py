"""Places and the actors who may fill them: no actor in two places at once.

Requirements that run at the same time and share candidates compete. To fill them is to find a system of distinct representatives:
polynomial while all of them run together (one crowd), a search with back-tracking while some only follow each other.
"""

from collections.abc import Iterator, Sequence

Crowd = tuple[int, ...]
"""Requirements, by number, that all run at one moment: no actor may serve two of them."""
Pools = Sequence[Sequence[int]]
"""For each requirement the actors who may serve it, best first."""


def fill(pools: Pools, counts: Sequence[int], crowds: Sequence[Crowd]) -> list[list[int]] | None:
    """Choose `counts[i]` actors of each `pools[i]` so that no crowd uses one twice; None when that cannot be done.

    Earlier requirements get their better candidates first: the result is the first possible one in the order of the pools.
    Places of one requirement are alike, so each is filled from behind the one before it, which loses no solution.
    """
    if not all(_can_fill(pools, counts, crowd) for crowd in crowds):
        return None
    open_place = next((number for number, count in enumerate(counts) if count), None)
    if open_place is None:
        return [[] for _ in pools]
    for chosen, rest_pools, rest_counts in _choices(pools, counts, crowds, open_place):
        rest = fill(rest_pools, rest_counts, crowds)
        if rest is not None:
            rest[open_place].insert(0, chosen)
            return rest
    return None


def _choices(
    pools: Pools, counts: Sequence[int], crowds: Sequence[Crowd], place: int
) -> Iterator[tuple[int, list[Sequence[int]], list[int]]]:
    """Each way to fill one more place of requirement `place`: the actor, and what then remains of pools and counts."""
    rivals = {number for crowd in crowds if place in crowd for number in crowd} - {place}
    rest_counts = [count - (number == place) for number, count in enumerate(counts)]
    for position, actor in enumerate(pools[place]):
        rest = [[other for other in pool if other != actor] if number in rivals else pool for number, pool in enumerate(pools)]
        rest[place] = pools[place][position + 1 :]
        yield actor, rest, rest_counts


def _can_fill(pools: Pools, counts: Sequence[int], crowd: Crowd) -> bool:
    """Whether one crowd by itself can be filled: bipartite matching by augmenting paths (Kuhn, 1955)."""
    holder: dict[int, int] = {}

    def seat(number: int, tried: set[int]) -> bool:
        for actor in pools[number]:
            if actor not in tried:
                tried.add(actor)
                if actor not in holder or seat(holder[actor], tried):
                    holder[actor] = number
                    return True
        return False

    return all(seat(number, set()) for number in crowd for _ in range(counts[number]))
