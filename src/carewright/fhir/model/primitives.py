"""Primitive values: the JSON type of each, its regular expression, and what neither says (https://hl7.org/fhir/R4/datatypes.html)."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from carewright.fhir.model.definitions import Type
from carewright.fhir.model.narrative import is_xhtml

STRING_MAX = 1024 * 1024
"""Characters of a string, by the definition of `string`."""

LONG_MAX = 16 * 1024 * 1024
"""Characters of base64 and of a narrative, which have no limit there."""

INTEGER_MAX = 2**31 - 1
INTEGERS = {"integer": -INTEGER_MAX - 1, "unsignedInt": 0, "positiveInt": 1}
"""The least value of each."""

TEXTS = frozenset({"string", "markdown", "xhtml"})
"""Their regular expressions say no more than that something stands there."""

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What a FHIR string may not hold, and XML cannot."""

BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
WHITE_SPACE = re.compile(r"[ \t\r\n]+")
WHOLE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
DATES = frozenset({"date", "dateTime", "instant"})
WORDS = {"boolean": "true or false", "decimal": "a number", "integer": "a whole number", "unsignedInt": "a whole number",
         "positiveInt": "a whole number"}  # fmt: skip


def json_type_of(type_name: str) -> str:
    """In words, for a sentence."""
    return WORDS.get(type_name, "a string")


def has_json_type(type_name: str, value: Any) -> bool:
    """Whether JSON wrote the value as it writes this type. A decimal may be an int, a float or a Decimal."""
    if type_name == "boolean":
        return isinstance(value, bool)
    if type_name in INTEGERS:
        return isinstance(value, int) and not isinstance(value, bool)
    if type_name == "decimal":
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return isinstance(value, str)


def is_in_form(kind: Type, value: Any) -> bool:
    """Whether a value of the right JSON type is one of this primitive type."""
    if isinstance(value, bool):
        return True
    if isinstance(value, int | float | Decimal):
        return INTEGERS[kind.name] <= value <= INTEGER_MAX if kind.name in INTEGERS else Decimal(value).is_finite()
    if not value or CONTROL.search(value):
        return False
    return _text_is_in_form(kind, value)


def is_too_long(type_name: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) > (LONG_MAX if type_name in ("base64Binary", "xhtml") else STRING_MAX)


def _text_is_in_form(kind: Type, value: str) -> bool:
    if kind.name == "xhtml":
        return is_xhtml(value)
    if kind.name in TEXTS:
        return True
    if kind.name == "base64Binary":
        return _is_base64(value)
    return bool(_compiled(kind.pattern).fullmatch(value)) and (kind.name not in DATES or _is_on_the_calendar(value))


def _is_base64(value: str) -> bool:
    """The regular expression of the definition takes exponential time; this one says the same, and where padding may stand."""
    dense = WHITE_SPACE.sub("", value)
    return len(dense) % 4 == 0 and BASE64.fullmatch(dense) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _is_on_the_calendar(value: str) -> bool:
    whole = WHOLE_DATE.match(value)
    if whole is None:
        return True
    try:
        date.fromisoformat(whole[0])
    except ValueError:
        return False
    return True
