"""How often our own clients may ask again: a tenth of what they ask, so that a peer who is in trouble is not asked twice as much for it.

A client that repeats whatever fails multiplies what it asks just when least of it is answered; a chain of three does so eightfold. With a
budget it repeats what fails now and then, and stops where everything fails (Finagle, "Retry Budgets", 2016; gRPC proposal A6). Only what is
safe to repeat is repeated at all: what was not begun, or what the peer takes once.
"""

from collections.abc import Callable, Iterator
from time import monotonic

from prometheus_client import Counter

RATIO = 0.1
"""Retries that a request earns."""
MOST = 10.0
"""Retries that are saved up, and that a client begins with."""
PER_SECOND = 1.0
"""Earned by time alone: who asks seldom may ask again, too."""
RETRIES = Counter(
    "carewright_retries_total", "Requests of ours that did not succeed: repeated, or not for want of a budget.", ["to", "repeated"]
)


class RetryBudget:
    """What one client may repeat towards one peer. `to` names the kind of peer; `now` is a clock that never goes back."""

    def __init__(self, to: str, now: Callable[[], float] = monotonic) -> None:
        self._to = to
        self._now = now
        self._saved = MOST
        self._at = now()

    def asked(self) -> None:
        """A request that is no repetition goes out."""
        self._saved = min(MOST, self._saved + RATIO)

    def turns(self, most: int) -> Iterator[int]:
        """The turns of one request, from 0: the first is its own, and each that repeats it (`most` in all) is paid for."""
        self.asked()
        for turn in range(most):
            if turn and not self.may_repeat():
                return
            yield turn

    def may_repeat(self) -> bool:
        """Whether one that was not answered may be sent again; if so, this pays for it."""
        now = self._now()
        self._saved, self._at = min(MOST, self._saved + (now - self._at) * PER_SECOND), now
        allowed = self._saved >= 1
        if allowed:
            self._saved -= 1
        RETRIES.labels(self._to, "yes" if allowed else "no").inc()
        return allowed
