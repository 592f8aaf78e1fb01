"""How full the days are: nearer days fuller than far ones, Mondays fuller than Fridays, some practitioners more sought than others."""

from collections.abc import Callable

import numpy as np

from carewright.simulation.hospital.arrays import Floats, Ints

# Tomorrow is nearly full, a day in three months a little more than half.
_FAR, _NEAR, _FADE_DAYS = 0.62, 0.28, 25.0
_WEEKDAYS = (1.06, 1.03, 1.00, 0.98, 0.93, 0.85, 0.75)
_FULLEST = 0.97
_HALVINGS = 40


def appetite(day: Ints, weekday: Ints, sought: Floats) -> Floats:
    """Relative demand for candidates: of local days from the first on, weekdays (Monday is 0) and how sought their leading actors are."""
    near = _FAR + _NEAR * np.exp(-day / _FADE_DAYS)
    wanted: Floats = near * np.asarray(_WEEKDAYS)[weekday] * sought
    return wanted


def scaled(appetites: Floats, weights: Floats, total: float) -> Floats:
    """Probabilities in proportion to the appetites, none above 0.97, whose sum over `weights` is `total` (or as near as can be)."""

    def probabilities(scale: float) -> Floats:
        return np.minimum(appetites * scale, _FULLEST)

    return probabilities(_solve(lambda scale: float((probabilities(scale) * weights).sum()), total))


def _solve(rising: Callable[[float], float], total: float) -> float:
    """Where a rising function reaches `total`, by halving."""
    low, high = 0.0, 20.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < total else (low, middle)
    return high
