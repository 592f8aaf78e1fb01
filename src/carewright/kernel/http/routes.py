"""What a route is: method, path, types of what comes in and goes out, and everything the OpenAPI document says about it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from carewright.kernel.errors import Refusal
from carewright.kernel.priority import Priority

Q = TypeVar("Q")
B = TypeVar("B")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query parameters, or no body."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request, parsed: ids from the path, query and body as values, and the version named by If-Match."""

    path: Mapping[str, UUID]
    query: Q
    body: B
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A typed route. `handle(ctx, call)` returns a value of type `answer`.

    `keyed` routes need an Idempotency-Key. `versioned` routes answer with an ETag made of the value's `version`, and take If-Match.
    `priority` says how urgent it is where its method does not (`priorities.py`).
    `created` answers 201 with a Location made of `path` and the value's id.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handle: Callable[[Any, Any], Awaitable[Any]]
    summary: str
    permission: str | None
    answer: Any
    query: type[Any] = Nothing
    body: type[Any] = Nothing
    keyed: bool = False
    versioned: bool = False
    created: str | None = None
    refusals: tuple[type[Refusal], ...] = ()
    tag: str = ""
    priority: Priority | None = None

    @property
    def parameters(self) -> list[str]:
        """Names in the path's braces; each is a UUID."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
