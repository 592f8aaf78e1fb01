"""What estimates learn from what became of them: how much longer everything takes than was thought, and how wide a range must be."""

from collections.abc import Sequence
from statistics import NormalDist

import msgspec
import numpy as np

from carewright.flow.model.waiting.estimates import Estimate

OUTCOMES_MAX = 2_000
"""The newest outcomes that count: about a week of a busy queue. People of one day share its fate, so a few hundred would say little."""
DOUBTS = 40
"""So many outcomes just as foretold are thought of beside those that were seen: a handful of surprises changes little."""
WIDTH_MIN = 1.0
"""Minutes: a range narrower than this on one side is judged as if it were so wide."""
_SPREAD = 1 / NormalDist().inv_cdf(0.9)
AS_FORETOLD = tuple(NormalDist(0.0, _SPREAD).inv_cdf((each + 0.5) / DOUBTS) for each in range(DOUBTS))
"""Errors in widths of the range, of which a tenth lies below -1 and a tenth above 1."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What `estimate` told, before any correction, and how long it was from then on."""

    low: float
    median: float
    high: float
    actual: float


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """Everything takes `scale` times as long, and the range reaches `below` and `above` times as far from its middle."""

    scale: float = 1.0
    below: float = 1.0
    above: float = 1.0


def learned(outcomes: Sequence[Outcome]) -> Correction:
    """The correction by which the newest outcomes would have been told right; outcomes stand in order, the newest last.

    To be asked for each tier of each queue: what is slower than thought delays the less urgent more.
    The scale is the middle of the ratios of actual to foretold, and the range the 10th and 90th percentile of the errors that are left,
    each in widths of its own range: split conformal prediction with a normalised score (Lei et al., JASA 113, 2018, section 5.2), over a
    window that moves, since hospitals change.
    """
    newest = outcomes[-OUTCOMES_MAX:]
    if not newest:
        return Correction()
    low, median, high, actual = np.array([msgspec.structs.astuple(each) for each in newest]).T
    ratios = np.maximum(actual, WIDTH_MIN) / np.maximum(median, WIDTH_MIN)
    scale = float(np.exp(np.median([*np.log(ratios), *[0.0] * DOUBTS])))
    error = actual - scale * median
    width = scale * np.where(error < 0, median - low, high - median)
    below, above = np.quantile([*(error / np.maximum(width, WIDTH_MIN)), *AS_FORETOLD], (0.1, 0.9))
    return Correction(scale=scale, below=max(0.0, -float(below)), above=max(0.0, float(above)))


def corrected(told: Estimate, correction: Correction) -> Estimate:
    """The estimate as it is shown. What is beyond what can be seen stays so."""
    if told.median is None or told.low is None:
        return told
    middle = told.median * correction.scale
    low = middle - correction.below * correction.scale * (told.median - told.low)
    high = None if told.high is None else middle + correction.above * correction.scale * (told.high - told.median)
    return Estimate(low=max(0.0, low), median=middle, high=high)
