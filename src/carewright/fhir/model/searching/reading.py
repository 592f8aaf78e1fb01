"""One parameter and its value, read into a criterion: modifiers that the type allows, alternatives, prefixes."""

from collections.abc import Callable, Sequence
from typing import get_args

from carewright.fhir.model.searching import addresses, nearby, quantities, tokens
from carewright.fhir.model.searching.definitions import Kind, Parameter, Part
from carewright.fhir.model.searching.escapes import plain, split
from carewright.fhir.model.searching.ranges import Prefix, span_of
from carewright.fhir.model.searching.refusals import BadValue, TooCostly, UnsupportedModifier
from carewright.fhir.model.searching.search import VALUE_CHARS_MAX, VALUES_MAX, Composite, Criterion, Moment, Server, Value

MODIFIERS: dict[Kind, frozenset[str]] = {
    "token": frozenset({"missing", "not", "text", "of-type"}),
    "reference": frozenset({"missing", "identifier"}),
    "date": frozenset({"missing"}),
    "string": frozenset({"missing", "exact", "contains"}),
    "number": frozenset({"missing"}),
    "quantity": frozenset({"missing"}),
    "uri": frozenset({"missing", "above", "below"}),
    "composite": frozenset(),
    "special": frozenset({"missing"}),
}
"""What each type takes besides, for references, the name of a type. Those of R4 that need a terminology server are not among them."""
_PREFIXES: tuple[Prefix, ...] = get_args(Prefix)


def criterion_of(server: Server, parameter: Parameter, modifier: str, text: str) -> Criterion:
    """What `parameter:modifier=text` asks. Raises `UnsupportedModifier`, `BadValue` or `TooCostly`."""
    if modifier not in MODIFIERS[parameter.type] | {""} and not _is_target(parameter, modifier):
        raise UnsupportedModifier.of(f"{parameter.code}:{modifier}")
    pieces = split(text, ",")
    if len(pieces) > VALUES_MAX or any(len(piece) > VALUE_CHARS_MAX for piece in pieces):
        raise TooCostly.of(parameter.code)
    try:
        return Criterion(parameter, modifier, tuple(_value(server, parameter, modifier, piece) for piece in pieces))
    except ValueError:
        raise BadValue.of(parameter.code) from None


def _is_target(parameter: Parameter, modifier: str) -> bool:
    return parameter.type == "reference" and modifier[:1].isupper() and (modifier in parameter.targets or "*" in parameter.targets)


def _value(server: Server, parameter: Parameter, modifier: str, text: str) -> Value:
    match modifier:
        case "missing":
            return _truth(text)
        case "text":
            return _text(text)
        case "of-type":
            return tokens.parse_typed(text)
        case "identifier":
            return tokens.parse(text)
    if parameter.type == "composite":
        return _composite(server, parameter.parts, text)
    targets = (modifier,) if _is_target(parameter, modifier) else parameter.targets
    return _of_type(server, parameter.type, targets, text)


def _composite(server: Server, parts: Sequence[Part], text: str) -> Composite:
    pieces = split(text, "$")
    if len(pieces) != len(parts):
        raise ValueError
    return Composite(tuple(_of_type(server, part.type, (), piece) for part, piece in zip(parts, pieces, strict=True)))


def _of_type(server: Server, kind: Kind, targets: Sequence[str], text: str) -> Value:
    if kind == "reference":
        return addresses.parse(plain(text), server.base, targets)
    if kind in ("date", "number", "quantity"):
        prefix, rest = _prefixed(text)
        return Moment(prefix, span_of(rest, server.zone)) if kind == "date" else quantities.parse(prefix, rest)
    return _PLAIN[kind](text)


def _prefixed(text: str) -> tuple[Prefix, str]:
    return next(((prefix, text[2:]) for prefix in _PREFIXES if text.startswith(prefix)), ("eq", text))


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError
    return plain(text)


_PLAIN: dict[Kind, Callable[[str], Value]] = {"token": tokens.parse, "string": _text, "uri": _text, "special": nearby.parse}
