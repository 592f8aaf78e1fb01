"""Days on which the clinics are closed: the federal holidays of the United States (5 U.S.C. 6103), on their own dates."""

from datetime import date, timedelta

_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
# Month, weekday (Monday is 0), and which one of the month; -1 is the last.
_FLOATING = ((1, 0, 3), (2, 0, 3), (5, 0, -1), (9, 0, 1), (10, 0, 2), (11, 3, 4))


def holidays(first: date, days: int) -> tuple[date, ...]:
    """The holidays among `days` dates from `first` on."""
    last = first + timedelta(days=days - 1)
    every = {on for year in range(first.year, last.year + 1) for on in _of_year(year)}
    return tuple(sorted(on for on in every if first <= on <= last))


def _of_year(year: int) -> list[date]:
    return [date(year, month, day) for month, day in _FIXED] + [_nth(year, *rule) for rule in _FLOATING]


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
