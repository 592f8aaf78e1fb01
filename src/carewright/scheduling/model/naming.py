"""Which of several who can do the same fills which role: counted first, named afterwards."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

DEEP = 3
"""So many who are there now make room for one another before everybody of the pool is named anew."""
TRIED = 6
"""Of hundreds those who have least to hand over: else one who cannot be seated would have everybody tried with everybody."""


class Span(NamedTuple):
    """Ticks for which a unit of a pool fills a role."""

    since: int
    until: int
    role: int


def named(
    units: Sequence[int], spans: Sequence[Span], now: Mapping[int, int | None], unmoved: Container[int] = ()
) -> Iterator[tuple[int, int]]:
    """(role, unit) of each span, sorted by time; no unit twice at once.

    Whoever is there `now` stays, as far as somebody is then left for everybody else, first of all in roles that are `unmoved`: they have no
    reason to change.
    """
    busy: dict[int, list[Span]] = {unit: [] for unit in units}
    left = []
    for span in sorted(spans, key=lambda span: span.role not in unmoved):
        wanted = now[span.role]
        if wanted in busy and not _meeting(span, busy[wanted]):
            busy[wanted].append(span)
        else:
            left.append(span)
    if all(_seat(span, busy, DEEP) for span in sorted(left)):
        return ((span.role, unit) for unit, some in busy.items() for span in some)
    return _in_order(units, spans)


def _seat(span: Span, busy: dict[int, list[Span]], deep: int) -> bool:
    """Whether somebody was found for it: who is free, or who is once others fill in for them, the fewest that can be."""
    by_room = sorted(busy, key=lambda unit: len(_meeting(span, busy[unit])))[:TRIED]
    for unit in by_room:
        meeting = _meeting(span, busy[unit])
        if meeting and not deep:
            return False
        before = {one: list(some) for one, some in busy.items()} if meeting else {}
        busy[unit] = [each for each in busy[unit] if each not in meeting] + [span]
        if all(_seat(each, busy, deep - 1) for each in meeting):
            return True
        busy |= before
    return False


def _in_order(units: Sequence[int], spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """The same in order of time, whoever is there now: then there is always one who is free."""
    free_at = dict.fromkeys(units, 0)
    for span in spans:
        unit = next(unit for unit in units if free_at[unit] <= span.since)
        free_at[unit] = span.until
        yield span.role, unit


def _meeting(span: Span, others: Sequence[Span]) -> list[Span]:
    return [each for each in others if each.since < span.until and span.since < each.until]
