"""What an EHR does on a bad day, when it is asked to."""

from collections.abc import Callable
from dataclasses import dataclass

from carewright.mock.ehr.answers import Resource, Wrong

WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """`slow_seconds` pass before every answer; with `lies`, totals, order and types are not as they should be. None by default."""

    slow_seconds: float = 0.0
    endless_pages: bool = False
    lies: bool = False
    fails_every: int = 0


class Patience:
    """At most `per_minute` requests in a minute; the rest are told for how long to wait. And, where wished, every so many break."""

    def __init__(self, per_minute: int, fails_every: int, seconds: Callable[[], float]) -> None:
        self._per_minute, self._fails_every, self._seconds = per_minute, fails_every, seconds
        self._since, self._asked, self._all = seconds(), 0, 0

    def ensure(self) -> None:
        """Count a request. Raises `Wrong`."""
        now = self._seconds()
        if now - self._since >= WINDOW_SECONDS:
            self._since, self._asked = now, 0
        self._asked, self._all = self._asked + 1, self._all + 1
        if self._asked > self._per_minute:
            wait = str(max(1, round(self._since + WINDOW_SECONDS - now)))
            raise Wrong(429, "throttled", "Too many requests.", {"Retry-After": wait})
        if self._fails_every and self._all % self._fails_every == 0:
            raise Wrong(500, "exception", "Something went wrong here.")


def lied(bundle: Resource) -> Resource:
    """The same page told wrongly: a total that is not so, the order turned round, an element of another type, a guest of another type."""
    entries = [*reversed(bundle["entry"]), {"resource": {"resourceType": "Basic", "id": "guest"}, "search": {"mode": "match"}}]
    if bundle["entry"]:
        spoilt = bundle["entry"][0]["resource"]
        entries.append({"resource": spoilt | {"id": 7, "active": "yes", "start": 20261126}, "search": {"mode": "match"}})
    return bundle | {"total": bundle["total"] + 1000, "entry": entries}
