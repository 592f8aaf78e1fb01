"""How long "what is free?" takes inside the process, beside the time to merely read the bits it looks at.

Run: python bench/availability.py. A hospital of 1,100 calendars over 90 days, about 70 % full, from a seed; every question has
other candidates than the one before. The bound is bytes of bitmap looked at, divided by the memory bandwidth measured here.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from time import perf_counter
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from carewright.scheduling.model.availability import AvailabilityIndex
from carewright.scheduling.model.search import Requirement, assign, assign_all, find_starts, free_rows, iter_starts
from carewright.scheduling.model.ticks import TICKS_PER_DAY, WORD_BITS, Horizon, grid_mask, window_mask

SEED = 20_260_301
SCHEDULES = 1100
HORIZON = Horizon(origin=datetime(2026, 3, 2, tzinfo=UTC), days=90)
ZONE = ZoneInfo("Europe/Berlin")
FIRST, END = TICKS_PER_DAY, 32 * TICKS_PER_DAY
MASKS = (grid_mask(HORIZON, ZONE, 15), window_mask(HORIZON, ZONE, 8 * 60, 18 * 60))
PAGE = 50
QUESTIONS = 2000
BANDWIDTH_BYTES = 256 * 2**20

Row = dict[str, str | float]
Visit = list[Requirement]
Asked = TypeVar("Asked")


def main() -> list[Row]:
    """Measure, print a table, and return its rows."""
    rng = np.random.default_rng(SEED)
    rows = [loading(rng)]
    index, bandwidth = hospital(rng), memory_bandwidth()
    rows += [searching(index, bandwidth, name, visits) for name, visits in questions(rng)]
    rows += [*choosing(index, rng), *updating(index, rng)]
    show(rows, f"{len(index)} calendars, {HORIZON.days} days, {index.size_bytes / 1e6:.1f} MB; memory reads {bandwidth / 1e9:.1f} GB/s")
    return rows


def calendars(rng: np.random.Generator) -> tuple[list[UUID], np.ndarray, np.ndarray]:
    """Weekdays 07:00 to 16:00 UTC with a break, and appointments of 15 to 60 minutes with chance gaps: about 70 % full."""
    days = [day for day in range(HORIZON.days) if day % 7 < 5]
    halves = [(day * TICKS_PER_DAY + start, day * TICKS_PER_DAY + end) for day in days for start, end in ((84, 138), (144, 192))]
    openings, busy = [], []
    for number in range(SCHEDULES):
        for start, end in halves:
            openings.append((number, start, end))
            edges = start + np.cumsum(rng.integers(3, 13, 18))
            edges = edges[edges < end].tolist()
            taken = rng.random(len(edges)) < 0.7
            busy += [(number, begin, over) for begin, over, yes in zip([start, *edges], edges, taken, strict=False) if yes]
    return [UUID(int=number + 1) for number in range(SCHEDULES)], np.array(openings), np.array(busy)


def hospital(rng: np.random.Generator) -> AvailabilityIndex:
    index = AvailabilityIndex(HORIZON, SCHEDULES)
    index.load_many(*calendars(rng))
    return index


def loading(rng: np.random.Generator) -> Row:
    ids, openings, busy = calendars(rng)
    index = AvailabilityIndex(HORIZON, SCHEDULES)
    times = seconds(lambda _: index.load_many(ids, openings, busy), islice(cycle([None]), 5))
    return row(f"load {SCHEDULES} calendars ({len(openings) + len(busy):,} ranges)", times)


def questions(rng: np.random.Generator) -> Iterator[tuple[str, list[Visit]]]:
    """Visits by name, 64 of each with their own candidates."""

    def visits(*shapes: dict[str, int], shared: int = 0) -> list[Visit]:
        made = []
        for _ in range(64):
            people = rng.choice(SCHEDULES, sum(shape["pool"] for shape in shapes), replace=False)
            ends = np.cumsum([shape["pool"] for shape in shapes])
            pools = [people[max(end - shape["pool"] - shared * (end > ends[0]), 0) : end] for shape, end in zip(shapes, ends, strict=True)]
            made.append(
                [
                    Requirement(candidates=pool, **{key: value for key, value in shape.items() if key != "pool"})
                    for pool, shape in zip(pools, shapes, strict=True)
                ]
            )
        return made

    half_hour, with_buffers = {"duration_ticks": 6}, {"duration_ticks": 6, "buffer_before_ticks": 1, "buffer_after_ticks": 2}
    yield "10 practitioners", visits({"pool": 10, **half_hour})
    yield "10 practitioners + 10 rooms", visits({"pool": 10, **half_hour}, {"pool": 10, **with_buffers})
    yield "10 + 10, two hours", visits({"pool": 10, "duration_ticks": 24}, {"pool": 10, "duration_ticks": 24})
    yield "40 practitioners + 40 rooms", visits({"pool": 40, **half_hour}, {"pool": 40, **with_buffers})
    yield (
        "40 practitioners + 40 rooms + 40 nurses",
        visits({"pool": 40, **half_hour}, {"pool": 40, **with_buffers}, {"pool": 40, "duration_ticks": 3, "offset_ticks": 3}),
    )
    yield "2 of 40 nurses + 10 rooms", visits({"pool": 40, "count": 2, **half_hour}, {"pool": 10, **with_buffers})
    yield "10 + 10 who overlap by 5", visits({"pool": 10, **half_hour}, {"pool": 10, **half_hour}, shared=5)


def searching(index: AvailabilityIndex, bandwidth: float, name: str, visits: list[Visit]) -> Row:
    times = seconds(lambda visit: find_starts(index, visit, FIRST, END, MASKS), islice(cycle(visits), QUESTIONS))
    words = (END - FIRST) // WORD_BITS + 1
    looked_at = sum(len(each.candidates) for each in visits[0]) * words * 8
    bound = looked_at / bandwidth * 1e6
    return row(f"find, 31 days: {name}", times) | {"bytes": looked_at, "bound_us": bound, "ratio": float(np.median(times)) * 1e6 / bound}


def choosing(index: AvailabilityIndex, rng: np.random.Generator) -> Iterator[Row]:
    """A page of times with the actors proposed for each: what one answer needs."""
    visits = next(visits for name, visits in questions(rng) if name.startswith("40 practitioners + 40 rooms"))

    def page(visit: Visit) -> None:
        starts = list(islice(iter_starts(index, visit, FIRST, END, MASKS), PAGE))
        assert len(starts) == PAGE
        assert all(assign_all(index, visit, starts, zone=ZONE))

    def one(visit: Visit) -> None:
        assign(index, visit, next(iter_starts(index, visit, FIRST, END, MASKS)), zone=ZONE)

    yield row("find 40 + 40, assign the first", seconds(one, islice(cycle(visits), QUESTIONS)))
    yield row(f"find 40 + 40, assign a page of {PAGE}", seconds(page, islice(cycle(visits), QUESTIONS)))


def updating(index: AvailabilityIndex, rng: np.random.Generator) -> Iterator[Row]:
    spans = [
        (int(one), int(start), int(start) + 6)
        for one, start in zip(rng.integers(0, SCHEDULES, 2000), rng.integers(0, END, 2000), strict=True)
    ]
    yield row("take half an hour", seconds(lambda span: index.set_busy(*span), iter(spans)))
    yield row("give half an hour back", seconds(lambda span: index.set_free(*span), iter(spans)))
    everyone = Requirement(candidates=np.arange(40), duration_ticks=6)
    yield row("who of 40 is free at one time", seconds(lambda span: free_rows(index, everyone, span[1]), iter(spans)))


def memory_bandwidth() -> float:
    """Bytes a second that one core reads from memory: the best of several passes over far more than any cache holds."""
    large = np.ones(BANDWIDTH_BYTES // 8, np.uint64)
    return float(BANDWIDTH_BYTES / min(seconds(lambda _: np.bitwise_or.reduce(large), iter(range(7)))))


def seconds(ask: Callable[[Asked], object], each: Iterator[Asked]) -> list[float]:
    """How long `ask` takes for each, after a short warm-up by the first."""
    times: list[float] = []
    for question in each:
        if not times:
            ask(question)
        began = perf_counter()
        ask(question)
        times.append(perf_counter() - began)
    return times


def row(what: str, times: list[float]) -> Row:
    p50, p95 = np.percentile(times, (50, 95)) * 1e6
    return {"what": what, "p50_us": float(p50), "p95_us": float(p95)}


def show(rows: list[Row], title: str) -> None:
    print(title)
    print(f"{'':52}{'p50 µs':>10}{'p95 µs':>10}{'bytes':>10}{'bound µs':>10}{'ratio':>8}")
    for each in rows:
        figures = f"{each['p50_us']:>10,.1f}{each['p95_us']:>10,.1f}"
        bound = f"{each['bytes']:>10,}{each['bound_us']:>10.1f}{each['ratio']:>8.0f}" if "bytes" in each else ""
        print(f"{each['what']:52}{figures}{bound}")


if __name__ == "__main__":
    main()
