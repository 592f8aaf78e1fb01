"""The array types the hospital is made of."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

TICK_MINUTES = 5
TICKS_PER_DAY = 24 * 60 // TICK_MINUTES


def ints(values: Sequence[int]) -> Ints:
    """A column of whole numbers."""
    return np.asarray(values, dtype=np.int64)


def uuids_of(rows: Bytes) -> list[UUID]:
    """Rows of 16 bytes as UUIDs."""
    raw = rows.tobytes()
    return [UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)]


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Share `total` in proportion to `weights` by largest remainder; every weight above zero gets at least one."""
    shares = [1 if weight > 0 else 0 for weight in weights]
    spare = total - sum(shares)
    if spare < 0:
        raise ValueError(f"{total} are too few: {sum(shares)} kinds need one each")
    ideal = [total * weight / sum(weights) for weight in weights]
    wanted = [max(0.0, want - share) for want, share in zip(ideal, shares, strict=True)]
    exact = [spare * want / (sum(wanted) or 1.0) for want in wanted]
    shares = [share + int(more) for share, more in zip(shares, exact, strict=True)]
    by_remainder = sorted(range(len(weights)), key=lambda at: (int(exact[at]) - exact[at], at))
    for at in by_remainder[: total - sum(shares)]:
        shares[at] += 1
    return shares
