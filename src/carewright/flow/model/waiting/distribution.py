"""How long something takes, or how late somebody comes, in minutes: known as a table of equally likely values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log1p, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

POINTS = 2_048
"""Values in a table that comes from a formula. Each stands for 1/2048 of all cases, and is their mean."""
DOUBTS = 20
TAIL = 0.9
"""What lasts longer than all that is known goes on as the longest tenth did from where that tenth began."""
_STANDARD = NormalDist()


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Equally likely values in minutes, rising; made by one of the functions below."""

    values: Floats
    mean: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", float(self.values.mean()))

    @property
    def second_moment(self) -> float:
        """The mean of the squares, in square minutes."""
        return float((self.values**2).mean())

    def draw(self, rng: np.random.Generator, size: int | tuple[int, ...]) -> Floats:
        drawn: Floats = self.values[rng.integers(0, len(self.values), size)]
        return drawn

    def draw_left(self, rng: np.random.Generator, elapsed_minutes: float, size: int) -> Floats:
        """What is left of something that has lasted `elapsed_minutes` and is not over."""
        known = len(self.values)
        first, passed = int(np.searchsorted(self.values, elapsed_minutes, "right")), elapsed_minutes
        if first == known:
            first = int(known * TAIL)
            passed = float(self.values[first - 1]) if first else 0.0
        left: Floats = self.values[rng.integers(first, known, size)] - passed
        return left

    def scaled(self, factor: float) -> "Distribution":
        return Distribution(self.values * factor)


def always(minutes: float) -> Distribution:
    return Distribution(np.array([minutes]))


def observed(minutes: Sequence[float], expected: Distribution) -> Distribution:
    """As long as it took before, and what lies between; `expected` counts as `DOUBTS` observations, and alone while there is none."""
    thought = np.quantile(expected.values, (np.arange(DOUBTS) + 0.5) / DOUBTS)
    return Distribution(np.quantile(np.concatenate([thought, minutes]), (np.arange(POINTS) + 0.5) / POINTS))


def exponential(mean_minutes: float) -> Distribution:
    """Without memory: what is left does not depend on what has passed.

    The mean of the values between the probabilities a and b, by integrating -ln(1 - u) from a to b.
    """
    left = 1.0 - np.arange(POINTS + 1) / POINTS
    area = left - left * np.log(np.where(left > 0, left, 1.0))
    return Distribution(mean_minutes * (area[:-1] - area[1:]) * POINTS)


def lognormal(mean_minutes: float, variation: float) -> Distribution:
    """Of this mean; `variation` is the standard deviation divided by it. Consultations look like this: most short, a few very long.

    The mean of the values between the probabilities a and b is mean · (Φ(z_b - s) - Φ(z_a - s)) / (b - a).
    """
    spread = sqrt(log1p(variation**2))
    if spread == 0:
        return always(mean_minutes)
    below = [0.0, *(_STANDARD.cdf(_STANDARD.inv_cdf(each / POINTS) - spread) for each in range(1, POINTS)), 1.0]
    return Distribution(mean_minutes * np.diff(below) * POINTS)


def normal(mean_minutes: float, deviation_minutes: float) -> Distribution:
    """As people come to an appointed time, early or late: a negative value is early."""
    values = [_STANDARD.inv_cdf((each + 0.5) / POINTS) for each in range(POINTS)]
    return Distribution(mean_minutes + deviation_minutes * np.array(values))
