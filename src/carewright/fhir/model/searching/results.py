"""The parameters that shape the answer and leave the matches alone: _count, _sort, _include and others.

Source: http://hl7.org/fhir/R4/search.html, Managing Returned Resources.
"""

from typing import Any, get_args

from carewright.fhir.model.searching.definitions import Definitions, Parameter
from carewright.fhir.model.searching.refusals import BadValue, TooCostly, UnknownParameter, UnsupportedModifier
from carewright.fhir.model.searching.search import (
    COUNT_MAX,
    ELEMENTS_MAX,
    INCLUDES_MAX,
    SORTS_MAX,
    VALUE_CHARS_MAX,
    Include,
    Search,
    Sort,
    Summary,
    Total,
)

CURSOR = "_cursor"
"""Our own: where a page begins."""
SHAPING = ("_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total", "_format", "_pretty", CURSOR)
ITERATE = frozenset({"iterate", "recurse"})
"""R4's modifier, and the name that it had before."""
UNSORTED = frozenset({"composite", "special"})


def kind_of(name: str) -> str | None:
    """Which of these parameters `name` is; None for none."""
    code = name.partition(":")[0]
    return code if code in SHAPING else None


def read(definitions: Definitions, search: Search, kind: str, name: str, value: str) -> dict[str, Any]:
    """The fields of `search` that the parameter changes. Raises `SearchRefused`."""
    modifier = name.partition(":")[2]
    if len(value) > VALUE_CHARS_MAX:
        raise TooCostly.of(kind)
    if kind in ("_include", "_revinclude"):
        return {"includes": _with_include(definitions, search, kind, modifier, value)}
    if modifier:
        raise UnsupportedModifier.of(name)
    if kind == "_sort":
        return {"sorts": _sorts(definitions, search, value)}
    return _simple(kind, value)


def _simple(kind: str, value: str) -> dict[str, Any]:
    match kind:
        case "_count":
            return {"count": _count(value)}
        case "_summary":
            return {"summary": _one_of(kind, value, get_args(Summary))}
        case "_total":
            return {"total": _one_of(kind, value, get_args(Total))}
        case "_pretty":
            return {"is_pretty": _one_of(kind, value, ("true", "false")) == "true"}
        case "_elements":
            return {"elements": _elements(value)}
        case _:
            return {"format" if kind == "_format" else "cursor": value}


def _count(value: str) -> int:
    """R4: the server may return fewer than asked for, and never more."""
    if not (value.isascii() and value.isdigit()):
        raise BadValue.of("_count")
    return min(int(value), COUNT_MAX)


def _one_of(kind: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise BadValue.of(kind)
    return value


def _elements(value: str) -> tuple[str, ...]:
    names = tuple(value.split(","))
    if len(names) > ELEMENTS_MAX:
        raise TooCostly.of("_elements")
    if not all(name.isidentifier() and name.isascii() for name in names):
        raise BadValue.of("_elements")
    return names


def _sorts(definitions: Definitions, search: Search, value: str) -> tuple[Sort, ...]:
    """`date,-name`: each by a parameter of the type, backwards after a minus."""
    names = value.split(",")
    if len(names) > SORTS_MAX:
        raise TooCostly.of("_sort")
    return tuple(Sort(_sortable(definitions, search, name.removeprefix("-")), name.startswith("-")) for name in names)


def _sortable(definitions: Definitions, search: Search, code: str) -> Parameter:
    parameter = definitions.of(search.type).get(code)
    if not parameter or parameter.type in UNSORTED:
        raise UnknownParameter.of("_sort", "A search is sorted by the parameters of its type, save composite ones.")
    return parameter


def _with_include(definitions: Definitions, search: Search, kind: str, modifier: str, value: str) -> tuple[Include, ...]:
    if modifier and modifier not in ITERATE:
        raise UnsupportedModifier.of(f"{kind}:{modifier}")
    if len(search.includes) == INCLUDES_MAX:
        raise TooCostly.of(kind)
    source, code, target = _include_parts(search, kind, value)
    parameters = tuple(
        each for name, each in definitions.of(source).items() if code in ("*", name) and each.type == "reference"
    )  # fmt: skip
    if not parameters:
        raise UnknownParameter.of(kind, "This names no reference of a type that is known here.")
    return (*search.includes, Include(source, parameters, target, kind == "_revinclude", bool(modifier)))


def _include_parts(search: Search, kind: str, value: str) -> tuple[str, str, str | None]:
    """`*`, `Type:parameter` or `Type:parameter:Target`. A reverse `*` would search every type there is."""
    if value == "*" and kind == "_include":
        return search.type, "*", None
    source, colon, rest = value.partition(":")
    code, _, target = rest.partition(":")
    if not (source and colon and code):
        raise BadValue.of(kind)
    return source, code, target or None
