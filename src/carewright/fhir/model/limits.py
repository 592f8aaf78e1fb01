"""How deep and how large a JSON value may be. Everything that walks through one recursively asks here first."""

from collections.abc import Iterable

DEPTH_MAX = 64
"""Objects and lists inside each other. The deepest official example has 20."""

VALUES_MAX = 200_000


def excess_of(value: object) -> str | None:
    """What is too much of the value, in words, or None. It counts level by level: a recursion would end where the sender wants it to."""
    count, level = 0, [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _inside(outer)]
        count += len(level)
        if count > VALUES_MAX:
            return f"has more than {VALUES_MAX} values"
        if not level:
            return None
    return f"is nested deeper than {DEPTH_MAX} levels"


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
