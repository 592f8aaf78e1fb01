"""Which priority each address has: the one table that a process sheds load by.

Reads are `LOOK` and everything else is `CHANGE`, unless a route or its module says otherwise. Where several patterns fit, the one that
says more decides, from left to right, as `/Encounter` does before `/{kind}`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from starlette.routing import BaseRoute
from starlette.routing import Route as Page

from carewright.kernel.http.routes import Route
from carewright.kernel.priority import Priority

Declared = Mapping[str, Priority | None]
"""`/path` or `POST /path`, as its route is written, or one address of a route for many; None: beyond all classes."""
Listed = tuple[str, str, Priority | None]
"""Method, path, priority."""
SAFE_METHODS = frozenset({"GET", "HEAD"})
UNKNOWN = "unknown"
ANY_PART, ANY_REST = "{}", "{:path}"


class Address(NamedTuple):
    """The pattern that a request's address fits, and its priority; None for what is never refused."""

    pattern: str
    priority: Priority | None


class _Node(NamedTuple):
    below: dict[str, "_Node"]
    here: dict[str, Address]
    """By method; `*` for every method."""


class Addresses:
    """The table of one process."""

    def __init__(self, listed: Iterable[Listed]) -> None:
        self._root = _Node({}, {})
        for method, path, priority in listed:
            self._add(method, path, priority)

    def of(self, method: str, path: str) -> Address:
        """What an address means. One that nobody serves counts as what it would be by its method."""
        as_read = "GET" if method == "HEAD" else method
        return _found(self._root, path.split("/"), 0, as_read) or Address(UNKNOWN, usual(method))

    def _add(self, method: str, path: str, priority: Priority | None) -> None:
        node = self._root
        for part in path.split("/"):
            node = node.below.setdefault(_kind_of(part), _Node({}, {}))
        node.here[method] = Address(path, priority)


def usual(method: str) -> Priority:
    """What a request is unless somebody says otherwise."""
    return Priority.LOOK if method in SAFE_METHODS else Priority.CHANGE


def listed(routes: Iterable[Route], pages: Sequence[BaseRoute], declared: Declared) -> list[Listed]:
    """All that is served, and what `declared` says of single addresses."""
    found: list[Listed] = [(route.method, route.path, priority_of(route)) for route in routes]
    for page in pages:
        if isinstance(page, Page):
            found += [(method, page.path, _declared(declared, method, page.path)) for method in sorted(page.methods or {"GET"})]
    singled_out = (each.rpartition(" ") for each in declared)
    return [*found, *((method or "*", path, declared[f"{method} {path}".strip()]) for method, _, path in singled_out)]


def priority_of(route: Route) -> Priority:
    """What a typed route says of itself, else what its method says."""
    return usual(route.method) if route.priority is None else route.priority


def _declared(declared: Declared, method: str, path: str) -> Priority | None:
    by_method, by_path = f"{method} {path}", path
    return declared[by_method] if by_method in declared else declared[by_path] if by_path in declared else usual(method)


def _kind_of(part: str) -> str:
    """A part of a path as it is looked up. Braces stand for any one part, `{name:path}` for any number of them."""
    if "{" not in part:
        return part
    return ANY_REST if part.endswith(":path}") else ANY_PART


def _found(node: _Node, parts: Sequence[str], place: int, method: str) -> Address | None:
    if place == len(parts):
        return node.here.get(method) or node.here.get("*")
    below = node.below
    for kind in (parts[place], ANY_PART):
        if kind in below and (found := _found(below[kind], parts, place + 1, method)) is not None:
            return found
    return below[ANY_REST].here.get(method) if ANY_REST in below else None
