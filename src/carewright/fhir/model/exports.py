"""Bulk Data's export (https://hl7.org/fhir/uv/bulkdata/STU2/export.html): what is asked for, and the manifest that answers it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from carewright.contracts.fhir.basics import Resource, instant
from carewright.fhir.model.ndjson import NDJSON, since_in
from carewright.kernel.errors import BadInput

Level = Literal["system", "Patient", "Group"]
OF_PATIENTS = ("Patient", "Appointment", "Encounter")
KINDS: Mapping[Level, tuple[str, ...]] = {
    "system": (
        "Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Device", "Schedule", "Patient", "Appointment",
        "Encounter",
    ),
    "Patient": OF_PATIENTS,
    "Group": OF_PATIENTS,
}  # fmt: skip
"""What each level has, references' targets first. Slots are computed, and no part of it."""
KEPT = timedelta(hours=24)
OPEN_MAX = 20
"""Exports of one client that live at the same time."""
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
ELEMENT = re.compile(r"(?:[A-Z][A-Za-z]{1,60}\.)?[a-z][A-Za-z]{1,60}", re.ASCII)
BETWEEN_FILTERS = re.compile(r",(?=[A-Z][A-Za-z]{1,60}\?)", re.ASCII)
"""Filters are listed with commas, and have some inside them."""
ELEMENTS_MAX, FILTERS_MAX, FILTER_LENGTH_MAX, REQUEST_LENGTH_MAX = 100, 20, 500, 4_000
FILE = re.compile(r"([A-Z][A-Za-z]+)(?:-(\d{4})-(\d{2}))?\.ndjson", re.ASCII)


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """An export that was asked for: which types, changed since when, by which address, when, and how long it is there.

    `elements` are `name` of any type or `Type.name`; `filters` are searches of a type. With `group_id` it is about that group's patients.
    """

    id: UUID
    kinds: tuple[str, ...]
    since: datetime | None
    elements: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    group_id: UUID | None = None
    request: str
    asked_at: datetime
    until: datetime


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One file: a type, or the appointments of one month, which are many. `month` is its first instant, in UTC."""

    kind: str
    month: datetime | None = None

    @property
    def name(self) -> str:
        return f"{self.kind}{self.month:-%Y-%m}.ndjson" if self.month else f"{self.kind}.ndjson"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the parameters of a kick-off say. No `kinds` are all there are."""

    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    elements: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


def wish_in(pairs: Iterable[tuple[str, str]], *, lenient: bool) -> Wish:
    """Raises `BadInput` for what is not served; with `lenient` that is left out (section "Query Parameters")."""
    kinds: list[str] = []
    elements: list[str] = []
    filters: list[str] = []
    since: datetime | None = None
    for name, value in pairs:
        if name == "_type":
            kinds += [kind for kind in value.split(",") if kind]
        elif name == "_elements":
            elements += [each for each in value.split(",") if _is_element(each, lenient=lenient)]
        elif name == "_typeFilter":
            filters += BETWEEN_FILTERS.split(value)
        elif name == "_since":
            since = since_in(value)
        elif name == "_outputFormat":
            _ensure_format(value)
        elif not lenient:
            raise BadInput(f"This server knows no parameter {name[:40]!r} of an export.", parameter=name[:40])
    if len(elements) > ELEMENTS_MAX:
        raise BadInput("These are more elements than an export is asked for.", parameter="_elements")
    if len(filters) > FILTERS_MAX or any(len(each) > FILTER_LENGTH_MAX for each in filters):
        raise BadInput("These are more filters than an export has, or longer ones.", parameter="_typeFilter")
    return Wish(kinds=_once_each(kinds), since=since, elements=_once_each(elements), filters=_once_each(filters))


def elements_for(kind: str, elements: Iterable[str]) -> frozenset[str]:
    """Those of the elements that a type is asked for; none where it comes whole."""
    pairs = (each.rpartition(".") for each in elements)
    return frozenset(name for of, _, name in pairs if of in ("", kind))


def kinds_of(level: Level, wish: Wish, *, lenient: bool) -> tuple[str, ...]:
    """The types of an export. Raises `BadInput` for one that this level does not have, unless `lenient`."""
    if not lenient and (strange := [kind for kind in wish.kinds if kind not in KINDS[level]]):
        raise BadInput(f"{strange[0][:40]!r} is not exported here.", parameter="_type")
    return tuple(kind for kind in KINDS[level] if kind in (wish.kinds or KINDS[level]))


def pieces_of(export: Export, first: datetime | None, last: datetime | None) -> Iterator[Piece]:
    """The files of an export, where appointments begin between `first` and `last`."""
    for kind in export.kinds:
        if kind != "Appointment":
            yield Piece(kind=kind)
        elif first and last:
            yield from (Piece(kind=kind, month=month) for month in months(first, last))


def piece_named(name: str) -> Piece | None:
    """The file of a name; None for one that cannot be."""
    found = FILE.fullmatch(name)
    if found is None or bool(found[2]) != (found[1] == "Appointment"):
        return None
    if not found[2]:
        return Piece(kind=found[1])
    year, month = int(found[2]), int(found[3])
    return Piece(kind=found[1], month=datetime(year, month, 1, tzinfo=UTC)) if year and 1 <= month <= 12 else None


def months(first: datetime, last: datetime) -> Iterator[datetime]:
    """The first instants of the months from `first` to `last`, in UTC."""
    month = _month_of(first)
    while month <= last:
        yield month
        month = after_month(month)


def after_month(month: datetime) -> datetime:
    """The first instant of the next month."""
    return _month_of(month + timedelta(days=31))


def manifest(export: Export, pieces: Iterable[Piece], address: str) -> dict[str, Any]:
    """The answer once the export is complete; `address` is that of its status."""
    return {
        "transactionTime": instant(export.asked_at),
        "request": export.request,
        "requiresAccessToken": True,
        "output": [{"type": piece.kind, "url": f"{address}/{piece.name}"} for piece in pieces],
        "error": [],
    }


def is_changed(one: Resource, since: datetime | None) -> bool:
    """Whether a resource belongs to an export of what changed since then. One that does not say when it changed does."""
    changed_at = one.get("meta", {}).get("lastUpdated")
    return since is None or changed_at is None or datetime.fromisoformat(changed_at) > since


def _month_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _once_each(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _is_element(text: str, *, lenient: bool) -> bool:
    """Whether this names an element at the top of a type. Raises `BadInput` for what does not, unless `lenient`."""
    if ELEMENT.fullmatch(text) is None and not lenient:
        raise BadInput("Elements are `name`, or `Type.name`.", parameter="_elements")
    return ELEMENT.fullmatch(text) is not None


def _ensure_format(text: str) -> None:
    if text.replace(" ", "+") not in FORMATS:
        raise BadInput(f"Exports are {NDJSON}.", parameter="_outputFormat")
