"""The reference page of priorities, written from what routes and modules say:  .venv/bin/python -m tests.tidy.priorities --write"""

import sys
from collections.abc import Iterator
from unittest.mock import MagicMock

from starlette.routing import Route

from carewright.kernel.http.app import BEYOND, Health, system_pages
from carewright.kernel.http.priorities import Declared, Listed, listed, usual
from carewright.kernel.modules import Module
from carewright.kernel.priority import Priority
from carewright.roles.protocols import methods_of
from carewright.roles.registry import MODULES
from tests.tidy.source import ROOT

PAGE = ROOT / "docs" / "reference" / "priorities.md"
PREAMBLE = """# Priorities

How urgent each address is when not everything can be answered; [Overload](../concepts/overload.md) says what that means. What is read is
P3 and everything else is P2, where nobody says otherwise: these are the addresses of which somebody does. One that nobody serves counts
as what its method says.

A call of one of our processes to another (`/internal/v1/…`) says in `Carewright-Priority` for what kind of request it is made, and is P2
where it says nothing.

This page is written by `python -m tests.tidy.priorities --write` from `Route.priority` and `Module.priorities`.
"""
HEADINGS: dict[Priority | None, str] = {
    None: "Beyond all classes",
    Priority.EMERGENCY: "P0: emergencies and acknowledgements",
    Priority.PRESENCE: "P1: who is here or just coming, and the staff's way in",
    Priority.CHANGE: "P2: writes, as all that is not read",
    Priority.LOOK: "P3: browsing and searching, as all that is read",
    Priority.REPORT: "P4: reports, exports, feeds",
}


def pages_of(module: Module) -> list[Route]:
    """A module's pages. They are bound to a context, and ask it for settings only until somebody comes."""
    return [page for page in (module.pages(MagicMock()) if module.pages else ()) if isinstance(page, Route)]


def everything() -> Iterator[tuple[str, Listed]]:
    """Every address with the module that serves it."""
    system: Declared = BEYOND
    for each in listed((), system_pages(Health({}), []), system):
        if each[0] != "*":
            yield "system", each
    for module in MODULES:
        for each in listed(module.routes, pages_of(module), module.priorities):
            if each[0] != "*":
                yield module.name, each
        for protocol in module.offers:
            yield from ((module.name, ("POST", method.path, Priority.CHANGE)) for method in methods_of(protocol).values())


def page() -> str:
    """The whole page."""
    rows = sorted({(path, method, name, priority) for name, (method, path, priority) in everything() if method != "HEAD"}, key=str)
    said = [(f"| {method} | `{path}` | {name} |", priority) for path, method, name, priority in rows if priority is not usual(method)]
    return PREAMBLE + "".join(_section(heading, [row for row, each in said if each is priority]) for priority, heading in HEADINGS.items())


def _section(heading: str, rows: list[str]) -> str:
    return "\n".join(["", f"## {heading}", "", "| method | address | module |", "|---|---|---|", *rows, ""]) if rows else ""


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    PAGE.write_text(page(), "utf-8")
