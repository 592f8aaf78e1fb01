"""Versions of one resource: what is asked of a history, and how it is answered (https://hl7.org/fhir/R4/http.html#history)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from carewright.contracts.fhir.basics import Resource, said
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.fhir.model.bundles import address
from carewright.fhir.model.ndjson import since_in
from carewright.fhir.model.searching.paging import query_of
from carewright.kernel.values import utc

COUNT_MAX, DIGITS_MAX = 200, 10
BELOW = "below"
"""The place of a page, in links of ours: versions below this one."""
SHAPED = frozenset({"_format", "_pretty"})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Of a history: at most `count` versions, those that came to be at `since` or later, below the version `below`."""

    count: int = 50
    since: datetime | None = None
    below: int | None = None


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. `total` counts other pages too; the next page is of those below `next`, where there are any."""

    items: tuple[Resource, ...]
    total: int
    next: str | None


def read_asked(pairs: Iterable[tuple[str, str]]) -> Asked:
    """What the parameters of a history say. Raises `InvalidElement` for what says nothing we know, `BadInput` for no instant."""
    asked = Asked()
    for name, text in pairs:
        if name == "_count":
            asked = msgspec.structs.replace(asked, count=min(_number(name, text), COUNT_MAX))
        elif name == BELOW:
            asked = msgspec.structs.replace(asked, below=_number(name, text))
        elif name == "_since":
            asked = msgspec.structs.replace(asked, since=utc(since_in(text)))
        elif name not in SHAPED:
            raise InvalidElement("A history is asked for by _count and _since.", expression=name[:40])
    return asked


def history(base: str, place: str, pairs: Sequence[tuple[str, str]], found: Versions) -> Resource:
    """The Bundle of the versions of the resource at `place`; each with the request that made it, as far as it can be told."""
    here = f"{base}/{place}/_history"
    links = [{"relation": "self", "url": _address(here, pairs)}]
    if found.next is not None:
        below = [*(pair for pair in pairs if pair[0] != BELOW), (BELOW, found.next)]
        links.append({"relation": "next", "url": _address(here, below)})
    return said({
        "resourceType": "Bundle", "type": "history", "total": found.total, "link": links,
        "entry": [_entry(base, place, one) for one in found.items],
    })  # fmt: skip


def _entry(base: str, place: str, one: Resource) -> Resource:
    is_first = one["meta"]["versionId"] == "1"
    return {
        "fullUrl": address(base, one),
        "resource": one,
        "request": {"method": "POST", "url": place.partition("/")[0]} if is_first else {"method": "PUT", "url": place},
        "response": {
            "status": "201 Created" if is_first else "200 OK",
            "etag": f'W/"{one["meta"]["versionId"]}"',
            "lastModified": one["meta"]["lastUpdated"],
        },
    }


def _address(here: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{here}?{query_of(tuple(pairs))}" if pairs else here


def number_or_none(text: str) -> int | None:
    """A number as versions and counts are written."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < DIGITS_MAX else None


def _number(name: str, text: str) -> int:
    number = number_or_none(text)
    if number is None:
        raise InvalidElement("A number belongs here.", expression=name)
    return number
