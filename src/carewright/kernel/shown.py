"""Facts as viewers are told of them: a kind that can be watched, who may, and what of each event is told (`feed.py`)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from carewright.kernel.events import Event

Form = Callable[[Any], Iterable[tuple[UUID, Mapping[str, str]]]]
"""What a fact tells at which sites: ids, codes and times, and nothing of a person."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A kind of facts that can be watched, by whoever has all of `permissions`, at their sites."""

    kind: str
    permissions: frozenset[str]
    forms: Mapping[type[Event], Form]
