"""The directory's rows, to values and back. One function runs one named query, or one query of each type."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.directory import (
    Device,
    EntriesPage,
    FindByIdentifier,
    FindEntries,
    FindServices,
    FindStaff,
    HealthcareService,
    Identifier,
    IdentifierMatch,
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    Resource,
    ServicesPage,
    ServiceSummary,
    Staff,
    StaffPage,
    VisitType,
)
from carewright.directory import model
from carewright.kernel.db import Row, Session, Transaction
from carewright.kernel.folding import folded
from carewright.kernel.sql import Query, load

Q = load("carewright.directory")
T = TypeVar("T")
NO_ID = UUID(int=0)


class Table(NamedTuple):
    """Where entries of one type are kept, the statement that puts them there, and where a page shows them."""

    name: str
    put: Query
    shown: str


TABLES: dict[type[Resource], Table] = {
    Organization: Table("organization", Q.put_organizations, "organizations"),
    Location: Table("location", Q.put_locations, "locations"),
    Practitioner: Table("practitioner", Q.put_practitioners, "practitioners"),
    PractitionerRole: Table("practitioner_role", Q.put_practitioner_roles, "practitioner_roles"),
    Device: Table("device", Q.put_devices, "devices"),
    HealthcareService: Table("healthcare_service", Q.put_healthcare_services, "healthcare_services"),
    VisitType: Table("visit_type", Q.put_visit_types, "visit_types"),
}
"""In the order in which references allow them to be written."""


# --- writing ------------------------------------------------------------------------------------------------------------------


async def lock_directory(tx: Session, organization_id: UUID) -> None:
    """Wait until this transaction alone changes the tenant's directory. Must be its first statement."""
    await tx.execute(Q.lock_directory, organization_id)


async def is_empty(tx: Session, organization_id: UUID) -> bool:
    """Whether the tenant has no entry yet."""
    row = await tx.fetch_one(Q.is_empty, organization_id)
    return bool(row and row["empty"])


async def find_targets(tx: Session, organization_id: UUID, ids: Iterable[UUID]) -> dict[UUID, model.Target]:
    """What the stored ones among `ids` stand for."""
    rows = await tx.fetch(Q.targets, organization_id, list(ids))
    return {row["id"]: model.Target(row["resource_type"], row["kind"], row["home_id"]) for row in rows}


