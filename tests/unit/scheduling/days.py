"""Days to be planned, made up from a seed: with every kind of rule that the problem knows, and too little room for everybody."""

import numpy as np

from carewright.scheduling.model.planning import Problem, rises_of, row_of_bits

TICKS = 60
LEADS, ROOMS, NURSES = 4, 2, 2


def day(seed: int, visits: int = 30, ticks: int = TICKS, twice: float = 0.2) -> Problem:
    """`twice`: how many visits need two of the same pools."""
    rng = np.random.default_rng(seed)
    capacity = np.zeros((LEADS + ROOMS + NURSES, ticks), np.int16)
    for lead in range(LEADS):
        since = int(rng.integers(0, ticks // 4))
        capacity[lead, since : ticks - int(rng.integers(0, ticks // 4))] = 1
    capacity[LEADS : LEADS + ROOMS] = rng.integers(1, 4, (ROOMS, 1))
    capacity[LEADS + ROOMS :] = rng.integers(0, 3, (NURSES, ticks // 12 + 1)).repeat(12, axis=1)[:, :ticks]
    role_from, since_until, option_from, options = [0], [], [0], []
    allowed, rows, crowded = [], [], []
    links: list[list[tuple[int, int, int, int]]] = [[] for _ in range(visits)]
    urgent = rng.random(visits) < 0.1
    for visit in range(visits):
        length = int(rng.integers(2, 8))
        early = int(rng.integers(0, ticks - length))
        late = min(ticks - length - 2, early + int(rng.integers(4, ticks)))
        allowed.append(row_of_bits(range(early, late + 1), ticks))
        rows.append(np.maximum(1, rng.integers(50, 500) - rng.integers(0, 20, ticks).cumsum() + (np.arange(ticks) > ticks // 2) * 80))
        leads = rng.permutation(LEADS)[: int(rng.integers(1, LEADS + 1))]
        after = int(rng.integers(0, 3))
        since_until.append((after, after + length - 1))
        options += [(lead, visit) for lead in leads]
        option_from.append(len(options))
        rooms = rng.permutation(ROOMS)[: int(rng.integers(1, ROOMS + 1))]
        since_until.append((0, length + 2))
        options += [(LEADS + room, -1) for room in rooms]
        option_from.append(len(options))
        both = rng.random() < twice
        for _ in range(2 if both else int(rng.random() < 0.3)):
            since_until.append((1, length))
            options += [(LEADS + ROOMS + nurse, -1) for nurse in range(NURSES)]
            option_from.append(len(options))
        role_from.append(len(since_until))
        crowded.append(both)
    for after in range(1, visits, 7):
        least, most = 2, ticks // 2
        links[after].append((after - 1, least, most, 1))
        links[after - 1].append((after, -most, -least, -1))
    worth = np.array(rows, np.int64)
    first = int(worth.max(axis=1).sum()) + 1_000
    worth[urgent] += first
    rise_from, rise = rises_of(worth)
    flat = [link for some in links for link in some]
    pools = len(capacity)
    return Problem(
        capacity=capacity, allowed=np.array(allowed, np.uint64), role_from=_ints(role_from),
        role_since=_ints([since for since, _ in since_until]), role_until=_ints([until for _, until in since_until]),
        option_from=_ints(option_from), option_pool=_ints([pool for pool, _ in options]), option_row=_ints([row for _, row in options]),
        worth=worth, rise_from=rise_from, rise=rise,
        link_from=_ints(np.cumsum([0, *map(len, links)])), link_other=_ints([link[0] for link in flat]),
        link_least=_ints([link[1] for link in flat]), link_most=_ints([link[2] for link in flat]),
        link_needs=np.array([link[3] for link in flat], np.int8), crowded=np.array(crowded),
        tier=np.where(urgent, 0, 2).astype(np.int8), first=first,
        even=rng.integers(0, 2, pools), split=rng.integers(0, 9, pools) * (np.arange(pools) < LEADS),
    )  # fmt: skip


def _ints(values: object) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(values, np.int32)
