"""Thousands of people followed as hundreds: behind the first ones of a tier, several who stand together count as one long service."""

import numpy as np

from carewright.flow.model.waiting.demand import NEVER
from carewright.flow.model.waiting.distribution import Floats
from carewright.flow.model.waiting.simulation import Ints

SINGLES = 500
"""So many of a tier are followed one by one; behind them, those from place 500·g to 500·(g + 1) in groups of g + 1.

Nobody is misjudged on average. Where single ones follow upon groups, one person may be told up to half a group's length too little, which
is less than a twentieth of what they wait.
"""


def groups_of(people: int) -> Ints:
    """Where each group of a tier begins, by place in the tier."""
    firsts, next_first = [], 0
    while next_first < people:
        firsts.append(next_first)
        next_first += 1 + next_first // SINGLES
    return np.array(firsts, np.int64)


def grouped(arrivals: Floats, services: Floats, firsts: Ints) -> tuple[Floats, Floats]:
    """Each group as one person, who arrives with its first and is served for as long as all of it."""
    if not firsts.size:
        return arrivals, services
    return arrivals[:, firsts], np.add.reduceat(np.where(arrivals < NEVER, services, 0.0), firsts, axis=1)


def starts_of(starts: Floats, services: Floats, firsts: Ints, people: int, servers: int) -> Floats:
    """When each of the first `people` of a tier is served, by when its group is.

    When a group begins, the other servers are in the midst of groups of their own, half of them done, instead of in the midst of single
    services: its first would have begun later by half of what a group lasts beyond one service. Members are spread evenly up to the next.
    """
    places, sizes = np.arange(people), 1 + firsts // SINGLES
    group = np.searchsorted(firsts, places, "right") - 1
    following = np.minimum(group + 1, group[-1:].max(initial=0))
    beyond_one = services[:, : len(firsts)] * (1 - 1 / sizes)
    begins = np.minimum(starts[:, : len(firsts)] + beyond_one * (1 - 1 / max(servers, 1)) / 2, NEVER)
    share = (places - firsts[group]) / sizes[group]
    spread: Floats = begins[:, group] + share * (begins[:, following] - begins[:, group])
    return spread
