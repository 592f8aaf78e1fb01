"""The habits of an EHR as values: nothing else in this package asks which one it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from carewright.mock.ehr.answers import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a type may be searched by. One of `needs` must be given whole; of `apart` only one may be given, and once."""

    needs: tuple[tuple[str, ...], ...]
    knows: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(self.knows).union(*self.needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`base` is where FHIR R4 is; `operations` where `$find` and `$book` are, if anywhere. `reads` can be read by id.

    `steps` says to which status an appointment may be brought from which by a patch; without any, nothing is patched or created.
    An appointment is booked in one slot of theirs, or by itself, as it is sent. `subscribes`: Subscriptions are kept, and told of changes.
    `warns` is the coding of the warning that stands among the results where a parameter is not known; without it such a search is refused.
    """

    name: str
    base: str
    token_path: str
    algorithms: tuple[str, ...]
    token_seconds: int
    count_default: int
    count_max: int
    page_word: str
    searches: Mapping[str, Search]
    reads: tuple[str, ...]
    service_types: str
    new_id: Callable[[Random], str]
    versions: bool
    operations: str | None = None
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    books: Literal["slot", "itself"] = "slot"
    subscribes: bool = False
    warns: Resource | None = None

    def writes(self, kind: str) -> bool:
        """Whether this type is created and patched."""
        return bool(self.steps) and kind == "Appointment"
