"""Named SQL: every statement lives in a module's `queries.sql`, with its name and its reason.

Format: `-- name: appointment_by_id`, then comment lines that say why, then the statement up to the next name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One named statement. `name` shows up in metrics and traces; `text` goes to PostgreSQL."""

    name: str
    text: str


class Queries:
    """The statements of one module, as attributes: `Q.appointment_by_id`."""

    def __init__(self, module: str, text: str) -> None:
        self._by_name = {query.name.partition(".")[2]: query for query in parse(module, text)}

    def __getattr__(self, name: str) -> Query:
        try:
            return self._by_name[name]
        except KeyError:
            raise AttributeError(f"queries.sql has no statement named {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._by_name.values())


def parse(module: str, text: str) -> list[Query]:
    """Split the text of a `queries.sql`; the comment lines after the name are its reason and stay out of the statement."""
    parts = NAME.split(text)
    return [Query(f"{module}.{name}", _without_comments(body)) for name, body in zip(parts[1::2], parts[2::2], strict=True)]


@lru_cache
def load(package: str) -> Queries:
    """The queries of the module whose package is `package` (for example `carewright.scheduling`)."""
    module = package.split(".")[1]
    return Queries(module, resources.files(package).joinpath("queries.sql").read_text("utf-8"))


def _without_comments(body: str) -> str:
    return "\n".join(line for line in body.splitlines() if not line.lstrip().startswith("--")).strip().rstrip(";")
