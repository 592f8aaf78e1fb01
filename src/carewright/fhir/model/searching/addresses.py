"""References and uris (R4, reference and uri): by id, by type and id, by address, by canonical address with or without a version."""

import re
from collections.abc import Sequence

import msgspec

from carewright.fhir.model.searching.elements import local

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


class Address(msgspec.Struct, frozen=True):
    """Either resources of this server, `locals` as `Type/id`, or any other `address`."""

    locals: frozenset[str] = frozenset()
    address: str = ""


def parse(text: str, base: str, targets: Sequence[str]) -> Address:
    """What a reference parameter that may point at `targets` means by `text`. Raises `ValueError` for none of its forms."""
    if not text or any(mark.isspace() for mark in text):
        raise ValueError
    if _ID.fullmatch(text):
        return Address(frozenset(f"{target}/{text}" for target in targets), text)
    if place := local(text, base):
        return Address(frozenset({place}), text)
    return Address(address=text)


def matches(asked: Address, value: object, base: str) -> bool:
    """Whether a Reference or a canonical address is what was asked for."""
    held = value.get("reference") if isinstance(value, dict) else value
    if not isinstance(held, str):
        return False
    place = local(held, base)
    return place in asked.locals if place else bool(asked.address) and is_canonical(asked.address, held)


def is_canonical(asked: str, held: str) -> bool:
    """Without a version the address alone counts."""
    return held == asked or ("|" not in asked and held.partition("|")[0] == asked)


def uri_matches(asked: str, modifier: str, held: object) -> bool:
    """R4, uri: equal to the letter; `:below` takes everything under the path, `:above` everything over it; urns have neither."""
    if not isinstance(held, str):
        return False
    if modifier == "below":
        return held == asked or (not asked.startswith("urn:") and held.startswith(asked.rstrip("/") + "/"))
    if modifier == "above":
        return held == asked or (not asked.startswith("urn:") and asked.startswith(held.rstrip("/") + "/"))
    return is_canonical(asked, held)
