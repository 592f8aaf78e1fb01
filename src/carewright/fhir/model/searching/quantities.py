"""Numbers with units (R4, quantity): `[prefix]number`, `number|system|code` or `number||code`. Units are not converted."""

from decimal import Decimal
from typing import Any

import msgspec

from carewright.fhir.model.searching.escapes import plain, split
from carewright.fhir.model.searching.ranges import Number, Prefix, decimal_of, number_matches, number_of

INFINITE = Decimal("Infinity")


class Quantity(msgspec.Struct, frozen=True):
    """A number and its unit; an empty `system` or `code` is any. Without a system the code is that of the unit or its name."""

    prefix: Prefix
    number: Number
    system: str = ""
    code: str = ""


def parse(prefix: Prefix, text: str) -> Quantity:
    """Raises `ValueError` where the text is not a quantity."""
    number, *unit = [plain(part) for part in split(text, "|")]
    if len(unit) > 2:
        raise ValueError
    return Quantity(prefix, number_of(number), *unit)


def matches(asked: Quantity, value: object) -> bool:
    """Whether a number or a Quantity is what was asked for."""
    if isinstance(value, dict):
        return _has_unit(asked, value) and _in_range(asked, decimal_of(value.get("value")), value.get("comparator"))
    return not asked.code and not asked.system and _in_range(asked, decimal_of(value), None)


def _has_unit(asked: Quantity, value: dict[str, Any]) -> bool:
    if asked.system and value.get("system") != asked.system:
        return False
    return not asked.code or asked.code in ([value.get("code")] if asked.system else [value.get("code"), value.get("unit")])


def _in_range(asked: Quantity, number: Decimal | None, comparator: object) -> bool:
    """A quantity of "less than 5" may be any number below."""
    if number is None:
        return False
    low = -INFINITE if comparator in ("<", "<=") else number
    high = INFINITE if comparator in (">", ">=") else number
    return number_matches(asked.prefix, asked.number, low, high)
