"""What a value of a contract's type looks like on the wire, as a matcher of Pact: every field that is always there, in its form.

A field that may be null is expected to be null, unless it is among `there`; one among `any` is left to whoever answers, and of a list among
them only is said that it is one. Both are named as `Struct.field`, or as `field` of any.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import NODEFAULT, inspect
from pact import match

from tests.pacts.contract import Json, formed

ID, INSTANT, DAY = "019a0000-0000-7000-8000-000000000000", "2026-12-01T09:00:00Z", "2026-12-01"
ID_FORM = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
INSTANT_FORM = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
ABSENT = object()
FILLED = frozenset({"value", "items"})


@dataclass(frozen=True)
class Shape:
    there: frozenset[str] = frozenset()
    any: frozenset[str] = frozenset()

    def of(self, kind: object) -> Any:
        """The matcher of a type that a Protocol's method answers. A list of `items`, or one that is the answer, has one at least."""
        return self._of(inspect.type_info(kind), "value")

    def _of(self, kind: inspect.Type, name: str) -> Any:
        kind = _plain(kind)
        if isinstance(kind, inspect.StructType):
            return self._struct(kind)
        if isinstance(kind, inspect.CollectionType):
            item = self._of(kind.item_type, "of " + name)
            return match.each_like(item, min=1 if name in FILLED - self.any else None)
        if isinstance(kind, inspect.DictType):
            return (
                match.like({})
                if isinstance(kind.value_type, inspect.AnyType)
                else match.each_value_matches({"name": "value"}, rules=match.like("value"))
            )
        if isinstance(kind, inspect.LiteralType):
            values = [str(each) for each in kind.values]
            return formed(values[0], "|".join(re.escape(each) for each in values))
        return PLAIN[type(kind)](kind, name)

    def _struct(self, kind: inspect.StructType) -> Json:
        omits = kind.cls.__struct_config__.omit_defaults
        said = {each.encode_name: self._field(kind.cls.__name__, each, omits=omits) for each in kind.fields}
        return {name: value for name, value in said.items() if value is not ABSENT}

    def _field(self, owner: str, field: inspect.Field, *, omits: bool) -> Any:
        names, nullable = {field.encode_name, f"{owner}.{field.encode_name}"}, _may_be_null(field.type)
        if names & self.any:
            return match.like([]) if isinstance(_plain(field.type), inspect.CollectionType) else ABSENT
        if names & self.there:
            return self._of(field.type, field.encode_name)
        if (omits and not field.required) or _may_be_unset(field):
            return ABSENT
        return None if nullable else self._of(field.type, field.encode_name)


def _plain(kind: inspect.Type) -> inspect.Type:
    """Without what is only said about it, and without null."""
    if isinstance(kind, inspect.Metadata):
        return _plain(kind.type)
    if not isinstance(kind, inspect.UnionType):
        return kind
    options = [_plain(each) for each in kind.types if not isinstance(each, inspect.NoneType)]
    literals = [each for each in options if isinstance(each, inspect.LiteralType)]
    if literals:
        return inspect.LiteralType(tuple(value for each in literals for value in each.values))
    return options[0]


def _may_be_null(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.UnionType) and any(isinstance(each, inspect.NoneType) for each in kind.types)


def _may_be_unset(field: inspect.Field) -> bool:
    return not field.required and field.default is NODEFAULT and field.default_factory is NODEFAULT


def _text(kind: Any, name: str) -> Any:
    """By the field's name, or in letters where there is a form."""
    if kind.pattern is None:
        return match.like(name)
    return formed("A" * max(2, kind.min_length or 0), kind.pattern)


PLAIN: Mapping[type[inspect.Type], Callable[[Any, str], Any]] = {
    inspect.StrType: _text,
    inspect.UUIDType: lambda _, __: formed(ID, ID_FORM),
    inspect.DateTimeType: lambda _, __: formed(INSTANT, INSTANT_FORM),
    inspect.DateType: lambda _, __: formed(DAY, r"\d{4}-\d\d-\d\d"),
    inspect.IntType: lambda _, __: match.int(1),
    inspect.FloatType: lambda _, __: match.number(1.5),
    inspect.BoolType: lambda _, __: match.boolean(True),
    inspect.NoneType: lambda _, __: None,
    inspect.AnyType: lambda _, __: match.like({}),
}
