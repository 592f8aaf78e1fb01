"""What a search is, once it has been read, and the limits of one."""

from datetime import datetime, tzinfo
from typing import Literal, Self

import msgspec

from carewright.fhir.model.searching.addresses import Address
from carewright.fhir.model.searching.definitions import Parameter
from carewright.fhir.model.searching.nearby import Circle
from carewright.fhir.model.searching.quantities import Quantity
from carewright.fhir.model.searching.ranges import Prefix, Span
from carewright.fhir.model.searching.tokens import Token, TypedIdentifier

PARAMETERS_MAX = 60
VALUES_MAX = 500
"""Alternatives of one parameter, which a rim also uses to ask for what a chain has found."""
VALUE_CHARS_MAX = 1000
CHAIN_DEPTH_MAX = 3
STEPS_MAX = 60
"""Searches that all the chains of one come to: a chain without a type goes on in every type that knows its next name."""
INCLUDES_MAX = 16
INCLUDE_ROUNDS_MAX = 3
"""How often `:iterate` goes on from what was included."""
SORTS_MAX = 5
ELEMENTS_MAX = 60
COUNT_DEFAULT = 50
COUNT_MAX = 500

Pairs = tuple[tuple[str, str], ...]
Summary = Literal["true", "text", "data", "count", "false"]
Total = Literal["none", "estimate", "accurate"]


class Server(msgspec.Struct, frozen=True):
    """Where and when a search is asked: our own base address, the zone of dates that have none, and now."""

    base: str
    zone: tzinfo
    now: datetime


class Moment(msgspec.Struct, frozen=True):
    """A date as asked for."""

    prefix: Prefix
    span: Span


class Composite(msgspec.Struct, frozen=True):
    """One value for each part of a composite."""

    values: tuple["Value", ...]


Value = Token | TypedIdentifier | Moment | Quantity | Address | Circle | Composite | str | bool
"""Text is of strings and uris; a boolean is of `:missing`."""


class Criterion(msgspec.Struct, frozen=True):
    """One parameter with its alternatives: what one repetition of it asks."""

    parameter: Parameter
    modifier: str
    values: tuple[Value, ...]


class Step(msgspec.Struct, frozen=True):
    """A search to be answered first: `parameter` refers to its results, or, where it `is_reverse` (`_has`), they refer to ours by it."""

    parameter: Parameter
    inner: "Search"
    is_reverse: bool = False


class Linked(msgspec.Struct, frozen=True):
    """A chain or `_has`: any of `steps` may lead on. `found` is `Type/id` of what they led to, None as long as nobody asked."""

    steps: tuple[Step, ...]
    found: frozenset[str] | None = None


class Include(msgspec.Struct, frozen=True):
    """What belongs to a page: from resources of type `source` by any of `parameters`, only to `target` where it is given."""

    source: str
    parameters: tuple[Parameter, ...]
    target: str | None
    is_reverse: bool
    is_iterated: bool


class Sort(msgspec.Struct, frozen=True):
    parameter: Parameter
    is_descending: bool


class Warned(msgspec.Struct, frozen=True):
    """A parameter that was left out of account, and why, in a sentence without its value."""

    parameter: str
    says: str


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one search asks. `used` are the parameters that were understood, as they were sent."""

    type: str
    server: Server
    criteria: tuple[Criterion, ...] = ()
    links: tuple[Linked, ...] = ()
    includes: tuple[Include, ...] = ()
    sorts: tuple[Sort, ...] = ()
    count: int = COUNT_DEFAULT
    summary: Summary = "false"
    total: Total = "accurate"
    elements: tuple[str, ...] = ()
    format: str | None = None
    is_pretty: bool = False
    cursor: str | None = None
    used: Pairs = ()
    warnings: tuple[Warned, ...] = ()

    def with_criteria(self, *criteria: Criterion) -> Self:
        return msgspec.structs.replace(self, criteria=(*self.criteria, *criteria))

    @property
    def is_count_only(self) -> bool:
        """R4: `_count=0` is the same as `_summary=count`."""
        return self.count == 0 or self.summary == "count"