async def find_parts_above(tx: Session, organization_id: UUID, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The stored `part_of_id` of the organizations and locations `ids`, and of everything above them."""
    rows = await tx.fetch(Q.parts_above, organization_id, list(ids))
    return {row["id"]: row["part_of_id"] for row in rows}


async def put_entries(tx: Session, organization_id: UUID, entries: Sequence[Resource]) -> list[Resource]:
    """Store the entries; those that are new or say something new come back, with their versions."""
    written: list[Resource] = []
    for kind, table in TABLES.items():
        if given := {entry.id: entry for entry in entries if type(entry) is kind}:
            rows = await tx.fetch(table.put, organization_id, *_columns(list(given.values())))
            written += [replace(given[row["id"]], version=row["version"]) for row in rows]
    return written


async def copy_entries(tx: Transaction, organization_id: UUID, entries: Sequence[Resource]) -> None:
    """Store new entries by COPY."""
    for kind, table in TABLES.items():
        given = [entry for entry in entries if type(entry) is kind]
        rows = zip(*_columns(given), strict=True)
        await tx.copy("directory", table.name, ("organization_id", "id", "search_key", "value"), ((organization_id, *row) for row in rows))


async def touch_practitioners(tx: Session, organization_id: UUID, ids: Iterable[UUID]) -> None:
    """Raise the versions of practitioners whose roles changed."""
    await tx.execute(Q.touch_practitioners, organization_id, list(ids))


async def touch_visit_types(tx: Session, organization_id: UUID, service_ids: Iterable[UUID], but: Iterable[UUID]) -> set[UUID]:
    """Raise the versions of the visit types of changed services, `but` for some; the ids of those raised."""
    rows = await tx.fetch(Q.touch_visit_types, organization_id, list(service_ids), list(but))
    return {row["id"] for row in rows}


async def drop_identifiers(tx: Session, organization_id: UUID, ids: Iterable[UUID]) -> None:
    """Take from the entries `ids` every identifier."""
    await tx.execute(Q.drop_identifiers, organization_id, list(ids))


async def claim_identifiers(tx: Session, organization_id: UUID, entries: Sequence[Resource]) -> set[tuple[UUID, Identifier]]:
    """Give the entries their identifiers; those granted come back, each with its entry's id."""
    columns = [list(column) for column in zip(*_carried(entries), strict=True)]
    granted = await tx.fetch(Q.claim_identifiers, organization_id, *columns) if columns else []
    return {(row["id"], Identifier(system=row["system"], value=row["value"])) for row in granted}


async def copy_identifiers(tx: Transaction, organization_id: UUID, entries: Sequence[Resource]) -> None:
    """Give new entries their identifiers by COPY."""
    rows = ((organization_id, *row) for row in _carried(entries))
    await tx.copy("directory", "identifier", ("organization_id", "resource_type", "system", "value", "id"), rows)


def _columns(entries: Sequence[Resource]) -> tuple[list[UUID], list[str], list[bytes]]:
    """Ids, search keys and values; every value goes in as a first version, and the statement counts on from there."""
    return (
        [entry.id for entry in entries],
        [model.search_key(entry) for entry in entries],
        [msgspec.json.encode(replace(entry, version=1)) for entry in entries],
    )


def _carried(entries: Sequence[Resource]) -> list[tuple[str, str, str, UUID]]:
    """Type, system, value and carrier's id of each identifier."""
    return [
        (model.type_of(entry), identifier.system, identifier.value, entry.id)
        for entry in entries
        for identifier in model.identifiers_of(entry)
    ]


# --- reading ------------------------------------------------------------------------------------------------------------------


async def staff_by_id(db: Session, organization_id: UUID, ids: Iterable[UUID]) -> list[Staff]:
    """Practitioners with all their roles."""
    return [_staff(row) for row in await db.fetch(Q.staff_by_id, organization_id, list(ids))]


async def visit_types_with_service(db: Session, organization_id: UUID, ids: Iterable[UUID]) -> list[tuple[VisitType, HealthcareService]]:
    """Visit types, each with the service it belongs to."""
    rows = await db.fetch(Q.visit_types_with_service, organization_id, list(ids))
    return [(_value(row["visit_type"], VisitType), _value(row["service"], HealthcareService)) for row in rows]


async def service_by_id(db: Session, organization_id: UUID, service_id: UUID) -> ServiceSummary | None:
    """A service with its active visit types, by name."""
    row = await db.fetch_one(Q.service_by_id, organization_id, service_id)
    if row is None:
        return None
    visit_types = _value(row["visit_types"], tuple[VisitType, ...])
    return ServiceSummary(service=_value(row["service"], HealthcareService), visit_types=visit_types)


async def find_services(db: Session, organization_id: UUID, query: FindServices) -> ServicesPage:
    """A page of services, and how many there are."""
    site_id = str(query.site_id) if query.site_id else None
    (row,) = await db.fetch(Q.find_services, organization_id, folded(query.text or ""), site_id, query.limit, query.offset)
    return ServicesPage(items=_value(row["items"], tuple[ServiceSummary, ...]), total=row["total"])


async def find_sites(db: Session, organization_id: UUID, limit: int) -> tuple[Location, ...]:
    """The first `limit` active sites, by name."""
    return tuple(_value(row["value"], Location) for row in await db.fetch(Q.find_sites, organization_id, limit))


async def find_staff(db: Session, organization_id: UUID, query: FindStaff) -> StaffPage:
    """A page of staff, and how many there are."""
    specialty = query.specialty or ""
    site_id = str(query.site_id) if query.site_id else None
    (row,) = await db.fetch(
        Q.find_staff, organization_id, query.kind, specialty, folded(specialty), site_id, query.language, query.limit, query.offset
    )
    return StaffPage(items=_value(row["items"], tuple[Staff, ...]), total=row["total"])


async def find_entries(db: Session, organization_id: UUID, query: FindEntries) -> EntriesPage:
    """A page of entries in order of their ids, in the place of their type."""
    kind, table = next((kind, table) for kind, table in TABLES.items() if kind.__name__ == query.resource_type)
    after, more = query.after or NO_ID, query.limit + 1
    if query.ids:
        rows = await db.fetch(Q.entries_by_id, organization_id, query.resource_type, after, more, list(query.ids))
    else:
        rows = await db.fetch(Q.entries_after, organization_id, query.resource_type, after, more)
    entries = tuple(_value(row["value"], kind) for row in rows[: query.limit])
    return EntriesPage(**{table.shown: entries}, next=entries[-1].id if len(rows) > query.limit else None)  # type: ignore[arg-type]  # one type, one place


async def entry_by_id(db: Session, organization_id: UUID, kind: type[Resource], id_: UUID) -> Resource | None:
    """One entry of a type, None where there is none under this id."""
    rows = await db.fetch(Q.entries_by_id, organization_id, kind.__name__, NO_ID, 1, [id_])
    return _value(rows[0]["value"], kind) if rows else None


def in_place(page: type[T], entry: Resource) -> T:
    """A page, or a change, that has this entry alone, in the place of its type."""
    return page(**{TABLES[type(entry)].shown: (entry,)})


async def ids_by_identifier(db: Session, organization_id: UUID, query: FindByIdentifier) -> tuple[IdentifierMatch, ...]:
    """Which of the identifiers are known, and whose they are."""
    systems = [identifier.system for identifier in query.identifiers]
    values = [identifier.value for identifier in query.identifiers]
    rows = await db.fetch(Q.ids_by_identifier, organization_id, query.resource_type, systems, values)
    return tuple(IdentifierMatch(identifier=Identifier(system=row["system"], value=row["value"]), id=row["id"]) for row in rows)


def _staff(row: Row) -> Staff:
    roles = _value(row["roles"], tuple[PractitionerRole, ...])
    return Staff(practitioner=_value(row["practitioner"], Practitioner), roles=roles)


def _value(raw: msgspec.Raw | str, kind: type[T]) -> T:
    return msgspec.json.decode(raw, type=kind)
