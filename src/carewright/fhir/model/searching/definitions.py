"""The search parameters of R4: a table derived from HL7's definitions by tools/r4_search_parameters.py."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Kind = Literal["token", "reference", "date", "string", "number", "quantity", "uri", "composite", "special"]
ANY_TYPE = "*"


class Path(msgspec.Struct, frozen=True):
    """Where values lie: JSON names joined by dots, lists gone through, and the R4 data type of what is there.

    `is` keeps references to one type, `only` contact points of one system; `system` is what a `code` means by its required binding.
    """

    at: str
    kind: str
    is_type: str | None = msgspec.field(default=None, name="is")
    only: str | None = None
    system: str | None = None


class Part(msgspec.Struct, frozen=True):
    """One component of a composite; its paths begin at an element of the composite."""

    type: Kind
    paths: tuple[Path, ...]


class Parameter(msgspec.Struct, frozen=True):
    """One search parameter. `exists` asks whether there is a value other than false; `on` are the elements that a composite looks at."""

    type: Kind
    code: str = ""
    paths: tuple[Path, ...] = ()
    targets: tuple[str, ...] = ()
    exists: bool = False
    on: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


class _Table(msgspec.Struct):
    source: str
    types: dict[str, dict[str, Parameter]]


class Definitions:
    """Every known parameter of every known resource type."""

    def __init__(self, types: Mapping[str, Mapping[str, Parameter]]) -> None:
        common = types["Resource"]
        self._types = {
            name: {code: msgspec.structs.replace(parameter, code=code) for code, parameter in (*common.items(), *own.items())}
            for name, own in types.items()
            if name != "Resource"
        }

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(self._types)

    def of(self, resource_type: str) -> Mapping[str, Parameter]:
        """The parameters of a type by their codes, those of all resources among them; none for a type that is not known."""
        return self._types.get(resource_type, {})

    def targets(self, parameter: Parameter) -> tuple[str, ...]:
        """The known types that a reference parameter may point at."""
        return tuple(name for name in self._types if name in parameter.targets or ANY_TYPE in parameter.targets)


def decoded(table: bytes) -> Definitions:
    """The definitions in the text of search.json."""
    return Definitions(msgspec.json.decode(table, type=_Table).types)
