"""Pages behind links that say nothing: what is left of a search waits under a word that only this server understands."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from carewright.mock.ehr.answers import Resource, Wrong

WAITING_MAX = 1_000
"""Searches that wait to be read on; the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Page:
    """`token` leads to what follows; None at the end."""

    items: list[Resource]
    total: int
    token: str | None


class Pages:
    """With `endless`, the last page is followed by the first again, for ever."""

    def __init__(self, *, endless: bool = False) -> None:
        self._endless = endless
        self._waiting: OrderedDict[str, tuple[str, list[Resource], int, int]] = OrderedDict()
        self._made = 0

    def first(self, kind: str, items: list[Resource], count: int) -> Page:
        return self._page(kind, items, 0, count)

    def next(self, kind: str, token: str) -> Page:
        """What follows. Raises `Wrong` for a word that was never given, or long ago."""
        found = self._waiting.get(token)
        if found is None or found[0] != kind:
            raise Wrong(400, "invalid", "This page is not there any more. Search again.")
        return self._page(*found)

    def _page(self, kind: str, items: list[Resource], at: int, count: int) -> Page:
        after = at + count
        if self._endless:
            after = after if after < len(items) else 0
        token = self._kept(kind, items, after, count) if after < len(items) or self._endless else None
        return Page(items[at : at + count], len(items), token)

    def _kept(self, kind: str, items: list[Resource], at: int, count: int) -> str:
        self._made += 1
        token = sha256(f"{kind} {self._made}".encode()).hexdigest()[:32]
        self._waiting[token] = (kind, items, at, count)
        if len(self._waiting) > WAITING_MAX:
            self._waiting.popitem(last=False)
        return token
